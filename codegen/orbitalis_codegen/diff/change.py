"""One change between two versions: what it is, how far it reaches, whom it affects, and what to do instead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.diff.advice import advice_for
from orbitalis_codegen.diff.rules import ChangeRule, Level

__all__ = ["Age", "Change", "Encounter", "by_weight"]

Age: TypeAlias = Literal["new", "old"]


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two peers of different versions, of which one reads what the other one writes."""

    reader: str
    """Its role, such as `plugin`."""
    reader_age: Age
    writer: str
    reason: str
    """What happens then."""
    level: Level

    @property
    def writer_age(self) -> Age:
        """The version of the one that writes."""
        return "old" if self.reader_age == "new" else "new"

    def __str__(self) -> str:
        return f"{self.reader_age} {self.reader} with {self.writer_age} {self.writer}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change."""

    rule: ChangeRule
    level: Level
    exact_level: Level
    """Its level for peers that match schemas exactly."""
    subject: str
    """What has changed, such as `operations.turn_on.input.TurnOn.level`."""
    was: str
    """The old value in few words; empty where there was none."""
    now: str
    """The new value in few words; empty where there is none."""
    message: str
    before: Position | None
    """Where the old version says it, or would."""
    after: Position | None
    """Where the new version says it, or would."""
    affected: str
    """Who is affected apart from :attr:`encounters`; empty where nobody is."""
    encounters: tuple[Encounter, ...] = ()
    """Peers that do not understand each other, or not well, because of it."""

    @property
    def advice(self) -> str:
        """What to do instead; empty where nobody is affected."""
        return "" if self.level is self.exact_level is Level.NONE else advice_for(self.rule)

    @property
    def who(self) -> tuple[str, ...]:
        """Everybody who is affected, each with what happens."""
        return (*([self.affected] if self.affected else []), *map(str, self.encounters))

    @property
    def fingerprint(self) -> str:
        """What stands for this change and no other one, wherever in its file it stands."""
        told = "\n".join((self.rule.code, self.subject, self.was, self.now))
        return hashlib.sha256(told.encode(errors="backslashreplace")).hexdigest()[:16]


def by_weight(changes: Iterable[Change]) -> list[Change]:
    """Return changes, the worst first, then in the order of the places."""
    nowhere = Position("", 0, 0)
    return sorted(
        changes,
        key=lambda change: (
            -list(Level).index(change.level),
            change.after or change.before or nowhere,
            change.rule.code,
            change.subject,
            change.was,
            change.now,
        ),
    )
