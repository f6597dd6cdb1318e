"""Hold many random pairs of schemas against fastavro: `python -m tests.avro.resolution [--pairs N] [--first SEED]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tests.avro.resolution.agreement import Tally, hold
from tests.support.arguments import positive

__all__: list[str] = []

_COMPATIBLE = 0.4
"""The share of the pairs that have to go together, for the values to say something."""
_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.avro.resolution", description=__doc__)
    parser.add_argument("--pairs", type=positive(int), default=100_000)
    parser.add_argument("--first", type=int, metavar="SEED", default=0, help="begin here (default: 0)")
    options = parser.parse_args(arguments)
    tally = Tally()
    seed = options.first
    while tally.pairs < options.pairs:
        hold(seed, tally)
        seed += 1
    print(tally)
    for one in tally.disagreements[:_SHOWN]:
        print(one)
    return bool(tally.disagreements) or tally.compatible < _COMPATIBLE * tally.pairs


if __name__ == "__main__":
    raise SystemExit(main())
