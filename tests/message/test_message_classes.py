"""Codecs of classes that are dataclasses of an unusual kind."""

from __future__ import annotations

import gc
import keyword
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import KW_ONLY, InitVar, dataclass, field, make_dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, Literal, TypeVar

import pytest

from orbitalis import AvroMessageMixin, Event
from orbitalis.message import registry
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.envelope import Encoding
from tests.message.value_rows import DICT, LIST, TUPLE
from tests.support.stated import stated_dataclass

T = TypeVar("T")


class Mode(Enum):
    DAY = "day"
    NIGHT = "night"


@dataclass(frozen=True)
class Named(AvroMessageMixin):
    name: str


class Plain(Named):
    """Adds no field, and is no dataclass of its own."""


@dataclass(frozen=True)
class Inheriting(Named):
    size: int = 5


@dataclass(slots=True, kw_only=True)
class Slotted(AvroMessageMixin):
    name: str
    marks: list[int] = field(default_factory=list)


@dataclass
class Computed(AvroMessageMixin):
    name: str
    _: KW_ONLY
    length: int = field(init=False)
    count: ClassVar[int] = 0
    twice: InitVar[bool] = False

    def __post_init__(self, twice: bool) -> None:
        self.length = len(self.name) * (2 if twice else 1)

    @property
    def shown(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True)
class FrozenComputed(AvroMessageMixin):
    name: str
    length: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.name))


@dataclass
class Checked(AvroMessageMixin):
    power: int

    def __post_init__(self) -> None:
        if self.power > 9:
            raise ValueError("too much power")


@dataclass(frozen=True)
class Excluding(AvroMessageMixin):
    name: str
    secrets: list[str] = field(default_factory=list)

    class Meta:
        exclude = ("secrets",)


@dataclass
class Generic_(AvroMessageMixin, Generic[T]):
    name: str


