"""The codec of a message class: functions compiled from source that is made for exactly this class."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from orbitalis.message.codec.class_layouts import ClassLayouts
from orbitalis.message.derivation import RecordField
from orbitalis_avro import binary, checks, logical, numbers, rare
from orbitalis_avro.binary import varint
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.generated_layouts import GeneratedLayouts
from orbitalis_avro.layout import RecordLayout, RecordReference
from orbitalis_avro.plan import Plan, RecordStep
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution import promotion
from orbitalis_avro.resolution.matches import RecordMatch, Resolution
from orbitalis_avro.source import Resolvers, copy_function, read_function, write_function
from orbitalis_avro.types import Enumeration, Record, Reference
from orbitalis_wire.limits import NESTING_DEPTH

__all__ = [
    "Codec",
    "compile_codec",
    "compile_generated_copier",
    "compile_generated_reader",
    "compile_layouts",
    "compile_reader",
]

M = TypeVar("M")

_ENCODE: Final = """
def encode(message):
    parts = []
    try:
        _write_{suffix}(message, parts.append{guard})
    except Fault as fault:
        raise EncodeError({name!r}, fault.path, fault.reason) from fault.__cause__
    return b"".join(parts)
"""
_COPY: Final = """
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
    **{name: getattr(rare, name) for name in rare.__all__},
    "Any": Any,
    "Callable": Callable,
    "DecodeError": DecodeError,
    "Decimal": decimal.Decimal,
    "EncodeError": EncodeError,
    "Mapping": Mapping,
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
    return compile_layouts(tree.record_class.__name__, root, layouts.records, layouts.constants)


def compile_layouts(
    name: str, root: RecordReference, records: Iterable[RecordLayout], constants: Mapping[str, object]
) -> Codec:
    """Work out the codec of a record that is laid out already, by the layouts of all records and their constants.

    Errors call the message by its `name`.
    """
    functions = [make(record) for record in records for make in (write_function, read_function, copy_function)]
    guard = ", Guard(NESTING_DEPTH)" if root.step.is_guarded else ""
    entries = [
        _ENCODE.format(suffix=root.suffix, guard=guard, name=name),
        _COPY.format(suffix=root.suffix, guard=guard, name=name),
        _DECODE.format(function=f"_read_{root.suffix}", guard=guard, name=name),
    ]
    scope = _compile(f"<codec of {name}>", [*functions, *entries], constants)
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


def compile_generated_reader(
    classes: Mapping[str, type[Any]], message_class: type[M], schema: str, resolution: Resolution
) -> Callable[[bytes], M]:
    """Work out what reads the messages of an emitted class, whose schema is given, from what another one has written.

    `classes` has the emitted class of each record and enumeration by its full Avro name. Their codecs forgive what
    those that are emitted do. What is returned raises DecodeError.

    Raises:
        TypeError: What is written is no record.
    """
    if not isinstance(resolution.root, RecordMatch):
        raise TypeError(f"message {message_class.__name__} is read from the schema of a record alone")
    root, records, constants = _generated_layouts(classes, schema, is_strict=False)
    resolvers = Resolvers(resolution, records)
    function = resolvers.function(resolution.root, root)
    functions = [*map(read_function, records.values()), *resolvers.functions]
    entry = _DECODE.format(function=function, guard=", Guard(NESTING_DEPTH)", name=message_class.__name__)
    read: Callable[[bytes], M] = _compile(
        f"<reader of {message_class.__qualname__}>", [*functions, entry], {**constants, **resolvers.constants}
    )["decode"]
    return read


def compile_generated_copier(classes: Mapping[str, type[Any]], message_class: type[M], schema: str) -> Callable[[M], M]:
    """Work out what copies the messages of an emitted class, whose schema is given, as :attr:`Codec.copy` says.

    It forgives nothing: what is returned raises EncodeError also for values that the emitted codec takes.
    """
    root, records, constants = _generated_layouts(classes, schema, is_strict=True)
    guard = ", Guard(NESTING_DEPTH)" if root.step.is_guarded else ""
    entry = _COPY.format(suffix=root.suffix, guard=guard, name=message_class.__name__)
    copy: Callable[[M], M] = _compile(
        f"<copier of {message_class.__qualname__}>", [*map(copy_function, records.values()), entry], constants
    )["copy"]
    return copy


def _generated_layouts(
    classes: Mapping[str, type[Any]], schema: str, *, is_strict: bool
) -> tuple[RecordReference, dict[str, RecordLayout], dict[str, Any]]:
    """Return how emitted classes hold what a schema says: the record, all layouts by suffix, and their constants."""
    type_, named = read_schema(json.loads(schema))
    assert isinstance(type_, Reference)
    names = {name: f"class{index}" for index, name in enumerate(named)}
    layouts = GeneratedLayouts(
        named,
        class_names=names,
        suffixes=names,
        attributes=lambda record: [field.name for field in fields(classes[record.name])],
        annotation=lambda one: names[one.name] if isinstance(one, Reference) else "Any",
        filled=frozenset(name for name in named if name in classes and not issubclass(classes[name], Exception)),
        is_strict=is_strict,
    )
    constants: dict[str, Any] = {names[name]: classes[name] for name in named if name in classes}
    for name, one in named.items():
        if isinstance(one, Enumeration):
            written, members = layouts.enum_constants(name)
            constants[members] = tuple(map(classes[name], one.symbols))
            constants[written] = {member: varint(index << 1) for index, member in enumerate(constants[members])}
    records = {names[name]: layouts.record(one) for name, one in named.items() if isinstance(one, Record)}
    return layouts.reference(type_), records, constants


def _layouts(tree: RecordField, schema: object) -> tuple[ClassLayouts, RecordReference]:
    """Return how a class holds what its schema says, and how it is referred to."""
    type_, named = read_schema(schema)
    plan = Plan(named)
    step = plan.step(type_)
    if not isinstance(step, RecordStep):
        raise TypeError(f"message {tree.record_class.__name__} needs the schema of a record")
    layouts = ClassLayouts(plan, tree.record_class.__qualname__)
    return layouts, layouts.record(step, tree)


def _compile(name: str, parts: list[str], constants: Mapping[str, object]) -> dict[str, Any]:
    """Return what stands in a module that is made of parts."""
    source = "\n\n".join(["from __future__ import annotations", *parts])
    scope: dict[str, Any] = {**_NAMES, **constants}
    exec(compile(source, name, "exec"), scope)
    return scope
