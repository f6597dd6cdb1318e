"""Chaos with real parts: `python -m tests.chaos [--broker-kills N] [--seed S]`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.chaos.chaos import ChaosError, Record, endure
from tests.chaos.report import summarize
from tests.chaos.stage import Healing
from tests.support.arguments import positive

__all__: list[str] = []


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill, cut and delay real parts.")
    parser.add_argument(
        "--broker-kills",
        type=positive(int),
        default=500,
        metavar="N",
        help="(default: 500; there are other faults between)",
    )
    parser.add_argument("--seed", type=int, help="decides which faults there are (default: another one each time)")
    parser.add_argument(
        "--patience", type=positive(float), default=60.0, metavar="S", help="seconds to heal in (default: 60)"
    )
    options = parser.parse_args()
    record = Record(seed=random.SystemRandom().randrange(1_000_000_000) if options.seed is None else options.seed)
    print(f"seed {record.seed}", flush=True)
    try:
        asyncio.run(endure(record, options.broker_kills, patience=options.patience, watch=_show))
    except ChaosError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        if record.faults:
            print(summarize(record))
        return 130
    print(summarize(record))
    return 0


def _show(kind: str, healing: Healing) -> None:
    left = "" if healing.compliant is None else f", compliant after {healing.compliant:.2f} s"
    print(f"  {kind}: works after {healing.working:.2f} s, agrees after {healing.agreed:.2f} s{left}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
