"""Run the command: `python -m orbitalis.cli`."""

from __future__ import annotations

import sys

from orbitalis.cli.program import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
