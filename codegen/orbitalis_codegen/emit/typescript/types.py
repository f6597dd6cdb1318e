"""How TypeScript sees the types of Avro: names, annotations, and the source of defaults.

A long is a number in what the protocol itself sends, which counts things and refuses more than a number can hold, and a
bigint in what users send. See docs/decisions/typescript.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self, cast

from orbitalis_avro.plan import references
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.avro.fitting import branch_of
from orbitalis_codegen.emit.typescript import names, text
from orbitalis_codegen.model import Model

__all__ = ["TypeScriptField", "Types"]

_ANNOTATIONS = {
    "null": "null",
    "boolean": "boolean",
    "int": "number",
    "float": "number",
    "double": "number",
    "bytes": "Uint8Array",
    "string": "string",
    "timestamp-millis": "Date",
    "local-timestamp-millis": "Date",
    "timestamp-micros": "bigint",
    "local-timestamp-micros": "bigint",
    "time-micros": "number",
    "uuid": "string",
    "decimal": "Decimal",
    "big-decimal": "Decimal",
    "duration": "Duration",
}
"""By name of the logical type or, if that has none, of the primitive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeScriptField:
    """A field of a record, as TypeScript calls it."""

    field: Field
    name: str
    """Of the property."""
    default: str | None
    """Source of the default value; `None` if a value is required."""


class Types:
    """Named types with the names that TypeScript gives them."""

    def __init__(
        self,
        named: Mapping[str, NamedType],
        *,
        of_protocol: Iterable[str | None] = (),
        errors: Collection[str] = (),
        tagged: Collection[str] = (),
        types_in_use: Collection[str] = (),
        properties_in_use: Callable[[Record], Collection[str]] = lambda record: (),
    ) -> None:
        """Name the types.

        The records `of_protocol`, and what they hold, are sent by the protocol itself. Those of `errors` are classes,
        and those of `tagged`, as those beside others in a union, have their name as `$type`. `types_in_use` are names
        of the code around the types, and `properties_in_use` those that a value of a record has beside its fields.
        """
        self.named = named
        self.errors = errors
        self.tagged = (frozenset(tagged) | _records_in_unions(named)) - frozenset(errors)
        self._properties_in_use = properties_in_use
        self.type_names = names.unique_names(
            ((name, names.type_name(type_.class_name)) for name, type_ in named.items()), taken=types_in_use
        )
        self.function_names = names.unique_names(
            (name, names.function_name(type_name)) for name, type_name in self.type_names.items()
        )
        """What makes a value of each record."""
        self.codec_names = names.unique_names(
            (name, f"{names.camel_case(type_name)}Codec") for name, type_name in self.type_names.items()
        )
        self.of_protocol = self._reached(of_protocol)
        """The names of the types that the protocol itself sends."""

    @classmethod
    def of(cls, model: Model) -> Self:
        """Name the types of a model."""
        sent = (model.envelope, *model.messages.values())
        return cls(model.types, of_protocol=[message.record for message in sent if message.versions])

    def annotation(self, type_: AvroType, *, of_protocol: bool) -> str:
        """Annotate values of a type that stands in a record of the protocol, or of what users send."""
        match type_:
            case Primitive(name="long"):
                return "number" if of_protocol else "bigint"
            case Primitive(name=name):
                return _ANNOTATIONS[name]
            case LogicalType(name=name, underlying=underlying):
                return _ANNOTATIONS.get(name) or self.annotation(underlying, of_protocol=of_protocol)
            case Array(items=items):
                inner = self.annotation(items, of_protocol=of_protocol)
                return (
                    f"readonly ({inner})[]"
                    if (isinstance(items, Union) and " | " in inner) or inner.startswith("readonly ")
                    else f"readonly {inner}[]"
                )
            case Map(values=values):
                return f"ReadonlyMap<string, {self.annotation(values, of_protocol=of_protocol)}>"
            case Union(branches=branches):
                annotations = dict.fromkeys(self.annotation(branch, of_protocol=of_protocol) for branch in branches)
                without_null = [annotation for annotation in annotations if annotation != "null"]
                return " | ".join([*without_null, "null"] if "null" in annotations else without_null)
            case Reference(name=name):
                named = self.named[name]
                if isinstance(named, Fixed):
                    if named.logical_type is None:
                        return "Uint8Array"
                    return _ANNOTATIONS.get(named.logical_type.name, "Uint8Array")
                return self.type_names[name]

    def maker(self, record: str) -> str:
        """Write what makes a value of a record, given its fields."""
        return f"new {self.type_names[record]}" if record in self.errors else self.function_names[record]

    def fields(self, record: Record) -> tuple[TypeScriptField, ...]:
        """Name the fields of a record, in the order of its schema."""
        called = self._properties(record)
        return tuple(
            TypeScriptField(
                field=field,
                name=called[field.name],
                default=self._default(field, record) if field.has_default else None,
            )
            for field in record.fields
        )

    def _properties(self, record: Record) -> dict[str, str]:
        taken = self._properties_in_use(record)
        return names.unique_names(
            ((field.name, names.property_name(field.name)) for field in record.fields), taken=taken
        )

    def _reached(self, start: Iterable[str | None]) -> frozenset[str]:
        waiting = [name for name in start if name is not None]
        reached: set[str] = set()
        while waiting:
            name = waiting.pop()
            named = self.named.get(name)
            if name in reached or named is None:
                continue
            reached.add(name)
            if isinstance(named, Record):
                waiting += [inner for field in named.fields for inner in references(field.type)]
        return frozenset(reached)

    def _default(self, field: Field, record: Record) -> str:
        type_ = branch_of(field.type, field.default, self.named)
        place = f"{record.name}.{field.name} ({record.source})"
        return self._value(type_, field.default, place, of_protocol=record.name in self.of_protocol)

    def _value(self, type_: AvroType, value: object, place: str, *, of_protocol: bool) -> str:
        match type_, value:
            case Primitive(name="null"), None:
                return "null"
            case Primitive(name="boolean"), bool():
                return "true" if value else "false"
            case Primitive(name="int"), int() if not isinstance(value, bool):
                return text.number_literal(value)
            case Primitive(name="long"), int() if not isinstance(value, bool):
                return str(value) if of_protocol else f"{value}n"
            case Primitive(name="float" | "double"), int() | float() if not isinstance(value, bool):
                return text.number_literal(value)
            case Primitive(name="string"), str():
                return text.literal(value)
            # JSON gives bytes as code points up to 255.
            case Primitive(name="bytes"), str():
                return _bytes(value)
            case Array(items=items), list():
                given = cast("list[object]", value)
                parts = [self._value(items, item, place, of_protocol=of_protocol) for item in given]
                return f"[{', '.join(parts)}]"
            case Map(values=values), dict():
                entries = [
                    f"[{text.literal(key)}, {self._value(values, item, place, of_protocol=of_protocol)}]"
                    for key, item in cast("dict[str, object]", value).items()
                ]
                return f"new Map([{', '.join(entries)}])" if entries else "new Map()"
            case Union(), _:
                return self._value(branch_of(type_, value, self.named), value, place, of_protocol=of_protocol)
            case Reference(name=name), _:
                return self._named_value(self.named[name], value, place)
            case LogicalType(underlying=underlying), _:
                return _logical_value(type_, value) or self._value(underlying, value, place, of_protocol=of_protocol)
            case _:
                raise ValueError(f"{place}: the default {value!r} does not fit the type of the field")

    def _named_value(self, named: NamedType, value: object, place: str) -> str:
        match named, value:
            case Fixed(logical_type=LogicalType() as logical), str():
                return _logical_value(logical, value) or _bytes(value)
            case Fixed(), str():
                return _bytes(value)
            case Enumeration(), str():
                return text.literal(value)
            case Record(), dict():
                given = cast("dict[str, object]", value)
                called = self._properties(named)
                of_protocol = named.name in self.of_protocol
                arguments = [
                    f"{called[field.name]}: "
                    + self._value(field.type, given[field.name], place, of_protocol=of_protocol)
                    for field in named.fields
                    if field.name in given
                ]
                fields = f"{{ {', '.join(arguments)} }}" if arguments else "{}" if named.fields else ""
                return f"{self.maker(named.name)}({fields})"
            case _:
                raise ValueError(f"{place}: the default {value!r} does not fit {named.name}")


