"""The codec of a message class: functions compiled from source that is made for exactly this class."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from orbitalis.message.codec.class_layouts import ClassLayouts
from orbitalis.message.derivation import RecordField
from orbitalis_avro import binary, checks, logical, numbers
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.layout import RecordReference
from orbitalis_avro.plan import Plan, RecordStep
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution import promotion
from orbitalis_avro.resolution.matches import RecordMatch, Resolution
from orbitalis_avro.source import Resolvers, copy_function, read_function, write_function
from orbitalis_wire.limits import NESTING_DEPTH

__all__ = ["Codec", "compile_codec", "compile_reader"]

_ENTRY: Final = """
def encode(message):
    parts = []
    try:
        _write_{suffix}(message, parts.append{guard})
    except Fault as fault:
        raise EncodeError({name!r}, fault.path, fault.reason) from fault.__cause__
    return b"".join(parts)


def copy(message):
    try:
        return _copy_{suffix}(message{guard})
    except Fault as fault:
        raise EncodeError({name!r}, fault.path, fault.reason) from fault.__cause__
"""
_DECODE: Final = """
def decode(data):
    try:
        message, position = {function}(data, 0{guard})
    except Fault as fault:
        raise DecodeError({name!r}, fault.path, fault.reason) from fault.__cause__
    if position != len(data):
        raise DecodeError({name!r}, "", f"{{len(data) - position}} bytes follow its end")
    return message
"""
_NAMES: Final[dict[str, object]] = {
    **{name: getattr(binary, name) for name in binary.__all__},
    **{name: getattr(logical, name) for name in logical.__all__},
    **{name: getattr(checks, name) for name in checks.__all__},
    **{name: getattr(numbers, name) for name in numbers.__all__},
    **{name: getattr(promotion, name) for name in promotion.__all__},
    "Any": Any,
    "Callable": Callable,
    "DecodeError": DecodeError,
    "Decimal": decimal.Decimal,
    "EncodeError": EncodeError,
    "NESTING_DEPTH": NESTING_DEPTH,
    "UUID": uuid.UUID,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
}
"""What the functions refer to."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Writes, reads and copies the messages of one class."""

    encode: Callable[[Any], bytes]
    """Returns a message as Avro binary; raises EncodeError."""
    decode: Callable[[bytes], Any]
    """Returns the message of Avro binary; raises DecodeError."""
    copy: Callable[[Any], Any]
    """Returns what decoding would give of what encoding gives, without either; raises EncodeError.

    It is the message itself if nothing in it can change.
    """


def compile_codec(tree: RecordField, schema: object) -> Codec:
    """Work out the codec of a message class for a schema, given as JSON.

    Raises:
        TypeError: The schema does not have the fields of the class, or other types for them.
    """
    layouts, root = _layouts(tree, schema)
    functions = [make(record) for record in layouts.records for make in (write_function, read_function, copy_function)]
    guard = ", Guard(NESTING_DEPTH)" if root.step.is_guarded else ""
    name = tree.record_class.__name__
    entries = [
        _ENTRY.format(suffix=root.suffix, guard=guard, name=name),
        _DECODE.format(function=f"_read_{root.suffix}", guard=guard, name=name),
    ]
    scope = _compile(f"<codec of {tree.record_class.__qualname__}>", [*functions, *entries], layouts.constants)
    return Codec(scope["encode"], scope["decode"], scope["copy"])


def compile_reader(tree: RecordField, schema: object, resolution: Resolution) -> Callable[[bytes], Any]:
    """Work out what reads the messages of a class, whose schema is given as JSON, from what another schema has written.

    What is returned raises DecodeError, as :attr:`Codec.decode` does.

    Raises:
        TypeError: The schema does not have the fields of the class, or what is written is no record.
    """
    name = tree.record_class.__name__
    if not isinstance(resolution.root, RecordMatch):
        raise TypeError(f"message {name} is read from the schema of a record alone")
    layouts, root = _layouts(tree, schema)
    resolvers = Resolvers(resolution, {record.suffix: record for record in layouts.records})
    function = resolvers.function(resolution.root, root)
    # Defaults are written as the class would write them.
    functions = [*map(read_function, layouts.records), *resolvers.functions]
    entry = _DECODE.format(function=function, guard=", Guard(NESTING_DEPTH)", name=name)
    constants = {**layouts.constants, **resolvers.constants}
    read: Callable[[bytes], Any] = _compile(
        f"<reader of {tree.record_class.__qualname__}>", [*functions, entry], constants
    )["decode"]
    return read


def _layouts(tree: RecordField, schema: object) -> tuple[ClassLayouts, RecordReference]:
    """Return how a class holds what its schema says, and how it is referred to."""
    type_, named = read_schema(schema)
    plan = Plan(named)
    step = plan.step(type_)
    if not isinstance(step, RecordStep):
        raise TypeError(f"message {tree.record_class.__name__} needs the schema of a record")
    layouts = ClassLayouts(plan, tree.record_class.__qualname__)
    return layouts, layouts.record(step, tree)


def _compile(name: str, parts: list[str], constants: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in a module that is made of parts."""
    source = "\n\n".join(["from __future__ import annotations", *parts])
    scope: dict[str, Any] = {**_NAMES, **constants}
    exec(compile(source, name, "exec"), scope)
    return scope
