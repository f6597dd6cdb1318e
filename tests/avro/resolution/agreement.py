"""Holds the engine's schema resolution against that of fastavro: who reads what, and as which value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from random import Random
from struct import pack, unpack
from typing import Any, Final
from uuid import UUID

import fastavro
from fastavro.schema import SchemaParseException

from orbitalis_avro.binary import Fault
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.dict_reader import compared, dict_reader
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import random_model
from tests.avro.resolution.values import value_bytes

__all__ = ["STRICTER", "Fastavro", "Tally", "hold", "is_stricter"]

STRICTER: Final = (
    "is called",
    "has no field in common",
    "has logical type",
    "has precision",
    "has scale",
    "refers to itself",
    "comes twice",
    "precision can carry",
)
"""Words of the rules by which the engine refuses what Avro would accept."""
_VALUES: Final = 8
"""Values that are read for each pair: as many as it takes to meet each branch and each symbol."""
_MISSING: Final = object()


class Fastavro:
    """Reads with fastavro; where a default stands for a field, it is the value of which the schema has the JSON."""

    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer = fastavro.parse_schema(writer)
        self._reader = fastavro.parse_schema(reader)
        _Defaults(self._reader).put()
        for schema in (self._writer, self._reader):
            _write_out(schema, {}, frozenset())

    def read(self, data: bytes) -> Any:
        """Return a value; what it raises is any exception."""
        source = BytesIO(data)
        value = fastavro.schemaless_reader(source, self._writer, self._reader)
        assert not source.read()
        return value


def _write_out(schema: Any, named: dict[str, Any], around: frozenset[str]) -> Any:
    """Put definitions for names: fastavro raises a TypeError where a union has one and the other side the other."""
    if isinstance(schema, str):
        return schema if schema in around else named.get(schema, schema)
    if isinstance(schema, list):
        schema[:] = [_write_out(branch, named, around) for branch in schema]
    elif "name" in schema:
        named[schema["name"]] = schema
        for one in schema.get("fields", ()):
            one["type"] = _write_out(one["type"], named, around | {schema["name"]})
    else:
        for content in ("items", "values"):
            if content in schema:
                schema[content] = _write_out(schema[content], named, around)
    return schema


class _Defaults:
    """Puts values into a schema of fastavro where it has the JSON of defaults, which fastavro returns as it is."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._named: dict[str, Any] = {}

    def put(self) -> None:
        self._collect(self._schema)
        # All of them before one is replaced: the default of a record may lean on those of its fields.
        found = [
            (one, self._value(one["type"], one["default"]))
            for record in self._named.values()
            for one in record.get("fields", ())
            if "default" in one
        ]
        for one, value in found:
            one["default"] = value

    def _collect(self, schema: Any) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch)
        elif isinstance(schema, dict):
            if "name" in schema:
                self._named[schema["name"]] = schema
            for one in schema.get("fields", ()):
                self._collect(one["type"])
            for content in ("items", "values"):
                self._collect(schema.get(content))

    def _value(self, type_: Any, default: Any) -> Any:
        if isinstance(type_, list):
            return self._value(next(branch for branch in type_ if self._fits(branch, default)), default)
        if isinstance(type_, str):
            type_ = self._named.get(type_, {"type": type_})
        match type_:
            case {"logicalType": "decimal", "scale": scale}:
                return Decimal(int.from_bytes(default.encode("latin-1"), "big", signed=True)).scaleb(-scale)
            case {"logicalType": name}:
                return _logical(name, default)
            case {"type": "array", "items": items}:
                return [self._value(items, one) for one in default]
            case {"type": "map", "values": values}:
                return {key: self._value(values, one) for key, one in default.items()}
            case {"type": "record", "fields": fields}:
                return {
                    one["name"]: self._value(one["type"], default.get(one["name"], one.get("default")))
                    for one in fields
                }
            case {"type": "bytes" | "fixed"}:
                return default.encode("latin-1")
            case {"type": "float"}:
                return unpack("<f", pack("<f", default))[0]
            case _:
                return default

    def _fits(self, type_: Any, default: Any) -> bool:
        """Return whether a default may be of a branch; the random schemas have that of the first one."""
        kind = type_ if isinstance(type_, str) else type_["type"]
        kind = self._named[kind]["type"] if kind in self._named else kind
        return (default is None) == (kind == "null")


