"""How many schedules the simulations of the tests go through, for a second of the processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, show
from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.simulation.scenario import simulate
from tests.simulation.verdict import Verdict

__all__ = ["main", "simulate_machines", "simulate_orbiters"]


def main(settings: Settings) -> None:
    """Measure and print."""
    count = settings.pick(100, 2)
    cases: dict[str, Callable[[], Numbers]] = {
        "state machines": partial(fresh, simulate_machines, count),
        "whole orbiters over asyncio": partial(fresh, simulate_orbiters, count),
    }
    samples = interleaved(settings.pick(3, 1), cases)
    show(
        (f"seeds 0 to {count - 1}", "schedules a CPU second", "steps a CPU second"),
        [(case, f"{samples.median(case, 'schedules'):.1f}", f"{samples.median(case, 'steps'):,.0f}") for case in cases],
    )


def simulate_machines(count: int) -> Numbers:
    """Simulate the protocol with so many seeds."""
    return _simulate(simulate, count)


def simulate_orbiters(count: int) -> Numbers:
    """Simulate cores and plugins over asyncio with so many seeds."""
    return _simulate(simulate_over_asyncio, count)


def _simulate(run: Callable[[int], Verdict], count: int) -> Numbers:
    with Stopwatch() as watch:
        verdicts = [run(seed) for seed in range(count)]
    return {"schedules": count / watch.cpu, "steps": sum(verdict.steps for verdict in verdicts) / watch.cpu}
