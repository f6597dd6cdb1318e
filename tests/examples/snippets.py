"""The code blocks of Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.repository import ROOT

__all__ = ["DOCUMENTS", "Snippet", "links", "snippets"]

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("**/*.md")),
]

_BLOCK = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1``` *$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'^(\w+) title="([^"]+)"$')
_LINK = re.compile(r"\]\(([^)\s#]*)(?:#[^)\s]*)?\)")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One code block."""

    path: Path
    line: int
    kind: str
    """What stands behind the backticks, without the title."""
    text: str
    title: str = ""
    """The file of the repository that it shows, or a part of it; a site shows that as a title."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def end(self) -> int:
        """The line of the closing backticks."""
        return self.line + self.text.count("\n") + 1

    @property
    def commands(self) -> list[str]:
        """The commands of a `console` block, which follow `$ `, or of a `sh` block, whose lines all are commands."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.kind == "console":
            return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.startswith("#")]


def snippets() -> Iterator[Snippet]:
    """Yield every code block of every document, in order."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        blocks = list(_BLOCK.finditer(text))
        fences = len(re.findall(r"^ *```", text, re.MULTILINE))
        assert fences == 2 * len(blocks), f"{path.name}: a code block does not end, or is written in some other way"
        for block in blocks:
            line = text.count("\n", 0, block.start()) + 1
            kind, title = block.group(2).strip(), ""
            if titled := _TITLE.match(kind):
                kind, title = titled.groups()
            yield Snippet(path, line, kind, block.group(3), title)


def links(path: Path) -> list[str]:
    """Return what a document links to within the repository, without anchors."""
    text = _BLOCK.sub("", path.read_text(encoding="utf-8"))
    return [target for target in _LINK.findall(text) if target and "://" not in target]
