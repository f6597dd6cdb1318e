"""What is wrong with a decorated method is said when its class is made, with the method and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import Connection, Core, Event, Input, Output, Plugin, StringMessage, operation, output, periodic, sink
from orbitalis_avro.errors import TopicError

# What type checkers find as well is hidden from them here.
decorate: Any = operation
decorate_sink: Any = sink


async def unannotated(self, text) -> str:
    return str(text)


async def unannotated_result(self, text: str):
    return text


def plain(self: Any, text: str) -> str:
    return text


async def generator(self: Any, text: str) -> Any:
    yield text


async def of_dict(self: Any, payload: dict[str, str]) -> None: ...


async def of_bool(self: Any, payload: bool) -> None: ...


async def of_event(self: Any, event: Event[StringMessage]) -> None: ...


async def of_union_with_list(self: Any, payload: str | list[int]) -> None: ...


async def of_the_same_twice(self: Any, payload: str | StringMessage) -> None: ...


async def to_list(self: Any) -> list[str]:
    return []


async def of_any(self: Any, payload: Any) -> None: ...


async def two(self: Any, topic: str, event: Event[StringMessage]) -> None: ...


async def three(self: Any, topic: str, event: Event[StringMessage], other: int) -> None: ...


async def many(self: Any, *texts: str) -> None: ...


async def keyword(self: Any, *, text: str) -> None: ...


async def connection_first(self: Any, connection: Connection, text: str) -> None: ...


async def two_connections(self: Any, one: Connection, other: Connection) -> None: ...


async def without_self() -> None: ...


async def text_to_text(self: Any, text: str) -> str:
    return text


async def text_to_nothing(self: Any, text: str) -> None: ...


EVENTS = decorate(name="it", input=Input.string())

OPERATIONS: list[tuple[Callable[[Any], Any], Any, str]] = [
    (decorate, unannotated, "has no annotation for the parameter 'text': add one, such as text: str"),
    (decorate, unannotated_result, "has no annotation behind the arrow: add one, -> None if there is no result"),
    (decorate, plain, "is not asynchronous: write 'async def'"),
    (decorate, generator, "yields: return one result"),
    (decorate, of_dict, "parameter 'payload': dict.* is no payload: use a message class"),
    (decorate, of_bool, "parameter 'payload': bool is no payload: use a message class"),
    (decorate, of_event, "parameter 'event': .*Event.* is no payload: use a message class"),
    (decorate, of_union_with_list, "parameter 'payload': list.* is no payload"),
    (decorate, of_the_same_twice, "str and StringMessage are the same payload on the wire: name one of them"),
    (decorate, of_any, "parameter 'payload': Any is no payload"),
    (decorate, to_list, "returns list.* is no payload"),
    (decorate, two, r"takes \(topic, event\): without input=… it takes one payload at most"),
    (decorate, many, r"takes \*texts: name each parameter"),
    (decorate, keyword, "takes 'text' by keyword only: let it stand before the '\\*'"),
    (decorate, connection_first, "takes 'text' after the connection: let the connection be the last parameter"),
    (decorate, two_connections, "has two parameters for the connection, 'one' and 'other': keep one"),
    (decorate, without_self, "has no parameter self: add it"),
    (EVENTS, plain, "is not asynchronous"),
    (EVENTS, text_to_text, r"takes \(text\): with input=Input… it takes \(self, topic, event\)"),
    (EVENTS, three, r"takes \(topic, event, other\): with input=Input…"),
    (decorate(input=bytes, output=str), text_to_text, "takes str, but is declared with input bytes"),
    (decorate(input=(str, None), output=str), text_to_text, r"takes str, but is declared with input str \| None"),
    (decorate(input=str, output=bytes), text_to_text, "returns str, but is declared with output bytes"),
    (decorate(input=str), text_to_text, "returns str, but is declared with output None"),
    (decorate(output=str), text_to_text, "takes str, but is declared with input None"),
]

NAMED = decorate_sink("it")


class Giving(Plugin):
    @operation
    async def number(self) -> int:
        return 1

    @operation
    async def nothing(self) -> None: ...


SINKS: list[tuple[Callable[[Any], Any], Any, str]] = [
    (decorate_sink, unannotated, "returns str: nobody takes what a sink returns, so annotate it '-> None'"),
    (decorate_sink, unannotated_result, "has no annotation behind the arrow"),
    (decorate_sink, text_to_text, "returns str: nobody takes what a sink returns"),
    (decorate_sink, plain, "is not asynchronous"),
    (decorate_sink, of_dict, "parameter 'payload': dict.* is no payload"),
    (NAMED, three, r"takes \(topic, event, other\): a sink takes the payload, or topic and event"),
    (NAMED, plain, "is not asynchronous"),
    (decorate_sink(Giving.number), text_to_nothing, "takes str, which is not what operation 'number' gives: int"),
    (decorate_sink(Giving.nothing), text_to_nothing, "is the sink of operation 'nothing', which has no output"),
]


def name_of(one: object) -> str | None:
    return one.__name__ if callable(one) and hasattr(one, "__name__") else None


@pytest.mark.parametrize(("decorator", "function", "text"), OPERATIONS, ids=name_of)
def test_an_operation_is_refused(decorator: Callable[[Any], Any], function: Any, text: str) -> None:
    with pytest.raises(TypeError, match=rf"^tests\.operations\.test_wrong_annotations\.{function.__name__} .*{text}"):
        type("Wrong", (Plugin,), {"it": decorator(function)})


@pytest.mark.parametrize(("decorator", "function", "text"), SINKS, ids=name_of)
def test_a_sink_is_refused(decorator: Callable[[Any], Any], function: Any, text: str) -> None:
    with pytest.raises(TypeError, match=rf"^tests\.operations\.test_wrong_annotations\.{function.__name__} .*{text}"):
        type("Wrong", (Core,), {"it": decorator(function)})


def test_the_class_is_named() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.it parameter 'payload': dict\[str, str\] is no payload"):

        class Wrong(Plugin):
            @decorate
            async def it(self, payload: dict[str, str]) -> None: ...


def test_two_operations_of_a_class_have_two_names() -> None:
    with pytest.raises(TypeError, match=r"two is about operation 'it', as 'one' of the same class is: give one of"):
        type("Wrong", (Plugin,), {"one": decorate(name="it")(text_to_text), "two": EVENTS(two)})
    with pytest.raises(TypeError, match=r"is about operation 'it', as 'one' of the same class is"):
        type("Wrong", (Core,), {"one": NAMED(text_to_nothing), "it": decorate_sink(two)})


@pytest.mark.parametrize("name", ["stop", "send", "identifier", "_on_started"])
def test_an_operation_hides_nothing_that_a_plugin_needs(name: str) -> None:
    with pytest.raises(TypeError, match=rf"hides `\w+\.{name}`, which an orbiter needs itself: call the attribute"):
        type("Wrong", (Plugin,), {name: decorate(text_to_text)})
    with pytest.raises(TypeError, match=rf"Wrong\.{name} hides"):
        type("Wrong", (Plugin,), {name: output(str)})
    assert type("Right", (Plugin,), {"it": decorate(name=name)(text_to_text)})().operations.keys() == {name}


@pytest.mark.parametrize(
    ("owner", "declared"),
    [
        (Core, decorate(text_to_text)),
        (Core, output(str)),
        (Core, periodic(1.0)(Giving.number.function)),
        (Plugin, NAMED(text_to_nothing)),
    ],
)
def test_operations_of_cores_and_sinks_of_plugins_are_refused(owner: type, declared: Any) -> None:
    with pytest.raises(TypeError, match="has no effect here: operations belong into a plugin class, and sinks"):
        type("Wrong", (owner,), {"it": declared})


@pytest.mark.parametrize("name", ["start", "request", "operation_sinks", "compliant_event", "_on_compliant"])
def test_a_sink_hides_nothing_that_a_core_needs(name: str) -> None:
    with pytest.raises(TypeError, match=rf"hides `\w+\.{name}`, which an orbiter needs itself"):
        type("Wrong", (Core,), {name: decorate_sink(text_to_nothing)})


def test_an_override_takes_what_it_overrides_takes() -> None:
    class Base(Plugin):
        @operation
        async def it(self, text: str) -> None: ...

    with pytest.raises(TypeError, match=r"Wrong\.it takes no payload, unlike what it overrides"):

        class Wrong(Base):
            async def it(self) -> None: ...  # type: ignore[override]

    class BaseCore(Core):
        @sink
        async def it(self, text: str) -> None: ...

    with pytest.raises(TypeError, match=r"WrongCore\.it takes no payload, unlike what it overrides"):

        class WrongCore(BaseCore):
            async def it(self) -> None: ...  # type: ignore[override]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"output": StringMessage}, r"takes \(topic, event\) and has no input: write input=…"),
        ({"input": str}, "an event carries a message, not str: name its class"),
        ({"input": StringMessage, "output": int}, "an event carries a message, not int: name its class"),
    ],
    ids=str,
)
def test_types_of_a_method_that_takes_events_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=rf"^tests\.operations\.test_wrong_annotations\.two .*{text}"):
        operation(**arguments)(two).need()


def test_arguments_that_contradict_each_other_are_refused() -> None:
    for arguments in ({"input": Input.string(), "output": str}, {"input": str, "output": Output.string()}):
        with pytest.raises(TypeError, match="operation 'x': input=Input… and output=Output… go together"):
            decorate(name="x", **arguments)
    with pytest.raises(TypeError, match="operation 'x': input=Input… and output=Output… go together"):
        decorate(name="x", input=Input.string(), cpu_bound=True)
    with pytest.raises(TypeError, match="an operation with input=Input… needs a name"):
        decorate(input=Input.string())
    with pytest.raises(TypeError, match="dict is no payload: use a message class"):
        decorate(input=dict)
    with pytest.raises(TypeError, match="expected a method to decorate, got 3"):
        decorate(3)
    with pytest.raises(TypeError, match="expected a method to decorate, got 3"):
        decorate_sink(3)
    for name in ("", "a/b"):
        with pytest.raises(TopicError):
            decorate(name=name)
        with pytest.raises(TopicError):
            decorate_sink(name)
