"""What counts as a use of a connection, where those that are unused are closed: all work that is under way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Connection, Core, Event, Input, Output, Plugin, StringMessage, operation, sink
from orbitalis.core import OperationRequirement
from orbitalis.errors import RequestTimeoutError
from orbitalis.operations.constraint import Constraint
from orbitalis.orbiter import Orbiter
from orbitalis.testing import Harness

AFTER = 5.0
pytestmark = pytest.mark.usefixtures("harness")


@dataclass
class SlowPlugin(Plugin):
    """Takes eight seconds for a text, in the handler or after it."""

    delay: float = 8.0
    answers: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @operation
    async def slow(self, text: str) -> str:
        await asyncio.sleep(self.delay)
        return text

    @operation(name="later", input=Input.string(), output=Output.string())
    async def answer_later(self, topic: str, event: Event[StringMessage], connection: Connection) -> None:
        async def answer() -> None:
            await asyncio.sleep(self.delay)
            await self.send_result_to_all([connection], event.payload.value)

        self.answers.append(asyncio.create_task(answer()))


@dataclass
class SlowCore(Core):
    """Takes eight seconds for an output."""

    texts: list[str] = field(default_factory=list[str])

    @sink(SlowPlugin.slow)
    async def take(self, text: str) -> None:
        await asyncio.sleep(8)
        self.texts.append(text)


async def pair_of(
    harness: Harness, operation_name: str = "slow", *, core: dict[str, Any] | None = None, **options: Any
) -> tuple[SlowCore, SlowPlugin]:
    """Return a core and a plugin that are connected, with the options of each; the core asks for plugins once."""
    needed = OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()]))
    one = SlowCore(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements={operation_name: needed},
        discovering_interval=1e6,
        **(core or {}),
    )
    other = SlowPlugin(identifier="plugin", eventbus_client=harness.client(), **options)
    await harness.start(other, one)
    await harness.connected(one, other)
    return one, other


def are_connected(*orbiters: Orbiter) -> bool:
    return all(orbiter.retrieve_connections() for orbiter in orbiters)


@pytest.mark.parametrize("after", [AFTER, 0.3])
async def test_a_connection_is_in_use_while_an_input_is_handled(harness: Harness, after: float) -> None:
    core, plugin = await pair_of(harness, close_connection_if_unused_after=after)
    assert await core.request(SlowPlugin.slow, "x", timeout=30) == "x"
    await harness.advance(after - 0.1)
    assert are_connected(core, plugin)
    await harness.advance(1.1)
    assert not are_connected(core)
    assert not are_connected(plugin)


async def test_a_connection_is_in_use_while_inputs_wait_and_outputs_are_handled(harness: Harness) -> None:
    core, plugin = await pair_of(harness, close_connection_if_unused_after=AFTER)
    await core.execute(SlowPlugin.slow, ["a", "b", "c"], any=True)
    await harness.advance(9)
    core.close_connection_if_unused_after = AFTER
    await harness.advance(16)
    plugin.close_connection_if_unused_after = None
    await harness.advance(7 + AFTER - 0.1)
    assert core.texts == ["a", "b", "c"]
    assert are_connected(core, plugin)
    await harness.advance(0.2)
    assert not are_connected(core)


async def test_a_connection_is_in_use_while_an_answer_is_awaited(harness: Harness) -> None:
    core, plugin = await pair_of(harness, "later", core={"close_connection_if_unused_after": AFTER})
    answer = await core.request("later", "x", timeout=30, result_type=StringMessage)
    assert answer.value == "x"
    await harness.advance(AFTER - 0.1)
    assert are_connected(core, plugin)
    await harness.advance(0.2)
    assert not are_connected(core)


async def test_the_time_of_a_connection_begins_anew_when_an_answer_is_awaited_no_more(harness: Harness) -> None:
    core, plugin = await pair_of(harness, "later", core={"close_connection_if_unused_after": AFTER}, delay=100.0)
    with pytest.raises(RequestTimeoutError):
        await core.request("later", "x", timeout=9)
    await harness.advance(AFTER - 0.1)
    assert are_connected(core, plugin)
    await harness.advance(0.2)
    assert not are_connected(core)
    await asyncio.gather(*plugin.answers)


async def test_a_connection_that_is_put_to_use_while_its_close_is_prepared_stays(harness: Harness) -> None:
    core, plugin = await pair_of(harness, "later", core={"close_connection_if_unused_after": AFTER}, delay=20.0)

    async def give(remote_identifier: str, operation_name: str) -> bytes | None:
        await asyncio.sleep(2 * AFTER)
        return None

    setattr(core, "_get_on_close_data", give)  # noqa: B010
    await harness.advance(AFTER + 1)
    answer = await core.request("later", "x", timeout=30, result_type=StringMessage)
    assert answer.value == "x"
    assert are_connected(core, plugin)


async def test_a_connection_that_is_in_use_is_not_looked_at_all_the_time(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, plugin = await pair_of(harness)
    looks: list[float] = []
    do_what_is_due = plugin._do_what_is_due

    def look() -> None:
        looks.append(harness.time)
        do_what_is_due()

    monkeypatch.setattr(plugin, "_do_what_is_due", look)
    request = asyncio.create_task(core.request(SlowPlugin.slow, "x", timeout=30))
    await harness.advance(1)
    plugin.close_connection_if_unused_after = 0.0
    assert await request == "x"
    assert 4 < len(looks) < 12
