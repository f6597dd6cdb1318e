"""Programs that tests run and talk to, and what of them is left when they have ended."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.repository import ROOT

__all__ = ["MARK", "Program", "marked", "processes_left"]

MARK = "ORBITALIS_TEST_MARK"

_PATIENCE = 60.0


def marked() -> dict[str, str]:
    """Return an environment by which :func:`processes_left` knows a program and all its descendants."""
    return {MARK: uuid.uuid4().hex, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "110"}


def processes_left(environment: dict[str, str]) -> list[str]:
    """Return the command lines of the processes that have the environment of :func:`marked`, except this one."""
    wanted, found = f"{MARK}={environment[MARK]}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            # It has ended meanwhile, or is somebody else's.
            continue
    return found


class Program:
    """A module of Python that runs as a program, line by line; or what is run by another command than `python -m`."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: dict[str, str],
        command: Sequence[str] = (sys.executable, "-m"),
        folder: Path = ROOT,
    ) -> None:
        """Start it in a folder."""
        self.output: list[str] = []
        """Every line that it wrote, on both streams."""
        self._process = subprocess.Popen(
            [*command, module, *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not SIGKILL at first: what it has started would be left behind.
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def write(self, line: str) -> None:
        """Give it a line of input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")

    def expect(self, text: str) -> str:
        """Wait for a line that contains `text`, and return it; earlier calls have taken what came until theirs."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                break
            assert line is not None, f"it ended before {text!r}; it wrote\n" + "\n".join(self.output)
            if text in line:
                return line
        raise AssertionError(f"it did not write {text!r}, but\n" + "\n".join(self.output))

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self._process.wait(_PATIENCE)
        self._reader.join()
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.output.append(line.rstrip("\n"))
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
