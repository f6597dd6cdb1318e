"""What is found between two versions of the protocol, each change with its places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.diff.change import Change, Encounter
from orbitalis_codegen.diff.places import Places
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.schemas import Spot

__all__ = ["Collected", "both", "only"]

V = TypeVar("V")


def only(one: Mapping[str, V], other: Mapping[str, V]) -> Iterator[tuple[str, V]]:
    """Yield what one mapping has and the other one has not."""
    return ((key, value) for key, value in one.items() if key not in other)


def both(old: Mapping[str, V], new: Mapping[str, V]) -> Iterator[tuple[str, V, V]]:
    """Yield what both mappings have."""
    return ((key, old[key], value) for key, value in new.items() if key in old)


class Collected:
    """The changes that were found, each once."""

    def __init__(self, before: Places, after: Places) -> None:
        self._before = before
        self._after = after
        self._found: dict[tuple[str, ...], Change] = {}

    @property
    def changes(self) -> list[Change]:
        """All changes, in the order in which they were found."""
        return list(self._found.values())

    def add(
        self,
        rule: ChangeRule,
        level: Level,
        keys: Sequence[str],
        message: str,
        *,
        was: object = "",
        now: object = "",
        affected: str = "",
        old_keys: Sequence[str] | None = None,
    ) -> None:
        """Note a change of what some keys lead to in the document, or in the old one `old_keys`."""
        places = self._before.at(*(keys if old_keys is None else old_keys)), self._after.at(*keys)
        self._note(rule, level, ".".join(keys), message, str(was), str(now), affected, (), *places)

    def add_type(
        self,
        rule: ChangeRule,
        level: Level,
        path: str,
        message: str,
        *,
        was: str,
        now: str,
        spots: tuple[Spot, Spot],
        affected: str = "",
        encounters: Sequence[Encounter] = (),
    ) -> None:
        """Note a change of a type or field; the same one in several messages is one, which affects all of them."""
        places = self._before.of(spots[0]), self._after.of(spots[1])
        self._note(rule, level, f"types.{path}", message, was, now, affected, encounters, *places)

    def _note(
        self,
        rule: ChangeRule,
        level: Level,
        subject: str,
        message: str,
        was: str,
        now: str,
        affected: str,
        encounters: Sequence[Encounter],
        before: Position | None,
        after: Position | None,
    ) -> None:
        change = Change(
            rule=rule,
            level=level,
            exact_level=level,
            subject=subject,
            was=was,
            now=now,
            message=message,
            before=before,
            after=after,
            affected=affected,
            encounters=tuple(encounters),
        )
        known = self._found.get((rule.code, subject, was, now))
        if known is not None:
            met = tuple(dict.fromkeys((*known.encounters, *change.encounters)))
            change = replace(known, level=max(known.level, level), exact_level=max(known.level, level), encounters=met)
        self._found[rule.code, subject, was, now] = change