def _logical(name: str, default: Any) -> Any:
    match name:
        case "uuid":
            return UUID(default)
        case "date":
            return date(1970, 1, 1) + timedelta(days=default)
        case "time-millis" | "time-micros":
            return (
                datetime(1970, 1, 1) + timedelta(microseconds=default * (1000 if name == "time-millis" else 1))
            ).time()
        case _:
            zone = None if name.startswith("local") else UTC
            return datetime(1970, 1, 1, tzinfo=zone) + timedelta(
                microseconds=default * (1000 if name.endswith("millis") else 1)
            )


@dataclass
class Tally:
    """What came out for many pairs."""

    pairs: int = 0
    compatible: int = 0
    values: int = 0
    equal: int = 0
    stricter: Counter[str] = field(default_factory=Counter)
    """By rule: pairs or values that fastavro accepts and a stricter rule refuses."""
    disagreements: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        share = self.compatible / self.pairs if self.pairs else 0
        return (
            f"{self.pairs} pairs, {share:.1%} compatible, {self.values} values, {self.equal} read equally by both, "
            f"refused by stricter rules {dict(self.stricter)}, "
            f"{len(self.disagreements)} other disagreements"
        )


def hold(seed: int, tally: Tally) -> None:
    """Hold one random pair of schemas against fastavro, with some values."""
    chance = Random(seed)
    model = random_model(chance)
    try:
        other = edited(model, chance)
        writing, reading = (model, other) if chance.random() < 0.5 else (other, model)
        writer, reader = writing.schema(), reading.schema()
        if writer == reader:
            return  # the edits have undone each other: such schemas are never resolved, by neither side
        judge = Fastavro(writer, reader)
        datums = [value_bytes(writing, chance, turn) for turn in range(_VALUES)]
    except (SchemaParseException, RecursionError):
        # An edit has left no schema, since a name is in another namespace, or one of which no value ends.
        return
    judge_pair(f"seed {seed}", writer, reader, judge, datums, tally)


def judge_pair(name: str, writer: Any, reader: Any, judge: Fastavro, datums: list[bytes], tally: Tally) -> None:
    """Hold one pair of schemas against fastavro."""
    tally.pairs += 1
    expected = [_outcome(judge.read, data) for data in datums]
    resolution = compared(writer, reader)
    if isinstance(resolution, Refusal):
        if not any(isinstance(one, Exception) for one in expected):
            rule = is_stricter(resolution.verb)
            if rule is None:
                tally.disagreements.append(f"{name}: refused, {resolution}")
            else:
                tally.stricter[rule] += 1
        return
    tally.compatible += 1
    read = dict_reader(resolution, reader)
    for data, theirs in zip(datums, expected, strict=True):
        tally.values += 1
        ours = _outcome(read, data)
        match ours, theirs:
            case Exception(), Exception():
                pass
            case Fault(reason=reason), _:
                rule = is_stricter(reason)
                if rule is None:
                    tally.disagreements.append(f"{name}: raises {reason}, fastavro gives {theirs}")
                else:
                    tally.stricter[rule] += 1
            case _ if isinstance(ours, Exception) or isinstance(theirs, Exception) or ours != theirs:
                tally.disagreements.append(f"{name}: gives {ours!r}, fastavro {theirs!r}")
            case _:
                tally.equal += 1


def is_stricter(reason: str) -> str | None:
    """Return the stricter rule of a reason, if it is one."""
    return next((rule for rule in STRICTER if rule in reason), None)


def _outcome(read: Any, data: bytes) -> Any:
    try:
        return read(data)
    except Exception as error:
        return error
