"""The page about requirements: it lists what the specification requires."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from orbitalis_codegen import read_specification
from tests.support.repository import ROOT, run

TOOL = ROOT / "tools" / "draw_requirements.py"
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "asyncapi.yaml").read_text(encoding="utf-8"))
ID = re.compile(r"\[(ORB-[A-Z]{2}-[0-9]{2})\]")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Return the tool as a module that works on a copy of the specification."""
    spec = importlib.util.spec_from_file_location("draw_requirements", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copy(ROOT / "asyncapi.yaml", tmp_path)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "PAGE", tmp_path / "docs" / "reference" / "requirements.md")
    return module


def test_page_is_up_to_date() -> None:
    assert run([sys.executable, TOOL, "--check"]) == ""


def test_page_lists_every_id_of_the_document_once() -> None:
    page = (ROOT / "docs" / "reference" / "requirements.md").read_text(encoding="utf-8")
    ids = ID.findall((ROOT / "asyncapi.yaml").read_text(encoding="utf-8"))

    assert len(ids) > 100
    assert sorted(re.findall(r"^\| (ORB-\S+) \| .+ \| `[\w.-]+` \|$", page, re.MULTILINE)) == sorted(ids)


@pytest.mark.parametrize("key", DOCUMENT["operations"])
def test_every_operation_says_what_it_requires(key: str) -> None:
    assert ID.search(DOCUMENT["operations"][key]["description"])


def test_requirements_are_sentences_of_the_text_in_their_place() -> None:
    for requirement in read_specification(ROOT).requirements:
        place: Any = DOCUMENT
        for part in requirement.place.split("."):
            place = place[int(part) if isinstance(place, list) else part]
        said = " ".join(place["description"].split())
        assert f"[{requirement.identifier}] {requirement.text}" in said
        assert re.fullmatch(r"[A-Z`].*[.:]", requirement.text), requirement


def test_requirements_end_with_their_paragraph_and_with_the_next_one(tmp_path: Path, tool: ModuleType) -> None:
    document = tmp_path / "asyncapi.yaml"
    old = "      [ORB-CL-10] An acknowledgement that nobody waits for is ignored.\n"
    text = document.read_text(encoding="utf-8")
    assert text.count(old) == 1
    new = """\
      [ORB-CL-90] One thing
      holds. [ORB-CL-91] Another holds.

      This explains.
      - [ORB-CL-92] An item.
      - Another one.
"""
    document.write_text(text.replace(old, new), encoding="utf-8")

    found = {one.identifier: one for one in read_specification(tmp_path).requirements}

    assert [found[f"ORB-CL-9{number}"].text for number in range(3)] == [
        "One thing holds.",
        "Another holds.",
        "An item.",
    ]
    assert found["ORB-CL-90"].place == "operations.orbiterReceivesCloseAck"
    assert tool.main([]) == 0
    assert "| ORB-CL-90 | One thing holds. | `operations.orbiterReceivesCloseAck` |" in tool.PAGE.read_text()


def test_check_notices_another_requirement(
    tmp_path: Path, tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["--check"]) == 1
    assert not tool.PAGE.exists(), "a check writes"
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
    assert tool.PAGE.read_bytes() == (ROOT / "docs" / "reference" / "requirements.md").read_bytes()
    document = tmp_path / "asyncapi.yaml"
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("[ORB-HS-01] There is at most one", "[ORB-HS-01] There is one"), encoding="utf-8")
    capsys.readouterr()

    assert tool.main(["--check"]) == 1
    assert "docs/reference/requirements.md is out of date; make pages renews it" in capsys.readouterr().err
