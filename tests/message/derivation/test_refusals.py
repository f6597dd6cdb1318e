"""What cannot be sent is refused with an error that names the class, the field and what to write instead."""

from __future__ import annotations

import dataclasses
import enum
import pathlib
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import pytest

from orbitalis.message.derivation import check_field_types, derive_schema, read_annotation, schema_text
from orbitalis.message.field_annotations import DateTimeMicro, DecimalDigits, Fixed, Int32, WireKind
from tests.support.stated import stated_dataclass

T = TypeVar("T")


class Checked:
    """Does as a base of messages does."""

    def __init_subclass__(cls) -> None:
        check_field_types(cls)


class Coordinates(NamedTuple):
    left: int


class Keys(TypedDict):
    left: int


class Symbols(enum.Enum):
    A = "no name"


class Flags(enum.Flag):
    A = 1


class Empty(enum.Enum):
    pass


class Plain:
    pass


@dataclass
class Box(Generic[T]):
    value: int


@dataclass
class Nothing:
    pass


@dataclass
class Inner:
    wrong: set[int]


def _named(name: str) -> Any:
    return dataclasses.make_dataclass("Same", [(name, int)])


ARRAY_OF_NOTHING = "items of an array take no bytes"
REFUSED: list[tuple[Any, str]] = [
    (set[int], r"set\[int\] cannot be sent: write list\[int\]"),
    (frozenset, "frozenset cannot be sent: write list"),
    (typing.AbstractSet[str], r"write list\[str\]"),
    (tuple[int, str], r"tuple\[int, str\] cannot be sent: write tuple\[X, ...\] .* dataclass"),
    (tuple[int], r"write tuple\[X, ...\]"),
    (tuple[()], r"write tuple\[X, ...\]"),
    (tuple, r"write tuple\[X, ...\]"),
    (list, r"list cannot be sent: say what the items are, as in list\[str\]"),
    (typing.List, "say what the items are"),  # noqa: UP006
    (Sequence, "say what the items are"),
    (typing.Deque[int], r"write list\[int\]"),  # noqa: UP006
    (dict, "say what the values are"),
    (dict[int, str], r"the keys of an Avro map are texts: write dict\[str, str\]"),
    (typing.DefaultDict[str, int], r"write dict\[str, int\]"),  # noqa: UP006
    (Any, r"Any cannot be sent: name the types that there may be, as in int \| str"),
    (object, "name the types that there may be"),
    (T, "no type variable"),
    (Box[int], "no type variable"),
    (Callable[[], int], "no type of data"),
    (len, "no type of data"),
    (Coordinates, "Coordinates cannot be sent: make it a dataclass"),
    (Keys, "Keys cannot be sent: make it a dataclass"),
    (complex, "two fields of float"),
    (pathlib.Path, "Path cannot be sent: write str"),
    (Decimal, r"Annotated\[Decimal, DecimalDigits\(10, 2\)\]"),
    (bytearray, "bytearray cannot be sent: write bytes"),
    (Plain, "Plain cannot be sent: make it a dataclass"),
    (Flags, "Flags cannot be sent: write int"),
    (Empty, "Empty cannot be sent: it has no members"),
    (Symbols, "Symbols cannot be sent: 'no name' is no symbol of an Avro enum.*choose another"),
    (type[int], "write bool, int"),
    (typing.Final[int], "write bool, int"),
    (list[set[int]], r"set\[int\] cannot be sent"),
    (dict[str, list[complex]], "complex cannot be sent"),
    (int | complex, "complex cannot be sent"),
    (list[int] | list[str], r"list\[int\] and list\[str\] in one union cannot be told apart"),
    (list[int] | tuple[int, ...], "cannot be told apart"),
    (dict[str, int] | dict[str, str], "cannot be told apart"),
    (datetime | DateTimeMicro, "cannot be told apart"),
    (int | Int32, "cannot be told apart"),
    (bytes | Annotated[bytes, Fixed(3)], "cannot be told apart"),
    (Literal["a", 1] | str, "cannot be told apart"),
    (_named("a") | _named("b"), "two types in .*Telegram are called Same: give one of them a schema_name"),
    (list[None], ARRAY_OF_NOTHING),
    (list[Nothing], ARRAY_OF_NOTHING),
    (tuple[Literal[None], ...], ARRAY_OF_NOTHING),
    (Annotated[str, Fixed(3)], "str cannot be sent as Fixed.*another type"),
    (Annotated[str, WireKind("int")], "str cannot be sent as .*another type"),
    (Annotated[int, DecimalDigits(3)], "int cannot be sent as DecimalDigits.*another type"),
]


