"""Functions that read what another schema has written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from orbitalis_avro.layout import (
    ArrayLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    MapLayout,
    RecordLayout,
    RecordReference,
    ScalarLayout,
    UnionLayout,
)
from orbitalis_avro.logical import LOGICAL
from orbitalis_avro.plan import Step
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
from orbitalis_avro.resolution.skipping import Skipper
from orbitalis_avro.source.function import bulk_of, has_parts
from orbitalis_avro.source.reader import Reader

__all__ = ["Resolvers"]

_IS_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_PROMOTED: Final[Mapping[tuple[str, str], str]] = {
    ("int", "float"): "single_of",
    ("long", "float"): "single_of",
    ("int", "double"): "double_of",
    ("long", "double"): "double_of",
    ("string", "bytes"): "str.encode",
    ("bytes", "string"): "bytes.decode",
}
"""The functions that promote what is written; others stay as they are in Python."""


class Resolvers:
    """The functions that read the records of one schema as those of another one, and what they refer to."""

    def __init__(self, resolution: Resolution, layouts: Mapping[str, RecordLayout]) -> None:
        """`layouts` are those of the reader's records, by suffix."""
        self._resolution = resolution
        self._layouts = layouts
        self._skipper = Skipper(resolution.writer)
        self._names: dict[tuple[str, str, str], str] = {}
        self.functions: list[str] = []
        """Sources."""
        self.constants: dict[str, object] = {}
        """What the sources refer to by name, beside the constants of the layouts."""

    def function(self, match: RecordMatch, reference: RecordReference) -> str:
        """Return the name of the function that reads a record; it is made once."""
        key = match.writer, match.reader, reference.suffix
        if key not in self._names:
            name = self._names[key] = f"_resolve{len(self._names)}_{reference.suffix}"
            pair = self._resolution.records[match.writer, match.reader]
            layout = self._layouts[reference.suffix]
            self.functions.append(_Resolver(self, layout, pair, name).function())
        return self._names[key]

    def skip(self, step: Step) -> str:
        """Return the name of the function that passes over a value."""
        return self._constant("SKIP", self._skipper.skip(step))

    def default(self, record: RecordLayout, field: FieldLayout, written: bytes) -> str:
        """Return the name of the function that makes the value of a field which is not written."""
        name = f"_default{len(self.functions)}_{record.suffix}"
        self.functions.append(_Default(record, field, self._constant("DEFAULT", written), name).function())
        return name

    def _constant(self, kind: str, value: object) -> str:
        name = f"{kind}_{len(self.constants)}"
        self.constants[name] = value
        return name


class _Default(Reader):
    """Makes a function that reads the default of a field: anew each time, since it may be a list."""

    def __init__(self, record: RecordLayout, field: FieldLayout, constant: str, name: str) -> None:
        super().__init__(record)
        self._field = field
        self._constant = constant
        self._name = name

    def function(self) -> str:
        """Return the source."""
        with self.block(f"def {self._name}(guard: Guard) -> Any:"):
            self.add(f"data = {self._constant}")
            self.add("position = 0")
            start = len(self.lines)
            self.at("")
            with self.block("try:"):
                self.read(self._field.layout, "value", "")
            with self.block("except READ_FAULTS as error:"):
                self.add("raise located(error, at, locals()) from None")
            self.measure(start)
            self.add("return value")
        return "\n".join(self.lines)


