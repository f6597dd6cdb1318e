"""Reads what `Annotated`, `NewType` and `type` statements say about a type."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Final
from uuid import UUID

from orbitalis.message.derivation.field_types import DecimalField, Json, ScalarField, ScalarKind
from orbitalis.message.derivation.refusals import Refusal, refusal
from orbitalis.message.field_annotations import DecimalDigits, Fixed, WireKind

__all__ = ["KINDS", "decimal_field", "fixed_size", "kind_of", "scalar_field", "unwrap"]

KINDS: Final[Mapping[tuple[type, str | None], tuple[ScalarKind, str]]] = {
    (NoneType, None): ("null", "null"),
    (bool, None): ("boolean", "boolean"),
    (int, None): ("long", "long"),
    (int, "int"): ("int", "int"),
    (float, None): ("double", "double"),
    (float, "float"): ("float", "float"),
    (str, None): ("string", "string"),
    (bytes, None): ("bytes", "bytes"),
    (date, None): ("date", "int"),
    (time, None): ("time-millis", "int"),
    (time, "time-micros"): ("time-micros", "long"),
    (datetime, None): ("timestamp-millis", "long"),
    (datetime, "timestamp-micros"): ("timestamp-micros", "long"),
    (datetime, "local-timestamp-millis"): ("local-timestamp-millis", "long"),
    (datetime, "local-timestamp-micros"): ("local-timestamp-micros", "long"),
    (timedelta, None): ("dataclasses-avroschema-timedelta", "double"),
    (UUID, None): ("uuid", "string"),
}
"""By Python type and mark: what it is, and the Avro type that carries it."""


_MARKS_OF_LIBRARY: Final = {
    "Int32FieldInfo": "int",
    "Float32FieldInfo": "float",
    "TimeMicroFieldInfo": "time-micros",
    "DateTimeMicroFieldInfo": "timestamp-micros",
    "LocalDateTimeFieldInfo": "local-timestamp-millis",
    "LocalDateTimeMicroFieldInfo": "local-timestamp-micros",
}
"""Marks of dataclasses-avroschema by the names of their classes: it need not be installed."""


def unwrap(annotation: Any) -> tuple[Any, list[object], list[object]]:
    """Return the type itself, the marks that `Annotated` gives it, and the `type` statements that name it."""
    marks: list[object] = []
    aliases: list[object] = []
    while True:
        if typing.get_origin(annotation) is Annotated:
            marks.extend(annotation.__metadata__)
            annotation = annotation.__origin__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType" and annotation not in aliases:
            aliases.append(annotation)
            annotation = annotation.__value__
        else:
            return NoneType if annotation is None else annotation, marks, aliases


def kind_of(marks: Iterable[object]) -> str | None:
    """Return as what `Annotated` says that a value travels."""
    for one in marks:
        if isinstance(one, WireKind):
            return one.kind
        if type(one).__name__ in _MARKS_OF_LIBRARY:
            return _MARKS_OF_LIBRARY[type(one).__name__]
    return None


def scalar_field(plain: type, marks: Sequence[object]) -> ScalarField:
    """Return what a type of single values is, given its marks; raises :class:`Refusal` if they are for another one."""
    mark = kind_of(marks)
    if (plain, mark) not in KINDS or any(isinstance(one, DecimalDigits | Fixed) for one in marks):
        raise Refusal(f"{plain.__name__} cannot be sent as {' '.join(map(str, marks))}: that is for another type")
    kind, carrier = KINDS[plain, mark]
    return ScalarField(kind, plain, carrier if kind == carrier else {"type": carrier, "logicalType": kind})


def decimal_field(marks: Iterable[Any]) -> DecimalField:
    """Return what a `Decimal` with these marks is; raises :class:`Refusal` if none says how many digits it has."""
    for one in marks:
        precision = scale = None
        if isinstance(one, DecimalDigits):
            precision, scale = one.precision, one.scale
        elif type(one).__name__ == "DecimalFieldInfo":
            precision, scale = one.max_digits, one.decimal_places
        if isinstance(precision, int) and isinstance(scale, int):
            if precision < 1 or not 0 <= scale <= precision:
                raise Refusal(f"a Decimal cannot have {precision} digits with {scale} of them after the point")
            avro: Json = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
            return DecimalField(precision, scale, avro)
    raise refusal(Decimal)


def fixed_size(plain: type, marks: Iterable[Any]) -> tuple[int, dict[str, Json]] | None:
    """Return the size that bytes have, and what the schema says besides."""
    for one in marks:
        if plain is bytes and isinstance(one, Fixed):
            return one.size, {}
        if plain.__name__ == "Fixed" and type(one).__name__ == "FixedFieldInfo":
            more = {"namespace": one.namespace, "aliases": one.aliases}
            if not isinstance(one.size, int) or one.size < 1:
                raise Refusal(f"bytes cannot have the fixed size {one.size!r}: it has to be at least 1")
            return one.size, {key: value for key, value in more.items() if value is not None}
    return None
