"""Run the tester: as the command `orbitalis-conformance`, or as `python -m orbitalis_conformance`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["main"]

_UNUSABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the `arguments` are those of the process unless given."""
    try:
        from orbitalis_conformance import cli

        return cli.main(arguments)
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        print(
            "orbitalis-conformance needs yaml, which is not installed: pip install 'orbitalis-sdk[conformance]'",
            file=sys.stderr,
        )
        return _UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
