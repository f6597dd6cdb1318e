"""Break the code in one place at a time and see whether the tests notice: `python -m tests.mutation`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from tests.mutation.delivery_mutants import DELIVERY_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.orbiter_mutants import ORBITER_MUTANTS
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS
from tests.mutation.runtime_mutants import RUNTIME_MUTANTS
from tests.support.arguments import positive
from tests.support.repository import ROOT

__all__: list[str] = []

_MUTANTS: Final = (*PROTOCOL_MUTANTS, *ORBITER_MUTANTS, *RUNTIME_MUTANTS, *DELIVERY_MUTANTS)
_RUNTIME_TESTS: Final = (
    "tests/orbiter",
    "tests/simulation/test_over_asyncio.py",
    "tests/core",
    "tests/plugin",
    "tests/operations",
    "tests/bus",
)
_TESTS: Final = {
    "protocol": (
        "tests/simulation/test_simulation.py",
        "tests/protocol",
        "tests/test_known_faults.py",
        "tests/orbiter",
        "tests/message",
        "tests/core",
        "tests/security/test_large_messages.py",
    ),
    "message": ("tests/message", "tests/protocol"),
    "orbiter": _RUNTIME_TESTS,
    "operations": ("tests/operations", *_RUNTIME_TESTS),
    "core": ("tests/core", *_RUNTIME_TESTS),
    "plugin": ("tests/plugin", *_RUNTIME_TESTS),
    "bus": ("tests/bus", *_RUNTIME_TESTS),
}
"""By package of the file that is broken, in the order in which they are tried; the first that fails has killed it."""
_SIMULATED_SCHEDULES = "100"
_TIMEOUT = 600.0


@dataclass(frozen=True)
class _Outcome:
    mutant: Mutant
    killer: str | None
    """The test that failed."""
    seconds: float


def _try(mutant: Mutant) -> _Outcome:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orbitalis-mutant-") as folder:
        copy = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".venv", ".git", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, copy, dirs_exist_ok=True, ignore=ignored)
        mutant.apply(copy)
        for tests in _tests_of(mutant):
            killer = _first_failure(copy, tests)
            if killer is not None:
                return _Outcome(mutant, killer, time.monotonic() - begin)
    return _Outcome(mutant, None, time.monotonic() - begin)


def _tests_of(mutant: Mutant) -> Sequence[str]:
    return list(dict.fromkeys(_TESTS[PurePosixPath(mutant.file).parts[1]]))


def _first_failure(copy: Path, tests: str) -> str | None:
    environment = {
        **os.environ,
        "ORBITALIS_SIMULATION_SCHEDULES": _SIMULATED_SCHEDULES,
        "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "generated" / "python"), str(copy / "codegen")]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", "--tb=no", tests]
    try:
        completed = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return f"{tests} did not end"
    if completed.returncode == 0:
        return None
    failures = [line for line in completed.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failures[0].split(" ", 1)[1].split(" - ")[0] if failures else f"{tests}: exit status {completed.returncode}"


def main() -> int:
    """Run the command; return 1 if a mutant survives that is not known to."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants to try (default: all)")
    parser.add_argument("--jobs", type=positive(int), default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--list", action="store_true", help="list the mutants")
    options = parser.parse_args()
    known = {mutant.name: mutant for mutant in _MUTANTS}
    for name in options.names:
        if name not in known:
            parser.error(f"there is no mutant {name!r}; --list shows all")
    chosen = [known[name] for name in options.names] or list(_MUTANTS)
    if options.list:
        print("\n".join(f"{mutant.name:45} {mutant.file}" for mutant in chosen))
        return 0
    try:
        return _report(chosen, options.jobs)
    except KeyboardInterrupt:
        return 130


def _report(chosen: Sequence[Mutant], jobs: int) -> int:
    """Try mutants, and print what became of each."""
    killed, explained, survivors = 0, 0, 0
    pool = ThreadPoolExecutor(jobs)
    try:
        for outcome in pool.map(_try, chosen):
            mutant = outcome.mutant
            if outcome.killer is not None:
                killed += 1
                said = f"killed by {outcome.killer}"
            elif mutant.survives_because:
                explained += 1
                said = f"survives: {mutant.survives_because}"
            else:
                survivors += 1
                said = "SURVIVES"
            print(f"{mutant.name}: {said} ({outcome.seconds:.0f} s)", flush=True)
    finally:
        # Those under way end with their tests, which Ctrl-C has ended.
        pool.shutdown(cancel_futures=True)
        tried = killed + explained + survivors
        left = "" if tried == len(chosen) else f", {len(chosen) - tried} not tried"
        print(f"{killed} of {tried} mutants killed, {explained} survive with a reason, {survivors} without{left}")
    return survivors > 0


if __name__ == "__main__":
    sys.exit(main())
