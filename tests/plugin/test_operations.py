"""Operations of a plugin that runs: who gets them, what comes of edits, and what is sent."""

from __future__ import annotations

import asyncio
import gc
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    Event,
    Input,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    StringMessage,
)
from orbitalis.bus import LocalEventBus
from orbitalis.errors import ConnectionClosedError, OperationFailedError
from orbitalis_wire.messages import OperationNoLongerAvailableMessage
from tests.support.events import until
from tests.support.orbiters import Diary, EchoPlugin, all_connected, core_on, needs, on, plugin_on, running


async def test_a_custom_policy_decides_who_is_connected(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus).with_custom_policy(operation_name="text", policy=Policy(allowlist=["my_core"]))
    mine, other = core_on(bus, "my_core"), core_on(bus, "other")
    async with running(plugin, other, mine):
        await all_connected(mine, [plugin])
        assert other.retrieve_connections() == []
        plugin.operations["text"].policy.allowlist = ["my_core", "other"]
        plugin.update_operations()
        await other.send_discover_based_on_requirements()
        await all_connected(other, [plugin])


async def test_a_policys_maximum_holds_when_all_ask_at_the_same_time(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus).with_custom_policy("text", Policy(maximum=3))
    cores = [core_on(bus, f"core{number}") for number in range(10)]
    async with running(plugin):
        await asyncio.gather(*(core.start() for core in cores))
        await until(lambda: len(plugin.retrieve_connections()) == 3)
        for core in cores:
            await core.send_discover_based_on_requirements()
        assert len(plugin._machine.slots) == 3
        await until(lambda: sum(core.is_compliant() for core in cores) == 3)
        await asyncio.gather(*(core.stop() for core in cores))


async def test_operations_may_be_added_edited_and_removed_while_the_plugin_runs(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus, operation_requirements={**needs(), "more": needs()["text"]}), plugin_on(bus)
    received: list[str] = []
    async with running(plugin, core):
        await all_connected(core, [plugin])
        plugin.operations["more"] = Operation(
            name="more", handler=plugin.give_back, input=Input.string(), output=Output.string()
        )
        plugin.update_operations()
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin], "more")
        # The handler may be replaced, by a plain function too.
        plugin.operations["more"].handler = lambda topic, event: received.append(event.payload.value)
        await core.execute("more", "x", any=True)
        await until(lambda: received == ["x"])
        del plugin.operations["more"]
        plugin.update_operations()
        await core.execute("more", "lost", any=True)
        await core.send_graceless_close_connection("plugin", "more")
        await core.send_discover_based_on_requirements()
        await core.execute("text", "y", any=True)
        await until(lambda: plugin.received == ["y"])
        assert received == ["x"]
        assert core.retrieve_connections(operation_name="more") == []


async def test_an_operation_that_is_removed_after_its_offer_is_refused(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    diary.keep(core)

    async def remove(offer_message: object) -> None:
        del plugin.operations["text"]
        plugin.update_operations()

    setattr(plugin, "_on_send_offer", remove)  # noqa: B010
    async with running(plugin, core):
        await until(lambda: len(diary.arguments(core, "_on_operation_no_longer_available")) == 1)
        ((notice,),) = diary.arguments(core, "_on_operation_no_longer_available")
        assert notice == OperationNoLongerAvailableMessage(plugin_identifier="plugin", operation_name="text")


async def test_an_offer_may_be_sent_unasked(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(core, plugin):
        await plugin.send_offer(
            offer_topic=core.offer_topic, core_identifier="core", offerable_operations=["text", "unknown"]
        )
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])


