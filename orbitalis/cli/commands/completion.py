"""`orbitalis completion`: a script that completes the command line."""

from __future__ import annotations

import argparse

from orbitalis.cli.arguments import words
from orbitalis.cli.completion import script
from orbitalis.cli.failure import Exit

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the script of a shell, or what it is made from as JSON."""
    commands, top = words()
    if options.json:
        from orbitalis.cli.showing import print_json

        print_json(commands)
    else:
        print(script(options.shell, commands, top), end="")
    return Exit.OK
