"""Operations in the typed style: annotations say what a method takes and gives, and what is sent follows from them."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, TypeVar

import pytest

from orbitalis import (
    AvroMessageMixin,
    BytesMessage,
    Connection,
    Core,
    Event,
    Float64Message,
    Input,
    Int64Message,
    Operation,
    Output,
    Plugin,
    Policy,
    StringMessage,
    TypedOperation,
    operation,
)
from orbitalis.bus import LocalEventBus
from tests.support.events import Collector, until
from tests.support.orbiters import on, running


@dataclass(frozen=True)
class LevelMessage(AvroMessageMixin):
    level: float


@dataclass(frozen=True)
class SwitchMessage(AvroMessageMixin):
    on: bool


P = TypeVar("P")


@dataclass
class TypedPlugin(Plugin):
    """One operation of each kind."""

    taken: list[object] = field(default_factory=list)

    @operation
    async def lowercase(self, text: str) -> str:
        """Make a text small."""
        return text.lower()

    @operation(name="renamed", default_policy=Policy(maximum=3))
    async def other_name(self, text: StringMessage) -> StringMessage:
        assert isinstance(text, StringMessage)
        return StringMessage(value=text.value.upper())

    @operation
    async def add(self, number: int) -> int:
        return number + 1

    @operation
    async def halve(self, number: float) -> float:
        return number / 2

    @operation
    async def turn(self, data: bytes) -> bytes:
        return data[::-1]

    @operation
    async def several(self, payload: LevelMessage | SwitchMessage | str | None) -> str:
        return type(payload).__name__

    @operation
    async def ask(self) -> LevelMessage:
        return LevelMessage(0.5)

    @operation
    async def note(self, payload: int) -> None:
        self.taken.append(payload)

    @operation
    async def if_even(self, number: int) -> int | None:
        return None if number % 2 else number

    @operation(input=str, output=bytes)
    async def declared(self, text: str) -> bytes:
        return text.encode()

    @operation(input=(LevelMessage, None), output=(str, None))
    async def declared_optional(self, level: LevelMessage | None) -> str | None:
        return None if level is None else str(level.level)

    @operation(output=float)
    async def whole(self) -> float:
        return 3

    @operation
    async def whence(self, text: str, connection: Connection) -> str:
        return f"{text} from {connection.remote_identifier}"

    @operation
    async def whence_only(self, connection: Connection) -> str:
        return connection.remote_identifier

    @operation(name="events", input=Input.string(), output=Output.string())
    async def events(self, topic: str, event: Event[StringMessage], connection: Connection) -> None:
        assert connection.input_topic == topic
        await self.send_result_to_all([connection], f"{event.payload.value} {connection.remote_identifier}")

    @operation(name="classes", input=StringMessage, output=StringMessage)
    async def events_of_classes(self, topic: str, event: Event[StringMessage]) -> None:
        await self.send_result_to_all(self.retrieve_connections(input_topic=topic), event.payload.value.title())


CASES: list[tuple[TypedOperation[Any, Any, Any], object, object]] = [
    (TypedPlugin.lowercase, "HELLO", StringMessage(value="hello")),
    (TypedPlugin.lowercase, StringMessage(value="HELLO"), StringMessage(value="hello")),
    (TypedPlugin.other_name, "hello", StringMessage(value="HELLO")),
    (TypedPlugin.add, 1, Int64Message(value=2)),
    (TypedPlugin.halve, 1.0, Float64Message(value=0.5)),
    (TypedPlugin.halve, 1, Float64Message(value=0.5)),
    (TypedPlugin.events_of_classes, "hello", StringMessage(value="Hello")),
    (TypedPlugin.turn, b"\x00\xff", BytesMessage(value=b"\xff\x00")),
    (TypedPlugin.several, LevelMessage(0.5), StringMessage(value="LevelMessage")),
    (TypedPlugin.several, SwitchMessage(on=True), StringMessage(value="SwitchMessage")),
    (TypedPlugin.several, "text", StringMessage(value="str")),
    (TypedPlugin.several, None, StringMessage(value="NoneType")),
    (TypedPlugin.ask, None, LevelMessage(0.5)),
    (TypedPlugin.if_even, 2, Int64Message(value=2)),
    (TypedPlugin.declared, "ü", BytesMessage(value="ü".encode())),
    (TypedPlugin.declared_optional, LevelMessage(0.5), StringMessage(value="0.5")),
    (TypedPlugin.whole, None, Float64Message(value=3.0)),
    (TypedPlugin.whence, "x", StringMessage(value="x from core")),
    (TypedPlugin.whence_only, None, StringMessage(value="core")),
    (TypedPlugin.events, StringMessage(value="x"), StringMessage(value="x core")),
]


def core_for(bus: LocalEventBus, *needed: TypedOperation[Any, Any, Any], sink: Any = None) -> Core:
    """Return a core that needs operations."""
    core = Core(identifier="core", eventbus_client=on(bus), with_loop=False)
    for one in needed:
        core.with_requirement(one, minimum=1, override_sink=sink)
    return core


@pytest.mark.parametrize(("needed", "sent", "result"), CASES, ids=lambda one: getattr(one, "name", repr(one)))
async def test_a_result_comes_back(
    bus: LocalEventBus, needed: TypedOperation[Any, Any, Any], sent: Any, result: object
) -> None:
    sink = Collector()
    core = core_for(bus, needed, sink=sink)
    async with running(TypedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False), core):
        await core.compliant_event.wait()
        assert await core.execute(needed, sent, any=True) == ["plugin"]
        await sink.wait_for(1)
    ((_, event),) = sink.received
    assert event.payload == result


async def test_without_a_result_nothing_is_sent_and_the_connection_is_touched(bus: LocalEventBus) -> None:
    sink = Collector()
    core = core_for(bus, TypedPlugin.if_even, TypedPlugin.note, sink=sink)
    plugin = TypedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core):
        await core.compliant_event.wait()
        connections = {one.operation_name: one for one in plugin.retrieve_connections()}
        opened = {name: one.slot.last_used for name, one in connections.items()}
        assert connections["note"].output_topic is None
        await core.execute(TypedPlugin.if_even, 1, any=True)
        await core.execute(TypedPlugin.note, 7, any=True)
        await core.execute(TypedPlugin.if_even, 2, any=True)
        await sink.wait_for(1)
        await until(lambda: plugin.taken == [7])
        assert sink.values == [2]
        assert all(one.slot.last_used > opened[name] for name, one in connections.items())


async def test_every_mode_takes_a_typed_operation(bus: LocalEventBus) -> None:
    core = core_for(bus, TypedPlugin.note)
    plugin = TypedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core):
        await core.compliant_event.wait()
        await core.execute(TypedPlugin.note, 1, any=True)
        await core.execute(TypedPlugin.note, 2, all=True)
        await core.execute(TypedPlugin.note, 3, plugin_identifier="plugin")
        await core.execute(TypedPlugin.note, [4, 5], distribute=True)
        await core.execute_sending_any(TypedPlugin.note, 6)
        await core.execute_sending_all(TypedPlugin.note, 7)
        await core.execute_using_plugin(TypedPlugin.note, "plugin", 8)
        await core.execute_distributed(TypedPlugin.note, [9, 10])
        await until(lambda: len(plugin.taken) == 10)
        assert plugin.taken == list(range(1, 11))
        with pytest.raises(TypeError, match="operation 'note': expected int, got a str"):
            await core.execute(TypedPlugin.note, "x", any=True)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="expected the name of an operation, or an operation of"):
            await core.execute(plugin.note, 1, any=True)  # type: ignore[call-overload]


async def test_a_handler_that_fails_or_returns_something_else_harms_nothing(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Plugin):
        @operation
        async def lie(self, number: int) -> int:
            if number == 0:
                raise RuntimeError("no zero")
            return number if number > 1 else "text"  # type: ignore[return-value]

    sink = Collector()
    core = core_for(bus, Failing.lie, sink=sink)
    async with running(Failing(eventbus_client=on(bus), with_loop=False), core):
        await core.compliant_event.wait()
        with caplog.at_level(logging.ERROR):
            await core.execute(Failing.lie, [0, 1, 2], distribute=True)
            await sink.wait_for(1)
    assert sink.values == [2]
    errors = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert errors[0] == "no zero"
    assert errors[1].endswith("Failing.lie returned what it is not declared to: expected int, got a str")


# On the class and on an instance


def test_on_the_class_it_knows_what_it_is() -> None:
    assert TypedPlugin.lowercase.name == "lowercase"
    assert TypedPlugin.other_name.name == "renamed"
    assert TypedPlugin.other_name.default_policy == Policy(maximum=3)
    assert TypedPlugin.lowercase.input == Input.string()
    assert TypedPlugin.lowercase.output == Output.string()
    assert TypedPlugin.several.input.is_compatible(
        Input.from_message(SwitchMessage) | Input.from_message(LevelMessage) | Input.string() | Input.empty()
    )
    assert TypedPlugin.ask.input == Input.empty()
    assert TypedPlugin.note.output == Output.no_output()
    # A result of None is not sent, so nobody has to expect an empty event.
    assert TypedPlugin.if_even.output == Output.int64()
    assert TypedPlugin.events.input == Input.string()
    assert TypedPlugin.events_of_classes.name == "classes"
    assert TypedPlugin.events_of_classes.input == Input.string()
    assert TypedPlugin.events_of_classes.output == Output.string()
    assert TypedPlugin.lowercase.__doc__ == "Make a text small."
    assert repr(TypedPlugin.lowercase).endswith("TypedPlugin.lowercase>")


def level_of_another_class() -> AvroMessageMixin:
    """Return a message that is the same on the wire as a LevelMessage."""

    @dataclass(frozen=True)
    class LevelMessage(AvroMessageMixin):
        level: float

    return LevelMessage(0.5)


def test_it_makes_messages_of_values_and_values_of_messages() -> None:
    assert TypedPlugin.lowercase.message("X") == StringMessage(value="X")
    assert TypedPlugin.ask.message(None) is None
    assert TypedPlugin.events.message("X") == StringMessage(value="X")
    assert TypedPlugin.lowercase.result(StringMessage(value="x")) == "x"
    assert TypedPlugin.other_name.result(StringMessage(value="x")) == StringMessage(value="x")
    assert TypedPlugin.ask.result(LevelMessage(0.5)) == LevelMessage(0.5)
    assert TypedPlugin.ask.result(level_of_another_class()) == LevelMessage(0.5)
    assert TypedPlugin.if_even.result(None) is None
    assert TypedPlugin.events.result(Int64Message(value=1)) == Int64Message(value=1)
    for operation_, payload in ((TypedPlugin.lowercase, Int64Message(value=1)), (TypedPlugin.ask, None)):
        with pytest.raises(TypeError, match=r"expected .*, got"):
            operation_.result(payload)


async def test_on_an_instance_it_is_the_method(bus: LocalEventBus) -> None:
    plugin = TypedPlugin(eventbus_client=on(bus))
    assert await plugin.lowercase("X") == "x"
    assert await plugin.ask() == LevelMessage(0.5)
    assert inspect.iscoroutinefunction(plugin.lowercase)
    assert list(inspect.signature(plugin.lowercase).parameters) == ["text"]


def shouting(function: Callable[..., Coroutine[Any, Any, str]]) -> Any:
    """Wrap a method, as decorators of users do."""

    async def shout(*arguments: object) -> str:
        return f"{await function(*arguments)}!"

    # As if it were of another module, which does not know the names of this one.
    foreign = FunctionType(shout.__code__, {}, "shout", None, shout.__closure__)
    return functools.update_wrapper(foreign, function)


async def test_a_wrapped_method_is_read_through_its_wrapper_and_called_with_it(bus: LocalEventBus) -> None:
    class Shouting(TypedPlugin):
        @shouting
        async def lowercase(self, text: str) -> str:
            return text

        @operation
        @shouting
        async def more(self, level: LevelMessage) -> str:
            return str(level.level)

    plugin = Shouting(eventbus_client=on(bus))
    assert plugin.operations["lowercase"].input == Input.string()
    assert plugin.operations["more"].input == Input.from_message(LevelMessage)
    assert (await plugin.lowercase("x"), await plugin.more(LevelMessage(0.5))) == ("x!", "0.5!")


# Handlers that are given


async def test_a_function_that_asks_for_the_connection_gets_it(bus: LocalEventBus) -> None:
    seen: list[tuple[str, str]] = []

    async def take(topic: str, event: Event[StringMessage], whence: Connection) -> None:
        seen.append((event.payload.value, whence.remote_identifier))

    def take_plainly(topic: str, event: Event[StringMessage], *, connection: Connection) -> None:
        seen.append((event.payload.value, f"plain {connection.remote_identifier}"))

    plugin = Plugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    plugin.operations["text"] = Operation(name="text", handler=take, input=Input.string())
    core = Core(identifier="core", eventbus_client=on(bus), with_loop=False)
    core.with_requirement(TextNeed.text, minimum=1)
    async with running(plugin, core):
        await core.compliant_event.wait()
        await core.execute("text", "a", any=True)
        await until(lambda: seen == [("a", "core")])
        # The handler of a live connection is replaced.
        plugin.operations["text"].handler = take_plainly  # type: ignore[assignment]
        await core.execute("text", "b", any=True)
        await until(lambda: seen[1:] == [("b", "plain core")])


class TextNeed(Plugin):
    """What the core of the test above needs."""

    @operation
    async def text(self, text: str) -> None: ...


async def test_a_result_is_a_use_and_is_not_sent_on_a_connection_that_is_closed_meanwhile(bus: LocalEventBus) -> None:
    plugin = TypedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    core, sink = core_for(bus, TypedPlugin.if_even), Collector()
    core.with_operation_sink("if_even", sink)
    odd, even = (Event.create(Int64Message(value=value), publisher_identifier="core") for value in (1, 2))
    async with running(plugin, core):
        await core.compliant_event.wait()
        (connection,) = plugin.retrieve_connections()

        async def handle(event: Event[Any]) -> None:
            work = plugin._handle_input(connection, "topic", event)
            assert work is not None
            await work

        for event in (odd, even):
            before = connection.slot.last_used
            await handle(event)
            assert connection.slot.last_used > before
        await sink.wait_for(1)
        await core.send_graceless_close_connection("plugin", "if_even")
        await until(lambda: plugin.retrieve_connections() == [])
        published = plugin.eventbus_client.statistics.published
        await handle(even)
        assert plugin.eventbus_client.statistics.published == published
