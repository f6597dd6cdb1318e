"""Operations: declared by methods, through any hierarchy of classes, or added, edited and removed by hand."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
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
    operation,
)
from orbitalis.bus import LocalEventBus
from orbitalis.errors import OperationFailedError
from orbitalis_wire.errors import TopicError
from orbitalis_wire.messages import OperationNoLongerAvailableMessage
from tests.support.events import until
from tests.support.orbiters import Diary, EchoPlugin, all_connected, core_on, needs, on, plugin_on, running


@dataclass
class StatusMessage(AvroMessageMixin):
    lamp_identifier: str
    status: str


@dataclass
class Lamp(Plugin, ABC):
    """As in the guide: what all lamps have in common."""

    kw: float
    is_on: bool = False
    switched: list[str] = field(default_factory=list)

    @operation(name="get_status", input=Input.empty(), output=Output.from_message(StatusMessage))
    async def get_status(self, topic: str, event: Event[None]) -> None:
        (connection,) = await self.retrieve_and_touch_connections(input_topic=topic, operation_name="get_status")
        assert connection.output_topic is not None
        status = StatusMessage(lamp_identifier=self.identifier, status="on" if self.is_on else "off")
        await self.eventbus_client.publish(connection.output_topic, status)

    @operation(name="turn_on", input=Input.empty())
    @abstractmethod
    async def turn_on(self, topic: str, event: Event[Any]) -> None: ...

    @abstractmethod
    async def turn_off(self, topic: str, event: Event[Any]) -> None: ...


@dataclass
class LampX(Lamp):
    """Overrides without a decorator what is declared already, and declares the rest."""

    async def turn_on(self, topic: str, event: Event[Any]) -> None:
        self.is_on = True
        self.switched.append("x on")

    @operation(name="turn_off", input=Input.empty())
    async def turn_off(self, topic: str, event: Event[Any]) -> None:
        self.is_on = False
        self.switched.append("x off")


@dataclass(kw_only=True)
class LampY(LampX):
    """Declares anew what it overrides."""

    power: float = 1.0

    @operation(name="turn_on", input=Input.float64(), default_policy=Policy(maximum=1))
    async def turn_on(self, topic: str, event: Event[Any]) -> None:
        self.power = event.payload.value
        await super().turn_on(topic, event)


def test_operations_are_found_through_all_base_classes(bus: LocalEventBus) -> None:
    lamp = LampX(identifier="x", eventbus_client=on(bus), kw=24)
    assert set(lamp.operations) == {"get_status", "turn_on", "turn_off"}
    assert lamp.operations["get_status"].output.has_output
    assert not lamp.operations["turn_on"].output.has_output
    assert lamp.operations["turn_on"].policy == Policy.no_constraints()
    with pytest.raises(TypeError, match="abstract"):
        Lamp(eventbus_client=on(bus), kw=1)  # type: ignore[abstract]


def test_of_two_declarations_the_more_derived_one_counts(bus: LocalEventBus) -> None:
    lamp = LampY(identifier="y", eventbus_client=on(bus), kw=42)
    assert lamp.operations["turn_on"].input.is_compatible(Input.float64())
    assert lamp.operations["turn_on"].policy.maximum == 1


async def test_the_lamps_of_the_guide_work(bus: LocalEventBus) -> None:
    class Home(Core):
        async def take(self, topic: str, event: Event[StatusMessage]) -> None:
            statuses[event.payload.lamp_identifier] = event.payload.status

    statuses: dict[str, str] = {}
    nothing = [Output.no_output()]
    home = Home(
        identifier="home",
        eventbus_client=on(bus),
        with_loop=False,
        operation_requirements={
            "turn_on": OperationRequirement(
                Constraint(minimum=2, inputs=[Input.empty(), Input.float64()], outputs=nothing)
            ),
            "turn_off": OperationRequirement(Constraint(minimum=1, inputs=[Input.empty()], outputs=nothing)),
            "get_status": OperationRequirement(
                Constraint(minimum=1, inputs=[Input.empty()], outputs=[Output.from_message(StatusMessage)])
            ),
        },
    )
    home.with_operation_sink("get_status", home.take)
    x = LampX(identifier="x", eventbus_client=on(bus), with_loop=False, kw=24)
    y = LampY(identifier="y", eventbus_client=on(bus), with_loop=False, kw=42)
    async with running(x, y, home):
        await asyncio.wait_for(home.compliant_event.wait(), 5)
        await home.execute_using_plugin(operation_name="turn_on", plugin_identifier="x")
        await until(lambda: x.is_on and not y.is_on)
        await home.execute("turn_on", 0.5, plugin_identifier="y")
        await until(lambda: y.is_on)
        assert y.power == 0.5
        await home.execute("get_status", all=True)
        await until(lambda: statuses == {"x": "on", "y": "on"})
        await home.execute_sending_all("turn_off")
        await until(lambda: not x.is_on and not y.is_on)
        await home.execute_distributed("turn_off", data=[None, None, None, None])
        await until(lambda: x.switched.count("x off") == y.switched.count("x off") == 3)


def test_operations_of_instances_are_apart(bus: LocalEventBus) -> None:
    one, other = LampY(eventbus_client=on(bus), kw=1), LampY(eventbus_client=on(bus), kw=1)
    one.operations["turn_on"].policy.allowlist = ["me"]
    one.operations["more"] = Operation(name="more", output=Output.string())
    assert other.operations["turn_on"].policy.allowlist is None
    assert "more" not in other.operations


def test_operations_may_be_given_when_a_plugin_is_made(bus: LocalEventBus) -> None:
    more = Operation(name="more", output=Output.string())
    other = Operation(name="text", output=Output.int64())
    plugin = EchoPlugin(eventbus_client=on(bus), operations={"more": more, "text": other})
    assert plugin.operations == {"text": other, "more": more}


def test_builders_return_the_plugin(bus: LocalEventBus) -> None:
    more = Operation(name="more", output=Output.string())
    policy = Policy(allowlist=["me"])
    plugin = plugin_on(bus).with_operation(operation_name="more", operation=more).with_custom_policy("more", policy)
    assert plugin.operations["more"] is more
    assert more.policy is policy
    with pytest.raises(KeyError, match="there is no operation 'other' to give a policy; known: 'text', 'more'"):
        plugin.with_custom_policy("other", policy)


def test_what_cannot_be_an_operation_is_refused() -> None:
    async def handler(topic: str, event: Event[Any]) -> None: ...

    for name in ("", "a/b", "+"):
        with pytest.raises(TopicError):
            Operation(name=name, output=Output.string())
        with pytest.raises(TopicError):
            operation(name=name, input=Input.string())
    with pytest.raises(ValueError, match="operation 'x' has an input, but no handler for it"):
        Operation(name="x", input=Input.string())
    with pytest.raises(ValueError, match="operation 'x' has no input, so nothing would ever call the method"):
        operation(name="x", output=Output.string())  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="exclude each other"):
        Policy(allowlist=[], blocklist=[])
    with pytest.raises(ValueError, match="maximum must not be negative"):
        Policy(maximum=-1)
    assert isinstance(Operation(name="x", input=Input.string(), handler=handler).handler, CallbackEventHandler)


# While the plugin runs


async def test_a_custom_policy_decides_who_is_connected(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus).with_custom_policy(operation_name="text", policy=Policy(allowlist=["my_core"]))
    mine, other = core_on(bus, "my_core"), core_on(bus, "other")
    async with running(plugin, other, mine):
        await all_connected(mine, [plugin])
        assert other.retrieve_connections() == []
        plugin.operations["text"].policy.allowlist = ["my_core", "other"]
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
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin], "more")
        # The handler may be replaced, by a plain function too.
        plugin.operations["more"].handler = lambda topic, event: received.append(event.payload.value)
        await core.execute("more", "x", any=True)
        await until(lambda: received == ["x"])
        del plugin.operations["more"]
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
        declared = "operation 'text' of 'plugin' is declared to send StringMessage, not a Int64Message"
        with pytest.raises(OperationFailedError, match=declared):
            await core.request("text", "x")
        await until(lambda: plugin.eventbus_client.statistics.handler_errors == 1)
        await plugin.send_result_to_all(plugin.retrieve_connections(), "x")
        await until(lambda: core.texts == ["x"])
