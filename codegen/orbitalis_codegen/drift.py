"""How the files that stand there differ from those emitted, and who changed them."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from orbitalis_codegen.emit.header import parse_header
from orbitalis_codegen.write import TEMPORARY, mode_of, stale

__all__ = ["Cause", "Drift", "check", "foreign"]


class Cause(Enum):
    """Why a file is not as the specification gives it."""

    MISSING = auto()
    """It is not there."""
    STALE = auto()
    """It is there, and should not be."""
    FOREIGN = auto()
    """It is there, should not be, and nobody has generated it."""
    HAND = auto()
    """Somebody changed it after it was generated."""
    SPECIFICATION = auto()
    """The specification changed after it was generated, and maybe the generator too."""
    GENERATOR = auto()
    """The generator changed after it was generated, and the specification did not."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One file that is not as the specification gives it."""

    path: str
    """Relative to the root, with `/`."""
    cause: Cause
    text: str
    """What is the matter with it."""

    def __str__(self) -> str:
        # A stale file may have any name, also one that would not stay on one line or could not be printed.
        path = self.path if self.path.isprintable() else ascii(self.path)[1:-1]
        return f"{path}: {self.text}"


def check(root: Path, files: Mapping[str, bytes]) -> list[Drift]:
    """Every difference between what stands below `root` and `files`, the bytes emitted by path; sorted by path.

    Raises OSError if something cannot be read. Nothing is changed.
    """
    strangers = set(foreign(root, files))
    drifts = [
        Drift(path, Cause.FOREIGN, "not a generated file: move it elsewhere")
        if path in strangers
        else Drift(path, Cause.STALE, "stale: nothing in the specification gives this file any more")
        for path in stale(root, files)
    ]
    for path, emitted in files.items():
        mode = mode_of(root, path)
        if mode is None:
            drifts.append(Drift(path, Cause.MISSING, "missing"))
        elif not stat.S_ISREG(mode):
            drifts.append(_by_hand(path, "it is not a regular file any more"))
        elif (found := (root / path).read_bytes()) != emitted:
            other = next((other for other, data in files.items() if data == found), None)
            drifts.append(
                _difference(path, found, emitted) if other is None else _by_hand(path, f"it is a copy of {other}")
            )
    return sorted(drifts, key=lambda drift: drift.path)


def foreign(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """The files that are stale, but hold something that was not generated; sorted. Removing them would lose that."""
    return [path for path in stale(root, files) if not _may_be_removed(root, path)]


def _may_be_removed(root: Path, path: str) -> bool:
    mode = mode_of(root, path)
    if path.endswith(TEMPORARY):
        return True
    if mode is None or not stat.S_ISREG(mode):
        return False
    found = (root / path).read_bytes()
    return not found or parse_header(found) is not None


def _difference(path: str, found: bytes, emitted: bytes) -> Drift:
    was, now = parse_header(found), parse_header(emitted)
    if was is None:
        what = "its content is not what is generated" if now is None else "it does not begin with a header as generated"
        return _by_hand(path, what)
    if not was.intact:
        return _by_hand(path, "its content is not what its header says")
    if now is None:
        return Drift(path, Cause.GENERATOR, "the generator has changed since it was generated")
    if was == now:
        return _by_hand(path, "its header is not as generated")
    if was.specification != now.specification:
        return Drift(path, Cause.SPECIFICATION, "the specification has changed since it was generated")
    return Drift(path, Cause.GENERATOR, "the generator has changed since it was generated")


def _by_hand(path: str, what: str) -> Drift:
    return Drift(path, Cause.HAND, f"changed by hand: {what}")
