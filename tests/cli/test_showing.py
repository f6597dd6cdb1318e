"""Tables: those of rich on a terminal, plain text where there is none or rich is missing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orbitalis.cli.showing import ago, when
from tests.support.repository import ROOT

PROGRAM = """
from orbitalis.cli.showing import print_table
print_table(("NAME", "COUNT"), [("lamp[red]", 1), ("a\\x1b[31m", 20)])
"""


def printed(*, is_terminal: bool, path: str = str(ROOT)) -> str:
    """Return what a program writes that shows a table."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": path, "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    with os.fdopen(theirs, "wb") as terminal:
        output = terminal if is_terminal else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, stdout=output, check=True)
    text = os.read(ours, 10_000).decode() if is_terminal else done.stdout.decode()
    os.close(ours)
    return text.replace("\r\n", "\n")


PLAIN = "NAME       COUNT\nlamp[red]  1\na\\x1b[31m  20\n"


def test_a_terminal_gets_a_table_of_rich() -> None:
    text = printed(is_terminal=True)

    assert "\x1b[1m" in text
    assert "lamp[red]" in text
    assert "a\\x1b[31m" in text


def test_a_pipe_gets_plain_text() -> None:
    assert printed(is_terminal=False) == PLAIN


@pytest.mark.parametrize("is_terminal", [True, False])
def test_without_rich_it_is_plain_text(is_terminal: bool, tmp_path: Path) -> None:
    # What stands first in the path is found first, and this cannot be imported.
    (tmp_path / "rich.py").write_text("raise ImportError(name=__name__)")

    assert printed(is_terminal=is_terminal, path=f"{tmp_path}:{ROOT}") == PLAIN


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, ("now", "now")), (185, ("3 min", "3 min ago")), (-60, ("60 s ahead of this clock",) * 2)]
)
def test_a_time_is_told_by_how_long_ago_it_was(seconds: int, told: tuple[str, str]) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=seconds)

    assert (ago(moment), when(moment)) == told
