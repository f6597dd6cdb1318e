"""A core and ten plugins in three processes survive deaths of the broker, of each other, and of their connections."""

from __future__ import annotations

import os

import pytest

from tests.chaos.chaos import Record, endure
from tests.chaos.report import summarize

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("chaos")]

BROKER_KILLS = int(os.environ.get("ORBITALIS_CHAOS_BROKER_KILLS", "50"))
SEED = int(os.environ.get("ORBITALIS_CHAOS_SEED", "3519492714"))
PATIENCE = 120.0
"""Seconds in which each fault has to heal, however busy the machine is."""


async def test_everybody_agrees_and_nothing_is_left_after_faults_of_all_kinds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A failure says the seed, and how to see it again."""
    record = Record(seed=SEED)

    await endure(record, BROKER_KILLS, patience=PATIENCE)

    assert record.broker_kills == BROKER_KILLS
    assert record.process_kills > 0
    assert record.traffic["request: done"] > 0
    with capsys.disabled():
        print(f"\n{summarize(record)}")
