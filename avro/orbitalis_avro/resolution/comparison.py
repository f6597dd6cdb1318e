"""Pairs the types of a writer's schema with those of a reader's, by the rules of Avro and some stricter ones.

Stricter than Avro: records need the same full name, or an alias, and a field in common; logical types have to agree;
and a writer's record may not contain itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from orbitalis_avro.plan import Plan, ScalarStep
from orbitalis_avro.resolution.bounds import Budget, Exceeded, check_writer
from orbitalis_avro.resolution.defaults import written_default
from orbitalis_avro.resolution.matches import (
    ArrayMatch,
    BranchMatch,
    EnumMatch,
    FieldMatch,
    MapMatch,
    Match,
    RecordMatch,
    RecordPair,
    Resolution,
    ScalarMatch,
    UnionMatch,
)
from orbitalis_avro.resolution.refusal import Refusal
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

__all__ = ["compare"]

_PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""What a primitive may be read as, by what is written."""
_INTEGERS: Final = frozenset({"int", "long"})
"""Of which the same number is the same value."""
_SHOWN: Final = 8
"""Branches, symbols and fields that are named in a refusal."""
_FITTING_BRANCHES: Final = 64
"""Branches of a writer's union that a reader may take: each is a case of its own in the function that reads."""

_Schema: TypeAlias = "tuple[AvroType, Mapping[str, NamedType]]"


def compare(writer: _Schema, reader: _Schema, *, deepest: int) -> Resolution | Refusal:
    """Return how values of a writer's schema are read by a reader's, or why not; both as `read_schema` gives them.

    Where only some values cannot be read, such as a branch of a union or a symbol that the reader does not have, the
    schemas go together, and reading such a value raises. The writer may be a stranger: its schema may nest up to
    `deepest` levels, and the work is bounded by `MOST_PAIRS`.
    """
    budget = Budget()
    try:
        check_writer(writer[0], writer[1], deepest, budget)
        comparison = _Comparison(writer[1], reader[1], deepest, budget)
        root = comparison.pair(writer[0], reader[0])
    except Exceeded as exceeded:
        return exceeded.refusal
    if isinstance(root, Refusal):
        name = reader[0].name.rpartition(".")[2] if isinstance(reader[0], Reference) else ""
        return root.inside(name if root.path else "")
    return Resolution(root=root, records=comparison.records, writer=comparison.writer_plan, pairs=budget.spent)


