"""`accepted.toml`: changes that affect somebody and are made all the same, each with a reason and an end."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from orbitalis_codegen.diagnostic import Position, shown

__all__ = ["FILE", "Acceptance", "AcceptanceError", "check_acceptances", "read_acceptances"]

FILE: Final = "accepted.toml"
"""Where accepted changes stand, relative to the root."""
_KEYS: Final = ("change", "reason", "until")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}")
_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_HINT: Final = 'write [[accepted]] with change = "0123456789abcdef", reason = "..." and until = "2.0.0"'


class AcceptanceError(Exception):
    """The file cannot be used, or has entries that accept nothing; `problems` says what and where, a line each."""

    def __init__(self, problems: Collection[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One change that is accepted."""

    change: str
    """Its fingerprint."""
    reason: str
    until: str
    """The version in which the acceptance ends: from it on, it is an error."""
    position: Position


def read_acceptances(root: Path) -> dict[str, Acceptance]:
    """Return the accepted changes by their fingerprints; none if there is no file.

    Raises:
        AcceptanceError: The file is no such file.
    """
    try:
        text = (root / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise AcceptanceError([f"{FILE}:1:1: the file cannot be read: {error}"]) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AcceptanceError([f"{FILE}:{_place(str(error))}: the file is no TOML: {error}"]) from None
    entries = content.get("accepted", [])
    problems = [f"{FILE}:1:1: the key {shown(key)} is not known; {_HINT}" for key in content if key != "accepted"]
    if not isinstance(entries, list):
        raise AcceptanceError([f"{FILE}:1:1: 'accepted' is no list of tables; {_HINT}"])
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith("[[accepted]]")]
    acceptances: dict[str, Acceptance] = {}
    for index, entry in enumerate(cast("list[object]", entries)):
        position = Position(FILE, lines[index] if index < len(lines) else 1, 1)
        found = _acceptance(entry, position, problems)
        if found is None:
            continue
        if found.change in acceptances:
            problems.append(f"{position}: {found.change} is accepted at {acceptances[found.change].position} already")
        acceptances[found.change] = found
    if problems:
        raise AcceptanceError(problems)
    return acceptances


def _acceptance(entry: object, position: Position, problems: list[str]) -> Acceptance | None:
    if not isinstance(entry, dict):
        problems.append(f"{position}: an entry of 'accepted' is no table; {_HINT}")
        return None
    table = cast("dict[str, object]", entry)
    before = len(problems)
    problems += [f"{position}: the key {shown(key)} is not known; {_HINT}" for key in table if key not in _KEYS]
    values: dict[str, str] = {}
    for key in _KEYS:
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            got = "nothing" if key not in table else shown(value)
            problems.append(f"{position}: a text is expected as {shown(key)}, got {got}; {_HINT}")
        else:
            values[key] = value.strip()
    if "change" in values and not _FINGERPRINT.fullmatch(values["change"]):
        problems.append(f"{position}: {shown(values['change'])} is no fingerprint of a change: 16 hexadecimal digits")
    if "until" in values and not _VERSION.fullmatch(values["until"]):
        problems.append(f"{position}: {shown(values['until'])} is no version, like 2.0.0")
    return None if len(problems) > before else Acceptance(**values, position=position)


def check_acceptances(acceptances: Iterable[Acceptance], versions: Mapping[str, str]) -> None:
    """Hold acceptances against what there is: `versions` has, by the fingerprint of each change, the new version.

    Raises:
        AcceptanceError: One matches no change, or has ended.
    """
    problems: list[str] = []
    for one in acceptances:
        version = versions.get(one.change)
        if version is None:
            problems.append(f"{one.position}: there is no change {one.change} any more; remove the entry")
        elif _numbers(version) >= _numbers(one.until):
            problems.append(
                f"{one.position}: the acceptance of {one.change} has ended with version {one.until}, and this is "
                f"{version}; undo the change, or say until when it is accepted now"
            )
    if problems:
        raise AcceptanceError(problems)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without zeros at the end, so that 2 is 2.0.0; what follows them is ignored."""
    found = _VERSION.match(version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _place(error: str) -> str:
    found = re.search(r"line ([0-9]+), column ([0-9]+)", error)
    return f"{found[1]}:{found[2]}" if found else "1:1"
