"""The stage on which every orbiter is a process of its own, and so is the broker between them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from pathlib import Path
from typing import Final

from examples.demo.broker import Broker
from examples.demo.chronicle import Chronicle, StepFailedError
from examples.demo.stage import Actor, Stage
from examples.lamps.report import Report

__all__ = ["ChildProcess", "ProcessStage"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 15.0
_GRACE: Final = 3.0
"""Seconds for which children may stop in an orderly way when the play ends early."""
_PIPE_LIMIT: Final = 2**20


class ChildProcess(Actor):
    """An orbiter in a process of its own; it reports on its output and takes commands on its input.

    The output of one that does not report is told as it is.
    """

    def __init__(self, identifier: str, chronicle: Chronicle, *, reports: bool = True) -> None:
        """Prepare it."""
        self.identifier = identifier
        self._reports = reports
        self._chronicle = chronicle
        self._errors: deque[str] = deque(maxlen=20)
        self._may_end = False
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, *command: str) -> None:
        """Run a command."""
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_PIPE_LIMIT,
            # Ctrl-C is for the demonstration, which then ends its children one after the other.
            start_new_session=True,
        )
        self._watcher = asyncio.create_task(self._watch(self._process))

    @property
    def process_identifier(self) -> int:
        """That of the process, once it was started."""
        return 0 if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether there is anything left of it, what it may have started included."""
        if self._process is None:
            return False
        if self._process.returncode is None:
            return True
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def tell(self, command: str) -> None:
        """Give it a command, a line of text."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def kill(self) -> None:
        """End it with SIGKILL, of which it hears nothing."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def terminate(self) -> int:
        """End it with SIGTERM, and return its exit status."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self.ended()
        except TimeoutError:
            raise StepFailedError(
                f"{self.identifier} to end after SIGTERM", f"it still ran {_PATIENCE:g} s later"
            ) from None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal after which it may end."""
        self._may_end = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end, and return its exit status: negative for a signal."""
        assert self._process is not None
        assert self._watcher is not None
        await asyncio.shield(self._watcher)
        return await self._process.wait()

    async def _watch(self, process: Process) -> None:
        """Take its reports until it ends."""
        await asyncio.gather(self._read_reports(process), self._read_errors(process))
        status = await process.wait()
        if not self._may_end:
            last = "\n".join(self._errors) or "it gave no reason"
            self._chronicle.break_off(f"{self.identifier} ended by itself with status {status}:\n{last}")

    async def _read_reports(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if not self._reports:
                self._chronicle.note(self.identifier, line.decode(errors="replace").rstrip())
                continue
            try:
                self._chronicle.add(Report.from_line(line))
            except ValueError as error:
                self._chronicle.break_off(f"{self.identifier} wrote something else than reports: {error}")

    async def _read_errors(self, process: Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self._errors.append(line.decode(errors="replace").rstrip())


class ProcessStage(Stage):
    """Runs the broker and every orbiter as a process."""

    is_one_process = False

    def __init__(self, mosquitto: str, chronicle: Chronicle, *, lamp_module: str) -> None:
        """Prepare it; `mosquitto` is the path of the broker's program."""
        self._chronicle = chronicle
        self._lamp_module = lamp_module
        self._broker = Broker(mosquitto, on_crash=chronicle.break_off)
        self._children: list[ChildProcess] = []

    async def open(self) -> str:
        """Start the broker, and return its URL."""
        await self._broker.start()
        self._chronicle.note("broker", f"process {self._broker.process_identifier} listens on {self._broker.url}")
        return self._broker.url

    async def start_home(self, identifier: str, *, lamps: int, dimmable: int) -> Actor:
        """Start a home as a process."""
        needs = ("--lamps", str(lamps), "--dimmable", str(dimmable))
        return await self._start("examples.lamps.home", identifier, *needs)

    async def start_lamp(self, identifier: str, kind: str) -> Actor:
        """Start a lamp as a process."""
        return await self._start(self._lamp_module, identifier, "--kind", kind)

    async def start_program(self, identifier: str, *command: str) -> Actor:
        """Start a program as a process."""
        return await self._start_child(ChildProcess(identifier, self._chronicle, reports=False), *command)

    async def kill_bus(self) -> None:
        """End the broker with SIGKILL."""
        await self._broker.kill()

    async def restart_bus(self) -> None:
        """Start the broker again, on the same port."""
        await self._broker.start()
        self._chronicle.note("broker", f"process {self._broker.process_identifier} listens on the same port as before")

    async def close_bus(self) -> None:
        """End the broker with SIGTERM."""
        status = await self._broker.stop()
        if status != 0:
            raise StepFailedError("the broker to end with status 0", f"its status was {status}")

    def left_running(self) -> list[str]:
        """Return the names of processes that still run."""
        names = [child.identifier for child in self._children if child.is_running]
        return [*names, "broker"] if self._broker.process_identifier else names

    async def close(self) -> None:
        """End everything that still runs: with SIGTERM, and after a while with SIGKILL."""
        running = [child for child in self._children if child.is_running]
        for child in running:
            child.signal(signal.SIGTERM)
        ends = [asyncio.create_task(child.ended()) for child in running]
        if ends:
            await asyncio.wait(ends, timeout=_GRACE)
        for child in running:
            child.signal(signal.SIGKILL)
        await asyncio.gather(*ends)
        await self._broker.close()

    async def _start(self, module: str, identifier: str, *arguments: str) -> Actor:
        common = ("--identifier", identifier, "--bus", self._broker.url, "--json")
        child = ChildProcess(identifier, self._chronicle)
        return await self._start_child(child, sys.executable, "-m", module, *common, *arguments)

    async def _start_child(self, child: ChildProcess, *command: str) -> Actor:
        self._children.append(child)
        await child.start(*command)
        self._chronicle.note("demo", f"starts {child.identifier} as process {child.process_identifier}")
        return child
