"""Values of any Avro schema, each as fastavro takes it and as the generated classes hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import fastavro
from hypothesis import strategies as st

__all__ = ["Pair", "fastavro_bytes", "fastavro_value", "long", "pairs", "record", "text", "untagged"]

Schema = Any
"""A schema as JSON gives it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same value twice."""

    datum: Any
    """As fastavro takes it; a branch of a union is a pair of its name, if it has one, and the value."""
    value: Any
    """As the generated classes hold it."""


def long(value: int) -> bytes:
    """Write an Avro int or long, by the definition: zigzag, then seven bits a byte."""
    zigzag = value * 2 if value >= 0 else -value * 2 - 1
    groups = [zigzag >> shift & 0x7F for shift in range(0, max(zigzag.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def text(value: str | bytes) -> bytes:
    """Write an Avro string."""
    content = value.encode() if isinstance(value, str) else value
    return long(len(content)) + content


def fastavro_bytes(schema: Schema, datum: Any) -> bytes:
    """Write with fastavro."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), datum)
    return buffer.getvalue()


def fastavro_value(schema: Schema, data: bytes) -> Any:
    """Read with fastavro, which has to take all of it."""
    buffer = BytesIO(data)
    value = fastavro.schemaless_reader(buffer, fastavro.parse_schema(schema), None)
    assert not buffer.read()
    return value


def record(schema: Schema, class_of: Callable[[str], type], **values: Any) -> Any:
    """Make an instance of a record's class; the fields are called as on the wire."""
    class_ = class_of(schema["name"])
    names = {field["name"]: own.name for field, own in zip(schema["fields"], fields(class_), strict=True)}
    return class_(**{names[key]: value for key, value in values.items()})


def pairs(schema: Schema, class_of: Callable[[str], type]) -> st.SearchStrategy[Pair]:
    """Return values of a schema; `class_of` gives the class of a record or enumeration by its Avro name."""
    return _Strategies(schema, class_of).of(schema, _DEPTH)


_DEPTH = 4
"""How many records deep a value goes; one that could go deeper ends there."""


class _Strategies:
    def __init__(self, schema: Schema, class_of: Callable[[str], type]) -> None:
        self._class_of = class_of
        self._schemas = {found["name"]: found for found in _named(schema)}
        self._made: dict[tuple[str, int], st.SearchStrategy[Pair]] = {}

    def of(self, schema: Schema, depth: int, beside: tuple[Schema, ...] = ()) -> st.SearchStrategy[Pair]:
        """Return values of a schema that is a branch of a union with the branches `beside`, if it is one."""
        if isinstance(schema, list):
            return self._union(schema, depth)
        if isinstance(schema, str):
            return self._by_name(schema, depth) if schema in self._schemas else _primitive(schema, beside)
        if schema.get("logicalType") in _LOGICAL:
            return _LOGICAL[schema["logicalType"]].map(lambda value: Pair(value, value))
        match schema["type"]:
            case "array":
                items = st.lists(self.of(schema["items"], depth), max_size=3) if depth > 0 else st.just([])
                return items.map(lambda all_: Pair([one.datum for one in all_], tuple(one.value for one in all_)))
            case "map":
                inner = self.of(schema["values"], depth) if depth > 0 else st.nothing()
                return st.dictionaries(_TEXTS, inner, max_size=3 if depth > 0 else 0).map(
                    lambda all_: Pair(
                        {key: one.datum for key, one in all_.items()}, {key: one.value for key, one in all_.items()}
                    )
                )
            case "record" | "enum" | "fixed":
                return self._by_name(schema["name"], depth)
            case primitive:
                return _primitive(primitive, beside)

    def _by_name(self, name: str, depth: int) -> st.SearchStrategy[Pair]:
        if (name, depth) not in self._made:
            self._made[name, depth] = self._named(self._schemas[name], depth)
        return self._made[name, depth]

    def _named(self, schema: Schema, depth: int) -> st.SearchStrategy[Pair]:
        match schema["type"]:
            case "enum":
                class_ = self._class_of(schema["name"])
                return st.sampled_from(schema["symbols"]).map(lambda symbol: Pair(symbol, class_(symbol)))
            case "fixed":
                size = schema["size"]
                return st.binary(min_size=size, max_size=size).map(lambda value: Pair(value, value))
            case _:
                members = {field["name"]: self.of(field["type"], depth - 1) for field in schema["fields"]}
                return st.fixed_dictionaries(members).map(
                    lambda all_: Pair(
                        {key: one.datum for key, one in all_.items()},
                        record(schema, self._class_of, **{key: one.value for key, one in all_.items()}),
                    )
                )

    def _union(self, branches: list[Schema], depth: int) -> st.SearchStrategy[Pair]:
        def tagged(branch: Schema) -> st.SearchStrategy[Pair]:
            made = self.of(branch, depth, tuple(branches))
            is_record = isinstance(branch, dict) and branch["type"] == "record"
            if not is_record and not isinstance(branch, str):
                # Such a branch has no name to fastavro, which takes the first that fits.
                return made
            name = branch["name"] if is_record else branch
            return made.map(lambda pair: Pair((name, pair.datum), pair.value))

        if depth <= 0 and "null" in branches:
            return tagged("null")
        # A float beside a double is never written: nothing tells the two apart, and the double loses nothing.
        return st.one_of([tagged(branch) for branch in branches if branch != "float" or "double" not in branches])


def _named(schema: Schema) -> Iterator[Schema]:
    """Find the named types that are defined in a schema."""
    match schema:
        case list():
            for branch in schema:
                yield from _named(branch)
        case {"type": "record", "fields": members}:
            yield schema
            for member in members:
                yield from _named(member["type"])
        case {"type": "enum" | "fixed"}:
            yield schema
        case {"items": inner} | {"values": inner}:
            yield from _named(inner)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text("ab", min_size=60, max_size=70)
_INTS = st.integers(-(2**31), 2**31 - 1) | st.integers(-70, 70)
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70) | st.sampled_from([2**63 - 1, -(2**63), 1023, 1024])
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": _INTS,
    "long": _LONGS,
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=80),
    "string": _TEXTS,
}
_TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
_LOGICAL: dict[str, st.SearchStrategy[Any]] = {
    "timestamp-micros": _TIMES,
    "timestamp-millis": _TIMES.map(lambda time: time - timedelta(microseconds=time.microsecond % 1000)),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "uuid": st.uuids(),
}


def _primitive(name: str, beside: tuple[Schema, ...]) -> st.SearchStrategy[Pair]:
    values = _PRIMITIVES[name]
    if name == "long" and "int" in beside:
        # What fits an int is written as one.
        values = values.filter(lambda value: not -(2**31) <= value < 2**31)
    if name == "bytes":
        sizes = {branch["size"] for branch in beside if isinstance(branch, dict) and branch["type"] == "fixed"}
        values = values.filter(lambda value: len(value) not in sizes)
    return values.map(lambda value: Pair(value, value))


def untagged(datum: Any) -> Any:
    """Return what fastavro reads where it has written `datum`."""
    match datum:
        case tuple():
            return untagged(datum[1])
        case list():
            return [untagged(item) for item in datum]
        case dict():
            return {key: untagged(item) for key, item in datum.items()}
        case _:
            return datum
