"""How the command ends: its exit codes, and :class:`CommandError` for what a user is told instead of a traceback."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CommandError", "Exit"]


class Exit(IntEnum):
    """Exit codes; docs/how-to/operating.md lists them."""

    OK = 0
    """All went well."""
    NOT_WELL = 1
    """There is an answer, but it shows a problem: not compliant, or something is wrong."""
    MISUSED = 2
    """The command line or the input is wrong."""
    NO_BUS = 3
    """The bus cannot be reached, or refuses."""
    NOBODY = 4
    """Nobody answers, or there is no such orbiter or operation."""
    FAILED = 5
    """A call had no good answer."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CommandError(Exception):
    """A command cannot do what it should; the text says why, and what to do."""

    def __init__(self, status: Exit, text: str) -> None:
        super().__init__(text)
        self.status = status