class _Comparison:
    """Compares the types of two schemas; each pair once."""

    def __init__(
        self, writer: Mapping[str, NamedType], reader: Mapping[str, NamedType], deepest: int, budget: Budget
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._deepest = deepest
        self._budget = budget
        self.writer_plan = Plan(writer)
        self._reader_plan = Plan(reader)
        self._found: dict[tuple[AvroType, AvroType], Match | Refusal] = {}
        self.records: dict[tuple[str, str], RecordPair] = {}

    def pair(self, writer: AvroType, reader: AvroType) -> Match | Refusal:
        """Return how one type is read as another one."""
        key = writer, reader
        if key not in self._found:
            self._budget.spend()
            self._found[key] = self._pair(writer, reader)
        return self._found[key]

    def _pair(self, writer: AvroType, reader: AvroType) -> Match | Refusal:
        if isinstance(writer, Union):
            return self._union(writer, reader)
        if isinstance(reader, Union):
            return self._branch(writer, reader)
        if not self._fits(writer, reader):
            return self._misfit(writer, reader)
        if (logical := _logical_difference(writer, reader)) is not None:
            return logical
        match writer, reader:
            case Array(items=items), Array(items=others):
                inner = self.pair(items, others)
                if isinstance(inner, Refusal):
                    return inner.inside("[]")
                return ArrayMatch(minimum=self.writer_plan.minimum_size(items), items=inner)
            case Map(values=values), Map(values=others):
                inner = self.pair(values, others)
                if isinstance(inner, Refusal):
                    return inner.inside("{}")
                return MapMatch(minimum=1 + self.writer_plan.minimum_size(values), values=inner)
            case _:
                return self._whole(writer, reader)

    def _union(self, writer: Union, reader: AvroType) -> Match | Refusal:
        found = tuple(self.pair(branch, reader) for branch in writer.branches)
        fitting = sum(not isinstance(one, Refusal) for one in found)
        if fitting > _FITTING_BRANCHES:
            return self._differ(f"has more than {_FITTING_BRANCHES} branches that fit, and", writer, reader)
        if fitting:
            return UnionMatch(branches=found)
        refusals = [one for one in found if isinstance(one, Refusal)]
        telling = refusals if len(refusals) == 1 else [one for one in refusals if one.verb != "is"]
        return telling[0] if telling else self._differ("is", writer, reader)

    def _branch(self, writer: AvroType, reader: Union) -> Match | Refusal:
        """Take the first branch that fits, as Avro does: by the names of named types, and with promotions."""
        passed: Refusal | None = None
        kind = ""
        for index, branch in enumerate(reader.branches):
            if not self._fits(writer, branch):
                continue
            if (logical := _logical_difference(writer, branch)) is not None:
                if passed is None:
                    passed, kind = logical, _kind(branch)
                continue
            if passed and _kind(branch) != kind and not {_kind(branch), kind} <= _INTEGERS:
                # Avro would have taken a branch before, which gives another value.
                break
            inner = self.pair(writer, branch)
            return inner if isinstance(inner, Refusal) else BranchMatch(index=index, inner=inner)
        if passed:
            return passed
        alike = next((branch for branch in reader.branches if self._is_alike(writer, branch)), reader)
        return self._misfit(writer, alike)

    def _fits(self, writer: AvroType, reader: AvroType) -> bool:
        """Return whether Avro holds two types for a pair, without looking into records."""
        self._budget.spend()
        match _base(writer), _base(reader):
            case (Union(), _) | (_, Union()):
                return True
            case Primitive(name=name), Primitive(name=other):
                return name == other or other in _PROMOTIONS.get(name, ())
            case (Array(items=inner), Array(items=others)) | (Map(values=inner), Map(values=others)):
                return self._fits(inner, others)
            case Reference(name=name), Reference(name=other):
                one, another = self._writer[name], self._reader[other]
                if isinstance(one, Fixed) and isinstance(another, Fixed) and one.size != another.size:
                    return False
                return type(one) is type(another) and _is_called(one, another)
            case _:
                return False

    def _misfit(self, writer: AvroType, reader: AvroType) -> Refusal:
        """Say why two types are no pair."""
        match _base(writer), _base(reader):
            case Reference(name=name), Reference(name=other):
                one, another = self._writer[name], self._reader[other]
                if type(one) is type(another) and not _is_called(one, another):
                    return Refusal(verb="is called", writer=name, reader=other)
                if isinstance(one, Fixed) and isinstance(another, Fixed):
                    return Refusal(verb="has size", writer=str(one.size), reader=str(another.size))
            case (Array(items=inner), Array(items=others)):
                return self._misfit(inner, others).inside("[]")
            case (Map(values=inner), Map(values=others)):
                return self._misfit(inner, others).inside("{}")
            case _:
                pass
        return self._differ("is", writer, reader)

    def _is_alike(self, writer: AvroType, reader: AvroType) -> bool:
        """Return whether people would take two types that are no pair for one."""
        match _base(writer), _base(reader):
            case (Array(items=inner), Array(items=others)) | (Map(values=inner), Map(values=others)):
                return self._is_alike(inner, others)
            case Reference(name=name), Reference(name=other):
                another = self._reader[other]
                return _short(name) in map(_short, (other, *another.aliases))
            case _:
                return False

    def _differ(self, verb: str, writer: AvroType, reader: AvroType) -> Refusal:
        return Refusal(verb=verb, writer=_shown(writer, self._writer), reader=_shown(reader, self._reader))

    def _whole(self, writer: AvroType, reader: AvroType) -> Match | Refusal:
        """Pair a scalar, an enumeration or a record with one that fits."""
        step, other = self.writer_plan.step(writer), self._reader_plan.step(reader)
        if isinstance(step, ScalarStep) and isinstance(other, ScalarStep):
            return ScalarMatch(writer=step, reader=other)
        assert isinstance(writer, Reference)
        assert isinstance(reader, Reference)
        match self._writer[writer.name], self._reader[reader.name]:
            case Enumeration() as one, Enumeration() as another:
                return _enumerations(one, another)
            case Record() as one, Record() as another:
                return self._records(one, another)
            case _:
                return self._differ("is", writer, reader)

    def _records(self, writer: Record, reader: Record) -> Match | Refusal:
        named = {field.name: field for field in reader.fields}
        called = {alias: field for field in reader.fields for alias in field.aliases}
        taken: dict[str, Field] = {}
        """The writer's field, by the name of the reader's."""
        fields: list[FieldMatch] = []
        for field, plan in zip(writer.fields, self.writer_plan.records[writer.name].fields, strict=True):
            target = named.get(field.name) or called.get(field.name)
            if target is None:
                fields.append(FieldMatch(writer=plan, reader=None, match=None))
                continue
            part = f".{target.name}"
            if target.name in taken:
                both = f"{taken[target.name].name} and {field.name}"
                return Refusal(verb="comes twice, as", writer=both, reader=target.name, path=part)
            taken[target.name] = field
            match = self.pair(field.type, target.type)
            if isinstance(match, Refusal):
                return match.inside(part)
            fields.append(FieldMatch(writer=plan, reader=target.name, match=match))
        if not taken and writer.fields and reader.fields:
            return Refusal(verb="has no field in common:", writer=_listed(writer), reader=_listed(reader))
        defaults = self._defaults([field for field in reader.fields if field.name not in taken])
        if isinstance(defaults, Refusal):
            return defaults
        self.records[writer.name, reader.name] = RecordPair(fields=tuple(fields), defaults=defaults)
        return RecordMatch(writer=writer.name, reader=reader.name)

    def _defaults(self, fields: list[Field]) -> dict[str, bytes] | Refusal:
        """Return what stands for fields that are not written."""
        defaults: dict[str, bytes] = {}
        for field in fields:
            shown = _shown(field.type, self._reader)
            if not field.has_default:
                return Refusal(verb="is missing", writer=None, reader=shown, path=f".{field.name}")
            try:
                defaults[field.name] = written_default(field.type, self._reader, field.default, self._deepest)
            except ValueError as error:
                # Its own class says so when it is made; schemas that a class brings along may say anything.
                return Refusal(verb=f"{error}, and is missing", writer=None, reader=shown, path=f".{field.name}")
        return defaults


def _enumerations(writer: Enumeration, reader: Enumeration) -> Match | Refusal:
    places = {symbol: index for index, symbol in enumerate(reader.symbols)}
    default = None if reader.default is None else places.get(reader.default)
    indexes = tuple(places.get(symbol, default) for symbol in writer.symbols)
    known = ", ".join(reader.symbols[:_SHOWN])
    if all(index is None for index in indexes) and writer.symbols:
        return Refusal(verb="has symbols", writer=", ".join(writer.symbols[:_SHOWN]), reader=known)
    return EnumMatch(symbols=writer.symbols, indexes=indexes, expected=f"one of {known}")


def _is_called(writer: NamedType, reader: NamedType) -> bool:
    """Return whether the name of a writer's type is that of a reader's; only a record's namespace counts."""
    if writer.name == reader.name or writer.name in reader.aliases:
        return True
    return not isinstance(writer, Record) and _short(writer.name) == _short(reader.name)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _base(type_: AvroType) -> AvroType:
    return type_.underlying if isinstance(type_, LogicalType) else type_


def _kind(type_: AvroType) -> str:
    """Return which class of values is written for a type."""
    base = _base(type_)
    return base.name if isinstance(base, (Primitive, Reference)) else type(base).__name__


def _logical_difference(writer: AvroType, reader: AvroType) -> Refusal | None:
    """Return in what the meaning of two types differs."""
    one = writer if isinstance(writer, LogicalType) else None
    other = reader if isinstance(reader, LogicalType) else None
    names = one.name if one else "none", other.name if other else "none"
    if names[0] != names[1]:
        return Refusal(verb="has logical type", writer=names[0], reader=names[1])
    if one is None or other is None:
        return None
    for what, mine, theirs in (
        ("precision", one.precision, other.precision),
        ("scale", one.scale, other.scale),
    ):
        if mine != theirs:
            return Refusal(verb=f"has {what}", writer=str(mine), reader=str(theirs))
    return None


def _listed(record: Record) -> str:
    return ", ".join(field.name for field in record.fields[:_SHOWN])


def _shown(type_: AvroType, named: Mapping[str, NamedType], depth: int = 0) -> str:
    """Return a type in few words."""
    match type_:
        case Primitive(name=name):
            return name
        case LogicalType(name=name, underlying=underlying):
            return f"{name} ({_shown(underlying, named, depth)})"
        case Array() if depth > 2:
            return "array"
        case Map() if depth > 2:
            return "map"
        case Union() if depth > 2:
            return "union"
        case Array(items=items):
            return f"array of {_shown(items, named, depth + 1)}"
        case Map(values=values):
            return f"map of {_shown(values, named, depth + 1)}"
        case Union(branches=branches):
            return " or ".join(_shown(branch, named, depth + 1) for branch in branches[:_SHOWN])
        case Reference(name=name):
            kinds = {Record: "record", Enumeration: "enum", Fixed: "fixed"}
            return f"{kinds[type(named[name])]} {name}"
