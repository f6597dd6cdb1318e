"""Whole cores and plugins in a fixed number of simulated worlds; `make simulate ARGS=--asyncio` looks at others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice

import pytest

from tests.simulation.batch import Batch
from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.support.repository import ROOT

SCHEDULES = int(os.environ.get("ORBITALIS_SIMULATION_SCHEDULES", "800")) // 4
"""A quarter of what each test of the state machines alone has."""

FOUND_BEFORE = {
    50000: "a queue whose task was cancelled before it had begun was waited for in circles",
    23592377: "a constraint that was edited while a core started did not count at its start",
    23597257: "a policy that was edited while a plugin started did not count at its start",
}
"""Seeds that show a fault which the library once had."""


@pytest.mark.parametrize("seed", FOUND_BEFORE)
def test_what_was_found_before(seed: int) -> None:
    verdict = simulate_over_asyncio(seed)
    assert verdict.violation is None, str(verdict)


@pytest.mark.timeout(SCHEDULES + 120)
def test_nothing_is_wrong_in_a_fixed_number_of_schedules(record_property: Callable[[str, object], None]) -> None:
    batch = Batch(simulate_over_asyncio, 0)
    try:
        for verdict in islice(batch.run(None), SCHEDULES):
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated over asyncio", batch.counts)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 has no eager tasks")
@pytest.mark.timeout(SCHEDULES + 120)
def test_nothing_is_wrong_where_tasks_begin_at_once(record_property: Callable[[str, object], None]) -> None:
    batch = Batch(partial(simulate_over_asyncio, eager=True), 0)
    try:
        for verdict in islice(batch.run(None), SCHEDULES // 4):
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated over asyncio, eagerly", batch.counts)


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
