"""Whole cores and plugins in as many simulated worlds as time allows; `make simulate ARGS=--asyncio` goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.support.repository import ROOT

SECONDS = float(os.environ.get("ORBITALIS_SIMULATION_SECONDS", "90")) / 2
"""Half of what the state machines alone get."""

FOUND_BEFORE = {
    12: "a lane whose task was cancelled before it had begun was waited for in circles",
    18: "the same of the worker of a subscription",
    20: "connections of an orbiter whose stop was cancelled were shown when it had closed them",
    202: "a plugin whose hook stops it as it announces itself neither started nor stopped",
    2091: "a hook that went on though its orbiter had stopped had its message sent",
}
"""Seeds that once showed a fault of the library."""


@pytest.mark.parametrize("seed", FOUND_BEFORE)
def test_what_was_found_before(seed: int) -> None:
    verdict = simulate_over_asyncio(seed)
    assert verdict.violation is None, str(verdict)


@pytest.mark.timeout(SECONDS + 120)
def test_as_many_schedules_as_there_is_time_for(record_property: Callable[[str, object], None]) -> None:
    # Each run has seeds of its own: over time they see more than the same ones again and again.
    begin, seed = time.monotonic(), random.SystemRandom().randrange(1_000_000_000)
    schedules, steps, virtual = 0, 0, 0.0
    try:
        while time.monotonic() - begin < SECONDS:
            verdict = simulate_over_asyncio(seed + schedules)
            schedules, steps, virtual = schedules + 1, steps + verdict.steps, virtual + verdict.seconds
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated over asyncio", (schedules, steps, time.monotonic() - begin, virtual))


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
