"""Runs all benchmarks, or those that are named: `python -m benchmarks [generator|codec|bus ...]`."""

from __future__ import annotations

import sys

from benchmarks import bus, codec, generator

__all__ = ["main"]

_ALL = {"generator": generator.main, "codec": codec.main, "bus": bus.main}


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all."""
    unknown = sorted(set(names) - _ALL.keys())
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(_ALL)}", file=sys.stderr)
        return 2
    for name in names or _ALL:
        print(f"== {name}")
        _ALL[name]()
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