MESSAGES = [
    Named("x"),
    Plain("x"),
    Inheriting("x", 6),
    Slotted(name="x", marks=[1]),
    Computed("abc"),
    Computed("abc", twice=True),
    FrozenComputed("abc"),
    Checked(9),
    Excluding("x"),
    Generic_[int]("x"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_it_arrives_as_what_it_was(message: Any) -> None:
    for received in (
        type(message).decode(message.encode()),
        message.as_received(),
        Event.decode(Event.create(message, publisher_identifier="x").encode(Encoding.AVRO)).payload,
    ):
        assert received == message
        assert type(received) is type(message)


def test_what_is_not_sent_is_not_in_the_copy_either() -> None:
    message = Excluding("x", ["secret"])
    assert Excluding.decode(message.encode()) == message.as_received() == Excluding("x")


def test_what_derives_from_a_frozen_class_without_being_one_is_copied() -> None:
    message = Plain("x")
    message.marks = [1]  # type: ignore[attr-defined]
    assert not hasattr(message.as_received(), "marks")
    assert registry.find("Plain", None) is Plain


def test_what_the_class_refuses_is_no_message() -> None:
    refusing = Checked(5)
    refusing.power = 10
    with pytest.raises(DecodeError, match="Checked: its class refuses it: ValueError: too much power"):
        Checked.decode(refusing.encode())
    with pytest.raises(EncodeError, match="Checked: its class refuses it: ValueError: too much power"):
        refusing.as_received()


def test_a_field_that_was_never_set_is_named() -> None:
    message = Slotted(name="x")
    del message.name
    with pytest.raises(EncodeError, match=r"Slotted\.name: the field is missing"):
        message.encode()


def test_a_class_that_takes_more_than_its_fields_is_refused() -> None:
    @dataclass
    class Asking(AvroMessageMixin):
        name: str
        more: InitVar[int]

    @dataclass(init=False)
    class Own(AvroMessageMixin):
        name: str

        def __init__(self, text: str) -> None:
            self.name = text

    with pytest.raises(TypeError, match=r"Asking could not be received: .* missing a required argument: 'more'"):
        Asking("x", 5).encode()
    with pytest.raises(TypeError, match="Own could not be received"):
        Own.decode(b"\2x")


@pytest.mark.parametrize("name", ["encode", "decode", "message_type", "as_received", "avro_schema", "_given"])
def test_a_field_cannot_take_the_place_of_a_method(name: str) -> None:
    for more in ({}, {name: "x"}):
        with pytest.raises(TypeError, match=f"field '{name}' of message Telegram has the name of a method"):
            type("Telegram", (AvroMessageMixin,), {"__annotations__": {name: str}, **more})


NAMES = [
    *("value", "value1", "add", "data", "position", "at", "guard", "locals", "iter", "len", "object", "tuple", "range"),
    *("error", "filled", "items1", "item1", "each1", "key1", "entries1", "copies1", "branch1", "raw1", "index", "byte"),
    *("number", "length", "end", "size", "count1", "end1", "encoded", "located", "unexpected", "Any", "Fault", "Guard"),
    *("READ_FAULTS", "LENGTHS", "str", "int", "float", "datetime", "UUID", "type", "match", "case", "self", "cls"),
    *("message", "parts", "_", "__", "_private"),
]


def test_fields_and_classes_can_have_any_name() -> None:
    inner = make_dataclass("Fault", [(name, int) for name in NAMES])
    fields = [(name, int | list[int] | dict[str, list[int]]) for name in NAMES]
    for name in ("Any", "Guard", "EncodeError", "str", "int", "list", "value", "located", "tuple"):
        made: Any = make_dataclass(name, [*fields, ("inner", inner), ("more", LIST[inner])], bases=(AvroMessageMixin,))
        values = [inner(*range(len(NAMES)))]
        message = made(*([1], 1, {"a": [1]}, *[2] * (len(NAMES) - 3)), values[0], values)
        assert made.decode(message.encode()) == message == message.as_received()
    assert not any(map(keyword.iskeyword, NAMES))


def test_a_class_can_be_called_what_python_reads_otherwise() -> None:
    meta = {"Meta": type("Meta", (), {"schema_name": "Ligature"})}
    for name in ("\ufb01eld", 'a"b', "class", "1"):
        made: Any = type(name, (AvroMessageMixin,), {"__annotations__": {"value": int}, **meta})
        made = dataclass(made)
        assert made.decode(made(5).encode()) == made(5)
        outer: Any = make_dataclass("Outer", [("inner", made)], bases=(AvroMessageMixin,))
        with pytest.raises(EncodeError, match="got int 5"):
            outer(5).encode()


def test_the_class_that_was_expected_is_named() -> None:
    outer: Any = make_dataclass("Outer", [("inner", Named)], bases=(AvroMessageMixin,))
    with pytest.raises(EncodeError, match=r"Outer\.inner: expected a Named, got int 5"):
        outer(5).encode()


def test_a_member_that_the_literal_does_not_have_is_not_read() -> None:
    made: Any = make_dataclass("Telegram", [("value", Literal[Mode.DAY])], bases=(AvroMessageMixin,))
    assert made.decode(b"\0") == made(Mode.DAY)
    with pytest.raises(DecodeError, match=r"Telegram\.value: expected one of <Mode\.DAY"):
        made.decode(b"\2")


def _nested(make: Callable[[Any], Any], levels: int) -> Any:
    annotation: Any = int
    for _ in range(levels):
        annotation = make(annotation)
    return annotation


MAKERS: list[Callable[[Any], Any]] = [
    lambda inner: LIST[inner],
    lambda inner: DICT[str, inner],
    lambda inner: TUPLE[inner, ...],
    lambda inner: LIST[inner | None],
]


@pytest.mark.parametrize("make", MAKERS, ids=["list", "dict", "tuple", "list of optional"])
def test_lists_can_nest_as_deep_as_python_has_loops(make: Callable[[Any], Any]) -> None:
    made: Any = make_dataclass("Telegram", [("value", _nested(make, 8))], bases=(AvroMessageMixin,))
    with pytest.raises(EncodeError, match=r"Telegram\.value: "):
        made("x").encode()
    with pytest.raises(TypeError, match=r"field 'value' of message Telegram: .* nest more than 8 levels deep"):
        stated_dataclass("Telegram", [("value", _nested(make, 9))], AvroMessageMixin)


def test_records_can_nest_deep_and_have_many_fields() -> None:
    annotation: Any = int
    value: Any = 5
    for level in range(50):
        made: Any = make_dataclass(f"Level{level}", [("inner", list[annotation])], bases=(AvroMessageMixin,))
        annotation, value = made, made([value])
    assert annotation.decode(value.encode()) == value == value.as_received()
    wide: Any = make_dataclass("Wide", [(f"field{at}", int | str) for at in range(1000)], bases=(AvroMessageMixin,))
    message = wide(*range(1000))
    assert wide.decode(message.encode()) == message


def test_a_class_is_worked_out_once_for_all_threads() -> None:
    made: Any = make_dataclass("Telegram", [(f"f{at}", list[int]) for at in range(50)], bases=(AvroMessageMixin,))
    message = made(*[[1]] * 50)
    received: list[object] = []
    threads = [threading.Thread(target=lambda: received.append(made.decode(message.encode()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert received == [message] * 8


LARGE = {
    "empty lists": (list[list[int]], b"\x80\x89\x7a" + b"\0" * 1_000_000),
    "a count without items": (list[int], b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\0" * 1_000_000),
    "an endless number": (list[int], b"\xff" * 1_000_000),
    "many blocks": (list[bool], b"\2\0" * 500_000 + b"\0"),
    "a long text": (str, b"\x80\x89\x7a" + b"\xc3" * 1_000_000),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_megabyte_is_read_or_refused_in_time(name: str) -> None:
    annotation, data = LARGE[name]
    made: Any = make_dataclass("Telegram", [("value", annotation)], bases=(AvroMessageMixin,))
    # What other tests have left is not to be looked through again and again meanwhile.
    gc.freeze()
    begin = time.process_time()
    with suppress(DecodeError):
        made.decode(data)
    taken = time.process_time() - begin
    gc.unfreeze()
    assert taken < 2
