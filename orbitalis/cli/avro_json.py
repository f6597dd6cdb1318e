"""JSON for payloads of any schema: values of Avro are made of it, and it is made of values of Avro.

Records and maps are objects, enums and texts are texts, bytes and fixed are base64. Of logical types, times and dates
are texts of ISO 8601, decimals are texts; those that this knows nothing of are what they stand on. A union is the first
of its types that takes the value.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from orbitalis.message.codec.plain_values import Chosen, PlainCodec, RecordValue
from orbitalis_avro import logical
from orbitalis_avro.binary import Fault, key_part, shown_value, write_fixed, write_float, write_int, write_long
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, RecordStep, ScalarStep, Step, UnionStep
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution.defaults import written_default
from orbitalis_avro.types import Field, Record, Reference
from orbitalis_wire.limits import NESTING_DEPTH

__all__ = ["JsonCodec"]

_TEXTS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "date": ("a date such as 2030-12-31", date.fromisoformat),
    "time-millis": ("a time such as 23:59:59.5", time.fromisoformat),
    "time-micros": ("a time such as 23:59:59.5", time.fromisoformat),
    "timestamp-millis": ("a time such as 2030-12-31T23:59:59Z", datetime.fromisoformat),
    "timestamp-micros": ("a time such as 2030-12-31T23:59:59Z", datetime.fromisoformat),
    "local-timestamp-millis": ("a time such as 2030-12-31T23:59:59", datetime.fromisoformat),
    "local-timestamp-micros": ("a time such as 2030-12-31T23:59:59", datetime.fromisoformat),
}
"""By name of a logical type that is a text in JSON: what that has to be, and how it is read."""


class JsonCodec:
    """Writes and reads the payloads of one schema; :attr:`name` is that of its record, without namespace."""

    def __init__(self, schema: str) -> None:
        """Take a schema as JSON text, which must be one."""
        type_, self._named = read_schema(json.loads(schema, object_hook=_without_unknown))
        self.name = type_.name.rpartition(".")[2] if isinstance(type_, Reference) else "payload"
        self._codec = PlainCodec(type_, self._named, self.name)

    def encode(self, value: object) -> bytes:
        """Return the Avro binary of what JSON has for a message.

        Raises:
            EncodeError: It does not fit the schema; the error names the field.
        """
        try:
            return self._codec.encode(self._value(self._codec.step, value))
        except Fault as fault:
            raise EncodeError(self.name, fault.path, fault.reason) from None
        except EncodeError as error:
            raise EncodeError(self.name, _inner(error.path), error.reason) from None

    def decode(self, data: bytes) -> object:
        """Return what JSON has for a message in Avro binary.

        Raises:
            DecodeError: It is none of this schema.
        """
        try:
            return _json_of(self._codec.decode(data))
        except DecodeError as error:
            raise DecodeError(self.name, _inner(error.path), error.reason) from None

    def _value(self, step: Step, given: object) -> object:
        """Return the value that JSON stands for, as the codec takes it."""
        match step:
            case ScalarStep():
                return _scalar(step, given)
            case EnumStep(symbols=symbols):
                if given not in symbols:
                    raise _expected(f"one of {', '.join(symbols)}", given)
                return given
            case ArrayStep(items=items):
                if not isinstance(given, list):
                    raise _expected("a list", given)
                listed = cast("list[object]", given)
                return tuple(self._inside(f"[{number}]", items, one) for number, one in enumerate(listed))
            case MapStep(values=values):
                content = _object(given, "an object")
                return {_text(key): self._inside(key_part(key), values, one) for key, one in content.items()}
            case UnionStep():
                return self._union(step, given)
            case RecordStep(name=name):
                return self._record(name, given)

    def _inside(self, part: str, step: Step, given: object) -> object:
        try:
            return self._value(step, given)
        except Fault as fault:
            raise fault.inside(part) from None

    def _record(self, name: str, given: object) -> RecordValue:
        record = self._named[name]
        assert isinstance(record, Record)
        content = _object(given, f"an object, the fields of {record.class_name}")
        known = {field.name for field in record.fields}
        for one in content:
            if one not in known:
                there = ", ".join(sorted(known)) or "none"
                raise Fault(f"there is no such field in {record.class_name}, which has {there}").inside(f".{one}")
        steps = [field.step for field in self._codec.plan.records[name].fields]
        values: dict[str, object] = {}
        for number, (field, step) in enumerate(zip(record.fields, steps, strict=True)):
            here = content[field.name] if field.name in content else self._default(field)
            values[f"field{number}"] = self._inside(f".{field.name}", step, here)
        return self._codec.classes[name](**values)

    def _default(self, field: Field) -> object:
        """Return what JSON has for the default of a field, which schemas write in another way."""
        if not field.has_default:
            raise Fault("is missing, and has no default").inside(f".{field.name}")
        try:
            data = written_default(field.type, self._named, field.default, NESTING_DEPTH)
        except ValueError as error:
            raise Fault(f"is missing, and its default is none: {error}").inside(f".{field.name}") from None
        return _json_of(PlainCodec(field.type, self._named, self.name).decode(data))

    def _union(self, step: UnionStep, given: object) -> object:
        faults: list[Fault] = []
        for index, branch in enumerate(step.branches):
            try:
                value = self._value(branch, given)
            except Fault as fault:
                faults.append(fault)
            else:
                return value if step.null_index is not None else Chosen(index, value)
        deepest = max(faults, key=lambda fault: len(fault.path))
        raise deepest if deepest.path else Fault(", and ".join(dict.fromkeys(fault.reason for fault in faults)))


def _without_unknown(found: dict[str, object]) -> dict[str, object]:
    """Leave logical types of which this knows nothing out of a part of a schema."""
    is_known = found.get("logicalType") in (*_TEXTS, "decimal")
    return found if is_known or "type" not in found else {k: one for k, one in found.items() if k != "logicalType"}


def _scalar(step: ScalarStep, given: object) -> object:
    """Return the value of a scalar; what it refuses, another branch of a union may take."""
    if step.name in _TEXTS:
        what, parse = _TEXTS[step.name]
        try:
            value = parse(given) if isinstance(given, str) else None
        except ValueError:
            value = None
        if value is None:
            raise _expected(what, given)
        getattr(logical, logical.LOGICAL[step.name].lower)(value)
        return value
    if step.name == "decimal":
        decimal = _decimal(given)
        logical.unscaled_bytes(decimal, step.precision, step.scale, step.size)
        return decimal
    match step.underlying:
        case "null" if given is None:
            return None
        case "boolean" if isinstance(given, bool):
            return given
        case "int" | "long" if isinstance(given, int) and not isinstance(given, bool):
            (write_int if step.underlying == "int" else write_long)(given)
            return given
        case "float" | "double" if isinstance(given, int | float) and not isinstance(given, bool):
            return _number(step.underlying, given)
        case "string" if isinstance(given, str):
            return _text(given)
        case "bytes" | "fixed" if isinstance(given, str):
            data = _bytes(given)
            return write_fixed(data, step.size) if step.underlying == "fixed" else data
        case underlying:
            raise _expected(_EXPECTED[underlying], given)


_EXPECTED: Final = {
    "null": "null",
    "boolean": "true or false",
    "int": "an integer",
    "long": "an integer",
    "float": "a number",
    "double": "a number",
    "string": "a text",
    "bytes": "bytes as a text of base64",
    "fixed": "bytes as a text of base64",
}


def _decimal(given: object) -> Decimal:
    is_number = isinstance(given, str | int | float) and not isinstance(given, bool)
    try:
        # A float is meant as it is written.
        decimal = Decimal(str(given)) if is_number else Decimal("NaN")
    except InvalidOperation:
        decimal = Decimal("NaN")
    if not decimal.is_finite():
        raise _expected("a decimal such as 12.50", given)
    return decimal


def _number(name: str, given: float) -> float:
    try:
        number = float(given)
    except OverflowError:
        raise _expected("a number of double precision", given) from None
    if name == "float":
        write_float(number)
    return number


def _text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError:
        raise Fault("expected a text, got one with half a character (a lone surrogate)") from None
    return given


def _bytes(given: str) -> bytes:
    try:
        return b64decode(given, validate=True)
    except (Base64Error, ValueError):
        raise _expected("bytes as a text of base64", given) from None


def _object(given: object, what: str) -> Mapping[str, object]:
    if not isinstance(given, dict):
        raise _expected(what, given)
    return cast("dict[str, object]", given)


def _expected(what: str, given: object) -> Fault:
    text = json.dumps(given, ensure_ascii=False, default=shown_value)
    return Fault(f"expected {what}, got {text if len(text) <= 60 else f'{text[:60]}…'}")


def _inner(path: str) -> str:
    """Return a path without the record around."""
    return path.removeprefix("value").removeprefix(".")


def _json_of(value: object) -> object:
    """Return what JSON has for a value that was read."""
    match value:
        case RecordValue():
            return {name: _json_of(getattr(value, f"field{number}")) for number, name in enumerate(value.names)}
        case tuple():
            return [_json_of(one) for one in cast("tuple[object, ...]", value)]
        case dict():
            return {key: _json_of(one) for key, one in cast("dict[str, object]", value).items()}
        case bytes():
            return b64encode(value).decode()
        case float():
            # JSON has no infinity.
            return value if math.isfinite(value) else str(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value
