"""JSON for payloads of any schema: Avro binary is made of it, and it is made of Avro binary.

Records and maps are objects, enums and texts are texts, bytes and fixed are base64. Of logical types, times and dates
are texts of ISO 8601, decimals and UUIDs are texts; those that this knows nothing of are what they stand on. A union is
the first of its types that takes the value.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from struct import pack, unpack_from
from typing import Any, Final, NamedTuple, cast

from orbitalis_avro import logical
from orbitalis_avro.binary import (
    READ_FAULTS,
    Fault,
    check_block,
    key_part,
    located,
    read_block,
    read_fixed,
    read_float,
    read_index,
    read_int,
    read_key,
    read_length,
    read_long,
    shown_value,
    write_fixed,
    write_float,
    write_int,
    write_long,
)
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.reading import read_schema
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    Primitive,
    Record,
    Reference,
    Union,
)
from orbitalis_wire.limits import NESTING_DEPTH

__all__ = ["JsonCodec"]


class _Text(NamedTuple):
    """How a logical type is a text in JSON: `lower` and `lift` are between its value and the primitive."""

    what: str
    parse: Callable[[str], Any]
    lower: Callable[[Any], Any]
    lift: Callable[[Any], Any]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


_TEXTS: Final[Mapping[str, _Text]] = {
    "date": _Text("a date such as 2030-12-31", date.fromisoformat, logical.days_of_date, logical.date_of_days),
    "time-millis": _Text(
        "a time such as 23:59:59.5", time.fromisoformat, logical.millis_of_time, logical.time_of_millis
    ),
    "time-micros": _Text(
        "a time such as 23:59:59.5", time.fromisoformat, logical.micros_of_time, logical.time_of_micros
    ),
    "timestamp-millis": _Text(
        "a time such as 2030-12-31T23:59:59Z", _instant, logical.millis_of_datetime, logical.datetime_of_millis
    ),
    "timestamp-micros": _Text(
        "a time such as 2030-12-31T23:59:59Z", _instant, logical.micros_of_datetime, logical.datetime_of_micros
    ),
    "local-timestamp-millis": _Text(
        "a time such as 2030-12-31T23:59:59",
        _instant,
        logical.local_millis_of_datetime,
        logical.local_datetime_of_millis,
    ),
    "local-timestamp-micros": _Text(
        "a time such as 2030-12-31T23:59:59",
        _instant,
        logical.local_micros_of_datetime,
        logical.local_datetime_of_micros,
    ),
}
"""By name of the logical type."""


class JsonCodec:
    """Writes and reads the payloads of one schema; :attr:`name` is that of its record, without namespace."""

    def __init__(self, schema: str) -> None:
        """Take a schema as JSON text, which must be one."""
        self._type, self._named = read_schema(json.loads(schema))
        top = self._resolved(self._type)
        self.name = top.class_name if isinstance(top, Record | Enumeration | Fixed) else "payload"

    def encode(self, value: object) -> bytes:
        """Return the Avro binary of what JSON has for a message.

        Raises:
            EncodeError: It does not fit the schema; the error names the field.
        """
        try:
            return self._write(self._type, value, is_default=False)
        except Fault as fault:
            raise EncodeError(self.name, fault.path, fault.reason) from None

    def decode(self, data: bytes) -> object:
        """Return what JSON has for a message in Avro binary.

        Raises:
            DecodeError: It is none of this schema.
        """
        try:
            value, position = self._read(self._type, data, 0, 0)
        except READ_FAULTS as error:
            fault = error if isinstance(error, Fault) else located(error, "", {})
            raise DecodeError(self.name, fault.path, fault.reason) from None
        if position != len(data):
            raise DecodeError(self.name, "", f"{len(data) - position} bytes are left at the end")
        return value

    def _resolved(self, type_: AvroType) -> object:
        return self._named[type_.name] if isinstance(type_, Reference) else type_

    # Writing

    def _write(self, type_: AvroType, value: object, *, is_default: bool) -> bytes:
        match self._resolved(type_):
            case Primitive(name=name):
                return _write_primitive(name, value, is_default=is_default)
            case LogicalType() as inner:
                return self._write_logical(inner, value, is_default=is_default)
            case Array(items=items):
                return self._write_items(items, value, is_default=is_default)
            case Map(values=values):
                return self._write_map(values, value, is_default=is_default)
            case Union(branches=branches):
                return self._write_union(branches, value, is_default=is_default)
            case Record() as record:
                return self._write_record(record, value, is_default=is_default)
            case Enumeration(symbols=symbols):
                if value not in symbols:
                    raise _expected(f"one of {', '.join(symbols)}", value)
                return write_long(symbols.index(value))
            case Fixed(size=size):
                return write_fixed(_bytes_of(value, is_default=is_default), size)
            case _:
                raise AssertionError

    def _write_record(self, record: Record, value: object, *, is_default: bool) -> bytes:
        content = _object(value, f"an object, the fields of {record.class_name}")
        known = {field.name for field in record.fields}
        for name in content:
            if name not in known:
                there = ", ".join(sorted(known)) or "none"
                raise Fault(f"there is no such field in {record.class_name}, which has {there}").inside(f".{name}")
        return b"".join(self._write_field(field, content, is_default=is_default) for field in record.fields)

    def _write_field(self, field: Field, content: Mapping[str, object], *, is_default: bool) -> bytes:
        try:
            if field.name in content:
                return self._write(field.type, content[field.name], is_default=is_default)
            if field.has_default:
                return self._write(field.type, field.default, is_default=True)
            raise Fault("is missing, and has no default")
        except Fault as fault:
            raise fault.inside(f".{field.name}") from None

    def _write_items(self, items: AvroType, value: object, *, is_default: bool) -> bytes:
        if not isinstance(value, list):
            raise _expected("a list", value)
        parts: list[bytes] = []
        for number, item in enumerate(cast("list[object]", value)):
            try:
                parts.append(self._write(items, item, is_default=is_default))
            except Fault as fault:
                raise fault.inside(f"[{number}]") from None
        return (write_long(len(parts)) + b"".join(parts) if parts else b"") + b"\0"

    def _write_map(self, values: AvroType, value: object, *, is_default: bool) -> bytes:
        parts: list[bytes] = []
        content = _object(value, "an object")
        for key, one in content.items():
            try:
                parts += [_write_text(key), self._write(values, one, is_default=is_default)]
            except Fault as fault:
                raise fault.inside(key_part(key)) from None
        return (write_long(len(content)) + b"".join(parts) if content else b"") + b"\0"

    def _write_union(self, branches: tuple[AvroType, ...], value: object, *, is_default: bool) -> bytes:
        faults: list[Fault] = []
        for index, branch in enumerate(branches):
            try:
                return write_long(index) + self._write(branch, value, is_default=is_default)
            except Fault as fault:
                faults.append(fault)
        deepest = max(faults, key=lambda fault: len(fault.path))
        if deepest.path:
            raise deepest
        raise Fault(", and ".join(dict.fromkeys(fault.reason for fault in faults)))

    def _write_logical(self, type_: LogicalType, value: object, *, is_default: bool) -> bytes:
        if is_default:
            return self._write(type_.underlying, value, is_default=True)
        if type_.name == "decimal":
            return self._write_decimal(type_, value)
        known = _TEXTS.get(type_.name)
        if known is None:
            return self._write(type_.underlying, value, is_default=False)
        if not isinstance(value, str):
            raise _expected(known.what, value)
        try:
            lowered = known.lower(known.parse(value))
        except ValueError:
            raise _expected(known.what, value) from None
        return self._write(type_.underlying, lowered, is_default=False)

    def _write_decimal(self, type_: LogicalType, value: object) -> bytes:
        number = isinstance(value, str | int | float) and not isinstance(value, bool)
        try:
            # A float is meant as it is written.
            decimal = Decimal(str(value)) if number else Decimal("NaN")
        except InvalidOperation:
            decimal = Decimal("NaN")
        if not decimal.is_finite():
            raise _expected("a decimal such as 12.50", value)
        under = self._resolved(type_.underlying)
        size = under.size if isinstance(under, Fixed) else 0
        data = logical.unscaled_bytes(decimal, type_.precision, type_.scale, size)
        return data if size else write_long(len(data)) + data

    # Reading

    def _read(self, type_: AvroType, data: bytes, position: int, depth: int) -> tuple[object, int]:
        if depth > NESTING_DEPTH:
            raise Fault(f"nested more than {NESTING_DEPTH} levels deep")
        match self._resolved(type_):
            case Primitive(name=name):
                return _read_primitive(name, data, position)
            case LogicalType() as inner:
                return self._read_logical(inner, data, position, depth)
            case Array(items=items):
                return self._read_items(items, data, position, depth)
            case Map(values=values):
                return self._read_map(values, data, position, depth)
            case Union(branches=branches):
                index, position = read_index(data, position, len(branches))
                return self._read(branches[index], data, position, depth + 1)
            case Record(fields=fields):
                found: dict[str, object] = {}
                for field in fields:
                    try:
                        found[field.name], position = self._read(field.type, data, position, depth + 1)
                    except READ_FAULTS as error:
                        fault = error if isinstance(error, Fault) else located(error, "", {})
                        raise fault.inside(f".{field.name}") from None
                return found, position
            case Enumeration(symbols=symbols):
                index, position = read_index(data, position, len(symbols))
                return symbols[index], position
            case Fixed(size=size):
                raw, position = read_fixed(data, position, size)
                return b64encode(raw).decode(), position
            case _:
                raise AssertionError

    def _read_items(self, items: AvroType, data: bytes, position: int, depth: int) -> tuple[object, int]:
        found: list[object] = []
        while True:
            # An item that takes no bytes counts as one of a byte: who sends so many is not read.
            if not data[position]:
                return found, position + 1
            count, position, end = read_block(data, position, 1)
            for _ in range(count):
                item, position = self._read(items, data, position, depth + 1)
                found.append(item)
            check_block(position, end)

    def _read_map(self, values: AvroType, data: bytes, position: int, depth: int) -> tuple[object, int]:
        found: dict[str, object] = {}
        while True:
            if not data[position]:
                return found, position + 1
            count, position, end = read_block(data, position, 1)
            for _ in range(count):
                key, position = read_key(data, position, found)
                found[key], position = self._read(values, data, position, depth + 1)
            check_block(position, end)

    def _read_logical(self, type_: LogicalType, data: bytes, position: int, depth: int) -> tuple[object, int]:
        if type_.name == "decimal":
            under = self._resolved(type_.underlying)
            size = under.size if isinstance(under, Fixed) else 0
            if not size:
                size, position = read_length(data, position)
            raw, position = read_fixed(data, position, size)
            return str(logical.decimal_of_bytes(raw, type_.precision, type_.scale)), position
        value, position = self._read(type_.underlying, data, position, depth)
        known = _TEXTS.get(type_.name)
        return (value if known is None else known.lift(value).isoformat()), position


def _expected(what: str, value: object) -> Fault:
    return Fault(f"expected {what}, got {_json_of(value)}")


def _json_of(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=shown_value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _expected(what, value)
    return cast("dict[str, object]", value)


def _write_text(value: str) -> bytes:
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise Fault("expected a text, got one with half a character (a lone surrogate)") from None
    return write_long(len(data)) + data


def _bytes_of(value: object, *, is_default: bool) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise _expected("bytes as a text of base64", value)
    if is_default:
        # So Avro has them in schemas.
        return value.encode("latin-1")
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        raise _expected("bytes as a text of base64", value) from None


def _write_primitive(name: str, value: object, *, is_default: bool) -> bytes:
    match name:
        case "null":
            if value is not None:
                raise _expected("null", value)
            return b""
        case "boolean":
            if not isinstance(value, bool):
                raise _expected("true or false", value)
            return b"\1" if value else b"\0"
        case "int" | "long":
            if not isinstance(value, int) or isinstance(value, bool):
                raise _expected("an integer", value)
            return write_int(value) if name == "int" else write_long(value)
        case "float" | "double":
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise _expected("a number", value)
            try:
                return write_float(value) if name == "float" else pack("<d", value)
            except OverflowError:
                raise _expected("a number of double precision", value) from None
        case "bytes":
            data = _bytes_of(value, is_default=is_default)
            return write_long(len(data)) + data
        case _:
            if not isinstance(value, str):
                raise _expected("a text", value)
            return _write_text(value)


def _read_primitive(name: str, data: bytes, position: int) -> tuple[object, int]:
    match name:
        case "null":
            return None, position
        case "boolean":
            return bool(data[position]), position + 1
        case "int":
            return read_int(data, position)
        case "long":
            return read_long(data, position)
        case "float":
            number, position = read_float(data, position)
            return _finite(number), position
        case "double":
            return _finite(unpack_from("<d", data, position)[0]), position + 8
        case _:
            size, position = read_length(data, position)
            raw = data[position : position + size]
            return (b64encode(raw).decode() if name == "bytes" else raw.decode()), position + size


def _finite(number: float) -> float | str:
    """Return a number, or a text for what is none in JSON."""
    return number if math.isfinite(number) else str(number)
