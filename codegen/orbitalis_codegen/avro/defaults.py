"""Whether a default is a value of its type; fastavro looks at its outermost value only, and at that not closely."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from orbitalis_avro.binary import Fault
from orbitalis_avro.logical import decimal_of_bytes
from orbitalis_avro.rare import big_decimal_of_bytes
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    PrimitiveName,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.avro.fitting import branch_of, is_bytes, is_primitive
from orbitalis_codegen.avro.library import FieldDefault
from orbitalis_codegen.diagnostic import Report, did_you_mean, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of, plain
from orbitalis_codegen.rules import Rule

__all__ = ["check_default"]

_EXPECTED: Final[dict[PrimitiveName, str]] = {
    "null": "null",
    "boolean": "true or false",
    "int": "an integer of 32 bits",
    "long": "an integer of 64 bits",
    "float": "a number of single precision",
    "double": "a number",
    "bytes": "a text of characters from U+0000 to U+00FF, one for each byte,",
    "string": "a text",
}

_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_YEARS: Final = "from the years 1 to 9999"
_FIRST_DAY: Final = -719_162
_DAYS: Final = 3_652_059
"""Of the years 1 to 9999, which is what dates of Python and of others hold; counted from 1970-01-01."""
_MILLISECONDS_A_DAY: Final = 86_400_000
_DAY: Final = _MILLISECONDS_A_DAY * 1000
"""Microseconds."""


def check_default(
    default: FieldDefault, types: Mapping[str, NamedType], report: Report, *, of_users: bool = False
) -> None:
    """Report where the default is not of its type.

    Schemas `of_users` may have a default of any branch of a union, which is noted. Those of the protocol may not, since
    readers of Avro before 1.12 take the first branch alone.
    """
    _Checker(types, report, of_users=of_users).check(default.type, default.node)


class _Checker:
    def __init__(self, types: Mapping[str, NamedType], report: Report, *, of_users: bool) -> None:
        self._types = types
        self._report = report
        self._of_users = of_users

    def check(self, expected: AvroType, node: Node, hint: str | None = None) -> None:
        match expected:
            case Primitive(name=name) | LogicalType(underlying=Primitive(name=name)):
                logical = expected if isinstance(expected, LogicalType) else None
                if not isinstance(node, ScalarNode) or not is_primitive(name, node.value):
                    self._refuse(node, _EXPECTED[name], hint)
                elif (meant := None if logical is None else _breach(logical, node)) is not None:
                    self._refuse(node, meant, hint)
            case Union():
                self._union(expected, node)
            case Array(items=items):
                if isinstance(node, ListNode):
                    for item in node.items:
                        self.check(items, item)
                else:
                    self._refuse(node, "a list", hint)
            case Map(values=values):
                if isinstance(node, ObjectNode):
                    for value in node.members.values():
                        self.check(values, value)
                else:
                    self._refuse(node, "an object", hint)
            case Reference(name=name):
                self._named(self._types.get(name), node, hint)
            case LogicalType(underlying=underlying):
                self.check(underlying, node, hint)

    def _union(self, union: Union, node: Node) -> None:
        """Check a default of a union: of its first branch, or, in schemas of users, of the first that it fits."""
        branch = first = union.branches[0]
        hint = "the default of a union is a value of its first branch; put the branch it is of first"
        if self._of_users:
            branch = branch_of(union, plain(node), self._types)
            hint = "the default of a union is a value of one of its branches"
        if branch is not first:
            note = "a default of another branch than the first is taken; readers of Avro before 1.12 refuse it"
            self._report.note(Rule.AVRO_DEFAULT, node.position, note)
        self.check(branch, node, hint)

    def _named(self, named: NamedType | None, node: Node, hint: str | None) -> None:
        match named:
            case None:
                pass  # An unknown name is a problem of its own.
            case Record():
                self._record(named, node, hint)
            case Enumeration(symbols=symbols):
                if not isinstance(node, ScalarNode) or node.value not in symbols:
                    is_text = isinstance(node, ScalarNode) and isinstance(node.value, str)
                    near = did_you_mean(str(node.value), symbols) if is_text and isinstance(node, ScalarNode) else None
                    self._refuse(node, f"a symbol of {shown(named.name)}", near or hint)
            case Fixed(size=size, logical_type=logical):
                if not isinstance(node, ScalarNode) or not is_bytes(node.value) or len(str(node.value)) != size:
                    expected = f"a text of {size} characters from U+0000 to U+00FF, one for each byte,"
                    self._refuse(node, expected, hint)
                elif logical is not None and (meant := _breach(logical, node)) is not None:
                    self._refuse(node, meant, hint)

    def _record(self, record: Record, node: Node, hint: str | None) -> None:
        if not isinstance(node, ObjectNode):
            self._refuse(node, f"an object ({record.name})", hint)
            return
        fields = {field.name: field for field in record.fields}
        for key, position in node.key_positions.items():
            if key not in fields:
                message = f"{shown(record.name)} has no field {shown(key)}"
                self._report.add(Rule.AVRO_DEFAULT, position, message, did_you_mean(key, fields))
        for name, field in fields.items():
            value = node.members.get(name)
            if value is not None:
                self.check(field.type, value)
            elif not field.has_default:
                message = f"the default has no value for the field {shown(name)} of {shown(record.name)}"
                self._report.add(Rule.AVRO_DEFAULT, node.position, message)

    def _refuse(self, node: Node, expected: str, hint: str | None) -> None:
        got = shown(node.value) if isinstance(node, ScalarNode) else kind_of(node)
        self._report.add(Rule.AVRO_DEFAULT, node.position, f"{expected} is expected as default, got {got}", hint)


def _breach(logical: LogicalType, node: Node) -> str | None:
    """What a logical type asks for, if a value that its underlying type allows is not that."""
    match logical.name, node:
        case "uuid", ScalarNode(value=str(text)) if isinstance(logical.underlying, Primitive) and not _UUID.fullmatch(
            text
        ):
            return "a UUID of 32 hexadecimal digits in five groups (8-4-4-4-12)"
        case "date", ScalarNode(value=int(days)) if not _is_expressible(days, 1):
            return f"a date {_YEARS}, as days since 1970-01-01,"
        case "time-millis" | "time-micros", ScalarNode(value=int(time)):
            unit, most = ("milli", _MILLISECONDS_A_DAY) if "millis" in logical.name else ("micro", _DAY)
            return None if 0 <= time < most else f"a time of a day, in {unit}seconds since midnight,"
        case "decimal", ScalarNode(value=str(text)):
            return _reason(decimal_of_bytes, text.encode("latin-1"), logical.precision, logical.scale)
        case "big-decimal", ScalarNode(value=str(text)):
            return _reason(big_decimal_of_bytes, text.encode("latin-1"))
        case "timestamp-millis" | "local-timestamp-millis", ScalarNode(value=int(time)) if not _is_expressible(
            time, _MILLISECONDS_A_DAY
        ):
            return f"a time {_YEARS}, as milliseconds since 1970-01-01,"
        case "timestamp-micros" | "local-timestamp-micros", ScalarNode(value=int(time)) if not _is_expressible(
            time, _DAY
        ):
            return f"a time {_YEARS}, as microseconds since 1970-01-01,"
        case _:
            return None


def _reason(lift: Callable[..., object], *arguments: object) -> str | None:
    """What is expected, if `lift` refuses to make a value of its arguments."""
    try:
        lift(*arguments)
    except Fault as fault:
        return f"{fault.reason.removeprefix('expected ').partition(', got')[0]},"
    return None


def _is_expressible(time: int, units_a_day: int) -> bool:
    return _FIRST_DAY <= time // units_a_day < _FIRST_DAY + _DAYS
