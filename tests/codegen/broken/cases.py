"""Reads broken specifications from text files, and writes them where a test wants them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["LAMPS", "Broken", "Change", "cases_of_files", "edited"]

LAMPS = Path(__file__).parents[1] / "lamps"
MARKER = "»".encode()


@dataclass(frozen=True, slots=True)
class Change:
    """In `file` the lines `old`, which stand there once, become `new`; without `old` the whole file does."""

    file: str
    old: bytes
    new: bytes

    def apply(self, root: Path) -> str | None:
        """Change the file below `root`, and give the position of the marker if there is one."""
        path = root / self.file
        content = self.new
        if self.old:
            content = path.read_bytes()
            assert (b"\n" + content).count(b"\n" + self.old) == 1, f"{self.old!r} in {self.file}"
            content = (b"\n" + content).replace(b"\n" + self.old, b"\n" + self.new)[1:]
        before, found, after = content.partition(MARKER)
        path.parent.mkdir(exist_ok=True)
        # A marker on a line of its own at the end stands for the end of the file.
        path.write_bytes(before + (after if after != b"\n" else b""))
        lines = re.split(rb"\r\n|\r|\n", before)
        return f"{self.file}:{len(lines)}:{len(lines[-1].decode()) + 1}" if found else None


@dataclass(slots=True)
class Broken:
    """A specification with one problem."""

    code: str
    name: str
    changes: list[Change] = field(default_factory=list)
    message: str = ""
    """Part of what is reported."""
    hint: str = ""
    """Part of the hint."""
    also: list[str] = field(default_factory=list)
    """Codes of other problems that follow from this one."""

    def write(self, root: Path, original: Path = LAMPS) -> str:
        """Write what is in the folder `original`, broken, into another one, and give the position of its problem."""
        shutil.copytree(original, root, dirs_exist_ok=True)
        positions = [position for change in self.changes if (position := change.apply(root)) is not None]
        assert len(positions) == 1, f"{len(positions)} markers"
        return positions[0]


def edited(root: Path, *edits: tuple[str, str, str], original: Path = LAMPS) -> Path:
    """Write the specification that is right into a folder; an edit is a file, a text that stands there once, a new one.

    Without an old text, the new one is the whole file.
    """
    shutil.copytree(original, root, dirs_exist_ok=True)
    for file, old, new in edits:
        content = (root / file).read_text(encoding="utf-8") if old else ""
        assert not old or content.count(old) == 1, f"{old!r} in {file}"
        (root / file).write_text(content.replace(old, new) if old else new, encoding="utf-8")
    return root


def cases_of_files(folder: Path = Path(__file__).parent) -> Iterator[Broken]:
    """Read all cases of the text files in a folder, that of this one if no other is given."""
    for path in sorted(folder.glob("*.txt")):
        for text in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            yield _case(text)


def _case(text: str) -> Broken:
    head, *lines = text.rstrip("\n").split("\n")
    code, _, name = head.partition(" ")
    case = Broken(code, name)
    file, old, new = "", "", ""

    def close() -> None:
        if file:
            case.changes.append(Change(file, old.encode(), new.encode()))

    for line in lines:
        match line[:1], line[1:] + "\n":
            case "@", rest:
                close()
                file, old, new = rest[2:].strip(), "", ""
            case " ", rest:
                old, new = old + rest, new + rest
            case "-", rest:
                old += rest
            case "+", rest:
                new += rest
            case _:
                key, _, value = line.partition(": ")
                match key:
                    case "says":
                        case.message = value
                    case "hint":
                        case.hint = value
                    case "also":
                        case.also = value.split()
                    case _:
                        raise ValueError(f"{code} {name}: {line!r} is no part of a case")
    close()
    return case
