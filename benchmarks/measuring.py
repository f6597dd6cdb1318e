"""How benchmarks measure: each case in a process of its own, the cases of a comparison in turn, medians of rounds."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeAlias, TypeVar

from tests.support.repository import PACKAGE_FOLDERS, ROOT

__all__ = [
    "MeasurementError",
    "Numbers",
    "Samples",
    "Settings",
    "Stopwatch",
    "environment",
    "fresh",
    "interleaved",
    "run_command",
    "run_measurement",
    "settle",
    "show",
]

P = ParamSpec("P")
T = TypeVar("T")

Numbers: TypeAlias = Mapping[str, float]
"""What a measurement gives, by name."""


class MeasurementError(Exception):
    """A process that measures has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to measure."""

    quick: bool = False
    """Whether it only matters that everything works."""
    reference: str | None = None
    """The Python of an environment with py-orbitalis, to compare with."""

    def pick(self, full: T, quick: T) -> T:
        """Return the first for a real measurement, and the second for a quick one."""
        return quick if self.quick else full

    @property
    def rounds(self) -> int:
        """How often each case is measured."""
        return self.pick(5, 1)


class Samples:
    """What the cases of a comparison gave, round by round."""

    def __init__(self, rounds: Sequence[Mapping[str, Numbers]]) -> None:
        """Keep the numbers of each case of each round."""
        self._rounds = rounds

    def median(self, case: str, name: str) -> float:
        """Return the median over all rounds."""
        return statistics.median(one[case][name] for one in self._rounds)

    def ratio(self, case: str, other: str, name: str) -> float:
        """Return the median of the ratios of two cases in the same round: how busy the machine is matters less."""
        return statistics.median(one[case][name] / one[other][name] for one in self._rounds)


def interleaved(rounds: int, cases: Mapping[str, Callable[[], Numbers]]) -> Samples:
    """Measure all cases one after the other, and that as many times as there are rounds."""
    return Samples([{name: measure() for name, measure in cases.items()} for _ in range(rounds)])


def environment() -> dict[str, str]:
    """Return the environment of processes that measure: with this repository's packages, and no chance in hashes."""
    paths = [str(ROOT), *(str(path.parent) for path in PACKAGE_FOLDERS.values())]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONHASHSEED": "0"}


def fresh(
    measure: Callable[P, Numbers | Coroutine[Any, Any, Numbers]], *arguments: P.args, **options: P.kwargs
) -> Numbers:
    """Call a function, `async` or not, in a process of its own; arguments and result go through JSON.

    Raises:
        MeasurementError: The process failed.
    """
    where = [measure.__module__, measure.__name__, json.dumps([arguments, options])]
    numbers: Numbers = json.loads(run_command([sys.executable, "-m", "benchmarks.one", *where], environment()))
    return numbers


def run_command(command: Sequence[str], variables: Mapping[str, str]) -> str:
    """Run a command in the repository, with this environment alone, and return what it prints.

    Raises:
        MeasurementError: It failed.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise MeasurementError(f"{' '.join(command)} failed with exit status {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def run_measurement(measure: Callable[..., Numbers | Coroutine[Any, Any, Numbers]], arguments: str) -> None:
    """Do in this process what :func:`fresh` asks for, print the numbers and end the process at once."""
    positional, named = json.loads(arguments)
    result = measure(*positional, **named)
    if not isinstance(result, Coroutine):
        print(json.dumps(dict(result)))
        return
    measuring = result

    async def run() -> None:
        print(json.dumps(dict(await measuring)), flush=True)
        # To stop ten thousand orbiters would take longer than to measure them.
        os._exit(0)

    asyncio.run(run())


def settle() -> None:
    """Collect garbage, and keep what is left out of later collections: what is measured next pays for itself alone."""
    gc.collect()
    gc.freeze()


class Stopwatch:
    """Measures how long something takes, in seconds, `with` which it is used."""

    cpu = 0.0
    """Of the processor, in this process."""
    wall = 0.0
    """Of the clock."""

    def __enter__(self) -> Stopwatch:
        self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.cpu = time.process_time() - self._began[0]
        self.wall = time.perf_counter() - self._began[1]


def show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, all others to the right."""
    table = [headers, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]
    for row in table:
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip(), flush=True)
