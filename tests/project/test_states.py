"""The page of states is what the runtime's transition tables give."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest

from orbitalis.protocol import transitions
from tests.support.repository import ROOT, run

TABLES = ("CORE_SLOT", "PLUGIN_SLOT", "CORE_LIFE", "PLUGIN_LIFE")


@pytest.fixture
def tool() -> ModuleType:
    specification = importlib.util.spec_from_file_location("draw_states", ROOT / "tools" / "draw_states.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    run([sys.executable, ROOT / "tools" / "draw_states.py", "--check"])


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_every_transition(name: str) -> None:
    page = (ROOT / "docs" / "states.md").read_text()
    table: Any = getattr(transitions, name)

    missing = [
        (source, trigger, target)
        for (source, trigger), target in table.items()
        if f"| {source} | {trigger} | {target} |" not in page
    ]

    assert missing == []


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_is_noticed(
    name: str, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter = dict(getattr(transitions, name))
    shorter.popitem()
    monkeypatch.setattr(transitions, name, shorter)

    assert tool.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
