"""Runs all benchmarks, or those that are named: `python -m benchmarks [NAME ...]`; `--help` says what else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.measuring import MeasurementError, Settings

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS = (
    "handshakes",
    "executions",
    "requests",
    "distribution",
    "concurrency",
    "operations",
    "memory",
    "idle",
    "imports",
    "mqtt",
    "standstill",
    "deaths",
    "simulation",
    "bus",
    "codec",
    "typescript",
    "generator",
)
"""Modules of this package, each with a function `main`."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"which ones (default: all): {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="only see whether they work: the numbers mean nothing")
    parser.add_argument("--reference", metavar="PYTHON", help="compare with py-orbitalis, which this Python has")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(BENCHMARKS)):
        parser.error(f"unknown: {', '.join(unknown)}")
    settings = Settings(quick=options.quick, reference=options.reference)
    failed: list[str] = []
    for name in options.names or BENCHMARKS:
        module = import_module(f"benchmarks.{name}")
        print(f"== {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        try:
            module.main(settings)
        except MeasurementError as error:
            print(error)
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
