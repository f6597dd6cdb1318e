"""The page about states: it is what the specification says, and what the runtime obeys."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire import states
from tests.support.repository import ROOT, run

TOOL = ROOT / "tools" / "draw_states.py"

#: The table that each section of the page shows, and its states.
SECTIONS: dict[str, tuple[str, type[StrEnum]]] = {
    "A slot at a core": ("CORE_SLOT_TRANSITIONS", SlotState),
    "A slot at a plugin": ("PLUGIN_SLOT_TRANSITIONS", SlotState),
    "Life of a core": ("CORE_TRANSITIONS", states.CoreState),
    "Life of a plugin": ("PLUGIN_TRANSITIONS", states.PluginState),
}

#: A change of the specification, and the new one, for each thing that the page shows.
CHANGES = {
    "another transition": ("from: [compliant, not_compliant]", "from: [created, compliant, not_compliant]"),
    "a missing transition": (
        "from: [offered, preparing, open, closing, draining]\n          trigger: reject_received",
        "from: [offered]\n          trigger: reject_received",
    ),
    "a state": ("description: It answers discovers.", "description: It offers."),
    "a trigger": ("description: The plugin accepts a request.", "description: A request comes."),
    "a transition": ("description: The offer reserves the slot.", "description: A slot is taken."),
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
    page = (ROOT / "docs" / "reference" / "states.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def by_name(table: Mapping[Any, StrEnum]) -> set[tuple[str, str, str]]:
    """Return the transitions of a table as state, trigger and state, in the words of the page."""
    return {(before.name, str(trigger), after.name) for (before, trigger), after in table.items()}


def test_page_is_up_to_date() -> None:
    assert run([sys.executable, TOOL, "--check"]) == ""


@pytest.mark.parametrize("title", SECTIONS)
def test_diagram_shows_every_transition_and_no_other(title: str) -> None:
    name, kind = SECTIONS[title]
    arrows = re.findall(r"^    (\S+) --> (\S+) : (.+)$", page_section(title), re.MULTILINE)
    point = "FREE" if kind is SlotState else None

    assert {
        (point if before == "[*]" else before, trigger, point if after == "[*]" else after)
        for before, after, triggers in arrows
        for trigger in triggers.split("<br/>")
    } == by_name(getattr(states, name))
    assert len({ends[:2] for ends in arrows}) == len(arrows), "two arrows between the same states"


@pytest.mark.parametrize("title", SECTIONS)
def test_list_shows_every_transition_and_no_other(title: str) -> None:
    name, _ = SECTIONS[title]
    rows = re.findall(r"^\| (`[^|]*) \| ([^|]+) \| `(\w+)` \| [^|]+ \| [^|]+ \|$", page_section(title), re.MULTILINE)

    assert {
        (before, trigger, after) for all_before, trigger, after in rows for before in re.findall(r"`(\w+)`", all_before)
    } == by_name(getattr(states, name))


@pytest.mark.parametrize("title", SECTIONS)
def test_list_says_what_every_state_means(title: str) -> None:
    name, _ = SECTIONS[title]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", page_section(title), re.MULTILINE))
    table: Mapping[Any, StrEnum] = getattr(states, name)

    assert set(rows) == {state.name for (before, _), after in table.items() for state in (before, after)}
    assert all(rows.values())


def test_handshake_goes_by_the_tables() -> None:
    notes = re.findall(r"Note over (\w+): (.+?):<br/>(\w+) → (\w+)", page_section("The handshake"))
    known = {
        Role.CORE: by_name(states.CORE_SLOT_TRANSITIONS),
        Role.PLUGIN: by_name(states.PLUGIN_SLOT_TRANSITIONS),
    }
    shown = {
        (role, (before, trigger, after)) for role, label, before, after in notes for trigger in label.split(" or ")
    }

    assert {role for role, _ in shown} == set(Role)
    assert [(role, transition) for role, transition in shown if transition not in known[Role(role)]] == []


@pytest.fixture
def specification(tmp_path: Path, tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the document of a copy of the specification, with the page that the tool makes of it."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "PAGE", tmp_path / "docs" / "reference" / "states.md")
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    shutil.copy(ROOT / "asyncapi.yaml", tmp_path)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    return tmp_path / "asyncapi.yaml"


@pytest.mark.parametrize("what", CHANGES)
def test_check_notices_a_change_of(
    what: str, specification: Path, tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main([]) == 0
    text, (old, new) = specification.read_text(encoding="utf-8"), CHANGES[what]
    assert text.count(old) == 1
    specification.write_text(text.replace(old, new), encoding="utf-8")

    assert tool.main(["--check"]) == 1
    assert "docs/reference/states.md is out of date; make pages renews it" in capsys.readouterr().err


@pytest.mark.usefixtures("specification")
def test_writes_what_check_accepts(tool: ModuleType) -> None:
    assert tool.main(["--check"]) == 1
    assert not tool.PAGE.exists(), "a check writes"
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
    assert tool.PAGE.read_bytes() == (ROOT / "docs" / "reference" / "states.md").read_bytes()