def _records_in_unions(named: Mapping[str, NamedType]) -> frozenset[str]:
    """The records that stand beside another one in a union: nothing but a name is sure to tell them apart."""
    found: set[str] = set()
    waiting = [field.type for one in named.values() if isinstance(one, Record) for field in one.fields]
    while waiting:
        match waiting.pop():
            case Array(items=inner) | Map(values=inner):
                waiting.append(inner)
            case Union(branches=branches):
                waiting += branches
                names = [one.name for one in branches if isinstance(one, Reference)]
                records = {name for name in names if isinstance(named[name], Record)}
                found |= records if len(records) > 1 else set()
            case _:
                pass
    return frozenset(found)


def _bytes(value: str) -> str:
    return f"Uint8Array.of({', '.join(map(str, value.encode('latin-1')))})"


def _logical_value(type_: LogicalType, value: object) -> str:
    """Write a value of a logical type, given what JSON has for it; nothing if it is written as what is under it."""
    match type_.name, value:
        case "timestamp-millis" | "local-timestamp-millis", int():
            return f"new Date({value})"
        case "timestamp-micros" | "local-timestamp-micros", int():
            return f"{value}n"
        case "time-micros", int():
            return str(value)
        case "uuid", str():
            if isinstance(type_.underlying, Primitive):
                return text.literal(value)
            digits = value.encode("latin-1").hex()
            ends = (0, 8, 12, 16, 20, 32)
            return text.literal("-".join(digits[start:end] for start, end in pairwise(ends)))
        case "decimal", str():
            unscaled = int.from_bytes(value.encode("latin-1"), "big", signed=True)
            return f"{{ unscaled: {unscaled}n, scale: {type_.scale} }}"
        case "duration", str():
            data = value.encode("latin-1")
            months, days, milliseconds = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
            return f"{{ months: {months}, days: {days}, milliseconds: {milliseconds} }}"
        case "big-decimal", str():
            # The bytes of a default are few: a length, the digits and a scale.
            from orbitalis_avro.rare import big_decimal_of_bytes

            sign, parts, exponent = big_decimal_of_bytes(value.encode("latin-1")).as_tuple()
            unscaled = int("".join(map(str, parts))) * (-1 if sign else 1)
            return f"{{ unscaled: {unscaled}n, scale: {-int(exponent)} }}"
        case _:
            return ""
