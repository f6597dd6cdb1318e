"""The examples of the user guide: each prints what `docs/start/examples.md` says, and leaves nothing running."""

from __future__ import annotations

import asyncio
import importlib
import re

import pytest

from orbitalis import LocalEventBus
from tests.examples.snippets import snippets
from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "start" / "examples.md"
FOLDER = ROOT / "examples" / "guide"
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def shown() -> dict[str, str]:
    """Return what the page says that each example prints, by the name of its module."""
    links = re.finditer(r"^\[(\w+)\.py\]\((?:\.\./)+examples/guide/\1\.py\): ", text := PAGE.read_text(), re.MULTILINE)
    lines = {text.count("\n", 0, link.start()) + 1: link[1] for link in links}
    outputs = [snippet for snippet in snippets() if snippet.path == PAGE and snippet.kind == "text"]
    return {name: next(output.text for output in outputs if output.line > line) for line, name in lines.items()}


def test_the_page_lists_every_example() -> None:
    assert sorted(shown()) == MODULES


@pytest.mark.parametrize("name", MODULES)
async def test_an_example_prints_what_the_page_says(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORBITALIS_BUS", raising=False)
    # The bus that all of a process share has to be free of others, and to be there as long as the example runs.
    bus = LocalEventBus.named()
    module = importlib.import_module(f"examples.guide.{name}")
    async with asyncio.timeout(20):
        await module.main()
    assert capsys.readouterr().out == shown()[name]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert bus._subscriptions.match("$handshake.discover") == []


@pytest.mark.parametrize("name", MODULES)
def test_an_example_uses_nothing_but_what_the_package_offers(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text()
    imported = set(re.findall(r"^from ((?:orbitalis|tests)[\w.]*) import", source, re.MULTILINE))
    assert imported == {"orbitalis"}
