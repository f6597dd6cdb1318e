"""`accepted.toml`: changes that affect somebody and are made all the same, each with a reason and an end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orbitalis_codegen.check.shape import Shape, View, view_of
from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.toml_text import read_toml
from orbitalis_codegen.rules import Rule

__all__ = ["FILE", "Acceptance", "check_acceptances", "read_acceptances"]

FILE: Final = "accepted.toml"
"""Where accepted changes stand, relative to the root."""
_DOCUMENT: Final = Shape(name=FILE, optional=("accepted",))
_ENTRY: Final = Shape(name="accepted change", required=("change", "reason", "until"))
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}")
_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_HINT: Final = 'write [[accepted]] with change = "0123456789abcdef", reason = "..." and until = "2.0.0"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One change that is accepted."""

    change: str
    """Its fingerprint."""
    reason: str
    until: str
    """The version in which the acceptance ends: from it on, it is an error."""
    position: Position
    """Where the fingerprint stands."""
    end: Position
    """Where the version stands."""


def read_acceptances(root: Path) -> dict[str, Acceptance]:
    """Return the accepted changes by their fingerprints; none if there is no file.

    Raises:
        SpecificationError: The file is no such file.
    """
    if not (root / FILE).exists():
        return {}
    report = Report()
    tree = SourceFiles(root, report).read_with(read_toml, FILE)
    view = None if tree is None else view_of(tree, _DOCUMENT, report)
    acceptances: dict[str, Acceptance] = {}
    for item in () if view is None else view.items("accepted"):
        entry = view_of(item, _ENTRY, report)
        found = None if entry is None else _acceptance(entry)
        if found is None:
            continue
        first = acceptances.setdefault(found.change, found)
        if first is not found:
            message = f"{found.change} is accepted in line {first.position.line} already"
            report.add(Rule.REPEATED_ITEM, found.position, message)
    if report:
        raise report.error()
    return acceptances


def _acceptance(entry: View) -> Acceptance | None:
    values = {key: entry.text(key) for key in _ENTRY.required}
    wrong: dict[str, str] = {}
    if not _FINGERPRINT.fullmatch(values["change"]):
        wrong["change"] = f"{shown(values['change'])} is no fingerprint of a change: 16 hexadecimal digits"
    if not values["reason"]:
        wrong["reason"] = "the reason is empty"
    if not _VERSION.fullmatch(values["until"]):
        wrong["until"] = f"{shown(values['until'])} is no version, like 2.0.0"
    for key, message in wrong.items():
        # What is missing, or no text, is reported as such.
        if entry.optional_text(key) is not None:
            entry.report.add(Rule.ACCEPTANCE, entry.position_of(key), message, _HINT)
    if wrong:
        return None
    return Acceptance(**values, position=entry.position_of("change"), end=entry.position_of("until"))


def check_acceptances(acceptances: Iterable[Acceptance], versions: Mapping[str, str], *, is_all: bool) -> None:
    """Hold acceptances against what there is: `versions` has, by the fingerprint of each change, the new version.

    With `is_all`, these are all changes; otherwise an acceptance may be that of a change elsewhere.

    Raises:
        SpecificationError: One matches no change, or has ended.
    """
    report = Report()
    for one in acceptances:
        version = versions.get(one.change)
        if version is None:
            if is_all:
                message = f"there is no change {one.change} any more"
                report.add(Rule.ACCEPTED_NOTHING, one.position, message, "remove the entry")
        elif _numbers(version) >= _numbers(one.until):
            message = f"the acceptance of {one.change} has ended with version {one.until}, and this is {version}"
            hint = "undo the change, or say until when it is accepted now"
            report.add(Rule.ACCEPTED_NOTHING, one.end, message, hint)
    if report:
        raise report.error()


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without zeros at the end, so that 2 is 2.0.0; what follows them is ignored."""
    found = _VERSION.match(version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
