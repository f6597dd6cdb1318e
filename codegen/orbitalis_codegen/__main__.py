"""Run the generator as `python -m orbitalis_codegen`."""

from __future__ import annotations

import sys

from orbitalis_codegen.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
