"""What the commands say of themselves when they are asked with `--help`."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout

from orbitalis.cli.program import main as orbitalis
from orbitalis_codegen.__main__ import main as codegen
from orbitalis_conformance.__main__ import main as conformance

__all__ = ["COMMANDS", "describe"]

COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "orbitalis": orbitalis,
    "orbitalis-codegen": codegen,
    "orbitalis-conformance": conformance,
}
"""The commands that are installed, by name."""

_COLUMNS = "100"
_SUBCOMMAND = re.compile(r"^    ([a-z][a-z-]*)(?:  |$)", re.MULTILINE)


def describe(name: str) -> str:
    """Return the help of a command, and of each of its own commands.

    Raises:
        LookupError: There is no such command.
    """
    if name not in COMMANDS:
        raise LookupError(f"the commands are {', '.join(COMMANDS)}")
    text = _help(name)
    listed = text.partition("\ncommands:\n")[2].partition("\n\n")[0]
    parts = [_block(text)]
    for command in _SUBCOMMAND.findall(listed):
        # The meaning of the exit status stands in the help of the program.
        own = _help(name, command).partition("\nexit status:\n")[0]
        parts.append(f"### `{name} {command}`\n\n{_block(own)}")
    return "\n\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```"


def _help(name: str, *command: str) -> str:
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _COLUMNS
    try:
        with redirect_stdout(printed):
            COMMANDS[name]([*command, "--help"])
    except SystemExit:
        pass
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return printed.getvalue()
