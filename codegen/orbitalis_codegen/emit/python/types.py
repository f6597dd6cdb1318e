"""How Python sees the types of Avro: classes, annotations, defaults, names of fields and codec functions, sizes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Self, cast

from orbitalis_avro.logical import decimal_of_bytes, time_of_micros
from orbitalis_avro.rare import big_decimal_of_bytes, duration_of_bytes, uuid_of_bytes
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
from orbitalis_codegen.emit.python import names, text
from orbitalis_codegen.model import Model

__all__ = ["PythonField", "Types"]

_ANNOTATIONS = {
    "null": "None",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
    "timestamp-millis": "datetime",
    "timestamp-micros": "datetime",
    "local-timestamp-millis": "datetime",
    "local-timestamp-micros": "datetime",
    "date": "date",
    "time-millis": "time",
    "time-micros": "time",
    "uuid": "UUID",
    "decimal": "Decimal",
    "big-decimal": "Decimal",
    "duration": "Duration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonField:
    """A field of a record, as Python calls it."""

    field: Field
    name: str
    default: str | None
    """Source of the default value; `None` if a value is required."""
    is_factory: bool
    """Whether `default` has to be evaluated for each instance."""


class Types:
    """Named types with the names that Python gives them."""

    def __init__(
        self,
        named: Mapping[str, NamedType],
        messages: Collection[str],
        *,
        sequence: str = "Sequence[{}]",
        classes_in_use: Collection[str] = (),
        fields_in_use: Callable[[Record], Collection[str]] = lambda record: (),
    ) -> None:
        """Name the types; `messages` has the names of the records that are messages.

        `sequence` is the annotation of an array, given that of its items. What code around it is called stands in
        `classes_in_use`, and what an instance of a record has beside its fields in `fields_in_use`.
        """
        self.named = named
        self.messages = frozenset(messages)
        """Names of the records that are messages."""
        self.class_names = names.unique_names(
            ((name, names.class_name(type_.class_name)) for name, type_ in named.items()), taken=classes_in_use
        )
        self._sequence = sequence
        self._fields_in_use = fields_in_use
        self._field_names: dict[str, dict[str, str]] = {}
        self._fields: dict[str, tuple[PythonField, ...]] = {}
        """By the name of the record; many ways may lead to it."""

    @classmethod
    def of(cls, model: Model) -> Self:
        """Name the types of a model."""
        records = (message.record for message in model.messages.values())
        return cls(model.types, [record for record in records if record is not None])

    def annotation(self, type_: AvroType) -> str:
        """Annotate values of a type."""
        match type_:
            case Primitive(name=name):
                return _ANNOTATIONS[name]
            case LogicalType(name=name, underlying=underlying):
                return _ANNOTATIONS.get(name) or self.annotation(underlying)
            case Array(items=items):
                return self._sequence.format(self.annotation(items))
            case Map(values=values):
                return f"Mapping[str, {self.annotation(values)}]"
            case Union(branches=branches):
                annotations = dict.fromkeys(self.annotation(branch) for branch in branches)
                without_null = [annotation for annotation in annotations if annotation != "None"]
                return " | ".join([*without_null, "None"] if "None" in annotations else without_null)
            case Reference(name=name):
                named = self.named[name]
                if isinstance(named, Fixed):
                    return "bytes" if named.logical_type is None else self.annotation(named.logical_type)
                return self.class_names[name]

    def fields(self, record: Record) -> tuple[PythonField, ...]:
        """Name the fields of a record, in the order of its schema."""
        if record.name not in self._fields:
            field_names = self._names_of_fields(record)
            self._fields[record.name] = tuple(
                self._field(field, field_names[field.name], record) for field in record.fields
            )
        return self._fields[record.name]

    def _names_of_fields(self, record: Record) -> dict[str, str]:
        """What Python calls each field; apart from their defaults, in which other records may stand."""
        if record.name not in self._field_names:
            in_use = {*self.class_names.values(), *self._fields_in_use(record)}
            wanted = ((field.name, names.field_name(field.name, in_use)) for field in record.fields)
            self._field_names[record.name] = names.unique_names(wanted, taken=in_use)
        return self._field_names[record.name]

    def _field(self, field: Field, name: str, record: Record) -> PythonField:
        default, is_factory = None, False
        if field.has_default:
            type_ = branch_of(field.type, field.default, self.named)
            default = self._value(type_, field.default, f"{record.name}.{field.name} ({record.source})")
            is_factory = self._is_made_anew(type_) and default != "()"
        return PythonField(field=field, name=name, default=default, is_factory=is_factory)

    def _is_made_anew(self, type_: AvroType) -> bool:
        """Whether a default is the result of a call, maybe of a class that is defined further below."""
        match type_:
            case Array(items=items):
                return self._is_made_anew(items)
            case Map() | LogicalType():
                return True
            case Reference(name=name):
                named = self.named[name]
                return not isinstance(named, Fixed) or named.logical_type is not None
            case _:
                return False

    def _value(self, type_: AvroType, value: object, place: str) -> str:
        match type_, value:
            case (Primitive(name="null"), None) | (Primitive(name="boolean"), bool()):
                return repr(value)
            case Primitive(name="int" | "long"), int() if not isinstance(value, bool):
                return repr(value)
            case Primitive(name="float" | "double"), int() | float() if not isinstance(value, bool):
                return text.float_literal(value)
            case Primitive(name="string"), str():
                return text.literal(value)
            # JSON gives bytes as code points up to 255.
            case Primitive(name="bytes"), str():
                return text.bytes_literal(value.encode("latin-1"))
            case Array(items=items), list():
                parts = [self._value(items, item, place) for item in cast("list[object]", value)]
                return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
            case Map(values=values), dict():
                given = cast("dict[str, object]", value)
                entries = [f"{text.literal(key)}: {self._value(values, item, place)}" for key, item in given.items()]
                return f"{{{', '.join(entries)}}}"
            case Union(), _:
                return self._value(branch_of(type_, value, self.named), value, place)
            case Reference(name=name), _:
                return self._named_value(self.named[name], value, place)
            case LogicalType(underlying=underlying), _:
                return _logical_value(type_, value) or self._value(underlying, value, place)
            case _:
                raise ValueError(f"{place}: the default {value!r} does not fit the type of the field")

    def _named_value(self, named: NamedType, value: object, place: str) -> str:
        match named, value:
            case Fixed(logical_type=LogicalType() as logical), str():
                return _logical_value(logical, value)
            case Fixed(), str():
                return text.bytes_literal(value.encode("latin-1"))
            case Enumeration(), str():
                return f"{self.class_names[named.name]}({text.literal(value)})"
            case Record(), dict():
                given = cast("dict[str, object]", value)
                field_names = self._names_of_fields(named)
                arguments = [
                    f"{field_names[field.name]}={self._value(field.type, given[field.name], place)}"
                    for field in named.fields
                    if field.name in given
                ]
                return f"{self.class_names[named.name]}({', '.join(arguments)})"
            case _:
                raise ValueError(f"{place}: the default {value!r} does not fit {named.name}")


def _logical_value(type_: LogicalType, value: object) -> str:
    """Write a value of a logical type, given what JSON has for it; nothing if Python has the value itself."""
    match type_.name, value:
        case "timestamp-millis" | "timestamp-micros", int():
            return f"datetime.fromtimestamp(0, UTC) + timedelta({_unit(type_)}={value})"
        case "local-timestamp-millis" | "local-timestamp-micros", int():
            return f"datetime(1970, 1, 1) + timedelta({_unit(type_)}={value})"
        case "date", int():
            return f"date.fromordinal(719163 + {value})"
        case "time-millis" | "time-micros", int():
            of_day = time_of_micros(value * 1000 if type_.name == "time-millis" else value)
            return f"time({of_day.hour}, {of_day.minute}, {of_day.second}, {of_day.microsecond})"
        case "uuid", str():
            given = value if isinstance(type_.underlying, Primitive) else str(uuid_of_bytes(value.encode("latin-1")))
            return f"UUID({text.literal(given)})"
        case "decimal", str():
            decimal = decimal_of_bytes(value.encode("latin-1"), type_.precision, type_.scale)
            return f"Decimal({text.literal(str(decimal))})"
        case "big-decimal", str():
            return f"Decimal({text.literal(str(big_decimal_of_bytes(value.encode('latin-1'))))})"
        case "duration", str():
            return repr(duration_of_bytes(value.encode("latin-1")))
        case _:
            return ""


def _unit(type_: LogicalType) -> str:
    return "milliseconds" if type_.name.endswith("millis") else "microseconds"
