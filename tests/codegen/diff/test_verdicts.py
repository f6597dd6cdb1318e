"""What is said of payloads is what happens to their values: rows with known verdicts, and random pairs."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import fastavro
import pytest

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_codegen.diff.change import Change
from orbitalis_codegen.diff.rules import ChangeRule, Level
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import model_of, random_model
from tests.codegen.diff.held import COMPATIBLE, Tally, hold, judge_direction, level_of_direction, verdicts
from tests.codegen.diff.pairs import compared
from tests.support.repository import ROOT

CASES: dict[str, Any] = json.loads((ROOT / "tests/avro/resolution/cases.json").read_text(encoding="utf-8"))
ROWS = [*CASES["cases"], *CASES["libraries_disagree"]]
DIRECTIONS = {"old_reads_new": "old", "new_reads_old": "new"}
#: Where a row says that all is read, and the runtime refuses some of it or all.
STRICTER = {
    ("add_logical_type", "old_reads_new"): "has another logical type",
    ("add_logical_type", "new_reads_old"): "has another logical type",
    ("micros_to_millis", "old_reads_new"): "has another logical type",
    ("micros_to_millis", "new_reads_old"): "has another logical type",
    ("namespace_changed", "old_reads_new"): "are different types",
    ("namespace_changed", "new_reads_old"): "are different types",
    ("int_to_float", "new_reads_old"): "a number that single precision cannot carry is refused",
    ("long_to_double", "new_reads_old"): "a number that double precision cannot carry is refused",
    ("string_to_bytes", "old_reads_new"): "bytes that are not UTF-8 are refused",
}
PAIRS = 400
MIRRORED = 150

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
every_role = pytest.mark.parametrize("role", ["input", "output"])


@every_role
@every_row
def test_a_row_is_judged_as_its_verdict_says(row: Any, role: str) -> None:
    changes = verdicts(row["before"], row["after"], role)

    for direction, age in DIRECTIONS.items():
        level = level_of_direction(changes, age)
        reason = STRICTER.get((row["id"], direction))
        if reason is not None:
            met = [one for change in changes for one in change.encounters if one.reader_age == age]
            assert level is Level.WIRE
            assert any(reason in one.reason for one in met), met
        elif row["id"] == "add_enum_symbol_reader_default" and direction == "old_reads_new":
            # It is read, as another symbol.
            assert level is Level.BEHAVIOUR
        else:
            assert level is (Level.NONE if row[direction] else Level.WIRE)


@every_row
def test_a_row_is_judged_as_its_values_are_read(row: Any) -> None:
    changes = verdicts(row["before"], row["after"])
    tally = Tally()

    for age, writer, reader in (("new", "before", "after"), ("old", "after", "before")):
        model = model_of(row[writer])
        judge_direction(row["id"], level_of_direction(changes, age), model, row[reader], Random(0), tally)

    assert tally.disagreements == []


@every_row
def test_peers_that_match_exactly_are_judged_by_the_canonical_form(row: Any) -> None:
    changes = verdicts(row["before"], row["after"])
    level = max((change.exact_level for change in changes), default=Level.NONE)
    is_same = canonical_form_of(row["before"]) == canonical_form_of(row["after"])

    assert level is (Level.NONE if is_same else Level.WIRE)
    if is_same:
        assert (row["raw_old_reads_new"], row["raw_new_reads_old"]) == ("ok", "ok")


@every_role
def test_who_is_affected_follows_from_who_reads(role: str) -> None:
    before = {"type": "record", "name": "M", "fields": [{"name": "v", "type": "int"}]}
    after = {"type": "record", "name": "M", "fields": [{"name": "v", "type": "long"}]}
    (change,) = verdicts(before, after, role)

    (met,) = change.encounters
    expected = {
        "input": "old plugin with new core: input of act: ",
        "output": "old core with new plugin: output of act",
    }
    assert change.rule is ChangeRule.TYPE_WIDENED
    assert str(met).startswith(expected[role])


def document(schema: Any, action: str) -> str:
    """Return a contract with one operation, as a document."""
    payload = {"schemaFormat": "application/vnd.apache.avro;version=1.12.0", "schema": schema}
    return json.dumps(
        {
            "asyncapi": "3.0.0",
            "info": {"title": "Row", "version": "1.0.0"},
            "channels": {"row": {"address": None, "messages": {"M": {"payload": payload}}}},
            "operations": {"act": {"action": action, "channel": {"$ref": "#/channels/row"}}},
        }
    )


@pytest.mark.parametrize(("role", "action"), [("input", "receive"), ("output", "send")])
def test_rows_are_judged_alike_as_documents(role: str, action: str, tmp_path: Path) -> None:
    for row in ROWS:
        for version in ("before", "after"):
            (tmp_path / version).mkdir(exist_ok=True)
            (tmp_path / version / "row.yaml").write_text(document(row[version], action), encoding="utf-8")

        found = compared(tmp_path / "before", tmp_path / "after", "row.yaml")

        expected = verdicts(row["before"], row["after"], role)
        assert sorted((one["code"], one["level"], one["affected"]) for one in found) == sorted(
            (change.rule.code, change.level.value, list(change.who)) for change in expected
        ), row["id"]


@pytest.fixture(scope="module")
def tally() -> Tally:
    tally = Tally()
    for seed in range(PAIRS):
        hold(seed, tally)
    return tally


def test_random_pairs_are_judged_as_their_values_are_read(tally: Tally) -> None:
    assert tally.disagreements == []
    assert tally.pairs > 0.95 * PAIRS


def test_values_come_to_every_symbol_of_an_enum_in_a_union_that_is_as_long() -> None:
    tally = Tally()

    hold(1019109722, tally)

    assert (tally.pairs, tally.disagreements) == (1, [])


def test_many_random_pairs_are_compatible(tally: Tally) -> None:
    assert tally.compatible_pairs >= COMPATIBLE * tally.pairs


def test_random_pairs_meet_most_rules_of_schemas(tally: Tally) -> None:
    of_schemas = {rule.code for rule in ChangeRule if "ORB653" <= rule.code <= "ORB687"}
    # What only the protocol has, and what is seldom.
    assert len(of_schemas - set(tally.rules)) <= 9, sorted(of_schemas - set(tally.rules))


def test_random_pairs_are_judged_alike_the_other_way_round() -> None:
    ages = {"new": "old", "old": "new"}

    def told(changes: list[Change], *, turned: bool) -> list[Any]:
        return sorted(
            {
                (
                    (change.rule.mirror if turned else change.rule).code,
                    change.level.value,
                    change.exact_level.value,
                    tuple(
                        sorted(
                            (ages[one.reader_age] if turned else one.reader_age, one.level.value)
                            for one in change.encounters
                        )
                    ),
                )
                for change in changes
            }
        )

    held = 0
    for seed in range(MIRRORED):
        chance = Random(seed)
        model = random_model(chance)
        try:
            before, after = model.schema(), edited(model, chance).schema()
            fastavro.parse_schema(json.loads(json.dumps([before])))
            fastavro.parse_schema(json.loads(json.dumps([after])))
        except (fastavro.schema.SchemaParseException, RecursionError):
            continue
        there, back = verdicts(before, after), verdicts(after, before)
        assert told(there, turned=True) == told(back, turned=False), seed
        held += 1
    assert held > 0.9 * MIRRORED
