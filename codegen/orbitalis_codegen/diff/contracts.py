"""Two versions of a contract: which operations, inputs, outputs and declared errors changed, and whom that affects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.diff.change import Age, Change, Encounter
from orbitalis_codegen.diff.payloads import (
    Direction,
    Finding,
    compare_payloads,
    encounter,
    readings_of_set,
)
from orbitalis_codegen.diff.reading import Extent, Reading
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.schemas import Spot

__all__ = ["PositionOf", "compare_contracts"]

PositionOf = Callable[[Spot], Position | None]
"""Gives the place of a type or field in one version."""


def compare_contracts(
    old: Contract, new: Contract, before: PositionOf = lambda spot: None, after: PositionOf = lambda spot: None
) -> list[Change]:
    """Return what changed between two versions of a contract; `before` and `after` give the places of types."""
    comparison = _Comparison(old, new, before, after)
    comparison.compare()
    return comparison.changes()


class _Comparison:
    def __init__(self, old: Contract, new: Contract, before: PositionOf, after: PositionOf) -> None:
        self._old = old
        self._new = new
        self._before = before
        self._after = after
        self._found: dict[tuple[str, ...], Change] = {}

    def changes(self) -> list[Change]:
        """Return what was found, each change once."""
        return list(self._found.values())

    def compare(self) -> None:
        old, new = self._old, self._new
        if old.title != new.title:
            message = f"the title is {new.title!r} and was {old.title!r}"
            affected = "programs that use the generated classes"
            self._add(ChangeRule.TITLE_CHANGED, Level.SOURCE, "title", old.title, new.title, message, affected)
        for key, operation in old.operations.items():
            if key not in new.operations:
                message = f"the operation {key} is gone"
                met = Encounter("core", "old", "plugin", f"nobody offers {key}", Level.WIRE)
                self._add(
                    ChangeRule.METHOD_REMOVED, Level.WIRE, key, key, "", message, "", [met], before=operation.position
                )
        for key, operation in new.operations.items():
            if key in old.operations:
                self._operation(old.operations[key], operation)
            else:
                message = f"the operation {key} is new"
                self._add(ChangeRule.METHOD_ADDED, Level.NONE, key, "", key, message, after=operation.position)
        self._classes()

    def _operation(self, old: ContractOperation, new: ContractOperation) -> None:
        if old.has_input != new.has_input:
            self._turned(old, new)
            return
        added, removed = ChangeRule.INPUT_ADDED, ChangeRule.INPUT_REMOVED
        self._set("input", old, new, old.inputs, new.inputs, lambda message, operation: (added, removed))
        answers = (*old.outputs, *old.errors), (*new.outputs, *new.errors)
        self._set("output", old, new, *answers, _rules_of_answer)
        for message, other in _paired(*answers):
            self._error(old, new, message, other)
        for message, other in _paired((*old.inputs, *answers[0]), (*new.inputs, *answers[1])):
            self._headers(new, message, other)

    def _turned(self, old: ContractOperation, new: ContractOperation) -> None:
        """Note that an operation is called that was not, or the other way round: nothing of it is as it was."""
        rule = ChangeRule.INPUT_STARTED if new.has_input else ChangeRule.INPUT_ENDED
        was, now = ("called" if one.has_input else "sent" for one in (old, new))
        refused = Reading(Extent.NOTHING, "one side calls it, and the other side expects it to come by itself")
        ages: tuple[Age, Age] = ("new", "old")
        met = [encounter("input", age, new.key, refused) for age in ages]
        message = f"the operation {new.key} is {now} and was {was}"
        self._add(rule, Level.WIRE, new.key, was, now, message, "", met, old.position, new.position)

    def _set(
        self,
        direction: Direction,
        old: ContractOperation,
        new: ContractOperation,
        olds: Sequence[ContractMessage],
        news: Sequence[ContractMessage],
        rules: Callable[[ContractMessage, ContractOperation], tuple[ChangeRule, ChangeRule]],
    ) -> None:
        """Compare the messages of which one is written: each has to be read by one of the other side."""
        new_reads_old = dict(zip(map(_identity, olds), readings_of_set(olds, news), strict=True))
        old_reads_new = dict(zip(map(_identity, news), readings_of_set(news, olds), strict=True))
        pairs = _paired(olds, news)
        for message, other in pairs:
            readings = new_reads_old[_identity(message)], old_reads_new[_identity(other)]
            for finding in compare_payloads(direction, new.key, message, other, *readings):
                self._finding(finding, message, other)
        empty = Reading(Extent.NOTHING, "one side has a message, where the other one has none")
        nothing: dict[Age, Reading] = {"new": empty, "old": empty}
        found: dict[Age, Reading]
        kept = {_identity(message) for pair in pairs for message in pair}
        for message in olds:
            if _identity(message) not in kept:
                found = {"new": new_reads_old[_identity(message)]} if news else nothing
                text = f"{direction} {message.key} of {new.key} is gone"
                self._alternative(rules(message, old)[1], direction, new.key, message, "", text, found)
        for message in news:
            if _identity(message) not in kept:
                found = {"old": old_reads_new[_identity(message)]} if olds else nothing
                text = f"{direction} {message.key} of {new.key} is new"
                self._alternative(rules(message, new)[0], direction, new.key, None, message.key, text, found, message)

    def _alternative(
        self,
        rule: ChangeRule,
        direction: Direction,
        operation: str,
        old: ContractMessage | None,
        now: str,
        message: str,
        readings: dict[Age, Reading],
        new: ContractMessage | None = None,
    ) -> None:
        met = [
            encounter(direction, age, operation, found)
            for age, found in readings.items()
            if found.extent is not Extent.ALL
        ]
        level = max((one.level for one in met), default=Level.NONE)
        was = "" if old is None else old.key
        subject = f"{operation}.{direction}.{was or now}"
        before, after = (None if one is None else one.position for one in (old, new))
        self._add(rule, level, subject, was, now, message, "", met, before, after, exact_level=Level.WIRE)

    def _finding(self, finding: Finding, old: ContractMessage, new: ContractMessage) -> None:
        one = finding.difference
        level = max((met.level for met in finding.encounters), default=Level.NONE)
        before = self._before(one.before) or old.position
        after = self._after(one.after) or new.position
        subject = f"types.{one.path}"
        self._add(
            one.rule,
            level,
            subject,
            one.was,
            one.now,
            one.message,
            "",
            finding.encounters,
            before,
            after,
            exact_level=max(level, finding.exact_level),
        )

    def _error(
        self, old: ContractOperation, new: ContractOperation, message: ContractMessage, other: ContractMessage
    ) -> None:
        was, now = message in old.errors, other in new.errors
        if was == now:
            return
        rule = ChangeRule.BECAME_ERROR if now else ChangeRule.BECAME_OUTPUT
        names = {True: "a declared error", False: "an output"}
        text = f"{other.key} of {new.key} is {names[now]} and was {names[was]}"
        affected = f"callers of {new.key}: it is {'raised' if now else 'returned'} at those of the new version alone"
        subject = f"{new.key}.output.{other.key}"
        places = message.position, other.position
        self._add(rule, Level.BEHAVIOUR, subject, names[was], names[now], text, affected, (), *places)

    def _headers(self, operation: ContractOperation, old: ContractMessage, new: ContractMessage) -> None:
        was, now = old.headers or "", new.headers or ""
        if was != now:
            text = f"the headers of {new.key} are {now or 'none'} and were {was or 'none'}"
            affected = "programs that use the class of the headers" if was else ""
            level = Level.SOURCE if was else Level.NONE
            subject = f"{operation.key}.{new.key}.headers"
            places = old.position, new.position
            self._add(ChangeRule.HEADERS_CHANGED, level, subject, was, now, text, affected, (), *places)

    def _classes(self) -> None:
        for name, named in self._new.types.items():
            other = self._old.types.get(name)
            if other is not None and other.class_name != named.class_name:
                text = f"the class of {name} is {named.class_name} and was {other.class_name}"
                affected = f"programs that use the class {other.class_name}"
                places = self._before(Spot(name)), self._after(Spot(name))
                rule, level = ChangeRule.CLASS_RENAMED, Level.SOURCE
                names = other.class_name, named.class_name
                self._add(rule, level, f"types.{name}.class", *names, text, affected, (), *places)

    def _add(
        self,
        rule: ChangeRule,
        level: Level,
        subject: str,
        was: str,
        now: str,
        message: str,
        affected: str = "",
        encounters: Iterable[Encounter] = (),
        before: Position | None = None,
        after: Position | None = None,
        exact_level: Level | None = None,
    ) -> None:
        """Note a change; what is found in several operations is one, which affects all that any of them affects."""
        change = Change(
            rule=rule,
            level=level,
            exact_level=max(level, exact_level or level),
            subject=f"{self._new.document}: {subject}",
            was=was,
            now=now,
            message=message,
            before=before or Position(self._old.document, 1, 1),
            after=after or Position(self._new.document, 1, 1),
            affected=affected,
            encounters=tuple(encounters),
        )
        key = rule.code, subject, was, now
        known = self._found.get(key)
        if known is not None:
            change = replace(
                known,
                level=max(known.level, change.level),
                exact_level=max(known.exact_level, change.exact_level),
                encounters=tuple(dict.fromkeys((*known.encounters, *change.encounters))),
            )
        self._found[key] = change


def _rules_of_answer(message: ContractMessage, operation: ContractOperation) -> tuple[ChangeRule, ChangeRule]:
    if message in operation.errors:
        return ChangeRule.ERROR_ADDED, ChangeRule.ERROR_REMOVED
    return ChangeRule.OUTPUT_ADDED, ChangeRule.OUTPUT_REMOVED


def _identity(message: ContractMessage) -> tuple[str, str]:
    return message.key, message.fingerprint


def _paired(
    old: Sequence[ContractMessage], new: Sequence[ContractMessage]
) -> list[tuple[ContractMessage, ContractMessage]]:
    """Return which message of the new version is which of the old one.

    By what travels, then by the payload's name, then by the key; and the only one that is left is the only one.
    """
    pairs: list[tuple[ContractMessage, ContractMessage]] = []
    olds, news = list(old), list(new)

    def take(is_pair: Callable[[ContractMessage, ContractMessage], bool]) -> None:
        for one in list(olds):
            other = next((other for other in news if is_pair(one, other)), None)
            if other is not None:
                pairs.append((one, other))
                olds.remove(one)
                news.remove(other)

    take(lambda one, other: one.key == other.key and one.payload == other.payload and one.plain == other.plain)
    take(lambda one, other: (one.payload or one.plain) == (other.payload or other.plain))
    take(lambda one, other: one.key == other.key)
    if len(olds) == len(news) == 1:
        take(lambda one, other: True)
    return pairs
