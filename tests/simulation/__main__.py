"""Simulate on and on, or one seed again: `python -m tests.simulation [--asyncio] [--seed N | --seconds S]`."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.batch import Batch, summary
from tests.simulation.orbiter_scenario import simulate_over_asyncio
from tests.simulation.scenario import simulate

__all__: list[str] = []


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Simulate the protocol.")
    parser.add_argument("--seed", type=int, help="simulate this one alone, and show it if something is wrong")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="begin here (default: 0)")
    parser.add_argument("--seconds", type=float, help="end after this time (default: never)")
    parser.add_argument("--asyncio", action="store_true", help="simulate whole cores and plugins over asyncio")
    options = parser.parse_args()
    run = simulate_over_asyncio if options.asyncio else simulate
    if options.seed is not None:
        verdict = run(options.seed)
        print(verdict)
        return verdict.violation is not None
    batch, found = Batch(run, options.first), 0
    try:
        for verdict in batch.run(options.seconds):
            if verdict.violation is not None:
                found += 1
                print(verdict, flush=True)
    except KeyboardInterrupt:
        pass
    print(f"{summary(*batch.counts)}, {found} violations")
    return found > 0


if __name__ == "__main__":
    sys.exit(main())
