"""The broker of the demonstration: a mosquitto on a free loopback port, that can be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Final

from examples.demo.chronicle import StepFailedError

__all__ = ["Broker", "find_mosquitto"]

_HOST: Final = "127.0.0.1"
#: Below the ports that the kernel hands out: else a client that tries to connect while the broker is away may, once in
#: a while, get that very port for its own end, and talk to itself.
_PORTS: Final = range(20_000, 32_000)
_PATIENCE: Final = 15.0
_ATTEMPTS: Final = 5
_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin")


def find_mosquitto() -> str | None:
    """Return the path of the program: from `PATH`, or from the folders in which it is that are not in everybody's."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS]))


class Broker:
    """A mosquitto that lets everybody in and keeps nothing."""

    def __init__(self, program: str, *, on_crash: Callable[[str], None]) -> None:
        """Prepare a broker; `program` is its path. `on_crash` is told if it ends though nobody here has ended it."""
        self.port = 0
        """Its port, from the first start on."""
        self._program = program
        self._on_crash = on_crash
        self._may_end = True
        self._folder = tempfile.TemporaryDirectory(prefix="orbitalis-demo-")
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._log: list[str] = []

    @property
    def url(self) -> str:
        """Its URL, from the first start on."""
        return f"mqtt://{_HOST}:{self.port}"

    @property
    def process_identifier(self) -> int:
        """That of the process, while it runs."""
        return 0 if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, on the same port as before, and wait until it accepts connections.

        Raises:
            StepFailedError: It does not start.
        """
        # Somebody may take the port between our look at it and the broker's start.
        for _ in range(1 if self.port else _ATTEMPTS):
            port = self.port or _free_port()
            if await self._start(port):
                self.port = port
                return
        said = "\n".join(self._log[-5:]) or "it said nothing"
        raise StepFailedError("the broker to start", f"{self._program} did not:\n{said}")

    async def kill(self) -> None:
        """End it at once, as a crash would; does nothing if it is not running."""
        self._may_end = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._ended()

    async def stop(self) -> int | None:
        """End it in an orderly way, and return its exit status; `None` if it was not running."""
        process = self._process
        if process is None:
            return None
        self._may_end = True
        for _ in range(10):
            # More than once: in the moment after it says that it is running, mosquitto overlooks a signal.
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await process.wait()
                    break
        await self.kill()
        return process.returncode

    async def close(self) -> None:
        """End it, however it is, and remove its files."""
        await self.kill()
        self._folder.cleanup()

    async def _start(self, port: int) -> bool:
        """Start it on a port, and return whether it accepts connections there."""
        self._process = await asyncio.create_subprocess_exec(
            *(self._program, "-c", self._configure(port)),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
        )
        running = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self._process, running))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await running.wait()
                if self._process.returncode is None and await _accepts(port):
                    self._may_end = False
                    return True
        await self.kill()
        return False

    def _configure(self, port: int) -> str:
        """Write its configuration, and return the path of that."""
        path = Path(self._folder.name, "mosquitto.conf")
        lines = [
            f"listener {port} {_HOST}",
            "allow_anonymous true",
            "persistence false",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type information",
            # Without it, one that root starts becomes a user whom not every system has.
            "user root",
        ]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return str(path)

    async def _read(self, process: Process, running: asyncio.Event) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._log.append(text)
            if text.endswith("running"):
                running.set()
        # It has ended: nobody needs to wait for its start any more.
        status = await process.wait()
        running.set()
        if not self._may_end:
            self._on_crash(f"the broker ended by itself with status {status}")

    async def _ended(self) -> None:
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if process is not None:
            await process.wait()
        if reader is not None:
            await reader


def _free_port() -> int:
    """Return a loopback port on which nothing listens."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
        return port


async def _accepts(port: int) -> bool:
    """Return whether somebody accepts connections on a port."""
    try:
        _, writer = await asyncio.open_connection(_HOST, port)
    except OSError:
        return False
    writer.close()
    return True
