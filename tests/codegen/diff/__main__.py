"""Hold verdicts on random pairs of schemas against real decoding: `python -m tests.codegen.diff [--pairs N]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.codegen.diff.held import COMPATIBLE, Tally, hold
from tests.support.arguments import positive

__all__: list[str] = []

_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.codegen.diff", description=__doc__)
    parser.add_argument("--pairs", type=positive(int), default=100_000)
    parser.add_argument("--first", type=int, metavar="SEED", default=0, help="begin here (default: 0)")
    options = parser.parse_args(arguments)
    tally = Tally()
    seed, begun = options.first, time.monotonic()
    while tally.pairs < options.pairs:
        hold(seed, tally)
        seed += 1
    print(f"{tally}; {time.monotonic() - begun:.0f} s")
    for one in tally.disagreements[:_SHOWN]:
        print(one)
    return bool(tally.disagreements) or tally.compatible_pairs < COMPATIBLE * tally.pairs


if __name__ == "__main__":
    sys.exit(main())