@pytest.mark.parametrize(("annotation", "reason"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_type_that_cannot_be_sent_is_refused_at_the_class_statement(annotation: Any, reason: str) -> None:
    expected = f"(?s)field 'value' of message Telegram: .*{reason}"
    with pytest.raises(TypeError, match=expected):
        stated_dataclass("Telegram", [("value", annotation)], Checked)
    unchecked = dataclasses.make_dataclass("Telegram", [("value", annotation)])
    for use in (derive_schema, schema_text):
        with pytest.raises(TypeError, match=expected):
            use(unchecked)
    with pytest.raises(TypeError):
        read_annotation(annotation)


def test_a_field_of_a_dataclass_inside_is_named_with_that() -> None:
    with pytest.raises(TypeError, match=r"field 'wrong' of message Inner: set\[int\] cannot be sent"):
        stated_dataclass("Telegram", [("value", list[Inner])], Checked)


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (int, True, "an integer of 64 bits"),
        (int, 2**63, "an integer of 64 bits"),
        (Int32, 2**31, "an integer of 32 bits"),
        (int, None, ""),
        (str, 5, "a str"),
        (float, "1", "a number"),
        (Level, 1, "a member of Level"),
        (Level, None, "a member of Level"),
        (Literal["a"], "b", r"one of \['a'\]"),
        (Annotated[bytes, Fixed(3)], b"ab", "3 bytes"),
        (Annotated[bytes, Fixed(3)], "abc", "bytes"),
        (Annotated[Decimal, DecimalDigits(3, 1)], Decimal("1.23"), "3 digits, 1 of them after the point"),
        (Annotated[Decimal, DecimalDigits(3, 1)], Decimal("123"), "3 digits"),
        (Annotated[Decimal, DecimalDigits(3, 1)], Decimal("NaN"), "a finite Decimal"),
        (list[int], (1, "x"), "an integer"),
        (datetime, 5, "a datetime"),
        (int | None, True, r"is no int \| None"),
        (int | str, b"x", r"is no int \| str"),
        (Nothing, 5, "a Nothing"),
    ],
)
def test_a_default_that_is_none_of_its_type_is_refused(annotation: Any, default: Any, expected: str) -> None:
    spec = [("value", annotation, field(default=default))]
    if not expected:  # None adds null to the type, and always has
        assert derive_schema(stated_dataclass("Telegram", spec, Checked))
        return
    with pytest.raises(TypeError, match=f"(?s)field 'value' of message Telegram: its default .* ?{expected}"):
        stated_dataclass("Telegram", spec, Checked)


def test_bytes_that_are_no_text_can_be_a_default() -> None:
    made = stated_dataclass("Telegram", [("value", bytes, field(default=b"\xff\x00"))], Checked)
    assert schema_text(made).endswith(r'"default": "\u00ff\u0000"}]}')


def test_a_default_factory_is_not_called_before_the_schema_is_asked_for() -> None:
    called: list[int] = []

    def make() -> list[int]:
        called.append(1)
        raise LookupError("not yet")

    made = stated_dataclass("Telegram", [("value", list[int], field(default_factory=make))], Checked)
    assert not called
    with pytest.raises(
        TypeError, match="field 'value' of message Telegram: its default_factory fails with LookupError"
    ):
        schema_text(made)


