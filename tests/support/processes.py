"""Orbiters in processes of their own: started, asked, listened to, and killed by tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tests.support.repository import ROOT

__all__ = ["OrbiterProcess", "ReportingProcess"]

_SHOWN = 30
"""Reports that a failure shows."""


class ReportingProcess:
    """A process that reports on its output, and takes commands on its input: JSON, one a line."""

    patience = 30.0
    """Seconds for which reports are waited for."""

    def __init__(self, identifier: str, module: str, *arguments: str, program: Sequence[str] | None = None) -> None:
        """Prepare a process that runs `module` of this repository, or else `program`."""
        self.identifier = identifier
        self.reports: list[dict[str, Any]] = []
        """Everything that it reported."""
        self._program = program or (sys.executable, "-m", module)
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._ended = False
        self._unclaimed: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        await self.launch()
        await self.expect("started")
        return self

    async def launch(self) -> None:
        """Start it, without waiting for its report that it has started."""
        self._process = await asyncio.create_subprocess_exec(
            *self._program,
            *self._arguments,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        assert self._process is not None
        assert self._reader is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def stop(self) -> int:
        """Have it stop in an orderly way, and return its exit status."""
        assert self._process is not None
        self.tell("stop")
        async with asyncio.timeout(self.patience):
            return await self._process.wait()

    def tell(self, command: str, *arguments: object) -> None:
        """Give it a command."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([command, *arguments])}\n".encode())

    async def ask(self, command: str, *arguments: object) -> Any:
        """Give it a command and return what it reports of the outcome."""
        self.tell(command, *arguments)
        return (await self.expect("answer"))["value"]

    async def expect(self, event: str, **content: object) -> dict[str, Any]:
        """Wait for a report that no earlier call has returned, and return it."""
        wanted = {"event": event, **content}

        def claim() -> dict[str, Any] | None:
            for report in self._unclaimed:
                if wanted.items() <= report.items():
                    self._unclaimed.remove(report)
                    return report
            return None

        return await self.until(f"report {wanted}", claim)

    async def until(self, what: str, find: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
        """Wait until `find` finds something in the reports, and return that; `what` says what that is."""
        try:
            async with asyncio.timeout(self.patience), self._changed:
                while True:
                    if (found := find()) is not None:
                        return found
                    assert not self._ended, f"{self.identifier} ended and did not {what}: {self._last_reports()}"
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.identifier} did not {what} but {self._last_reports()}") from None

    def _last_reports(self) -> list[dict[str, Any]]:
        return [report for report in self.reports if report["event"] != "answer"][-_SHOWN:]

    async def _read(self) -> None:
        async for report in self._lines():
            async with self._changed:
                self.reports.append(report)
                self._unclaimed.append(report)
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _lines(self) -> AsyncIterator[dict[str, Any]]:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            yield json.loads(line)


class OrbiterProcess(ReportingProcess):
    """A process that runs `tests.processes.program`, with one orbiter."""

    def __init__(self, kind: str, identifier: str, bus: str, **options: object) -> None:
        """Prepare a process; `options` are attributes of the orbiter."""
        super().__init__(identifier, "tests.processes.program", kind, identifier, bus, json.dumps(options))
