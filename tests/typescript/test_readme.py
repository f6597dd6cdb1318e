"""The plugin and the core that the README of the TypeScript package shows, as they stand there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.repository import run
from tests.typescript.package import PACKAGE, built, needs_node

pytestmark = [needs_node, pytest.mark.timeout(120)]

SNIPPET = re.compile(r"```ts\n(.*?)```", re.DOTALL)
BROKER = "mqtt://localhost:1883"


def snippets() -> list[str]:
    """Return the programs of the README, in order."""
    return [found[1] for found in SNIPPET.finditer((PACKAGE / "README.md").read_text(encoding="utf-8"))]


def program(folder: Path, name: str, source: str, broker: Broker) -> Path:
    """Write a program to where it finds the package by its name."""
    assert BROKER in source
    path = folder / f"{name}.mjs"
    path.write_text(source.replace(BROKER, broker.url), encoding="utf-8")
    return path


@contextmanager
def running(path: Path) -> Generator[None]:
    """Have a program run until the end of the block."""
    process = subprocess.Popen(["node", path], stdin=subprocess.DEVNULL)
    try:
        yield
        assert process.poll() is None, "the plugin has ended by itself"
    finally:
        process.kill()
        process.wait()


def test_the_plugin_has_six_lines() -> None:
    plugin, _ = snippets()

    assert len(list(filter(None, plugin.splitlines()))) == 6


def test_the_core_uses_the_plugin(broker: Broker) -> None:
    plugin, core = snippets()
    folder = built() / "readme"
    folder.mkdir(exist_ok=True)

    with running(program(folder, "plugin", plugin, broker)):
        assert run(["node", program(folder, "core", core, broker)], timeout=60) == "the kitchen is on\n"
