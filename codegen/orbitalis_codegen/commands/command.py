"""What a command is: its name, its arguments, what it does, and the words that complete it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DIFFERENT", "DONE", "PROGRAM", "UNUSABLE", "Command", "CommandError", "root_of"]

PROGRAM: Final = "orbitalis-codegen"
DONE: Final = 0
"""The exit status of what has been done; of a comparison: nothing differs."""
DIFFERENT: Final = 1
"""The exit status of a comparison that found something."""
UNUSABLE: Final = 2
"""The exit status where nothing could be done."""


class CommandError(Exception):
    """The command cannot do what it should; the text says why."""


def _no_arguments(_: argparse.ArgumentParser) -> None:
    """Add no arguments to the shared ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the program."""

    name: str
    summary: str
    """A line for the list of all commands."""
    description: str
    """What the help of the command says."""
    run: Callable[[argparse.Namespace], int]
    """Does it, and returns the exit status; what it imports beyond this package's surface, it imports when called."""
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments
    """Adds the arguments that it has of its own."""
    words: Callable[[], tuple[str, ...]] = tuple
    """Gives its own options and the values that may stand by themselves, for completion."""
    takes_root: bool = False
    """Whether it works in the folder of a specification, which `--root` names."""

    @property
    def all_words(self) -> tuple[str, ...]:
        """The words that may follow the name."""
        root = ("--root",) if self.takes_root else ()
        return (*root, "--format", "--help", *self.words())


def root_of(options: argparse.Namespace) -> Path:
    """The folder of the specification."""
    root: Path = getattr(options, "root", Path())
    return root
