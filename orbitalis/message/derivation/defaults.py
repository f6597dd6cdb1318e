"""Default values of fields, as schemas write them.

The texts are those of dataclasses-avroschema wherever it makes one, since older peers compare schemas as text. Where it
departs from Avro (a decimal, or bytes that are UTF-8), no peer reads them: a default counts only for who has another
schema than the sender, and peers need the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from orbitalis.message.derivation.field_types import (
    DecimalField,
    EnumField,
    FieldType,
    FixedField,
    Json,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    ScalarField,
    TupleField,
    UnionField,
)

__all__ = ["UnfitDefaultError", "default_in_schema"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_FLOAT: Final = 3.4028235677973366e38
"""From here on, a number rounds to infinity in 32 bits."""


class UnfitDefaultError(Exception):
    """A value is none of its type; the text says what was expected."""


def default_in_schema(field_type: FieldType, value: object) -> Json:
    """Return what a schema says for a default, or for a value in one.

    Raises:
        UnfitDefaultError: The type does not admit the value.
    """
    match field_type:
        case ScalarField():
            return _SCALARS[field_type.kind](value)
        case DecimalField(precision, scale):
            return _decimal(value, precision, scale)
        case FixedField(size):
            text = _bytes(value)
            if len(cast(bytes, value)) != size:
                raise UnfitDefaultError(f"{size} bytes")
            return text
        case EnumField(python_type, members):
            return _symbol(value, python_type, members)
        case LiteralField(values, carrier):
            if not any(type(one) is type(value) and one == value for one in values):
                raise UnfitDefaultError(f"one of {list(values)}")
            return default_in_schema(carrier, value)
        case ListField(items) | TupleField(items):
            if not isinstance(value, list | tuple):
                raise UnfitDefaultError("a list" if isinstance(field_type, ListField) else "a tuple")
            return [default_in_schema(items, one) for one in cast("Sequence[object]", value)]
        case MapField(values):
            return _map(value, values)
        case UnionField(branches):
            return _branch(value, branches)
        case RecordField(record_class, members):
            if type(value) is not record_class:
                raise UnfitDefaultError(f"a {record_class.__name__}")
            return {one.name: default_in_schema(one.type, getattr(value, one.name)) for one in members}


def _null(value: object) -> Json:
    if value is not None:
        raise UnfitDefaultError("None")
    return None


def _boolean(value: object) -> Json:
    if not isinstance(value, bool):
        raise UnfitDefaultError("a bool")
    return value


def _integer(value: object, bits: int) -> Json:
    if isinstance(value, bool) or not isinstance(value, int) or not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise UnfitDefaultError(f"an integer of {bits} bits")
    return int(value)


def _number(value: object, largest: float) -> Json:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitDefaultError("a number")
    if abs(value) >= largest and value not in (math.inf, -math.inf):
        raise UnfitDefaultError("a smaller number")
    return float(value) if isinstance(value, float) else int(value)


def _string(value: object) -> Json:
    if not isinstance(value, str):
        raise UnfitDefaultError("a str")
    # Of a member of an enum, str() would give its name.
    return str.__str__(value)


def _bytes(value: object) -> Json:
    if not isinstance(value, bytes):
        raise UnfitDefaultError("bytes")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _date(value: object) -> Json:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UnfitDefaultError("a date")
    return (value - _EPOCH.date()).days


def _time(value: object, second: int) -> Json:
    if not isinstance(value, time):
        raise UnfitDefaultError("a time")
    whole = ((value.hour * 60 + value.minute) * 60 + value.second) * second
    return whole + value.microsecond * second // 1_000_000


def _moment(value: object, second: int) -> Json:
    if not isinstance(value, datetime):
        raise UnfitDefaultError("a datetime")
    epoch = _EPOCH if value.tzinfo else _EPOCH.replace(tzinfo=None)
    # Through a float, which loses the last digits: the text stays as it always was.
    return int((value - epoch).total_seconds() * second)


def _timedelta(value: object) -> Json:
    if not isinstance(value, timedelta):
        raise UnfitDefaultError("a timedelta")
    return value.total_seconds()


def _uuid(value: object) -> Json:
    if isinstance(value, str):
        try:
            UUID(value)
        except ValueError as error:
            raise UnfitDefaultError("a UUID") from error
    elif not isinstance(value, UUID):
        raise UnfitDefaultError("a UUID")
    return str(value)


def _decimal(value: object, precision: int, scale: int) -> Json:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise UnfitDefaultError("a finite Decimal")
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) + scale
    number = int(Decimal((0, digits, 0)))
    if shift < 0 or len(digits) > precision or (len(digits) + shift > precision and number):
        raise UnfitDefaultError(f"a Decimal of {precision} digits, {scale} of them after the point")
    number *= int(10**shift)
    size = (number.bit_length() + 8) // 8
    return "\\u" + (-number if sign else number).to_bytes(size, "big", signed=True).hex()


def _symbol(value: object, python_type: type, members: Mapping[str, Any]) -> Json:
    for symbol, member in members.items():
        if value is member or (type(value) is python_type and value == member):
            return symbol
    if isinstance(value, str) and str.__str__(value) in members:
        return str.__str__(value)
    raise UnfitDefaultError(
        f"a member of {python_type.__name__}" if python_type is not str else f"one of {list(members)}"
    )


def _map(value: object, values: FieldType) -> Json:
    if not isinstance(value, dict):
        raise UnfitDefaultError("a dict")
    pairs = cast("dict[object, object]", value)
    return {cast(str, _string(key)): default_in_schema(values, one) for key, one in pairs.items()}


def _branch(value: object, branches: Sequence[FieldType]) -> Json:
    expected: list[str] = []
    for branch in branches:
        try:
            return default_in_schema(branch, value)
        except UnfitDefaultError as error:
            expected.append(str(error))
    raise UnfitDefaultError(" or ".join(expected))


_SCALARS: Final[Mapping[str, Callable[[object], Json]]] = {
    "null": _null,
    "boolean": _boolean,
    "int": lambda value: _integer(value, 32),
    "long": lambda value: _integer(value, 64),
    "float": lambda value: _number(value, _LARGEST_FLOAT),
    "double": lambda value: _number(value, math.inf),
    "string": _string,
    "bytes": _bytes,
    "date": _date,
    "time-millis": lambda value: _time(value, 1_000),
    "time-micros": lambda value: _time(value, 1_000_000),
    "timestamp-millis": lambda value: _moment(value, 1_000),
    "timestamp-micros": lambda value: _moment(value, 1_000_000),
    "local-timestamp-millis": lambda value: _moment(value, 1_000),
    "local-timestamp-micros": lambda value: _moment(value, 1_000_000),
    "dataclasses-avroschema-timedelta": _timedelta,
    "uuid": _uuid,
}
