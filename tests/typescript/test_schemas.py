"""Both languages say the same of schemas: which are the same, which is none, and which one reads which."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from fastavro.schema import SchemaParseException

from orbitalis.message.resolution import resolve
from orbitalis.message.schema import canonical_form, is_schema, schema_fingerprint
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import random_model
from tests.support.repository import ROOT, run
from tests.typescript.package import needs_node

pytestmark = [pytest.mark.timeout(120), needs_node]

PAIRS = 800
BROKEN = 1_200
TOLD: dict[str, Any] = json.loads((ROOT / "tests/avro/resolution/cases.json").read_text(encoding="utf-8"))
PROBE = """
import { readFileSync } from "node:fs";
import { canonicalForm, fingerprintOfSchema, isSchema } from "./typescript/src/schema/forms.js";
import { resolves } from "./typescript/src/schema/resolution.js";
const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const texts = given.texts.map((text) => [isSchema(text), canonicalForm(text), fingerprintOfSchema(text)]);
const pairs = given.pairs.map(([writer, reader]) => resolves(writer, reader));
process.stdout.write(JSON.stringify({ texts, pairs }));
"""
#: Values that stand in a schema where others belong.
NOISE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.0,
    1e400,
    2**70,
    "",
    "a.b",
    "int",
    'a"b',
    "\ud800",
    [],
    {},
    ["int"],
    {"type": "int"},
]
#: Texts that are hard to judge.
TEXTS = [
    "", "null", '"int"', '"nothing"', "[", '["null", "int"]', '["null", ["int"]]', "{}", "[" * 70 + "]" * 70,
    '{"type": "int", "logicalType": "date"}', '{"type": "fixed", "name": "F", "size": 1' + "0" * 30 + "}",
    '{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}',
    '{"type": "bytes", "logicalType": "decimal", "precision": 4.0, "scale": 2}',
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "double", "default": 1}]}',
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "double"}, "default": 1}]}',
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "double"}, "default": 1.0}]}',
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "double", "default": "1_0.5"}]}',
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "long", "default": true}]}',
    '{"type": "record", "name": "R", "name": "S", "fields": []}',
    '{"type": "record", "name": "R", "namespace": "' + "n" * 60_000 + '", "fields": []}',
    '{"type": "record", "name": "R", "namespace": "", "fields": [], "doc": "\\ud800"}',
]  # fmt: skip


def random_pair(seed: int) -> tuple[Any, Any]:
    """Return two schemas, of which one is an edited version of the other."""
    chance = random.Random(seed)
    model = random_model(chance)
    one, other = model.schema(), edited(model, chance).schema()
    return (one, other) if chance.random() < 0.5 else (other, one)


def pairs() -> list[tuple[str, str]]:
    """Return pairs of a writer's and a reader's schema, as texts."""
    told = [
        (case[one], case[other]) for case in TOLD["cases"] for one, other in (("before", "after"), ("after", "before"))
    ]
    found: list[tuple[str, str]] = []
    for seed in range(PAIRS):
        try:
            told.append(random_pair(seed))
        except (SchemaParseException, RecursionError):
            continue
    for writer, reader in told:
        found.append((json.dumps(writer), json.dumps(reader)))
    return found


def broken(text: str, chance: random.Random) -> str:
    """Return a schema in which one thing is another one."""
    schema = json.loads(text)
    places: list[tuple[Any, Any]] = []

    def visit(value: Any) -> None:
        for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            visit(value[key])

    visit(schema)
    container, key = chance.choice(places)
    if isinstance(container, dict) and chance.random() < 0.3:
        del container[key]
    else:
        container[key] = chance.choice(NOISE)
    return json.dumps(schema)


@pytest.fixture(scope="module")
def found(javascript: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what both languages are asked, and what TypeScript says."""
    chance = random.Random(20_261_130)
    asked = pairs()
    texts = [*TEXTS, *(text for pair in asked for text in pair)]
    texts += [broken(chance.choice(asked)[0], chance) for _ in range(BROKEN)]
    given = tmp_path_factory.mktemp("schemas") / "given.json"
    given.write_text(json.dumps({"texts": texts, "pairs": asked}), encoding="utf-8")
    probe = javascript / "schemas.mjs"
    probe.write_text(PROBE, encoding="utf-8")
    said = json.loads(run(["node", probe, given], folder=javascript))
    return {
        "texts": list(zip(texts, said["texts"], strict=True)),
        "pairs": list(zip(asked, said["pairs"], strict=True)),
    }


def test_both_give_a_schema_the_same_form(found: dict[str, Any]) -> None:
    for text, (is_one, form, _) in found["texts"]:
        assert (is_one, form) == (is_schema(text), canonical_form(text)), text


def test_both_give_a_schema_the_same_fingerprint(found: dict[str, Any]) -> None:
    for text, (is_one, _, fingerprint) in found["texts"]:
        if is_one:
            assert fingerprint == schema_fingerprint(text), text


def test_some_texts_are_schemas_and_some_are_none(found: dict[str, Any]) -> None:
    judged = [is_one for _, (is_one, _, _) in found["texts"]]

    assert judged.count(True) > PAIRS
    assert judged.count(False) > BROKEN / 5


def test_both_resolve_the_same_pairs(found: dict[str, Any]) -> None:
    for (writer, reader), is_read in found["pairs"]:
        assert is_read is not isinstance(resolve(writer, reader), Refusal), (writer, reader)


def test_some_pairs_resolve_and_some_do_not(found: dict[str, Any]) -> None:
    judged = [is_read for _, is_read in found["pairs"]]

    assert min(judged.count(True), judged.count(False)) > PAIRS / 4
