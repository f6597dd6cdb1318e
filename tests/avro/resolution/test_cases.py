"""Pairs of schemas on which fastavro and Apache Avro agree: the engine does, too, or a stricter rule says why not."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.agreement import Fastavro, Tally, is_stricter, judge_pair
from tests.avro.resolution.dict_reader import compared
from tests.avro.resolution.schemas import model_of
from tests.avro.resolution.values import value_bytes

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
PAIRS = [
    pytest.param(case, direction, id=f"{case['id']}-{direction}")
    for case in CASES["cases"]
    for direction in ("old_reads_new", "new_reads_old")
]
STRICTER = {
    ("add_logical_type", "old_reads_new"),
    ("add_logical_type", "new_reads_old"),
    ("micros_to_millis", "old_reads_new"),
    ("micros_to_millis", "new_reads_old"),
}
"""What both libraries read, and the engine refuses."""


def schemas_of(case: Any, direction: str) -> tuple[Any, Any]:
    """Return the writer's schema and the reader's."""
    before, after = case["before"], case["after"]
    return (after, before) if direction == "old_reads_new" else (before, after)


@pytest.mark.parametrize(("case", "direction"), PAIRS)
def test_a_pair_goes_together_where_the_libraries_agree_that_it_does(case: Any, direction: str) -> None:
    found = compared(*schemas_of(case, direction))
    if (case["id"], direction) in STRICTER:
        assert isinstance(found, Refusal)
        assert is_stricter(found.verb)
    else:
        # What fails for some values alone raises for these.
        assert isinstance(found, Refusal) == (not case[direction] and direction not in case["some_values_only"])


@pytest.mark.parametrize(("case", "direction"), PAIRS)
def test_values_of_a_pair_are_read_as_fastavro_reads_them(case: Any, direction: str) -> None:
    writer, reader = schemas_of(case, direction)
    model = model_of(writer)
    values = [value_bytes(model, Random(turn), turn) for turn in range(6)]
    tally = Tally()
    judge_pair(case["id"], writer, reader, Fastavro(writer, reader), values, tally)
    assert tally.disagreements == []


@pytest.mark.parametrize("case", CASES["libraries_disagree"], ids=lambda case: case["id"])
@pytest.mark.parametrize("direction", ["old_reads_new", "new_reads_old"])
def test_where_the_libraries_differ_the_engine_is_with_fastavro_or_stricter(case: Any, direction: str) -> None:
    found = compared(*schemas_of(case, direction))
    accepted = case["verdicts"][direction]["fastavro"]
    if isinstance(found, Refusal) and accepted:
        assert case["id"] == "namespace_changed"
        assert is_stricter(found.verb)
    else:
        assert isinstance(found, Refusal) != accepted
