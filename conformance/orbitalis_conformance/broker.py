"""A broker for the tester: mosquitto on a free loopback port, with nothing that anybody else publishes."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from orbitalis_conformance.errors import ToolError

__all__ = ["Broker"]

HOST: Final = "127.0.0.1"
#: Below those that the kernel hands out, or a client that tries again may connect to itself.
_PORTS: Final = range(20_000, 32_000)
_START_TIMEOUT: Final = 30.0


#: As mosquitto tells of a client.
_CONNECTED: Final = re.compile(r"New client connected from \S+ as (.+) \(p(\d+), c(\d),")
_VERSIONS: Final = {"1": "3.1", "2": "3.1.1", "5": "5.0"}


class Connection(NamedTuple):
    """How a client has connected."""

    client: str
    version: str
    """Of MQTT."""
    has_clean_start: bool


class Broker:
    """One mosquitto."""

    def __init__(self) -> None:
        self.port = _unused_port()
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log = Path(os.devnull)

    @property
    def is_stopped(self) -> bool:
        """Whether it is not running."""
        return self._process is None or self._process.returncode is not None

    async def start(self) -> None:
        """Start it, on the same port each time, and wait until it accepts connections."""
        program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
        if program is None:
            raise ToolError("mosquitto is missing: neither in PATH nor in /usr/sbin; install it")
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="orbitalis-conformance-")
        self._log = Path(self._folder.name, "mosquitto.log")
        configuration = Path(self._folder.name, "mosquitto.conf")
        # It gives no queue a bound: what a case publishes at once has to arrive.
        lines = (
            f"listener {self.port} {HOST}",
            "allow_anonymous true",
            "persistence false",
            "log_type notice",
            "log_dest stderr",
            "connection_messages true",
            "log_timestamp false",
            "set_tcp_nodelay true",
            "max_queued_messages 0",
            "max_inflight_messages 0",
        )
        _write(configuration, "\n".join(lines) + "\n")
        with _appended(self._log) as log:
            self._process = await asyncio.create_subprocess_exec(
                program,
                "-c",
                str(configuration),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        await self._wait_until_it_listens(self._process)

    def connections(self) -> list[Connection]:
        """Return how clients have connected, from the first on."""
        told: list[tuple[str, str, str]] = _CONNECTED.findall(self._log.read_text(encoding="utf-8", errors="replace"))
        return [Connection(client, _VERSIONS.get(version, version), clean == "1") for client, version, clean in told]

    async def _wait_until_it_listens(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _START_TIMEOUT
        while loop.time() < end:
            if process.returncode is not None:
                raise ToolError(f"mosquitto ended at its start, with status {process.returncode}")
            with suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)
        raise ToolError(f"mosquitto does not listen on port {self.port} after {_START_TIMEOUT:g} s")

    async def stop(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """End it, and remove its files: also if this is cancelled, as when another broker's subject does not start."""
        try:
            await self.stop()
        finally:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


def _appended(path: Path) -> BinaryIO:
    return path.open("ab")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _unused_port() -> int:
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
