"""The page about states: it is what the tables of transitions give."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis.protocol import transitions
from orbitalis.protocol.transitions import CoreState, LifeTrigger, PluginState, Role, SlotState, SlotTrigger
from tests.support.repository import ROOT, run

TOOL = ROOT / "tools" / "draw_states.py"

#: The table that each section of the page shows, and its states.
SECTIONS: dict[str, tuple[str, type[StrEnum]]] = {
    "A slot at a core": ("CORE_SLOT", SlotState),
    "A slot at a plugin": ("PLUGIN_SLOT", SlotState),
    "Life of a core": ("CORE_LIFE", CoreState),
    "Life of a plugin": ("PLUGIN_LIFE", PluginState),
}

#: For each table, a transition that it does not have.
ADDITIONS: dict[str, tuple[tuple[StrEnum, StrEnum], StrEnum]] = {
    "CORE_SLOT": ((SlotState.FREE, SlotTrigger.CONFIRM_RECEIVED), SlotState.OPEN),
    "PLUGIN_SLOT": ((SlotState.FREE, SlotTrigger.PREPARED), SlotState.OPEN),
    "CORE_LIFE": ((CoreState.CREATED, LifeTrigger.STOPPED), CoreState.STOPPED),
    "PLUGIN_LIFE": ((PluginState.CREATED, LifeTrigger.STOPPED), PluginState.STOPPED),
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location("draw_states", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look up the module that they are defined in.
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def page_section(title: str) -> str:
    """Return one section of the page."""
    page = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def by_name(table: Mapping[Any, StrEnum]) -> set[tuple[str, str, str]]:
    """Return the transitions of a table as state, trigger and state, in the words of the page."""
    return {(before.name, str(trigger), after.name) for (before, trigger), after in table.items()}


def test_page_is_up_to_date() -> None:
    assert run([sys.executable, TOOL, "--check"]) == ""


@pytest.mark.parametrize("title", SECTIONS)
def test_diagram_shows_every_transition_and_no_other(title: str) -> None:
    name, states = SECTIONS[title]
    arrows = re.findall(r"^    (\S+) --> (\S+) : (.+)$", page_section(title), re.MULTILINE)
    point = "FREE" if states is SlotState else None

    assert {
        (point if before == "[*]" else before, trigger, point if after == "[*]" else after)
        for before, after, triggers in arrows
        for trigger in triggers.split("<br/>")
    } == by_name(getattr(transitions, name))
    assert len({ends[:2] for ends in arrows}) == len(arrows), "two arrows between the same states"


@pytest.mark.parametrize("title", SECTIONS)
def test_list_shows_every_transition_and_no_other(title: str) -> None:
    name, _ = SECTIONS[title]
    rows = re.findall(r"^\| `(\w+)` \|(?:.* \|)? (.*) \|$", page_section(title), re.MULTILINE)

    assert {
        (before, trigger, after)
        for before, leads in rows
        for after, triggers in re.findall(r"`(\w+)`: (.+?)(?:<br>|$)", leads)
        for trigger in triggers.split(", ")
    } == by_name(getattr(transitions, name))


@pytest.mark.parametrize("title", ["A slot at a core", "A slot at a plugin"])
def test_list_says_what_states_mean(tool: ModuleType, title: str) -> None:
    texts = tool.meanings(SlotState)
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page_section(title), re.MULTILINE))

    assert texts["FREE"] == "Nothing is agreed or under way."
    assert rows
    assert rows == {state: texts[state] for state in rows}


def test_handshake_goes_by_the_tables() -> None:
    notes = re.findall(r"Note over (\w+): (.+?):<br/>(\w+) → (\w+)", page_section("The handshake"))
    known = {
        Role.CORE: by_name(transitions.CORE_SLOT),
        Role.PLUGIN: by_name(transitions.PLUGIN_SLOT),
    }
    shown = {
        (role, (before, trigger, after)) for role, label, before, after in notes for trigger in label.split(" or ")
    }

    assert {role for role, _ in shown} == set(Role)
    assert [(role, transition) for role, transition in shown if transition not in known[Role(role)]] == []


@pytest.mark.parametrize("name", ADDITIONS)
def test_check_notices_another_transition(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    key, state = ADDITIONS[name]
    table: dict[Any, Any] = {**getattr(transitions, name), key: state}
    monkeypatch.setattr(transitions, name, table)

    assert tool.main(["--check"]) == 1


@pytest.mark.parametrize("name", ADDITIONS)
def test_check_notices_a_missing_transition(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    table: dict[Any, Any] = dict(getattr(transitions, name))
    table.popitem()
    monkeypatch.setattr(transitions, name, table)

    assert tool.main(["--check"]) == 1
    assert "docs/states.md is out of date; make docs renews it" in capsys.readouterr().err


def test_writes_what_check_accepts(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "PAGE", tmp_path / "docs" / "states.md")
    (tmp_path / "docs").mkdir()
    (tmp_path / "asyncapi.yaml").write_bytes((ROOT / "asyncapi.yaml").read_bytes())

    assert tool.main(["--check"]) == 1
    assert not tool.PAGE.exists(), "a check writes"
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
    assert tool.PAGE.read_bytes() == (ROOT / "docs" / "states.md").read_bytes()
