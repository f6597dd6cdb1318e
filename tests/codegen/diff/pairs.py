"""Pairs of versions, one for each rule and its mirror: the examples that the command explains rules with.

`codegen/orbitalis_codegen/diff/examples.txt` has them, each as

    === CODE name
    @@ file
     a line before, which stays
    -a line that goes
    +a »line that comes
    level: that of the change
    mirror: the level of the change the other way round, if that is another one
    exact: the level for peers that match exactly, if that is another one
    affects: part of who is affected
    says: part of the message
    also: CODES of other changes that come with it

where `»` stands at the position that the new version is reported at. Files of the protocol are those of
`tests/codegen/lamps`, and those of a contract stand in `tests/codegen/diff/porch`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orbitalis_codegen.commands.explanation import CHANGES
from orbitalis_codegen.diff.command import run
from tests.codegen.broken.cases import LAMPS, Change

__all__ = ["PORCH", "Pair", "compared", "pairs_of_file"]

PORCH = Path(__file__).with_name("porch")


@dataclass(slots=True)
class Pair:
    """Two versions."""

    code: str
    name: str
    changes: list[Change] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """What is to be found, by the key of a line."""

    @property
    def contract(self) -> str | None:
        """The contract that is compared alone, if it is one."""
        return "porch.yaml" if self.changes[0].file == "porch.yaml" else None

    def write(self, root: Path) -> tuple[Path, Path, str | None]:
        """Write both versions; return their folders, and the position of the marker."""
        base = LAMPS if self.changes[0].file not in ("porch.yaml", "pyproject.toml") else PORCH
        before, after = (Path(shutil.copytree(base, root / name)) for name in ("before", "after"))
        positions = [position for change in self.changes if (position := change.apply(after)) is not None]
        assert len(positions) < 2, f"{len(positions)} markers"
        return before, after, positions[0] if positions else None


def compared(before: Path, after: Path, contract: str | None) -> list[dict[str, Any]]:
    """Return what the command says of two versions, as JSON."""
    outcome = run(after, str(before), contract, "json")
    return [json.loads(line) for line in outcome.lines]


def pairs_of_file() -> Iterator[Pair]:
    """Read all pairs."""
    for text in re.split(r"^=== ", CHANGES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, *lines = text.rstrip("\n").split("\n")
        code, _, name = head.partition(" ")
        pair = Pair(code, name)
        file, old, new = "", "", ""
        for line in [*lines, "@@ "]:
            match line[:1], line[1:] + "\n":
                case "@", rest:
                    if file:
                        pair.changes.append(Change(file, old.encode(), new.encode()))
                    file, old, new = rest[2:].strip(), "", ""
                case " ", rest:
                    old, new = old + rest, new + rest
                case "-", rest:
                    old += rest
                case "+", rest:
                    new += rest
                case _:
                    key, _, value = line.partition(": ")
                    assert key in ("level", "mirror", "exact", "affects", "says", "also"), f"{code}: {line!r}"
                    pair.told[key] = value
        yield pair
