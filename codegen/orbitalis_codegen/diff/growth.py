"""The messages of the protocol and the envelope: what changed in them, judged by the rule of growth.

Peers of all versions of a protocol read each other's messages by their order alone. So what was released never changes,
and what is new stands at the end, with a default and the version that it came with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from orbitalis_avro.types import Enumeration, NamedType, Record, Reference
from orbitalis_codegen.diff.change import Age, Encounter
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.schemas import Difference, differences

__all__ = ["Carrier", "GrowthFinding", "compare_growth"]

_SAME_ON_THE_WIRE: Final = frozenset(
    {
        *(ChangeRule.DEFAULT_ADDED, ChangeRule.DEFAULT_CHANGED, ChangeRule.DEFAULT_REMOVED),
        *(ChangeRule.ALIAS_ADDED, ChangeRule.ALIAS_REMOVED, ChangeRule.SYMBOL_DEFAULT_CHANGED),
    }
)
"""Changes of what is not written."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A record that travels, and between whom."""

    record: str
    """Full Avro name."""
    writers: tuple[str, ...]
    """Roles of those who send it."""
    readers: tuple[str, ...]
    """Roles of those who receive it."""


@dataclass(frozen=True, slots=True)
class GrowthFinding:
    """A difference, and who does not get along with it."""

    difference: Difference
    level: Level
    encounters: tuple[Encounter, ...]


def compare_growth(
    carrier: Carrier,
    old: Mapping[str, NamedType],
    new: Mapping[str, NamedType],
    old_name: str,
    versions: tuple[str, str],
) -> list[GrowthFinding]:
    """Return what changed in a record, and in what it contains, between two `versions` of the protocol."""
    before, after = old[old_name], new[carrier.record]
    found = differences((Reference(name=old_name), old), (Reference(name=carrier.record), new))
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    judge = _Judge(carrier, versions, has_grown=len(before.lengths) > 1 or len(after.lengths) > 1)
    return [judge.judge(_as_growth(one, before, after), old, new) for one in found]


def _as_growth(found: Difference, before: Record, after: Record) -> Difference:
    """Return a field that was added or removed at the end as what it is: growth, or what undoes it."""
    if found.rule is ChangeRule.FIELD_ADDED and found.after.type == after.name:
        if _is_grown(found.after.field, after, before):
            return replace(found, rule=ChangeRule.FIELD_GROWN, message=f"{found.message}, at the end")
    elif (
        found.rule is ChangeRule.FIELD_REMOVED
        and found.before.type == before.name
        and _is_grown(found.before.field, before, after)
    ):
        return replace(found, rule=ChangeRule.FIELD_CUT)
    return found


def _is_grown(name: str | None, longer: Record, shorter: Record) -> bool:
    """Return whether a field came with a later version than all that there was; then it stands behind that as well."""
    field = next(field for field in longer.fields if field.name == name)
    return _numbers(field.since) > max((_numbers(one.since) for one in shorter.fields), default=())


def _numbers(since: str | None) -> tuple[int, ...]:
    return () if since is None else tuple(map(int, since.split(".")))


class _Judge:
    def __init__(self, carrier: Carrier, versions: tuple[str, str], *, has_grown: bool) -> None:
        self._carrier = carrier
        self._versions = versions
        self._has_grown = has_grown

    def _grown(self, found: Difference, new: Mapping[str, NamedType]) -> GrowthFinding:
        """Return what becomes of a field that is new; peers of a version that was released do not have it."""
        record = new[found.after.type]
        assert isinstance(record, Record)
        since = next(field.since for field in record.fields if field.name == found.after.field)
        released = self._versions[0]
        if _numbers(since) > _numbers(released.rpartition(".")[0]):
            return GrowthFinding(found, Level.NONE, ())
        reason = f"{released} does not have {found.path}, though it says that it came with {since}"
        encounters = self._met(("new",), reason, Level.BEHAVIOUR)
        return GrowthFinding(found, Level.BEHAVIOUR, encounters)

    def judge(self, found: Difference, old: Mapping[str, NamedType], new: Mapping[str, NamedType]) -> GrowthFinding:
        if found.rule in _SAME_ON_THE_WIRE:
            return GrowthFinding(found, Level.NONE, ())
        if found.rule is ChangeRule.FIELD_GROWN:
            return self._grown(found, new)
        ages: tuple[Age, ...] = ("new", "old")
        reason = "what is written is not read, or as something else"
        match found.rule:
            case ChangeRule.FIELD_CUT:
                reason = "the field is lost, or has its default"
            case ChangeRule.SYMBOL_ADDED if not self._has_grown and _is_at_the_end(found, old, new):
                # What was written before has the same index, and as many fields as it is read with.
                ages = ("old",)
                reason = f"the symbol {found.now} is refused"
            case ChangeRule.SINCE_CHANGED:
                reason = "a version has other fields on each side"
            case ChangeRule.FIELD_ADDED:
                reason = "only growth at the end, by a field with a later `since`, is understood"
            case _:
                pass
        return GrowthFinding(found, Level.WIRE, self._met(ages, reason, Level.WIRE))

    def _met(self, ages: tuple[Age, ...], reason: str, level: Level) -> tuple[Encounter, ...]:
        """Return who meets whom: those of different roles, if there are any."""
        carrier = self._carrier
        pairs = [(reader, writer) for reader in carrier.readers for writer in carrier.writers]
        pairs = [(reader, writer) for reader, writer in pairs if reader != writer] or pairs
        told = f"{carrier.record}: {reason}"
        return tuple(Encounter(reader, age, writer, told, level) for reader, writer in pairs for age in ages)


def _is_at_the_end(found: Difference, old: Mapping[str, NamedType], new: Mapping[str, NamedType]) -> bool:
    """Return whether what is new of an enum stands behind all that there was."""
    before, after = old[found.before.type], new[found.after.type]
    assert isinstance(before, Enumeration)
    assert isinstance(after, Enumeration)
    return after.symbols[: len(before.symbols)] == before.symbols
