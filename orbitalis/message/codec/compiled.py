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
from orbitalis_avro.plan import Plan, RecordStep
from orbitalis_avro.reading import read_schema
from orbitalis_avro.source import copy_function, read_function, write_function
from orbitalis_wire.limits import NESTING_DEPTH

__all__ = ["Codec", "compile_codec"]

_ENTRY: Final = """
def encode(message):
    parts = []
    try:
        _write_{suffix}(message, parts.append{guard})
    except Fault as fault:
        raise EncodeError({name!r}, fault.path, fault.reason) from fault.__cause__
    return b"".join(parts)


def decode(data):
    try:
        message, position = _read_{suffix}(data, 0{guard})
    except Fault as fault:
        raise DecodeError({name!r}, fault.path, fault.reason) from fault.__cause__
    if position != len(data):
        raise DecodeError({name!r}, "", f"{{len(data) - position}} bytes follow its end")
    return message


def copy(message):
    try:
        return _copy_{suffix}(message{guard})
    except Fault as fault:
        raise EncodeError({name!r}, fault.path, fault.reason) from fault.__cause__
"""
_NAMES: Final[dict[str, object]] = {
    **{name: getattr(binary, name) for name in binary.__all__},
    **{name: getattr(logical, name) for name in logical.__all__},
    **{name: getattr(checks, name) for name in checks.__all__},
    **{name: getattr(numbers, name) for name in numbers.__all__},
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
    name = tree.record_class.__name__
    type_, named = read_schema(schema)
    plan = Plan(named)
    step = plan.step(type_)
    if not isinstance(step, RecordStep):
        raise TypeError(f"message {name} needs the schema of a record")
    layouts = ClassLayouts(plan, tree.record_class.__qualname__)
    root = layouts.record(step, tree)
    functions = [make(record) for record in layouts.records for make in (write_function, read_function, copy_function)]
    guard = ", Guard(NESTING_DEPTH)" if step.is_guarded else ""
    entry = _ENTRY.format(suffix=root.suffix, guard=guard, name=name)
    source = "\n\n".join(["from __future__ import annotations", *functions, entry])
    scope: dict[str, Any] = {**_NAMES, **layouts.constants}
    exec(compile(source, f"<codec of {tree.record_class.__qualname__}>", "exec"), scope)
    return Codec(scope["encode"], scope["decode"], scope["copy"])
