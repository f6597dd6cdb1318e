"""Simulate on and on, or one seed again: `python -m tests.simulation [--asyncio] [--seed N | --seconds S]`."""

from __future__ import annotations

import argparse
import random
import sys
import time
from functools import partial

from tests.simulation.batch import Batch, summary
from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.simulation.scenario import simulate
from tests.support.arguments import positive

__all__: list[str] = []

_TOLD_EVERY = 10.0
"""Seconds between two lines that say how far it has come."""


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Simulate the protocol.")
    parser.add_argument("--seed", type=int, help="simulate this one alone, and show it if something is wrong")
    parser.add_argument("--trace", action="store_true", help="with --seed: show it also if nothing is")
    parser.add_argument("--first", type=int, metavar="SEED", help="begin here (default: another one each time)")
    parser.add_argument("--seconds", type=positive(float), help="end after this time (default: never)")
    parser.add_argument("--asyncio", action="store_true", help="simulate whole cores and plugins over asyncio")
    parser.add_argument("--eager", action="store_true", help="with --asyncio: let tasks begin at once (Python 3.12)")
    options = parser.parse_args()
    if options.eager and (not options.asyncio or sys.version_info < (3, 12)):
        parser.error("--eager needs --asyncio, and Python 3.12 or newer")
    run = partial(simulate_over_asyncio, eager=options.eager) if options.asyncio else simulate
    if options.seed is not None:
        verdict = run(options.seed, keep_trace=options.trace)
        print(verdict)
        return verdict.violation is not None
    first = random.SystemRandom().randrange(1_000_000_000) if options.first is None else options.first
    print(f"from seed {first} on", flush=True)
    batch, found, told = Batch(run, first), 0, time.monotonic()
    try:
        for verdict in batch.run(options.seconds):
            if verdict.violation is not None:
                # One trace is enough to begin with: many seeds show the same fault.
                print(verdict.line if found else verdict, flush=True)
                found += 1
            if time.monotonic() - told >= _TOLD_EVERY:
                told = time.monotonic()
                print(f"{summary(*batch.counts)}, {found} violations so far", flush=True)
    except KeyboardInterrupt:
        pass
    print(f"{summary(*batch.counts)}, {found} violations")
    return found > 0


if __name__ == "__main__":
    sys.exit(main())
