"""Holds verdicts on pairs of schemas against real decoding: what one version writes, the other one reads or refuses.

A payload is compatible where nothing is said of a direction: then each value has to be read as what was written. Where
something is said, a value has to be found that is refused, or read as another one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any, Final

import fastavro
from fastavro.schema import SchemaParseException

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_avro.types import Array, AvroType, Map, Record, Reference, Union
from orbitalis_codegen.diff.change import Change
from orbitalis_codegen.diff.contracts import compare_contracts
from orbitalis_codegen.diff.rules import Level
from tests.avro.resolution.dict_reader import compared, dict_reader
from tests.avro.resolution.edits import EDITS, GENTLE_EDITS, edited
from tests.avro.resolution.schemas import Model, random_model
from tests.avro.resolution.values import value_bytes
from tests.codegen.diff.made import contract, message, operation

__all__ = ["COMPATIBLE", "Tally", "hold", "judge_direction", "level_of_direction", "verdicts"]

COMPATIBLE: Final = 0.4
"""The share of the pairs that have to go together, for the values to say something."""
_VALUES: Final = 8
_GENTLE: Final = 0.4
"""The share of the pairs whose edits are chosen so that they go together more often."""
_MOST_VALUES: Final = 400
"""Values that are tried to find one that is not read, where it is said that there is one."""


@dataclass
class Tally:
    """What came out for many pairs, each in both directions."""

    pairs: int = 0
    directions: int = 0
    compatible: int = 0
    """Directions in which all is read."""
    compatible_pairs: int = 0
    """Pairs of which the direction that was asked for is compatible: old peers read what new ones write, or new old."""
    values: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.pairs} pairs, {self.compatible_pairs / max(self.pairs, 1):.1%} compatible, "
            f"{self.directions} directions, {self.compatible / max(self.directions, 1):.1%} compatible, "
            f"{self.values} values, {len(self.rules)} rules met, {len(self.disagreements)} disagreements"
        )


def verdicts(before: Any, after: Any, direction: str = "input") -> list[Change]:
    """Return what changed in a contract with one operation, of which the input or output has two versions."""
    old, new = message(before), message(after)
    if direction == "input":
        return compare_contracts(contract(operation(inputs=[old])), contract(operation(inputs=[new])))
    output = operation(inputs=None, outputs=[old]), operation(inputs=None, outputs=[new])
    return compare_contracts(contract(output[0]), contract(output[1]))


def level_of_direction(changes: list[Change], reader_age: str) -> Level:
    """Return the worst that readers of an age meet with."""
    met = (one.level for change in changes for one in change.encounters if one.reader_age == reader_age)
    return max(met, default=Level.NONE)


def hold(seed: int, tally: Tally) -> None:
    """Hold one random pair of schemas, one to four edits apart, in both directions."""
    chance = Random(seed)
    before = random_model(chance)
    direction = chance.choice(("input", "output"))
    asked = chance.choice(("old", "new"))
    try:
        after = edited(before, chance, GENTLE_EDITS if chance.random() < _GENTLE else EDITS)
        if before.schema() == after.schema():
            return  # The edits have undone each other.
        for schema in (before.schema(), after.schema()):
            fastavro.parse_schema(schema)
            value_bytes(before, chance, 0), value_bytes(after, chance, 0)
    except (SchemaParseException, RecursionError):
        return  # An edit has left no schema, or one of which no value ends.
    changes = verdicts(before.schema(), after.schema(), direction)
    tally.pairs += 1
    tally.rules.update(change.rule.code for change in changes)
    for age, writer, reader in (("new", before, after), ("old", after, before)):
        level = level_of_direction(changes, age)
        if age == asked and level is Level.NONE:
            tally.compatible_pairs += 1
        judge_direction(f"seed {seed}, {age} reader", level, writer, reader.schema(), chance, tally)


def judge_direction(name: str, level: Level, writer: Model, reader: Any, chance: Random, tally: Tally) -> None:
    """Hold what is said of one direction against values that are written and read."""
    tally.directions += 1
    written = writer.schema()
    is_same = canonical_form_of(written) == canonical_form_of(reader)
    # Of the same schema, even one that refers to itself, everything is read as it is.
    resolution = None if is_same else compared(written, reader)
    if isinstance(resolution, Refusal):
        if level is not Level.WIRE:
            tally.disagreements.append(f"{name}: {level.value}, but the runtime refuses: {resolution}")
        return
    if level is Level.NONE:
        tally.compatible += 1
    if resolution is None:
        if level is not Level.NONE:
            tally.disagreements.append(f"{name}: {level.value}, but the schemas are the same")
        return
    read, judge = dict_reader(resolution, reader), Written(written, reader)
    for turn in range(_VALUES if level is Level.NONE else _MOST_VALUES):
        data = value_bytes(writer, chance, turn)
        tally.values += 1
        try:
            found = read(data)
            is_read = judge.is_same(data, found)
        except Exception as error:
            found, is_read = error, False
            outcome = Level.WIRE
        else:
            outcome = Level.NONE if is_read else Level.BEHAVIOUR
        if level is Level.NONE and not is_read:
            tally.disagreements.append(f"{name}: compatible, but {data.hex()} gives {found!r}")
            return
        if level is not Level.NONE and outcome is level:
            return
    if level is not Level.NONE:
        tally.disagreements.append(f"{name}: {level.value}, but all values are read")


class Written:
    """Tells whether what was read is what was written; fastavro says what that is, without any reader's schema."""

    def __init__(self, writer: Any, reader: Any) -> None:
        self._schema = fastavro.parse_schema(writer)
        self._writer = read_schema(writer)
        self._reader = read_schema(reader)

    def is_same(self, data: bytes, read: Any) -> bool:
        """Return whether a value that was read is the one in `data`, as far as the reader has a place for it."""
        value = fastavro.schemaless_reader(BytesIO(data), self._schema, None, return_record_name=True)
        return self._same(value, read, self._writer[0], self._reader[0])

    def _same(self, value: Any, read: Any, writer: AvroType, reader: AvroType) -> bool:
        if isinstance(writer, Union):
            if isinstance(value, tuple):
                return self._same(value[1], read, Reference(name=value[0]), reader)
            kind = Array if isinstance(value, list) else Map
            writer = next((one for one in writer.branches if isinstance(one, kind)), writer)
        match value, writer:
            case list(), Array(items=items):
                return len(value) == len(read) and all(
                    self._same(one, other, items, inner.items)
                    for inner in _branches(reader, Array)
                    for one, other in zip(value, read, strict=True)
                )
            case dict(), Map(values=values):
                return value.keys() == read.keys() and all(
                    self._same(value[key], read[key], values, inner.values)
                    for inner in _branches(reader, Map)
                    for key in value
                )
            case dict(), Reference(name=name):
                return self._same_record(value, read, name, reader)
            case str(), _ if isinstance(read, bytes):
                return value.encode() == read
            case bytes(), _ if isinstance(read, str):
                return value == read.encode()
            case _:
                return bool(value == read) and isinstance(value, bool) is isinstance(read, bool)

    def _same_record(self, value: dict[str, Any], read: Any, name: str, reader: AvroType) -> bool:
        writer = self._writer[1][name]
        candidates = [self._reader[1][one.name] for one in _branches(reader, Reference)]
        named = [one for one in candidates if isinstance(one, Record) and name in (one.name, *one.aliases)]
        if len(named) != 1 or not isinstance(writer, Record):
            return False
        types = {field.name: field.type for field in writer.fields}
        for field_ in named[0].fields:
            names = [field_.name] if field_.name in types else [one for one in field_.aliases if one in types]
            if names and not self._same(value[names[0]], read[field_.name], types[names[0]], field_.type):
                return False
        return bool(read.keys() == {field_.name for field_ in named[0].fields})


def _branches(type_: AvroType, kind: Any) -> list[Any]:
    return [one for one in (type_.branches if isinstance(type_, Union) else (type_,)) if isinstance(one, kind)]
