"""The TypeScript package in Chromium, over WebSockets: bundled from the archive, with Python on the other side."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orbitalis import StringMessage
from tests.support.broker import Broker
from tests.support.repository import run
from tests.typescript.installed import readme_programs
from tests.typescript.package import MODULES, needs_node
from tests.typescript.python_side import PATIENCE, TEXT, compliant, lower, python_core, python_plugin

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = Path(__file__).parent / "browser.js"
BROKER = "mqtt://localhost:1883"

pytestmark = [
    needs_node,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: the variable CHROMIUM may name one"),
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("typescript package"),
]


class Page:
    """A page in Chromium, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take the process that runs it."""
        self._process = process

    async def says(self, wanted: str) -> None:
        """Wait until it says a line, and nothing else before that."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = (await self._process.stdout.readline()).decode().rstrip("\n")
        assert said == wanted

    async def close(self) -> None:
        """Close the page and its browser, as a user does who goes away."""
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()


@pytest.fixture
def websockets(new_broker: Callable[..., Broker]) -> Broker:
    """Give a broker that browsers can connect with."""
    return new_broker(has_websockets=True)


def bundle(project: Path, source: str) -> dict[str, int]:
    """Make the script of a page of a program, for browsers alone; return the bytes that each file has in it."""
    (project / "page.ts").write_text(source, encoding="utf-8")
    builder = MODULES / "esbuild" / "bin" / "esbuild"
    options = ["--bundle", "--platform=browser", "--format=esm", "--target=es2022", "--minify", "--log-level=warning"]
    run(["node", builder, "page.ts", *options, "--outfile=bundle.js", "--metafile=bundle.json"], folder=project)
    (made,) = json.loads((project / "bundle.json").read_text())["outputs"].values()
    return {name: one["bytesInOutput"] for name, one in made["inputs"].items()}


@asynccontextmanager
async def opened(project: Path, source: str) -> AsyncGenerator[Page]:
    """Have a program run in a page until the end of the block."""
    bundle(project, source)
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        *("node", DRIVER, CHROMIUM, project / "bundle.js", MODULES),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    page = Page(process)
    try:
        yield page
    finally:
        await page.close()


def test_a_bundle_takes_nothing_of_node(project: Path) -> None:
    plugin, *_ = readme_programs()

    files = bundle(project, plugin)

    # Whatever is of Node alone, the bundler would not have found.
    others = {name for name in files if not name.startswith("node_modules/@orbitalis/sdk/dist/")}
    assert others == {"page.ts", "node_modules/mqtt/dist/mqtt.esm.js"}


async def test_a_core_in_python_uses_a_plugin_in_a_browser(project: Path, websockets: Broker) -> None:
    plugin, *_ = readme_programs()
    source = plugin.replace(BROKER, websockets.websocket_url) + 'console.log("started");'

    async with opened(project, source) as page, python_core(websockets, "turn_on", TEXT) as core:
        await page.says("started")
        await compliant(core)

        assert await core.request("turn_on", "the kitchen") == StringMessage(value="the kitchen is on")


async def test_a_core_in_a_browser_uses_a_plugin_in_python(project: Path, websockets: Broker) -> None:
    _, core, *_ = readme_programs()
    source = core.replace(BROKER, websockets.websocket_url)

    async with python_plugin(websockets, "turn_on", TEXT, lower), opened(project, source) as page:
        await page.says("the kitchen")


async def test_python_notices_that_a_page_was_closed(project: Path, websockets: Broker) -> None:
    plugin, *_ = readme_programs()
    source = plugin.replace(BROKER, websockets.websocket_url)

    async with opened(project, source) as page, python_core(websockets, "turn_on", TEXT) as core:
        await compliant(core)
        # What the core subscribes to by now, the broker knows once it has carried this.
        await core.request("turn_on", "the kitchen")

        await page.close()

        async with asyncio.timeout(PATIENCE):
            assert await core.dead.get() == "lamp"


async def test_a_plugin_in_a_browser_goes_on_after_the_broker_was_away(project: Path, websockets: Broker) -> None:
    plugin, *_ = readme_programs()
    source = plugin.replace(BROKER, websockets.websocket_url) + 'console.log("started");'

    async with opened(project, source) as page:
        await page.says("started")
        await asyncio.to_thread(websockets.restart)

        async with python_core(websockets, "turn_on", TEXT) as core:
            await compliant(core)
            assert await core.request("turn_on", "the hall") == StringMessage(value="the hall is on")
