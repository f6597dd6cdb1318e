"""What was found to be as it should be: while none of it changes, `check` has nothing to work out again.

The digests stand in a folder of their own below the root, which tells git to ignore it. What is there is believed only
if every file of the specification, of the generator and of what is generated is the one that was seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

import orbitalis_avro
from orbitalis_codegen.write import stale

__all__ = ["FOLDER", "Known", "Note", "digest_of_generator", "known", "remember"]

Note: TypeAlias = tuple[str, int, int, str, str]
"""File, line, column, code and text of something that was noticed and ignored."""

FOLDER: Final = ".orbitalis-codegen"
"""Where it is remembered, relative to the root."""
_FILE: Final = "seen.json"
_PACKAGES: Final = (Path(__file__).resolve().parent, Path(orbitalis_avro.__file__).resolve().parent)
"""Whose sources decide what is emitted."""
_SOURCES: Final = (".py", ".jinja2")


@dataclass(frozen=True, slots=True)
class Known:
    """What was found when all was as the specification gives it."""

    files: int
    """How many there are."""
    notes: tuple[Note, ...]
    """What is to be said again."""


def remember(root: Path, inputs: Iterable[str], outputs: Iterable[str], notes: Sequence[Note]) -> None:
    """Remember that the `outputs` are what the `inputs` give, both by path below `root`, if that can be written."""
    content = json.dumps({**_seen(root, inputs, outputs), "notes": notes}, indent=1)
    folder = root / FOLDER
    with contextlib.suppress(OSError):
        if (folder / _FILE).is_file() and (folder / _FILE).read_text() == content:
            return
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        temporary = folder / f"{_FILE}.{os.getpid()}"
        temporary.write_text(content)
        temporary.replace(folder / _FILE)


def known(root: Path) -> Known | None:
    """What is known of the files, if they are as the specification gives them; `None` if it has to be worked out."""
    try:
        seen = json.loads((root / FOLDER / _FILE).read_text())
        inputs, outputs, notes = list(seen["inputs"]), list(seen["outputs"]), _notes(seen.pop("notes"))
        if seen != _seen(root, inputs, outputs) or stale(root, dict.fromkeys(outputs, b"")):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Known(len(outputs), notes)


def _notes(found: object) -> tuple[Note, ...]:
    """The notes that were remembered; raises ValueError if that is something else."""
    notes: list[Note] = []
    for one in cast("list[object]", found if isinstance(found, list) else [found]):
        match one:
            case [str(file), int(line), int(column), str(code), str(text)]:
                notes.append((file, line, column, code, text))
            case _:
                raise ValueError(f"{one!r} is no note")
    return tuple(notes)


def digest_of_generator() -> str:
    """The digest of the sources and templates of this package and of the codec plan."""
    sources = (
        # A checkout may come with other line ends, which mean the same to Python and to Jinja.
        (path.relative_to(package.parent).as_posix(), path.read_bytes().replace(b"\r\n", b"\n"))
        for package in _PACKAGES
        for path in package.rglob("*")
        if path.suffix in _SOURCES and "__pycache__" not in path.relative_to(package).parts and path.is_file()
    )
    return _digest_of_files(sources)


def _seen(root: Path, inputs: Iterable[str], outputs: Iterable[str]) -> Mapping[str, object]:
    inputs, outputs = sorted(inputs), sorted(outputs)
    folders = sorted({str(Path(name).parent) for name in inputs} - {"."})
    return {
        "generator": digest_of_generator(),
        "inputs": {name: _digest(root / name) for name in inputs},
        # Another schema file in one of them would be a part of the specification.
        "folders": {name: sorted(entry.name for entry in os.scandir(root / name)) for name in folders},
        "outputs": {name: _digest(root / name) for name in outputs},
    }


def _digest(path: Path) -> str | None:
    """The digest of a file, no link; `None` of anything else."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else None


def _digest_of_files(files: Iterable[tuple[str, bytes]]) -> str:
    """One digest for all; every name and every content goes in after its length, so that none can pass for another."""
    parts = [part for name, data in sorted(files) for part in (name.encode("utf-8", "surrogateescape"), data)]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()
