"""A word that changes in a document changes the files that have it, and no others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orbitalis_codegen.project import load_project
from tests.codegen.broken.cases import LAMPS
from tests.support.repository import ROOT

LISTED = '[[tool.orbitalis-codegen.contracts]]\ndocument = "{}"\npackage = "made"\nlanguage = "{}"\noutput = "{}"\n'
WORDS = re.compile(r'(?:description|summary|doc)"?: *["\']?(?=[A-Za-z])')
DIGESTS = re.compile(rb"^(?:#|//) (?:specification|content): sha256:.*\n", re.MULTILINE)


def documents(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in root.rglob("*") if path.suffix in (".yaml", ".avsc"))


def contract(path: Path, root: Path) -> Path:
    """Write a project with one contract, for both languages."""
    root.mkdir()
    shutil.copy(path, root)
    (root / "pyproject.toml").write_text(
        "".join(LISTED.format(path.name, one, one) for one in ("python", "typescript"))
    )
    return root


def changes_by_word(root: Path) -> Iterator[tuple[str, dict[str, bytes], dict[str, bytes]]]:
    """Change one word after the other; yield where it stands, and what was emitted before and after."""
    before = load_project(root).emit()
    for path in documents(root):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        for number, line in enumerate(lines):
            if found := WORDS.search(line):
                changed = f"{line[: found.end()]}Verily {line[found.end() :]}"
                path.write_text("".join([*lines[:number], changed, *lines[number + 1 :]]), encoding="utf-8")
                yield f"{path.name}:{number + 1}", before, load_project(root).emit()
        path.write_text("".join(lines), encoding="utf-8")


SILENT = "          doc: The bulb is broken.\n"
"""What a record says of itself; without it, words of its message stand there."""


@pytest.fixture(params=["specification", "contract", "silent records"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "specification":
        return Path(shutil.copytree(LAMPS, tmp_path / "root"))
    root = contract(ROOT / "examples/contract/lamps.yaml", tmp_path / "root")
    if request.param == "silent records":
        document = root / "lamps.yaml"
        text = document.read_text(encoding="utf-8")
        assert text.count(SILENT) == 1
        text = text.replace(SILENT, "").replace(
            "      x-error: true\n", "      x-error: true\n      summary: It is dark.\n      description: For good.\n"
        )
        document.write_text(
            text.replace("    Status:\n", "    Status:\n      description: A lamp.\n"), encoding="utf-8"
        )
    return root


def test_a_word_touches_only_files_that_have_it(root: Path) -> None:
    words, touched = 0, 0
    for where, before, after in changes_by_word(root):
        changed = [path for path in before if after[path] != before[path]]
        for path in changed:
            assert DIGESTS.sub(b"", after[path]) != DIGESTS.sub(b"", before[path]), f"{where} touches {path} in vain"
        words, touched = words + 1, touched + len(changed)

    assert words > 10
    assert touched < 5 * words
