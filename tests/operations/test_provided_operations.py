"""What a plugin provides: declared by methods, through any hierarchy of classes, or given by hand."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
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
    operation,
)
from orbitalis.bus import LocalEventBus
from orbitalis_avro.errors import TopicError
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, on, plugin_on, running


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


# Concurrency


class Archive(Plugin):
    @operation(concurrency=4)
    async def inferred(self, text: str) -> str:
        return text

    @operation(input=str, output=str, concurrency=5)
    async def declared(self, text: str) -> str:
        return text

    @operation(name="events", input=Input.string(), concurrency=6)
    async def events(self, topic: str, event: Event[Any]) -> None: ...

    @operation(cpu_bound=True, concurrency=7)
    @staticmethod
    def cpu_bound(number: int) -> int:
        return number

    @operation
    async def in_order(self, text: str) -> str:
        return text


class OtherArchive(Archive):
    async def inferred(self, text: str) -> str:
        return text.upper()

    @operation
    async def declared(self, text: str) -> str:
        return text.upper()


def test_every_style_of_operation_says_how_many_inputs_are_handled_side_by_side(bus: LocalEventBus) -> None:
    plugin = Archive(eventbus_client=on(bus))
    declared = {"inferred": 4, "declared": 5, "events": 6, "cpu_bound": 7, "in_order": 1}
    assert {name: one.concurrency for name, one in plugin.operations.items()} == declared
    assert Archive.inferred.concurrency == 4
    assert Operation(name="x", output=Output.string()).concurrency == 1
    assert Operation(name="x", output=Output.string(), concurrency=8).concurrency == 8


def test_an_override_without_a_decorator_keeps_the_concurrency(bus: LocalEventBus) -> None:
    plugin = OtherArchive(eventbus_client=on(bus))
    assert plugin.operations["inferred"].concurrency == 4
    assert plugin.operations["declared"].concurrency == 1


@pytest.mark.parametrize("given", [0, -1])
def test_a_concurrency_below_one_is_refused(given: int) -> None:
    text = rf"operation 'x': concurrency must be at least 1, got {given}: write concurrency=1 to handle the inputs"
    with pytest.raises(ValueError, match=text):
        operation(name="x", concurrency=given)
    with pytest.raises(ValueError, match=text):
        Operation(name="x", output=Output.string(), concurrency=given)
    with pytest.raises(ValueError, match=r"^concurrency must be at least 1"):
        operation(concurrency=given)


@pytest.mark.parametrize("given", [True, 2.0, "2", None])
def test_a_concurrency_that_is_no_int_is_refused(given: Any) -> None:
    text = re.escape(f"operation 'x': concurrency must be an int, such as concurrency=4, got {given!r}")
    with pytest.raises(TypeError, match=text):
        operation(name="x", concurrency=given)
    with pytest.raises(TypeError, match=text):
        Operation(name="x", output=Output.string(), concurrency=given)
