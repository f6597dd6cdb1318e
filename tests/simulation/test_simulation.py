"""The protocol in as many simulated worlds as time allows; `make simulate` goes on where this ends."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.simulation.batch import Batch
from tests.simulation.scenario import simulate

SECONDS = float(os.environ.get("ORBITALIS_SIMULATION_SECONDS", "90"))
"""For each of two tests, which run side by side where there are two processors."""

FOUND_BEFORE = [42, 1027, 1114, 848874906]
"""Seeds that once showed a fault of the protocol, or of the simulation."""


@pytest.mark.parametrize("seed", FOUND_BEFORE)
def test_what_was_found_before(seed: int) -> None:
    verdict = simulate(seed)
    assert verdict.violation is None, str(verdict)


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("part", [0, 1])
def test_as_many_schedules_as_there_is_time_for(part: int, record_property: Callable[[str, object], None]) -> None:
    # Each run has seeds of its own: over time they see more than the same ones again and again.
    batch = Batch(simulate, random.SystemRandom().randrange(1_000_000_000))
    try:
        for verdict in batch.run(SECONDS):
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated", batch.counts)


def test_a_seed_decides_everything() -> None:
    assert simulate(7) == simulate(7)
    assert simulate(7) != simulate(8)
