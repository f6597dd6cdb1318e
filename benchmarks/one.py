"""Takes one measurement in this process, for :func:`benchmarks.measuring.fresh`: `MODULE FUNCTION ARGUMENTS`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.measuring import run_measurement

__all__: list[str] = []

if __name__ == "__main__":
    module, function, arguments = sys.argv[1:]
    run_measurement(getattr(import_module(module), function), arguments)
