"""A plugin that does with an input what a test says, and what a test needs to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orbitalis import Core, Event, StringMessage
from orbitalis.bus import LocalEventBus
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, on, running

__all__ = ["AskedPlugin", "Behaviour", "answer_to", "answers", "asked", "connected"]

Behaviour = Callable[["AskedPlugin", str, Event[StringMessage]], Awaitable[None]]


@dataclass
class AskedPlugin(EchoPlugin):
    """Does with an input what the test says."""

    behaviour: Behaviour | None = None
    inputs: list[Event[StringMessage]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["text"].handler = self._behave

    async def _behave(self, topic: str, event: Event[StringMessage]) -> None:
        self.inputs.append(event)
        if self.behaviour is not None:
            await self.behaviour(self, topic, event)

    async def put_out(self, topic: str, text: str) -> None:
        """Send an output on the connection with this input topic."""
        await self.send_result_to_all(await self.retrieve_and_touch_connections("text", input_topic=topic), text)

    def later(self, work: Awaitable[None]) -> None:
        """Do something in a task."""
        self.tasks.append(asyncio.ensure_future(work))


@asynccontextmanager
async def connected(
    bus: LocalEventBus, behaviour: Behaviour | None = None, **options: Any
) -> AsyncIterator[tuple[TextCore, AskedPlugin]]:
    """Give a core and a plugin, connected; without behaviour, the plugin does nothing with its inputs."""
    core = core_on(bus, **options)
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False, behaviour=behaviour)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        yield core, plugin
        assert len(core._awaited) == 0
        await asyncio.gather(*plugin.tasks)


async def asked(core: Core, plugin: AskedPlugin, text: str = "x", **options: Any) -> asyncio.Task[Any]:
    """Request, and wait until the plugin has the input."""
    count = len(plugin.inputs)
    task = asyncio.create_task(core.request("text", text, **options))
    await until(lambda: len(plugin.inputs) > count)
    return task


async def answers(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
    await plugin.put_out(topic, event.payload.value.lower())


def answer_to(event: Event[Any], payload: object, **headers: Any) -> Event[Any]:
    """Return an answer as a plugin of another make might send it."""
    return Event.create(payload, publisher_identifier="x", correlation_identifier=event.identifier, **headers)
