"""The tree of a message class, which codecs read: what each field is in Python and in Avro."""

from __future__ import annotations

import dataclasses
import enum
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType

import pytest
from dataclasses_avroschema import types
from typing_extensions import TypeAliasType

from orbitalis.message import field_annotations
from orbitalis.message.derivation import (
    DecimalField,
    EnumField,
    FieldType,
    FixedField,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    ScalarField,
    TupleField,
    UnionField,
    derive_schema,
    read_annotation,
    read_record,
)
from orbitalis.message.field_annotations import DecimalDigits, Fixed, Int32


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
    TOP = 2


class Mode(enum.Enum):
    DAY = "day"


@dataclass
class Lamp:
    name: str
    mode: Mode


@dataclass
class Room:
    first: Lamp
    mode: Mode
    lamps: dict[str, Lamp]
    made: int = field(default=1, init=False)
    hidden: int = 0

    class Meta:
        namespace = "house"
        field_order = ("mode",)
        exclude = ("hidden",)


def _scalar(annotation: Any) -> tuple[str, type]:
    found = read_annotation(annotation)
    assert isinstance(found, ScalarField)
    return found.kind, found.python_type


def test_a_record_has_its_members_in_the_order_of_the_wire() -> None:
    found = read_record(Room)
    assert (found.name, found.record_class, found.avro) == ("house.Room", Room, derive_schema(Room))
    assert [(one.name, one.init) for one in found.members] == [
        ("mode", True),
        ("first", True),
        ("lamps", True),
        ("made", False),
    ]


def test_what_is_referred_to_is_as_complete_as_where_it_is_written_out() -> None:
    mode, first, lamps, _ = (one.type for one in read_record(Room).members)
    assert isinstance(first, RecordField)
    assert isinstance(lamps, MapField)
    assert lamps.values == dataclasses.replace(first, avro="Lamp")
    assert first.name == "house.Lamp"
    assert isinstance(mode, EnumField)
    assert first.members[1].type == dataclasses.replace(mode, avro="Mode")


def test_an_enum_travels_by_texts_or_by_the_names_of_its_members() -> None:
    mode, level = read_annotation(Mode), read_annotation(Level)
    assert isinstance(mode, EnumField)
    assert isinstance(level, EnumField)
    assert mode.members == {"day": Mode.DAY}
    assert level.members == {"LOW": Level.LOW, "HIGH": Level.HIGH}
    assert level.avro == {"type": "enum", "name": "Level", "symbols": ["LOW", "HIGH"]}


def test_a_union_has_its_branches_in_the_order_of_the_wire() -> None:
    @dataclass
    class Telegram:
        value: float | str | None = 0

    (member,) = read_record(Telegram).members
    assert isinstance(member.type, UnionField)
    assert [one.avro for one in member.type.branches] == ["long", "double", "string", "null"]


def test_a_default_of_none_is_a_branch_of_its_own() -> None:
    @dataclass
    class Telegram:
        value: datetime = None  # type: ignore[assignment]

    (member,) = read_record(Telegram).members
    assert isinstance(member.type, UnionField)
    assert [one.kind for one in member.type.branches if isinstance(one, ScalarField)] == ["null", "timestamp-millis"]


def test_a_literal_knows_its_values_and_as_what_they_travel() -> None:
    found = read_annotation(Literal["a", 1])
    assert isinstance(found, LiteralField)
    assert found.values == ("a", 1)
    assert isinstance(found.carrier, UnionField)
    both = read_annotation(Literal["a"] | Literal["b"] | None)
    assert isinstance(both, UnionField)
    assert isinstance(both.branches[0], LiteralField)
    assert both.branches[0].values == ("a", "b")


def test_the_values_of_a_literal_count_even_where_a_default_comes_first() -> None:
    @dataclass
    class Telegram:
        value: Literal["a"] | None = "a"
        either: Literal["a"] | str = "a"

    value, either = (one.type for one in read_record(Telegram).members)
    assert isinstance(value, UnionField)
    assert isinstance(value.branches[0], LiteralField)
    assert isinstance(either, UnionField)
    assert isinstance(either.branches[0], ScalarField)


