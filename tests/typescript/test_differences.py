"""Both languages say the same of how schemas differ, and of why one is not read by another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastavro.schema import SchemaParseException

from orbitalis.message.misfits import misfits
from orbitalis.message.schema import schema_fingerprint
from orbitalis.message.schema_difference import closeness, schema_differences
from orbitalis_wire import messages
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import random_model
from tests.message import test_misfits, test_schema_difference
from tests.support.repository import run
from tests.typescript.package import needs_node

pytestmark = [pytest.mark.timeout(120), needs_node]

PAIRS = 1_500
NAMES = ["", "Light", "LightV2", "home.Light", "Temperature", "Temperament", "Zähler", "Zaehler 😀", "x" * 70 + "y"]
PROBE = """
import { readFileSync } from "node:fs";
import { schemaDifferences } from "./typescript/src/schema/difference.js";
import { closeness } from "./typescript/src/schema/closeness.js";
import { misfits } from "./typescript/src/schema/misfits.js";
const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const set = (content) => ({
  schemas: content.schemas,
  supportEmptySchema: content.support_empty_schema,
  supportUndefinedSchema: content.support_undefined_schema,
});
const shapes = ([inputs, outputs]) => ({ inputs: inputs.map(set), outputs: outputs.map(set) });
process.stdout.write(JSON.stringify({
  pairs: given.pairs.map(([here, there]) => schemaDifferences(here, there)),
  shapes: given.shapes.map(({ here, there, exact, isPlugin }) =>
    misfits({ here: shapes(here), there: shapes(there), exact: exact === null ? null : new Set(exact) }, isPlugin),
  ),
  names: given.names.map(([one, other]) => closeness(one, other)),
}));
"""
Shapes = tuple[tuple[messages.Input, ...], tuple[messages.Output, ...]]


def random_pairs() -> Iterator[tuple[str, str]]:
    """Yield pairs of schemas of which one is an edit of the other."""
    for seed in range(PAIRS):
        chance = Random(seed)
        model = random_model(chance)
        try:
            one, other = model.schema(), edited(model, chance).schema()
        except (SchemaParseException, RecursionError):
            continue
        texts = json.dumps(one), json.dumps(other)
        yield texts if chance.random() < 0.5 else (texts[1], texts[0])


def told_pairs() -> list[tuple[list[str], list[str]]]:
    """Return alternatives of two sides that are compared."""
    told = [(here, there) for here, there, _ in test_schema_difference.TOLD]
    swapped = [(there, here) for here, there in told]
    made = [*told, *swapped, *random_pairs()]
    several = [([*pair], [*made[index + 7]]) for index, pair in enumerate(made[:-7:5])]
    return [*(([here], [there]) for here, there in made), *several]


def told_shapes() -> Iterator[tuple[Shapes, Shapes, frozenset[str] | None, bool]]:
    """Yield what two sides take and give, with fingerprints of exact schemas, and whether this side is the plugin."""
    shapes = [test_misfits.MORE, test_misfits.FEWER, test_misfits.given(test_misfits.record("TooHot"))]
    for one in shapes:
        for other in shapes:
            for exact in (None, frozenset[str]()):
                yield one, other, exact, True
                yield one, other, exact, False
    chance = Random(9)
    for here, there in random_pairs():
        sides = [_shape(schema, chance) for schema in (here, there)]
        known = frozenset({schema_fingerprint(here)}) if chance.random() < 0.2 else frozenset[str]()
        yield sides[0], sides[1], None if chance.random() < 0.2 else known, chance.random() < 0.5


def _shape(schema: str, chance: Random) -> Shapes:
    def given(kind: type[Any]) -> Any:
        schemas = [schema] * (chance.random() < 0.9) + [test_misfits.record("More")] * (chance.random() < 0.2)
        return kind(
            schemas=schemas,
            support_empty_schema=chance.random() < 0.2,
            support_undefined_schema=chance.random() < 0.05,
        )

    def several(kind: type[Any]) -> tuple[Any, ...]:
        return tuple(given(kind) for _ in range(chance.choice([0, 1, 1, 1, 2])))

    return several(messages.Input), several(messages.Output)


def _plain(shapes: Shapes) -> Any:
    names = ("schemas", "support_empty_schema", "support_undefined_schema")
    return [[{name: getattr(one, name) for name in names} for one in side] for side in shapes]


def test_both_say_the_same(javascript: Path, tmp_path: Path) -> None:
    pairs, shapes = told_pairs(), [*told_shapes()]
    names = [(one, other) for one in NAMES for other in NAMES]
    content = {
        "pairs": pairs,
        "shapes": [
            {
                "here": _plain(here),
                "there": _plain(there),
                "exact": None if exact is None else [*exact],
                "isPlugin": is_plugin,
            }
            for here, there, exact, is_plugin in shapes
        ],
        "names": names,
    }
    (tmp_path / "given.json").write_text(json.dumps(content), encoding="utf-8")
    probe = javascript / "differences.mjs"
    probe.write_text(PROBE, encoding="utf-8")
    said = json.loads(run(["node", probe, tmp_path / "given.json"], folder=javascript, errors_too=False))

    assert said["names"] == pytest.approx([closeness(*pair) for pair in names])
    for pair, differences in zip(pairs, said["pairs"], strict=True):
        assert differences == [*schema_differences(*pair)], pair
    found: set[str] = set()
    for (here, there, exact, is_plugin), texts in zip(shapes, said["shapes"], strict=True):
        assert texts == [*misfits(here, there, exact, is_plugin=is_plugin)], (here, there, exact, is_plugin)
        found.update(texts)
    assert len(found) > PAIRS / 4


def test_what_is_no_schema_does_no_harm(javascript: Path, tmp_path: Path) -> None:
    light = test_schema_difference.record(("level", "int"))
    pairs = [pair for text in test_schema_difference.NO_SCHEMAS for pair in (([light], [text]), ([text], [light]))]
    (tmp_path / "given.json").write_text(json.dumps({"pairs": pairs, "shapes": [], "names": []}), encoding="utf-8")
    probe = javascript / "differences.mjs"
    probe.write_text(PROBE, encoding="utf-8")
    said = json.loads(run(["node", probe, tmp_path / "given.json"], folder=javascript, errors_too=False))

    for pair, differences in zip(pairs, said["pairs"], strict=True):
        assert 1 <= len(differences) <= 9, pair
        assert sum(map(len, differences)) < 2_000
