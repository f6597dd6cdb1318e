"""The page about what is logged: an entry for each warning and error, and none for what is not logged any more."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT
from tests.website.logged import Line, logged_lines

PAGE = ROOT / "docs" / "reference" / "troubleshooting.md"
LINES = logged_lines()
#: Of lines that consist of nothing but what is put into them: how they begin, as the page has it.
SPELT_OUT = {
    "…": [
        "… refuses to subscribe … to …: …",
        "cannot publish … bytes to …: that is more than … allows, which has not said how much it does; "
        "send less in one event, or raise its limit (mosquitto: message_size_limit)",
    ],
    "… …: …": ["… cannot unsubscribe: …", "… cannot wait for an acknowledgement: …"],
}


def as_shown(line: Line) -> list[str]:
    """Return how the page has a line."""
    text = re.sub(r"%(?:\.\d+)?[a-z]", "…", line.text)
    # What the handler is of stands behind it without a blank, and may be empty.
    text = re.sub("……", "…", text)
    return SPELT_OUT.get(text, [text])


def entries() -> list[str]:
    """Return the lines that the page explains."""
    return re.findall(r"^> `(.+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_lines_are_found() -> None:
    assert len({line.place for line in LINES}) > 50


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.place)
def test_every_warning_has_an_entry(line: Line) -> None:
    assert set(as_shown(line)) <= set(entries()), f"say in {PAGE.relative_to(ROOT)} what {line.place} means"


def test_no_entry_is_of_a_line_that_is_not_logged() -> None:
    logged = {text for line in LINES for text in as_shown(line)}

    assert [entry for entry in entries() if entry not in logged] == []


def test_what_is_spelt_out_stands_in_the_code() -> None:
    code = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "orbitalis").rglob("*.py"))
    joined = re.sub(r'"\s+f?"', "", code)
    parts = [part.strip(" :…") for texts in SPELT_OUT.values() for text in texts for part in text.split("…")]

    assert [part for part in parts if part not in joined] == []


def test_no_entry_is_there_twice() -> None:
    assert len(entries()) == len(set(entries()))