class _Resolver(Reader):
    """Makes a function that reads a record as another one."""

    def __init__(self, resolvers: Resolvers, record: RecordLayout, pair: RecordPair, name: str) -> None:
        super().__init__(record)
        self._resolvers = resolvers
        self._pair = pair
        self._name = name

    def function(self) -> str:
        """Return the source."""
        values = {field.name: f"value{index}" for index, field in enumerate(self.record.fields, start=1)}
        self._numbers = len(values)
        with self.block(
            f"def {self._name}(data: bytes, position: int, guard: Guard) -> tuple[{self.record.class_name}, int]:"
        ):
            if self._pair.fields or self._pair.defaults:
                start = len(self.lines)
                self.at("")
                with self.block("try:"):
                    self._resolve_fields(values)
                with self.block("except READ_FAULTS as error:"):
                    self.add("raise located(error, at, locals()) from None")
                self.measure(start)
            self.construct(values)
            self.add("return value, position")
        return "\n".join(self.lines)

    def _resolve_fields(self, values: Mapping[str, str]) -> None:
        layouts = {field.name: field for field in self.record.fields}
        for field in self._pair.fields:
            self.at(_part(field))
            if field.match is None or field.reader is None:
                self.add(f"position = {self._resolvers.skip(field.writer.step)}(data, position, guard)")
            else:
                self._resolve(field.match, layouts[field.reader].layout, values[field.reader], _part(field))
        for name, written in self._pair.defaults.items():
            self.at(f".{name}")
            self.add(f"{values[name]} = {self._resolvers.default(self.record, layouts[name], written)}(guard)")

    def _resolve(self, match: Match, layout: Layout, target: str, at: str) -> None:
        match match, layout:
            case ScalarMatch(), ScalarLayout():
                self._scalar(match, layout, target)
            case EnumMatch(), EnumLayout():
                self._symbol(match, layout, target)
            case ArrayMatch(), ArrayLayout():
                self._items(match, layout, target, at)
            case MapMatch(), MapLayout():
                self._entries(match, layout, target, at)
            case BranchMatch(index=index, inner=inner), UnionLayout(branches=branches):
                self._resolve(inner, branches[index], target, at)
            case UnionMatch(branches=found), _:
                self._branches(found, layout, target, at)
            case RecordMatch(), RecordReference():
                function = self._resolvers.function(match, layout)
                self.add(f"{target}, position = {function}(data, position, guard)")
            case _:
                raise TypeError(f"{match} does not go with {layout}")

    def _scalar(self, match: ScalarMatch, layout: ScalarLayout, target: str) -> None:
        raw = f"raw{self.number()}"
        self.primitive(match.writer.underlying, raw, match.writer)
        if (promote := _PROMOTED.get((match.writer.underlying, match.reader.underlying))) is not None:
            self.add(f"{raw} = {promote}({raw})")
        if match.reader.name in LOGICAL:
            self.lift(raw, match.reader, target)
        else:
            self.add(f"{target} = {raw}")
        self.allow(target, layout)

    def _symbol(self, match: EnumMatch, layout: EnumLayout, target: str) -> None:
        self.add(f"index, position = read_index(data, position, {len(match.symbols)})")
        if match.indexes != tuple(range(len(match.symbols))):
            # A symbol that is not known stands for itself.
            pairs = zip(match.indexes, match.symbols, strict=True)
            table = ", ".join(ascii(symbol) if index is None else str(index) for index, symbol in pairs)
            self.add(f"index = ({table},)[index]")
            if None in match.indexes:
                with self.block("if index.__class__ is str:"):
                    self.add(f"raise unexpected({match.expected!a}, index)")
        self.take(layout, target)

    def _items(self, match: ArrayMatch, layout: ArrayLayout, target: str, at: str) -> None:
        number = self.number()
        self.add(f"items{number}: list[{layout.items.annotation}] = []")
        inner = f"{at}[items{number}]"
        with self.blocks(number, match.minimum, at):
            if match.minimum == 0:
                self.add(f"guard.count(count{number})")
            self.at(inner)
            bulk = bulk_of(layout) if _is_plain(match.items) else None
            if bulk is None:
                self._each_item(match, layout, number, inner)
            else:
                with self.block(f"if count{number} > MANY:"):
                    self.add(f"position = read_{bulk}(data, position, count{number}, items{number})")
                with self.block("else:"):
                    self._each_item(match, layout, number, inner)
            self.at(at)
        self.add(f"{target} = items{number}" if layout.sequence == "list" else f"{target} = tuple(items{number})")

    def _each_item(self, match: ArrayMatch, layout: ArrayLayout, number: int, inner: str) -> None:
        with self.block(f"for _ in range(count{number}):"):
            if has_parts(layout.items):
                self.at(inner)
            self._resolve(match.items, layout.items, f"item{number}", inner)
            self.add(f"items{number}.append(item{number})")

    def _entries(self, match: MapMatch, layout: MapLayout, target: str, at: str) -> None:
        number = self.number()
        self.add(f"entries{number}: dict[str, {layout.values.annotation}] = {{}}")
        with self.blocks(number, match.minimum, at), self.block(f"for _ in range(count{number}):"):
            self.at(at)
            self.add(f"key{number}, position = read_key(data, position, entries{number})")
            inner = f"{at}[key{number}]"
            self.at(inner)
            self._resolve(match.values, layout.values, f"item{number}", inner)
            self.add(f"entries{number}[key{number}] = item{number}")
        self.add(f"{target} = entries{number}")

    def _branches(self, found: tuple[Match | Refusal, ...], layout: Layout, target: str, at: str) -> None:
        branch = f"branch{self.number()}"
        self.add(f"{branch}, position = read_index(data, position, {len(found)})")
        word = "if"
        refusals: list[str] = []
        for index, one in enumerate(found):
            if isinstance(one, Refusal):
                refusals.append(f"{index}: {_reason(one)!a}")
                continue
            with self.block(f"{word} {branch} == {index}:"):
                self._resolve(one, layout, target, at)
            word = "elif"
        if refusals:
            with self.block("else:"):
                self.add(f"raise Fault({{{', '.join(refusals)}}}[{branch}])")


def _is_plain(match: Match) -> bool:
    """Return whether items are read as they are written."""
    return isinstance(match, ScalarMatch) and match.writer.underlying == match.reader.underlying


def _part(field: FieldMatch) -> str:
    """Return a writer's field as a part of a path; a stranger may have called it anything."""
    name = field.writer.name
    return f".{name}" if _IS_NAME(name) else ".?"


def _reason(refusal: Refusal) -> str:
    place = f" at {refusal.path.removeprefix('.')}" if refusal.path else ""
    return f"the branch{place} {refusal.verb} {refusal.writer}, expected {refusal.reader}"
