"""The subject: a program of somebody's, that is started by a command and spoken to in lines of JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from orbitalis_conformance.errors import Fault, ToolError
from orbitalis_conformance.features import unknown_feature

__all__ = ["Report", "Subject"]

_READY_TIMEOUT: Final = 60.0
_ANSWER_TIMEOUT: Final = 20.0
_LINE_LIMIT: Final = 16 * 1024 * 1024


def _ignore() -> None:
    """Do nothing about a report."""


@dataclass(eq=False)
class Report:
    """A line that the subject has written."""

    at: float
    event: str
    content: Mapping[str, Any]
    is_taken: bool = False

    def __str__(self) -> str:
        """Show it in a line."""
        return f"{self.event} {dict(self.content)}" if self.content else self.event


@dataclass(eq=False)
class Subject:
    """One process of the subject."""

    command: Sequence[str]
    lacks: frozenset[str] = frozenset()
    """The features that it says it does without."""
    name: str = ""
    is_reusable: bool = False
    """Whether it can be configured anew after a `reset`."""
    reports: list[Report] = field(default_factory=list[Report])
    """What it has reported since the last reset."""
    errors: list[str] = field(default_factory=list[str])
    """What it has written to standard error since it was started or a case ended, the last lines."""
    on_report: Callable[[], None] = _ignore
    _process: asyncio.subprocess.Process | None = None
    _readers: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _answers: dict[int, asyncio.Future[Report]] = field(default_factory=dict[int, asyncio.Future[Report]])
    _ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    async def launch(self) -> None:
        """Start the process, and wait until it is ready to be configured."""
        self._ready.clear()
        self.errors.clear()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(f"the subject cannot be started by {list(self.command)}: {error}") from None
        self._readers = [asyncio.create_task(self._read()), asyncio.create_task(self._read_errors())]
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait([ready, self._readers[0]], timeout=_READY_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not self._ready.is_set():
            what = "ended before it wrote" if self._readers[0].done() else f"did not write within {_READY_TIMEOUT:g} s"
            await self.kill()
            raise ToolError(f"{list(self.command)} {what} a line with the event 'ready'{self.last_errors()}")
        if wrong := unknown_feature(self.lacks):
            await self.kill()
            raise ToolError(f"the subject says in 'lacks' what it does without, but {wrong}")

    async def kill(self) -> None:
        """End the process at once, as a crash would, and all that it has started."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if process is not None:
            await process.wait()
            await asyncio.gather(*self._readers, return_exceptions=True)
        self._fail_answers()

    def suspend(self, *, goes_on: bool) -> None:
        """Stop the process from doing anything, or let it go on."""
        if self._process is None:
            raise ToolError("the subject is not running")
        self._process.send_signal(signal.SIGCONT if goes_on else signal.SIGSTOP)

    def tell(self, action: str, arguments: Mapping[str, Any]) -> int:
        """Tell it to do something; return the number of the answer."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise Fault(f"the subject is not there any more to {action}{self.last_errors()}")
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"do": action, "id": number, **arguments})
        with suppress(ConnectionError):
            process.stdin.write(line.encode() + b"\n")
        return number

    async def answer(self, number: int, action: str, *, patience: float = _ANSWER_TIMEOUT) -> Report:
        """Wait until it says that it has done what it was told.

        Raises:
            Fault: It does not say so in time, or ended.
        """
        future = self._answers[number]
        try:
            return await asyncio.wait_for(asyncio.shield(future), patience)
        except TimeoutError:
            raise Fault(f"the subject was told to {action}, and has not answered in {patience:g} s") from None
        finally:
            self._answers.pop(number, None)

    async def do(self, action: str, arguments: Mapping[str, Any]) -> Report:
        """Tell it to do something, and wait until it has."""
        answer = await self.answer(self.tell(action, arguments), action)
        if answer.event == "failed":
            raise Fault(f"the subject was told to {action}, and failed: {answer.content.get('error', '')}")
        return answer

    def last_errors(self) -> str:
        """Return what it wrote to standard error last, for an error."""
        return "; it wrote:\n" + "\n".join(self.errors[-15:]) if self.errors else ""

    async def _read(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        with suppress(ValueError):  # a line beyond the limit
            async for line in process.stdout:
                self._take_line(line)
        self._fail_answers()
        self.on_report()

    def _take_line(self, line: bytes) -> None:
        try:
            content = json.loads(line)
            event = content.pop("event")
        except (ValueError, AttributeError, KeyError, TypeError):
            self.errors.append(f"no report: {line[:200]!r}")
            self.reports.append(Report(time.monotonic(), "malformed report", {"line": repr(line[:200])}))
            return
        report = Report(time.monotonic(), str(event), content)
        if report.event == "ready":
            self.name = str(content.get("subject", ""))
            self.lacks = frozenset(content.get("lacks", ()))
            self.is_reusable = bool(content.get("reusable", False))
            self._ready.set()
        elif report.event in ("done", "failed"):
            future = self._answers.get(content.get("id", 0))
            if future is not None and not future.done():
                future.set_result(report)
        else:
            self.reports.append(report)
        self.on_report()

    async def _read_errors(self) -> None:
        process = self._process
        if process is None or process.stderr is None:
            return
        with suppress(ValueError):
            async for line in process.stderr:
                self.errors.append(line.decode(errors="replace").rstrip())
                del self.errors[:-200]

    def _fail_answers(self) -> None:
        for future in self._answers.values():
            if not future.done():
                future.set_result(Report(time.monotonic(), "failed", {"error": f"it has ended{self.last_errors()}"}))
