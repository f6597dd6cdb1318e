"""Run the demonstration: `python -m examples.demo`."""

from __future__ import annotations

import sys

__all__: list[str] = []

if __name__ == "__main__":
    try:
        # Here, so that Ctrl-C while it is imported is no reason for a traceback either.
        from examples.demo.program import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
