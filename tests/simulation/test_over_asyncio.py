"""Whole cores and plugins in as many simulated worlds as time allows; `make simulate ARGS=--asyncio` goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.simulation.batch import Batch
from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.support.repository import ROOT

SECONDS = float(os.environ.get("ORBITALIS_SIMULATION_SECONDS", "90")) / 2
"""Half of what the state machines alone get."""

FOUND_BEFORE = {
    50000: "a lane whose task was cancelled before it had begun was waited for in circles",
}
"""Seeds that show a fault which the library once had."""


@pytest.mark.parametrize("seed", FOUND_BEFORE)
def test_what_was_found_before(seed: int) -> None:
    verdict = simulate_over_asyncio(seed)
    assert verdict.violation is None, str(verdict)


@pytest.mark.timeout(SECONDS + 120)
def test_as_many_schedules_as_there_is_time_for(record_property: Callable[[str, object], None]) -> None:
    # Each run has seeds of its own: over time they see more than the same ones again and again.
    batch = Batch(simulate_over_asyncio, random.SystemRandom().randrange(1_000_000_000))
    try:
        for verdict in batch.run(SECONDS):
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated over asyncio", batch.counts)


def test_a_seed_decides_everything() -> None:
    assert simulate_over_asyncio(7, keep_trace=True) == simulate_over_asyncio(7, keep_trace=True)
    assert simulate_over_asyncio(7, keep_trace=True) != simulate_over_asyncio(8, keep_trace=True)


def test_a_seed_decides_everything_in_any_process() -> None:
    script = (
        "from tests.simulation.orbiter_scenario import simulate_over_asyncio\n"
        "for seed in (11, 14): print(simulate_over_asyncio(seed, keep_trace=True).trace)"
    )
    traces = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(traces) == 1
