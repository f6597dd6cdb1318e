"""One simulation after the other, for as long as there is time: :class:`Batch`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tests.simulation.verdict import Verdict

__all__ = ["Batch", "summary"]


class Batch:
    """Runs simulations with one seed after the other, and counts them."""

    def __init__(self, simulate: Callable[[int], Verdict], first: int) -> None:
        """Prepare to begin with the seed `first`."""
        self._simulate = simulate
        self._first = first
        self._began = time.monotonic()
        self._schedules = 0
        self._steps = 0
        self._virtual = 0.0

    @property
    def counts(self) -> tuple[int, int, float, float]:
        """How many schedules and steps there were, in how many seconds of real and of virtual time."""
        return self._schedules, self._steps, time.monotonic() - self._began, self._virtual

    def run(self, seconds: float | None) -> Iterator[Verdict]:
        """Yield the verdict of each simulation that begins within this time; `None` is for ever."""
        while seconds is None or time.monotonic() - self._began < seconds:
            verdict = self._simulate(self._first + self._schedules)
            self._schedules += 1
            self._steps += verdict.steps
            self._virtual += verdict.seconds
            yield verdict


def summary(schedules: int, steps: int, seconds: float, virtual: float) -> str:
    """Say how much was simulated: what :attr:`Batch.counts` gives."""
    return (
        f"{schedules} schedules in {seconds:.0f} s ({schedules / seconds:.1f} a second), {steps} steps, "
        f"{virtual / 3600:.0f} hours of virtual time"
    )
