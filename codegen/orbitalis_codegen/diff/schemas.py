"""What differs between two versions of a schema, part by part, and what becomes of values in either direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.diagnostic import shown
from orbitalis_codegen.diff.reading import Extent, Reading, Schema, reading_of_types
from orbitalis_codegen.diff.rules import ChangeRule

__all__ = ["Difference", "Spot", "differences"]

_ALL: Final = Reading(Extent.ALL)
_WIDER: Final[Mapping[str, tuple[str, ...]]] = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
}
_TEXTUAL: Final[Mapping[tuple[str, str], ChangeRule]] = {
    ("string", "bytes"): ChangeRule.TEXT_BECAME_BYTES,
    ("bytes", "string"): ChangeRule.BYTES_BECAME_TEXT,
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a schema: a named type, or one of its fields."""

    type: str
    """Full Avro name."""
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part that differs."""

    rule: ChangeRule
    path: str
    """Of the part, from the record or enum that it is defined in, such as `Status.position[]`."""
    was: str
    now: str
    message: str
    before: Spot
    after: Spot
    new_reads_old: Reading = _ALL
    old_reads_new: Reading = _ALL
    is_canonical: bool = True
    """Whether the canonical form is another one, so that exact matching notices it."""


def differences(old: Schema, new: Schema) -> list[Difference]:
    """Return what differs between two versions of a schema, in the order of the new one."""
    walk = _Walk(old[1], new[1])
    root = Spot(_name_of(old[0])), Spot(_name_of(new[0]))
    walk.types(old[0], new[0], root[0].type, *root)
    return list(dict.fromkeys(walk.found))


class _Walk:
    """Goes through both versions side by side, through each pair of named types once."""

    def __init__(self, old: Mapping[str, NamedType], new: Mapping[str, NamedType]) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str]] = set()
        self.found: list[Difference] = []

    def types(self, old: AvroType, new: AvroType, path: str, before: Spot, after: Spot) -> None:
        match old, new:
            case Union(), Union():
                self._unions(old, new, path, before, after)
            case Union(), _:
                self._union_and_type(ChangeRule.UNION_ENDED, old, new, path, before, after)
            case _, Union():
                self._union_and_type(ChangeRule.BECAME_UNION, old, new, path, before, after)
            case _:
                self._plain_types(old, new, path, before, after)

    def _plain_types(self, old: AvroType, new: AvroType, path: str, before: Spot, after: Spot) -> None:
        base, other = _base(old), _base(new)
        match base, other:
            case Array(items=items), Array(items=others):
                self.types(items, others, f"{path}[]", before, after)
            case Map(values=values), Map(values=others):
                self.types(values, others, f"{path}{{}}", before, after)
            case Primitive(name=name), Primitive(name=another) if name == another:
                self._logical_types(old, new, path, before, after)
            case Reference(name=name), Reference(name=another) if type(self._old[name]) is type(self._new[another]):
                self._logical_types(old, new, path, before, after)
                self._named(self._old[name], self._new[another])
            case _:
                self._type_changed(_rule_of(old, new), old, new, path, before, after)

    def _type_changed(
        self, rule: ChangeRule, old: AvroType, new: AvroType, path: str, before: Spot, after: Spot
    ) -> None:
        was, now = self._spelled(old, self._old), self._spelled(new, self._new)
        message = f"the type of {path} is {now} and was {was}"
        self._add(rule, path, was, now, message, before, after, *self._readings(old, new))

    def _readings(self, old: AvroType, new: AvroType) -> tuple[Reading, Reading]:
        """Return how the new type reads the old one, and the other way round."""
        before, after = (old, self._old), (new, self._new)
        return reading_of_types(before, after), reading_of_types(after, before)

    def _logical_types(self, old: AvroType, new: AvroType, path: str, before: Spot, after: Spot) -> None:
        one = old if isinstance(old, LogicalType) else None
        other = new if isinstance(new, LogicalType) else None
        digits = [(type_.name, type_.precision, type_.scale) if type_ else None for type_ in (one, other)]
        if digits[0] == digits[1]:
            return
        if one is None:
            rule = ChangeRule.LOGICAL_TYPE_ADDED
        elif other is None:
            rule = ChangeRule.LOGICAL_TYPE_REMOVED
        else:
            rule = ChangeRule.LOGICAL_TYPE_CHANGED
        was, now = _meaning(one), _meaning(other)
        message = f"the logical type of {path} is {now or 'none'} and was {was or 'none'}"
        reason = Reading(Extent.NOTHING, f"{path} has another logical type")
        self._add(rule, path, was, now, message, before, after, reason, reason)

    def _unions(self, old: Union, new: Union, path: str, before: Spot, after: Spot) -> None:
        pairs = self._paired(old.branches, new.branches)
        taken = set(pairs.values())
        for index, branch in enumerate(old.branches):
            if index in pairs:
                self.types(branch, new.branches[pairs[index]], path, before, after)
            else:
                was = self._spelled(branch, self._old)
                reads = _of_branch(reading_of_types((branch, self._old), (new, self._new)), was)
                message = f"the union {path} is no longer {was}"
                self._add(ChangeRule.BRANCH_REMOVED, path, was, "", message, before, after, reads, _ALL)
        for index, branch in enumerate(new.branches):
            if index not in taken:
                now = self._spelled(branch, self._new)
                reads = _of_branch(reading_of_types((branch, self._new), (old, self._old)), now)
                message = f"the union {path} may be {now} as well"
                self._add(ChangeRule.BRANCH_ADDED, path, "", now, message, before, after, _ALL, reads)
        if list(pairs.values()) != sorted(pairs.values()):
            was, now = self._spelled(old, self._old), self._spelled(new, self._new)
            message = f"the branches of the union {path} are {now} and were {was}"
            self._add(ChangeRule.UNION_REORDERED, path, was, now, message, before, after)

    def _paired(self, old: Sequence[AvroType], new: Sequence[AvroType]) -> dict[int, int]:
        """Return which branch of the new union is which of the old one, by index."""
        pairs: dict[int, int] = {}
        for is_pair in (self._is_same_kind, self._is_like):
            for index, branch in enumerate(old):
                free = [one for one in range(len(new)) if one not in pairs.values()]
                found = next((one for one in free if index not in pairs and is_pair(branch, new[one])), None)
                if found is not None:
                    pairs[index] = found
        return dict(sorted(pairs.items()))

    def _is_same_kind(self, old: AvroType, new: AvroType) -> bool:
        match _base(old), _base(new):
            case Primitive(name=name), Primitive(name=another):
                return name == another
            case Reference(name=name), Reference(name=another):
                one, other = self._old[name], self._new[another]
                return type(one) is type(other) and (name == another or name in other.aliases or another in one.aliases)
            case (Array(), Array()) | (Map(), Map()):
                return True
            case _:
                return False

    def _is_like(self, old: AvroType, new: AvroType) -> bool:
        """Return whether one branch probably stands for the other, under another name or with more room."""
        match _base(old), _base(new):
            case Primitive(name=name), Primitive(name=another):
                return another in _WIDER.get(name, ()) or name in _WIDER.get(another, ())
            case Reference(name=name), Reference(name=another):
                return _short(name) == _short(another) and type(self._old[name]) is type(self._new[another])
            case _:
                return False

    def _union_and_type(
        self, rule: ChangeRule, old: AvroType, new: AvroType, path: str, before: Spot, after: Spot
    ) -> None:
        self._type_changed(rule, old, new, path, before, after)
        olds = old.branches if isinstance(old, Union) else (old,)
        news = new.branches if isinstance(new, Union) else (new,)
        for index, other in self._paired(olds, news).items():
            self.types(olds[index], news[other], path, before, after)

    def _named(self, old: NamedType, new: NamedType) -> None:
        if (old.name, new.name) in self._seen:
            return
        self._seen.add((old.name, new.name))
        before, after = Spot(old.name), Spot(new.name)
        self._name(old, new, before, after)
        self._aliases(old.aliases, new.aliases, old.name, new.name, new.name, before, after)
        match old, new:
            case Record(), Record():
                self._records(old, new)
            case Enumeration(), Enumeration():
                self._enumerations(old, new, before, after)
            case Fixed(), Fixed() if old.size != new.size:
                reason = Reading(Extent.NOTHING, f"{new.name} has another size")
                message = f"{new.name} has {new.size} bytes and had {old.size}"
                rule = ChangeRule.SIZE_CHANGED
                self._add(rule, new.name, str(old.size), str(new.size), message, before, after, reason, reason)
            case _:
                pass

    def _name(self, old: NamedType, new: NamedType, before: Spot, after: Spot) -> None:
        if old.name == new.name:
            return
        by_short_name = not isinstance(old, Record) and _short(old.name) == _short(new.name)
        forward = by_short_name or old.name in new.aliases
        backward = by_short_name or new.name in old.aliases
        if old.name in new.aliases:
            rule = ChangeRule.TYPE_RENAMED
        elif new.name in old.aliases:
            rule = ChangeRule.TYPE_ALIAS_TAKEN
        else:
            rule = ChangeRule.TYPE_REPLACED
        reason = Reading(Extent.NOTHING, f"{new.name} and {old.name} are different types")
        message = f"the type {new.name} was called {old.name}"
        readings = (_ALL if forward else reason), (_ALL if backward else reason)
        self._add(rule, old.name, old.name, new.name, message, before, after, *readings)

    def _aliases(
        self,
        old: Sequence[str],
        new: Sequence[str],
        old_name: str,
        new_name: str,
        path: str,
        before: Spot,
        after: Spot,
    ) -> None:
        for alias in new:
            if alias not in old and alias != old_name:
                message = f"{path} has the alias {alias}"
                self._add(ChangeRule.ALIAS_ADDED, path, "", alias, message, before, after, is_canonical=False)
        for alias in old:
            if alias not in new and alias != new_name:
                message = f"{path} no longer has the alias {alias}"
                self._add(ChangeRule.ALIAS_REMOVED, path, alias, "", message, before, after, is_canonical=False)

    def _records(self, old: Record, new: Record) -> None:
        pairs = _paired_fields(old, new)
        taken = {field.name for field in pairs.values()}
        for field in old.fields:
            if field.name not in pairs:
                self._field_removed(old, new, field)
        for field in new.fields:
            if field.name not in taken:
                self._field_added(old, new, field)
        for field in old.fields:
            if field.name in pairs:
                self._fields(old, new, field, pairs[field.name])
        order = [pairs[field.name].name for field in old.fields if field.name in pairs]
        now = [field.name for field in new.fields if field.name in taken]
        if order != now:
            was_listed, now_listed = ", ".join(order), ", ".join(now)
            message = f"the fields of {new.name} come as {now_listed}, and came as {was_listed}"
            spots = Spot(old.name), Spot(new.name)
            self._add(ChangeRule.FIELDS_REORDERED, new.name, was_listed, now_listed, message, *spots)

    def _field_added(self, old: Record, new: Record, field: Field) -> None:
        now = self._spelled(field.type, self._new)
        spots = Spot(old.name), Spot(new.name, field.name)
        path = f"{new.name}.{field.name}"
        if field.has_default:
            message = f"the field {path} is new, and has a default"
            self._add(ChangeRule.FIELD_ADDED, path, "", now, message, *spots)
        else:
            message = f"the field {path} is new, and has no default"
            reason = Reading(Extent.NOTHING, f"{path} is missing, and has no default")
            self._add(ChangeRule.REQUIRED_FIELD_ADDED, path, "", now, message, *spots, reason, _ALL)

    def _field_removed(self, old: Record, new: Record, field: Field) -> None:
        was = self._spelled(field.type, self._old)
        spots = Spot(old.name, field.name), Spot(new.name)
        path = f"{old.name}.{field.name}"
        if field.has_default:
            message = f"the field {path} is gone, and had a default"
            self._add(ChangeRule.FIELD_REMOVED, path, was, "", message, *spots)
        else:
            message = f"the field {path} is gone, and had no default"
            reason = Reading(Extent.NOTHING, f"{path} is missing, and has no default")
            self._add(ChangeRule.REQUIRED_FIELD_REMOVED, path, was, "", message, *spots, _ALL, reason)

    def _fields(self, record: Record, other: Record, old: Field, new: Field) -> None:
        before, after = Spot(record.name, old.name), Spot(other.name, new.name)
        path = f"{other.name}.{new.name}"
        if old.name != new.name:
            helps_new = old.name in new.aliases
            rule = ChangeRule.FIELD_RENAMED if helps_new else ChangeRule.FIELD_ALIAS_TAKEN
            readings = (
                _ALL if helps_new else _unless_default(new, path),
                _ALL if new.name in old.aliases else _unless_default(old, f"{record.name}.{old.name}"),
            )
            message = f"the field {path} was called {old.name}"
            self._add(rule, f"{record.name}.{old.name}", old.name, new.name, message, before, after, *readings)
        self.types(old.type, new.type, path, before, after)
        self._aliases(old.aliases, new.aliases, old.name, new.name, path, before, after)
        was = shown(old.default) if old.has_default else ""
        now = shown(new.default) if new.has_default else ""
        if was != now:
            rule = ChangeRule.DEFAULT_CHANGED
            if not was:
                rule = ChangeRule.DEFAULT_ADDED
            elif not now:
                rule = ChangeRule.DEFAULT_REMOVED
            message = f"the default of {path} is {now or 'none any more'}" + (f" and was {was}" if was else "")
            self._add(rule, path, was, now, message, before, after, is_canonical=False)
        if old.since != new.since:
            was, now = old.since or "", new.since or ""
            message = f"{path} came with {now or 'the first version'}, and before it said {was or 'the first one'}"
            rule = ChangeRule.SINCE_CHANGED
            self._add(rule, path, was, now, message, before, after, is_canonical=False)

    def _enumerations(self, old: Enumeration, new: Enumeration, before: Spot, after: Spot) -> None:
        for symbol in old.symbols:
            if symbol not in new.symbols:
                message = f"the enum {new.name} no longer has the symbol {symbol}"
                path = f"{new.name}.{symbol}"
                rule = ChangeRule.SYMBOL_REMOVED
                self._add(rule, path, symbol, "", message, before, after, _of_symbol(symbol, new), _ALL)
        for symbol in new.symbols:
            if symbol not in old.symbols:
                message = f"the enum {new.name} has the new symbol {symbol}"
                path = f"{new.name}.{symbol}"
                rule = ChangeRule.SYMBOL_ADDED
                self._add(rule, path, "", symbol, message, before, after, _ALL, _of_symbol(symbol, old))
        common = [symbol for symbol in old.symbols if symbol in new.symbols]
        order = [symbol for symbol in new.symbols if symbol in old.symbols]
        if common != order:
            was, now = ", ".join(common), ", ".join(order)
            message = f"the symbols of {new.name} come as {now}, and came as {was}"
            self._add(ChangeRule.SYMBOLS_REORDERED, new.name, was, now, message, before, after)
        if old.default != new.default:
            message = f"the default of the enum {new.name} is {new.default or 'none'} and was {old.default or 'none'}"
            rule = ChangeRule.SYMBOL_DEFAULT_CHANGED
            was, now = old.default or "", new.default or ""
            self._add(rule, new.name, was, now, message, before, after, is_canonical=False)

    def _add(
        self,
        rule: ChangeRule,
        path: str,
        was: str,
        now: str,
        message: str,
        before: Spot,
        after: Spot,
        new_reads_old: Reading = _ALL,
        old_reads_new: Reading = _ALL,
        *,
        is_canonical: bool = True,
    ) -> None:
        self.found.append(
            Difference(
                rule=rule,
                path=path,
                was=was,
                now=now,
                message=message,
                before=before,
                after=after,
                new_reads_old=new_reads_old,
                old_reads_new=old_reads_new,
                is_canonical=is_canonical,
            )
        )

    def _spelled(self, type_: AvroType, named: Mapping[str, NamedType]) -> str:
        """Return a type in few words."""
        match type_:
            case Primitive(name=name) | Reference(name=name):
                return name
            case LogicalType(underlying=underlying):
                return f"{_meaning(type_)} on {self._spelled(underlying, named)}"
            case Array(items=items):
                return f"array of {self._spelled(items, named)}"
            case Map(values=values):
                return f"map of {self._spelled(values, named)}"
            case Union(branches=branches):
                return f"[{', '.join(self._spelled(branch, named) for branch in branches)}]"


def _paired_fields(old: Record, new: Record) -> dict[str, Field]:
    """Return which field of the new record is which of the old one: by name, else by an alias that either has."""
    named = {field.name: field for field in new.fields}
    pairs = {field.name: named[field.name] for field in old.fields if field.name in named}
    free = [field for field in new.fields if field.name not in pairs]
    for field in old.fields:
        if field.name in pairs:
            continue
        by_alias = (one for one in free if field.name in one.aliases or one.name in field.aliases)
        if (found := next(by_alias, None)) is not None:
            pairs[field.name] = found
            free.remove(found)
    return pairs


def _rule_of(old: AvroType, new: AvroType) -> ChangeRule:
    """Return the rule for two types of different kinds, neither of them a union."""
    match old, new:
        case Primitive(name=name), Primitive(name=another):
            if another in _WIDER.get(name, ()):
                return ChangeRule.TYPE_WIDENED
            if name in _WIDER.get(another, ()):
                return ChangeRule.TYPE_NARROWED
            return _TEXTUAL.get((name, another), ChangeRule.TYPE_CHANGED)
        case _:
            return ChangeRule.TYPE_CHANGED


def _of_branch(found: Reading, branch: str) -> Reading:
    """Return what becomes of a union of which one branch is read in a way: the other branches are read."""
    if found.extent is Extent.NOTHING:
        return Reading(Extent.SOME, f"a value of the branch {branch} is refused")
    return found


def _of_symbol(symbol: str, reader: Enumeration) -> Reading:
    """Return what becomes of an enum of which a reader does not have one symbol."""
    if reader.default in reader.symbols:
        return Reading(Extent.DEFAULTED, f"the symbol {symbol} is read as {reader.default}")
    return Reading(Extent.SOME, f"the symbol {symbol} is refused")


def _unless_default(field: Field, path: str) -> Reading:
    return _ALL if field.has_default else Reading(Extent.NOTHING, f"{path} is missing, and has no default")


def _meaning(type_: LogicalType | None) -> str:
    if type_ is None:
        return ""
    return type_.name + (f"({type_.precision}, {type_.scale})" if type_.name == "decimal" else "")


def _base(type_: AvroType) -> AvroType:
    return type_.underlying if isinstance(type_, LogicalType) else type_


def _name_of(type_: AvroType) -> str:
    base = _base(type_)
    return base.name if isinstance(base, (Reference, Primitive)) else type(base).__name__.lower()


def _short(name: str) -> str:
    return name.rpartition(".")[2]
