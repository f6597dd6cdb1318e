"""Chaos with real parts: `python -m tests.chaos [--faults N] [--seed S]`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.chaos.chaos import ChaosError, endure
from tests.chaos.report import summarize
from tests.chaos.stage import Healing

__all__: list[str] = []


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill, cut and delay real parts.")
    parser.add_argument("--faults", type=int, default=500, metavar="N", help="deaths of the broker (default: 500)")
    parser.add_argument("--seed", type=int, help="decides which faults there are (default: another one each time)")
    parser.add_argument("--patience", type=float, default=60.0, metavar="S", help="seconds to heal in (default: 60)")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    try:
        record = asyncio.run(endure(options.faults, seed, patience=options.patience, watch=_show))
    except ChaosError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        return 130
    print(summarize(record))
    return 0


def _show(kind: str, healing: Healing) -> None:
    left = "" if healing.compliant is None else f", compliant after {healing.compliant:.2f} s"
    print(f"  {kind}: works after {healing.working:.2f} s, agrees after {healing.agreed:.2f} s{left}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
