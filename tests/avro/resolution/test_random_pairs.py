"""Random schemas and edits of them: the engine reads what fastavro reads, or a stricter rule says why not."""

from __future__ import annotations

import pytest

from tests.avro.resolution.agreement import STRICTER, Tally, hold
from tests.avro.resolution.edits import EDITS

PAIRS = 2_000


@pytest.fixture(scope="module")
def tally() -> Tally:
    tally = Tally()
    for seed in range(PAIRS):
        hold(seed, tally)
    return tally


def test_fastavro_reads_the_same_from_random_pairs(tally: Tally) -> None:
    assert tally.disagreements == []
    assert tally.pairs > 0.95 * PAIRS


def test_many_random_pairs_go_together(tally: Tally) -> None:
    assert tally.compatible >= 0.4 * tally.pairs
    assert tally.equal >= 0.8 * tally.values


def test_random_pairs_meet_nearly_every_stricter_rule(tally: Tally) -> None:
    assert set(STRICTER) - set(tally.stricter) <= {"comes twice", "has scale"}


def test_every_edit_is_made_by_a_function_of_its_own() -> None:
    assert len({edit.__name__ for edit in EDITS}) >= 14