def test_what_a_factory_makes_has_to_be_of_the_first_type() -> None:
    made = dataclasses.make_dataclass("Telegram", [("value", int | str, field(default_factory=str))])
    with pytest.raises(TypeError, match="has to be of the first type of the union: write that type first"):
        schema_text(made)


def test_annotations_that_name_what_comes_later_are_checked_when_the_schema_is_asked_for() -> None:
    @dataclass
    class Telegram(Checked):
        later: Later  # type: ignore[name-defined]  # noqa: F821
        other: int = 0

    with pytest.raises(TypeError, match=r"annotations of message .*Telegram cannot be resolved: .*Later.*top level"):
        schema_text(Telegram)
    with pytest.raises(TypeError, match=r"field 'other' of message .*Wrong"):

        class Wrong(Checked):
            later: Later  # type: ignore[name-defined]  # noqa: F821
            other: set[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Checked):
    counted: typing.ClassVar[set[int]] = set()
    given: dataclasses.InitVar[complex]
    value: int = 5
    below: list[Node] = field(default_factory=list)


@dataclass
class Pair:
    left: Other
    name: str


@dataclass
class Other:
    pairs: list[Pair]


@pytest.mark.parametrize(("made", "name"), [(Node, "Node"), (Pair, "Pair")])
def test_a_class_that_contains_itself_is_refused(made: type, name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} cannot be a message: {name} contains itself"):
        schema_text(made)


def test_a_class_that_is_no_dataclass_is_refused() -> None:
    class Added(Nothing):
        value: int

    for made in (Plain, Added):
        with pytest.raises(TypeError, match=f"{made.__name__} is no dataclass: write @dataclass above it"):
            schema_text(made)


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({"dacite_config": {}}, "Meta.dacite_config of .* is not supported"),
        ({"namespace": 5}, "Meta.namespace of .* has to be a text, not 5"),
        ({"aliases": "x"}, "Meta.aliases of .* has to be a list of texts"),
        ({"alias_nested_items": {"a": 1}}, "Meta.alias_nested_items of .* has to be a dict of texts"),
        ({"field_order": ["x"]}, r"Meta.field_order of .* has to name each of \['value'\]"),
        ({"field_order": ["value", "value"]}, "Meta.field_order"),
        ({"exclude": ["value"]}, "field 'value' of message Telegram needs a default: Meta.exclude"),
        ({"schema_name": 'a"b'}, "Telegram has no Avro schema: expected a name"),
    ],
)
def test_what_meta_cannot_say_is_refused(meta: dict[str, Any], reason: str) -> None:
    made = dataclasses.make_dataclass("Telegram", [("value", int)], namespace={"Meta": type("Meta", (), meta)})
    with pytest.raises(TypeError, match=reason):
        schema_text(made)


@pytest.mark.parametrize(
    "metadata", [{"name": "x"}, {"default": 1}, {5: 1}, {"x": object()}, {"aliases": "x"}, {"inner_name": 5}]
)
def test_metadata_that_no_schema_can_have_is_refused(metadata: Any) -> None:
    with pytest.raises(TypeError, match=r"field 'value' of message Telegram: .*metadata"):
        stated_dataclass("Telegram", [("value", int, field(metadata=metadata))], Checked)


@pytest.mark.parametrize("wrong", [(0, 0), (2, 3), (2, -1)])
def test_numbers_of_digits_that_no_number_has_are_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 1 digit"):
        DecimalDigits(*wrong)


def test_bytes_of_no_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 1 byte"):
        Fixed(0)


@pytest.mark.parametrize("wrong", ["3", 2.0, True])
def test_sizes_that_are_no_whole_numbers_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="size must be a whole number"):
        Fixed(wrong)
    with pytest.raises(TypeError, match="precision must be a whole number"):
        DecimalDigits(wrong)
    with pytest.raises(TypeError, match="scale must be a whole number"):
        DecimalDigits(3, wrong)
