"""The payloads of contracts: what changed in them, judged by schema resolution as the runtime does it.

A core writes inputs and a plugin reads them; a plugin writes outputs and declared errors, and a core reads them. So a
change of an input matters to a new plugin with an old core where the new schema has to read the old one, and to an old
plugin with a new core where the old schema has to read the new one. For outputs, it is the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from orbitalis_codegen.contract.model import ContractMessage, PlainType
from orbitalis_codegen.diff.change import Age, Encounter
from orbitalis_codegen.diff.reading import Extent, Reading, parsed, reading
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.schemas import Difference, Spot, differences

__all__ = ["Direction", "Finding", "compare_payloads", "encounter", "level_of", "readings_of_set", "schema_of"]

Direction: TypeAlias = Literal["input", "output"]

_MESSAGES: Final[Mapping[PlainType, str]] = {
    "string": "StringMessage",
    "bytes": "BytesMessage",
    "long": "Int64Message",
    "double": "Float64Message",
}
"""The message of the protocol that a plain payload travels in: a record with one field `value`."""
_LEVELS: Final[Mapping[Extent, Level]] = {
    Extent.ALL: Level.NONE,
    Extent.DEFAULTED: Level.BEHAVIOUR,
    Extent.SOME: Level.WIRE,
    Extent.NOTHING: Level.WIRE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between two versions of a payload, with what becomes of it."""

    difference: Difference
    encounters: tuple[Encounter, ...]
    exact_level: Level


def schema_of(message: ContractMessage) -> str:
    """Return the schema with which a message travels, as JSON text: a plain payload is a record on the wire."""
    if message.plain is None:
        return message.schema
    return (
        f'{{"type":"record","name":"{_MESSAGES[message.plain]}","fields":'
        f'[{{"name":"value","type":"{message.plain}"}}]}}'
    )


def level_of(found: Reading) -> Level:
    """Return how bad it is that so much is read."""
    return _LEVELS[found.extent]


def encounter(direction: Direction, reader_age: Age, operation: str, found: Reading) -> Encounter:
    """Return who meets with what, where a reader of an age reads what a peer of the other age writes."""
    reader, writer = ("plugin", "core") if direction == "input" else ("core", "plugin")
    return Encounter(
        reader=reader,
        reader_age=reader_age,
        writer=writer,
        reason=f"{direction} of {operation}: {found.reason}",
        level=level_of(found),
    )


def readings_of_set(writers: Sequence[ContractMessage], readers: Sequence[ContractMessage]) -> list[Reading]:
    """Return how much of each message that one side writes the other side reads.

    As the runtime does it: by the same schema if there is one, else by the first that goes together with it.
    """
    schemas = [schema_of(reader) for reader in readers]
    canonical = {reader.canonical_form: schema for reader, schema in zip(readers, schemas, strict=True)}
    return [_first_reading(schema_of(writer), canonical.get(writer.canonical_form), schemas) for writer in writers]


def _first_reading(writer: str, same: str | None, readers: Sequence[str]) -> Reading:
    if same is not None:
        return reading(writer, same)
    found = [reading(writer, one) for one in readers]
    refused = found[0] if len(found) == 1 else Reading(Extent.NOTHING, "no message of the other side reads it")
    return next((one for one in found if one.extent is not Extent.NOTHING), refused)


def compare_payloads(
    direction: Direction,
    operation: str,
    old: ContractMessage,
    new: ContractMessage,
    new_reads_old: Reading,
    old_reads_new: Reading,
) -> list[Finding]:
    """Return what changed between two versions of a message, given what becomes of it as a whole.

    No part is said to be worse than the whole, and what the whole suffers is said of a part, or else by itself.
    """
    if old.schema == new.schema and old.plain == new.plain:
        return []
    found = _differences(old, new)
    is_exact = old.canonical_form == new.canonical_form and old.plain == new.plain
    findings: list[Finding] = []
    explained = {"new": Level.NONE, "old": Level.NONE}
    for one in found:
        encounters: list[Encounter] = []
        for age, whole, part in _of_ages((new_reads_old, old_reads_new), (one.new_reads_old, one.old_reads_new)):
            level = min(level_of(part), level_of(whole))
            explained[age] = max(explained[age], level)
            if level is not Level.NONE:
                seen = part if level_of(part) is level else whole
                encounters.append(encounter(direction, age, operation, seen))
        exact = Level.WIRE if one.is_canonical and not is_exact else Level.NONE
        findings.append(Finding(one, tuple(encounters), exact))
    rest = [
        encounter(direction, age, operation, whole)
        for age, whole, _ in _of_ages((new_reads_old, old_reads_new), (new_reads_old, old_reads_new))
        if explained[age] < level_of(whole)
    ]
    if rest:
        findings.append(Finding(_as_a_whole(old, new, rest), tuple(rest), Level.WIRE))
    return findings


def _of_ages(
    whole: tuple[Reading, Reading], part: tuple[Reading, Reading]
) -> tuple[tuple[Age, Reading, Reading], tuple[Age, Reading, Reading]]:
    return ("new", whole[0], part[0]), ("old", whole[1], part[1])


def _differences(old: ContractMessage, new: ContractMessage) -> list[Difference]:
    if old.plain == new.plain:
        return differences(parsed(schema_of(old)), parsed(schema_of(new)))
    rule = ChangeRule.PLAIN_CHANGED
    if old.plain is None:
        rule = ChangeRule.RECORD_BECAME_PLAIN
    elif new.plain is None:
        rule = ChangeRule.PLAIN_BECAME_RECORD
    was, now = old.plain or old.payload or "", new.plain or new.payload or ""
    refused = Reading(Extent.NOTHING, "it travels in another message")
    return [
        Difference(
            rule=rule,
            path=new.key,
            was=was,
            now=now,
            message=f"the payload of {new.key} is {now} and was {was}",
            before=Spot(old.payload or ""),
            after=Spot(new.payload or ""),
            new_reads_old=refused,
            old_reads_new=refused,
        )
    ]


def _as_a_whole(old: ContractMessage, new: ContractMessage, encounters: Sequence[Encounter]) -> Difference:
    name = new.payload or new.plain or new.key
    reasons = "; ".join(dict.fromkeys(one.reason for one in encounters))
    return Difference(
        rule=ChangeRule.UNREADABLE,
        path=name,
        was=old.fingerprint,
        now=new.fingerprint,
        message=f"the two versions of {name} do not go together: {reasons}",
        before=Spot(old.payload or ""),
        after=Spot(new.payload or ""),
    )
