"""The pages for developers: the files that they name are there, and the walks name files only once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.examples.snippets import DOCUMENTS
from tests.support.repository import ROOT

#: Pages that also name what was there before.
HISTORY = {"CHANGELOG.md"}
#: A path in the repository, as it stands between backticks; what follows `::` is a test.
PATH = re.compile(r"`((?:[a-z_]+/)+[\w./-]*)(?:::\w+)?`")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}


def paths_in(page: Path) -> list[str]:
    """Return the paths that a page names, from one of the repository's folders on."""
    found = PATH.findall(page.read_text(encoding="utf-8"))
    return [path for path in found if path.split("/")[0] in FOLDERS]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    missing = [path for path in paths_in(page) if not (ROOT / path).exists()]

    assert page.name in HISTORY or missing == []


@pytest.mark.parametrize("title", ["Walk 1", "Walk 2"])
def test_a_walk_counts_its_files(title: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = page.partition(f"\n## {title}")[2].partition("\n## ")[0]
    rows = "\n".join(line for line in walk.splitlines() if line.startswith("| "))
    files = [path for path in PATH.findall(rows) if path.endswith(".py")]
    (count,) = re.findall(r"These are (\d+) files", walk)

    assert len(files) == len(set(files)) == int(count)
