"""Names that turn up in generated code: usable there, and none of them taken twice."""

from __future__ import annotations

import re

from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.rules import Rule

__all__ = ["Names", "capitalized", "check_class_name", "check_key", "folded"]

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CLASS = re.compile(r"[A-Z][A-Za-z0-9_]*")


class Names:
    """Names of one part of generated code, such as all its classes."""

    def __init__(self, what: str, report: Report) -> None:
        self._what = what
        self._report = report
        # Generated code spells a name in several ways: a class OfferMessage has a function encode_offer_message.
        self._taken: dict[str, str] = {}

    def take(self, name: str, position: Position) -> None:
        """Report if `name` differs from another one in upper case and underscores at most."""
        other = self._taken.setdefault(folded(name), f"{shown(name)} ({position})")
        if other != f"{shown(name)} ({position})":
            message = f"in generated code the {self._what} {shown(name)} collides with {other}"
            self._report.add(Rule.NAME_COLLISION, position, message, "give one of them another name")


def check_key(name: str, position: Position, report: Report) -> bool:
    """Whether a key can be a name in code: a letter, then letters, digits and underscores; reported if not."""
    if _KEY.fullmatch(name):
        return True
    message = f"{shown(name)} names something in generated code, and is no name there"
    report.add(Rule.UNUSABLE_KEY, position, message, "a letter, then letters, digits and underscores")
    return False


def check_class_name(name: str, position: Position, report: Report) -> bool:
    """Whether `name` can be that of a class: a capital letter, then letters, digits and underscores."""
    if _CLASS.fullmatch(name):
        return True
    message = f"{shown(name)} names a class in generated code, and is no name for one"
    report.add(Rule.UNUSABLE_KEY, position, message, "a capital letter, then letters, digits and underscores")
    return False


def folded(name: str) -> str:
    """A name without what generated code may spell otherwise."""
    return name.replace("_", "").lower()


def capitalized(name: str) -> str:
    """A name with a capital letter at its front, if a letter is there."""
    return name[:1].upper() + name[1:]
