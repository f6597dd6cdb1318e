"""Both languages read the same values where one schema has written and another one reads."""

from __future__ import annotations

import json
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from fastavro.schema import SchemaParseException

from orbitalis_avro.binary import Fault
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.dict_reader import compared, dict_reader
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import random_model
from tests.avro.resolution.values import value_bytes
from tests.support.repository import run
from tests.typescript.package import needs_node

pytestmark = [pytest.mark.timeout(120), needs_node]

PAIRS = 1_000
VALUES = 6
EPOCH = datetime(1970, 1, 1)
PROBE = """
import { readFileSync } from "node:fs";
import { propertyOf } from "./typescript/src/schema/codecs.js";
import { resolvingReader } from "./typescript/src/schema/resolving.js";

function plain(value) {
  if (value instanceof Date) return { micros: value.getTime() * 1000 };
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (value instanceof Map) return { map: [...value].map(([key, one]) => [key, plain(one)]) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return { integer: String(value) };
  if (typeof value === "number") return { number: Number.isFinite(value) ? value : String(value) };
  if (typeof value !== "object" || value === null) return value;
  if ("unscaled" in value) return { unscaled: String(value.unscaled), scale: value.scale };
  return { record: Object.entries(value).map(([key, one]) => [key, plain(one)]) };
}

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const said = given.map(({ writer, reader, values, names }) => {
  const read = resolvingReader({ writer, reader, isExact: false });
  const outcome = (hex) => {
    try {
      return { value: plain(read(Uint8Array.from(Buffer.from(hex, "hex")))) };
    } catch (error) {
      if (error.name !== "DecodeError") throw error;
      return { error: error.message };
    }
  };
  return { names: names.map(propertyOf), outcomes: read === null ? null : values.map(outcome) };
});
process.stdout.write(JSON.stringify(said));
"""


def pairs() -> list[tuple[Any, Any, list[bytes]]]:
    """Return pairs of a writer's and a reader's schema that go together, with values of the writer's."""
    made: list[tuple[Any, Any, list[bytes]]] = []
    for seed in range(PAIRS):
        chance = Random(seed)
        model = random_model(chance)
        try:
            other = edited(model, chance)
            writing, reading = (model, other) if chance.random() < 0.5 else (other, model)
            writer, reader = writing.schema(), reading.schema()
            values = [value_bytes(writing, chance, turn) for turn in range(VALUES)]
            if writer != reader and not isinstance(compared(writer, reader), Refusal):
                made.append((writer, reader, values))
        except (SchemaParseException, RecursionError):
            continue
    return made


def names_of(schema: Any) -> set[str]:
    """Return the names of all fields in a schema."""
    if isinstance(schema, list):
        return {name for one in schema for name in names_of(one)}
    if not isinstance(schema, dict):
        return set()
    fields = schema.get("fields", [])
    inner = [schema.get("type"), schema.get("items"), schema.get("values"), *(one["type"] for one in fields)]
    return {one["name"] for one in fields} | {name for one in inner for name in names_of(one)}


def micros(value: Any) -> set[int]:
    """Return how a point in time may stand in TypeScript: in days, ms or µs, by its logical type."""
    match value:
        case datetime():
            span = value.replace(tzinfo=None) - EPOCH
        case date():
            return {(value - EPOCH.date()).days}
        case _:
            span = timedelta(
                hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
            )
    exact = span // timedelta(microseconds=1)
    return {exact} if exact % 1000 else {exact, exact // 1000}


def same(mine: Any, theirs: Any, names: dict[str, str]) -> bool:
    """Return whether a value in Python is the same as one in TypeScript."""
    match mine, theirs:
        case dict(), {"record": entries}:
            found = dict(entries)
            return set(found) == {names[name] for name in mine} and all(
                same(value, found[names[name]], names) for name, value in mine.items()
            )
        case dict(), {"map": entries}:
            return [key for key, _ in entries] == list(mine) and all(
                same(mine[key], one, names) for key, one in entries
            )
        case list(), list():
            return len(mine) == len(theirs) and all(map(same, mine, theirs, [names] * len(mine)))
        case Decimal(), {"unscaled": unscaled, "scale": scale}:
            return mine == Decimal(int(unscaled)).scaleb(-scale)
        case datetime() | date() | time(), {"micros": got} | {"number": got}:
            return got in micros(mine)
        case datetime() | date() | time(), {"integer": got}:
            return int(got) in micros(mine)
        case timedelta(), {"number": got}:
            return struct.pack("<d", mine.total_seconds()) == struct.pack("<d", got)
        case bool(), bool():
            return mine is theirs
        case int(), {"integer": got}:
            return mine == int(got)
        case int() | float(), {"number": got}:
            return not isinstance(mine, bool) and struct.pack("<d", float(mine)) == struct.pack("<d", float(got))
        case bytes(), {"hex": got}:
            return mine == bytes.fromhex(got)
        case UUID(), str():
            return str(mine) == theirs
        case _:
            return bool(mine == theirs) and type(mine) is type(theirs)


def test_both_read_the_same_values(javascript: Path, tmp_path: Path) -> None:
    asked = pairs()
    content = [
        {
            "writer": json.dumps(writer),
            "reader": json.dumps(reader),
            "values": [value.hex() for value in values],
            "names": sorted(names_of(reader)),
        }
        for writer, reader, values in asked
    ]
    (tmp_path / "given.json").write_text(json.dumps(content), encoding="utf-8")
    probe = javascript / "resolution.mjs"
    probe.write_text(PROBE, encoding="utf-8")
    said = json.loads(run(["node", probe, tmp_path / "given.json"], folder=javascript, errors_too=False))

    read = refused = 0
    for (writer, reader, values), told, given in zip(asked, said, content, strict=True):
        names = dict(zip(given["names"], told["names"], strict=True))
        resolution = compared(writer, reader)
        assert not isinstance(resolution, Refusal)
        decode = dict_reader(resolution, reader)
        assert told["outcomes"] is not None, given
        for value, outcome in zip(values, told["outcomes"], strict=True):
            try:
                mine = decode(value)
            except Fault:
                refused += 1
                assert "error" in outcome, (given, value.hex(), outcome)
            else:
                read += 1
                assert "value" in outcome, (given, value.hex(), mine, outcome)
                assert same(mine, outcome["value"], names), (given, value.hex(), mine, outcome)
    assert read > PAIRS
    assert refused > PAIRS / 20