async def test_setup_data_arrives_before_the_connection_is_there(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    core.operation_requirements["text"].default_setup_data = bytes(range(256))
    seen: list[tuple[str, str, bytes | None, int]] = []

    async def note(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        seen.append((core_identifier, operation_name, setup_data, len(plugin.retrieve_connections())))

    setattr(plugin, "_setup_operation", note)  # noqa: B010
    async with running(plugin, core):
        await all_connected(core, [plugin])
        assert seen == [("core", "text", bytes(range(256)), 0)]


# As the guide has them


@dataclass
class RandomNumberPlugin(Plugin):
    last_sent: datetime | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["randint"] = Operation(
            name="randint",
            input=Input.no_input(),
            handler=None,
            output=Output.int64(),
            policy=Policy.no_constraints(),
        )

    async def _on_loop_iteration(self) -> None:
        connections = await self.retrieve_and_touch_connections(operation_name="randint")
        await self.send_result_to_all(connections, random.randint(0, 100))


async def test_a_periodic_operation(bus: LocalEventBus) -> None:
    numbers: list[int] = []
    constraint = Constraint(minimum=1, inputs=[Input.no_input()], outputs=[Output.int64()])
    core = Core(eventbus_client=on(bus), operation_requirements={"randint": OperationRequirement(constraint)})
    core.with_operation_sink("randint", lambda topic, event: numbers.append(event.payload.value))
    plugin = RandomNumberPlugin(eventbus_client=on(bus), loop_interval=0.01)
    async with running(plugin, core):
        await until(lambda: len(numbers) >= 3)


@dataclass
class HelloSenderPlugin(Plugin):
    """Has a loop of its own."""

    __stop_custom_loop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["hello"] = Operation(name="hello", output=Output.from_message(StringMessage))

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        await super()._internal_start(*args, **kwargs)
        self.__stop_custom_loop.clear()
        self.custom_loop = asyncio.create_task(self.__custom_loop())

    async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
        await super()._internal_stop(*args, **kwargs)
        self.__stop_custom_loop.set()
        await self.custom_loop

    async def __custom_loop(self) -> None:
        while not self.__stop_custom_loop.is_set():
            await asyncio.sleep(0.005)
            for connection in await self.retrieve_and_touch_connections(operation_name="hello"):
                if connection.has_output and connection.output_topic is not None:
                    await self.eventbus_client.publish(connection.output_topic, "hello")


async def test_a_custom_loop(bus: LocalEventBus) -> None:
    texts: list[str] = []
    constraint = Constraint(minimum=1, inputs=[Input.no_input()], outputs=[Output.string()])
    core = Core(eventbus_client=on(bus), operation_requirements={"hello": OperationRequirement(constraint)})
    core.operation_sinks["hello"] = CallbackEventHandler(lambda topic, event: texts.append(event.payload.value))
    async with running(HelloSenderPlugin(eventbus_client=on(bus)), core):
        await until(lambda: len(texts) >= 2)
    assert set(texts) == {"hello"}


async def test_a_result_goes_to_those_who_take_one(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus)
    plugin.operations["quiet"] = Operation(name="quiet", handler=plugin.give_back, input=Input.string())
    core = core_on(bus, operation_requirements={**needs(), "quiet": needs(outputs=[Output.no_output()])["text"]})
    async with running(plugin, core):
        for name in ("text", "quiet"):
            await all_connected(core, [plugin], name)
        await until(lambda: len(plugin.retrieve_connections()) == 2)
        assert sorted(one.has_output for one in plugin.retrieve_connections()) == [False, True]
        await plugin.send_result_to_all(plugin.retrieve_connections(), "x")
        await until(lambda: core.texts == ["x"])


async def test_what_an_operation_is_not_declared_to_send_is_not_sent(bus: LocalEventBus) -> None:
    class Numbers(EchoPlugin):
        async def give_back(self, topic: str, event: Event[StringMessage]) -> None:
            await self.send_result_to_all(self.retrieve_connections(), 5)

    plugin, core = Numbers(identifier="plugin", eventbus_client=on(bus)), core_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        declared = "operation 'text' of 'plugin' is declared to send StringMessage, not an Int64Message"
        with pytest.raises(OperationFailedError, match=declared):
            await core.request("text", "x")
        await until(lambda: plugin.eventbus_client.statistics.handler_errors == 1)
        await plugin.send_result_to_all(plugin.retrieve_connections(), "x")
        await until(lambda: core.texts == ["x"])


async def test_a_request_whose_handler_is_cancelled_before_it_begins_leaves_nothing_behind(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        request = asyncio.create_task(core.request("text", "x"))
        # Where tasks do not begin at once, there is one for the handler now that has not begun.
        while not plugin.eventbus_client._intake.tasks and not request.done():  # noqa: ASYNC110 - no turn may be missed
            await asyncio.sleep(0)
        await plugin.stop()
        outcome = (await asyncio.gather(request, return_exceptions=True))[0]
        assert outcome == StringMessage(value="x") or isinstance(outcome, ConnectionClosedError)
    # Python would complain of a coroutine that was never awaited.
    gc.collect()
