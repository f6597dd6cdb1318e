"""What the demonstration shows: headings, explanations, who says what, and steps that went well or not."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from typing import Final, TextIO

__all__ = ["Terminal"]

_SPEAKER_WIDTH = 9
_WIDEST: Final = 110
_COLOURS: Final = (36, 33, 35, 34, 96, 93, 95, 94)
_BOLD, _DIM, _RED, _GREEN = 1, 2, 31, 32


class Terminal:
    """Writes to a stream, in colour if that is a terminal and nobody has asked for none (`NO_COLOR`)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default to standard output."""
        self._stream = sys.stdout if stream is None else stream
        self._is_coloured = (
            self._stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self._width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
        self._speakers: dict[str, int] = {}
        self._since = time.time()
        self._tick, self._cross, self._rule, self._bar = (
            ("✓", "✗", "─", "│") if self._can_write("✓✗─│") else ("ok", "FAILED", "-", "|")
        )

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._write("")
        self._write(self._styled(f"{self._rule * 2} {text} ".ljust(self._width, self._rule), _BOLD))

    def explain(self, text: str) -> None:
        """Write something for the reader, between the lines of the play."""
        for line in textwrap.wrap(text, self._width):
            self._write(line)
        self._write("")

    def say(self, speaker: str, text: str, at: float) -> None:
        """Write what somebody says; `at` is in seconds since 1970."""
        colour = self._speakers.setdefault(speaker, _COLOURS[len(self._speakers) % len(_COLOURS)])
        clock = f"{max(at - self._since, 0):6.2f} s "
        prefix = f"{speaker:<{_SPEAKER_WIDTH}} {self._bar} "
        first, *others = textwrap.wrap(text, max(self._width - len(clock) - len(prefix), 30)) or [""]
        self._write(self._styled(clock, _DIM) + self._styled(prefix, colour) + first)
        for line in others:
            self._write(" " * len(clock) + self._styled(f"{'':<{_SPEAKER_WIDTH}} {self._bar} ", colour) + line)

    def step(self, title: str, *, done: bool) -> None:
        """Write that a step has gone well, or not."""
        mark, colour = (self._tick, _GREEN) if done else (self._cross, _RED)
        self._write(f"  {self._styled(f'{mark} {title}', colour)}")

    def failure(self, expected: str, reason: str) -> None:
        """Write what was expected of a step and what came."""
        self._write(f"    expected: {expected}")
        first, *others = reason.splitlines() or [""]
        self._write(f"    but:      {first}")
        for line in others:
            self._write(f"              {line}")

    def line(self, text: str = "") -> None:
        """Write a line as it is."""
        self._write(text)

    def _write(self, text: str) -> None:
        print(text.rstrip(), file=self._stream, flush=True)

    def _styled(self, text: str, style: int) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._is_coloured else text

    def _can_write(self, text: str) -> bool:
        try:
            text.encode(getattr(self._stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return False
        return True