def test_a_branch_that_the_default_is_of_comes_first() -> None:
    @dataclass
    class Telegram:
        value: str | Annotated[Decimal, DecimalDigits(5, 2)] = Decimal("1.25")

    (member,) = read_record(Telegram).members
    assert isinstance(member.type, UnionField)
    assert [type(one) for one in member.type.branches] == [DecimalField, ScalarField]


def test_a_literal_beside_its_type_says_nothing_more() -> None:
    found = read_annotation(Literal["a"] | str | int)
    assert isinstance(found, UnionField)
    assert list(found.branches) == [read_annotation(str), read_annotation(int)]


def test_a_literal_can_be_an_enum_of_texts() -> None:
    @dataclass
    class Telegram:
        value: Literal["a", "b"]

        class Meta:
            convert_literal_to_enum = True

    (member,) = read_record(Telegram).members
    assert isinstance(member.type, LiteralField)
    assert isinstance(member.type.carrier, EnumField)
    assert member.type.carrier.members == {"a": "a", "b": "b"}
    assert member.type.carrier.python_type is str


@pytest.mark.parametrize(
    "name", ["Int32", "Float32", "TimeMicro", "DateTimeMicro", "LocalDateTime", "LocalDateTimeMicro"]
)
def test_our_annotations_are_those_of_the_library(name: str) -> None:
    assert read_annotation(getattr(field_annotations, name)) == read_annotation(getattr(types, name))


def test_digits_and_sizes_are_known_in_both_spellings() -> None:
    price: FieldType = DecimalField(5, 2, {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2})
    assert read_annotation(Annotated[Decimal, DecimalDigits(5, 2)]) == price
    assert read_annotation(types.condecimal(max_digits=5, decimal_places=2)) == price
    digest: FieldType = FixedField(3, "value", {"type": "fixed", "name": "value", "size": 3})
    assert read_annotation(Annotated[bytes, "x", Fixed(3)]) == digest
    assert read_annotation(types.confixed(size=3)) == digest


def test_bytes_of_one_size_are_written_out_once() -> None:
    digest = Annotated[bytes, Fixed(3)]
    inner = dataclasses.make_dataclass("Inner", [("digest", digest)])
    outer = dataclasses.make_dataclass("Outer", [("digest", digest), ("inner", inner)])
    assert '"type": "digest"' in str(derive_schema(outer)).replace("'", '"')
    other = dataclasses.make_dataclass("Inner", [("digest", Annotated[bytes, Fixed(4)])])
    with pytest.raises(TypeError, match="two types in Outer are called digest"):
        read_record(dataclasses.make_dataclass("Outer", [("digest", digest), ("inner", other)]))


def test_names_of_types_stand_for_what_they_name() -> None:
    identifier = NewType("identifier", int)
    alias = TypeAliasType("alias", Annotated[list[identifier], "x"])
    assert _scalar(identifier) == ("long", int)
    assert _scalar(Annotated[Int32, "x"]) == ("int", int)
    found = read_annotation(alias)
    assert isinstance(found, ListField)
    assert found.items == read_annotation(int)
    assert isinstance(read_annotation(tuple[int, ...]), TupleField)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type` statements came with Python 3.12")
def test_a_type_statement_stands_for_what_it_names_unless_that_contains_itself() -> None:
    namespace: dict[str, Any] = {}
    exec("type Names = list[str]\ntype Nested = dict[str, Nested]", namespace)
    assert read_annotation(namespace["Names"]) == read_annotation(list[str])
    with pytest.raises(TypeError, match="Nested contains itself"):
        read_annotation(namespace["Nested"])


def test_a_name_inside_of_a_namespace_is_referred_to_as_a_whole() -> None:
    @dataclass
    class House:
        room: Room
        lamp: Lamp
        mode: Mode | None

    lamp, mode = (one.type for one in read_record(House).members[1:])
    assert isinstance(lamp, RecordField)
    assert isinstance(mode, UnionField)
    assert (lamp.avro, mode.avro) == ("house.Lamp", ["house.Mode", "null"])

    @dataclass
    class Reversed:
        lamp: Lamp
        room: Room

    with pytest.raises(TypeError, match="Mode has no namespace, and is used inside of the namespace house"):
        read_record(Reversed)


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = ["dataclasses_avroschema", "dacite", "fastavro", "inflection"]
    program = f"import sys, orbitalis.message.derivation; print([one for one in {heavy} if one in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
