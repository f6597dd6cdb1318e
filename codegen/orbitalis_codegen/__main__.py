"""Run the generator: as the command `orbitalis-codegen`, or as `python -m orbitalis_codegen`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["main"]

_UNUSABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the `arguments` are those of the process unless given."""
    try:
        from orbitalis_codegen import cli

        return cli.main(arguments)
    except KeyboardInterrupt:
        # Without a traceback, but as a process that was interrupted ends: a shell then ends its script, too.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        return _UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
