"""The dashboard as tests run it: the command as a process, a browser, and clients of its relay that are no browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.processes import ReportingProcess
from tests.support.repository import ROOT

__all__ = ["Browser", "Served", "closed", "needs_browser", "opened", "row", "serving"]

_PLAYWRIGHT = ROOT / "typescript" / "node_modules" / "playwright-core"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_IS_MISSING = _CHROMIUM is None or not _PLAYWRIGHT.exists()

needs_browser = pytest.mark.skipif(
    _IS_MISSING and os.environ.get("ORBITALIS_BROWSER") != "required",
    reason="the page takes Chromium (Debian's package chromium) and playwright-core (`make develop`)",
)
"""Skips where there is no browser, unless the environment says that there has to be one."""


class Served(ReportingProcess):
    """A running `orbitalis dashboard`, of which the URL is known."""

    url: str = ""

    def __init__(self, bus: str, *arguments: str) -> None:
        """Prepare the command for a bus."""
        program = (sys.executable, "-m", "orbitalis.cli", "dashboard", "--bus", bus, "--json", *arguments)
        super().__init__("dashboard", "", program=program)

    @property
    def origin(self) -> str:
        """The origin of the page."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def socket(self, path: str, *, origin: str | None = None, **options: Any) -> connect:
        """Connect with the relay, as the page does."""
        return connect(
            self.url.replace("http", "ws", 1) + path,
            origin=Origin(self.origin if origin is None else origin),
            subprotocols=[Subprotocol("mqtt")],
            compression=None,
            **options,
        )

    async def interrupt(self) -> int:
        """End it as Ctrl-C does; return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(self.patience):
            return await self._process.wait()

    async def _lines(self) -> AsyncIterator[dict[str, Any]]:
        async for report in super()._lines():
            yield {"event": "served", **report}


@asynccontextmanager
async def serving(bus: str, *arguments: str) -> AsyncIterator[Served]:
    """Serve the page until the end of the block."""
    served = Served(bus, *arguments)
    await served.launch()
    try:
        served.url = (await served.expect("served"))["url"]
        yield served
    finally:
        await served.kill()


class Browser(ReportingProcess):
    """A browser with one page."""

    def __init__(self) -> None:
        """Prepare it."""
        script = Path(__file__).with_name("browser.mjs")
        super().__init__("browser", "", program=("node", str(script), _CHROMIUM or "chromium"))

    async def ask(self, command: str, *arguments: object) -> Any:
        """Give it a command, and return what comes of it; fail where it fails."""
        self.tell(command, *arguments)
        answer = await self.expect("answer")
        assert "error" not in answer, f"{command} {arguments}: {answer['error']}"
        return answer["value"]

    async def wait_for(self, selector: str, *, within: float = 10.0) -> str:
        """Wait until something is to be seen; return its text."""
        found: str = await self.ask("text", selector, 1000 * within)
        return found


async def opened(browser: Browser, served: Served, selected: str = "", **options: object) -> None:
    """Open the page, and wait until it shows an orbiter."""
    answer = await browser.ask("open", f"{served.url}#{selected}", options)
    assert answer["status"] == 200
    await browser.wait_for("tbody tr")


def row(identifier: str, says: str) -> str:
    """Return the selector of a row of the table that says something of an orbiter."""
    return f'.orbiters tbody tr:has(th:has-text("{identifier}")):has(td:has-text("{says}"))'


async def closed(socket: ClientConnection) -> tuple[int | None, str]:
    """Wait until the relay has closed a WebSocket; return code and reason."""
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason or ""
