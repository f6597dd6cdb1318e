"""Readers of any schema, whose records are dicts: what the engine reads is held against other readers with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from orbitalis_avro import binary, checks, logical, numbers
from orbitalis_avro.canonical_form import canonical_form_of
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
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordStep, ScalarStep, Step, UnionStep
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution import promotion
from orbitalis_avro.resolution.comparison import compare
from orbitalis_avro.resolution.matches import RecordMatch, Resolution
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_avro.source import Resolvers, read_function

__all__ = ["DEEPEST", "compared", "dict_reader"]

DEEPEST: Final = 64
_NAMES: Final[dict[str, object]] = {
    name: getattr(module, name) for module in (binary, checks, logical, numbers, promotion) for name in module.__all__
} | {"Any": Any}


def compared(writer: Any, reader: Any) -> Resolution | Refusal:
    """Compare two schemas, given as JSON."""
    for schema in (writer, reader):
        canonical_form_of(schema)
    return compare(read_schema(writer), read_schema(reader), deepest=DEEPEST)


def dict_reader(resolution: Resolution, reader: Any) -> Callable[[bytes], Any]:
    """Return what reads a record as a dict; raises Fault."""
    type_, named = read_schema(reader)
    layouts = _Layouts(Plan(named))
    root = layouts.layout(layouts.plan.step(type_))
    assert isinstance(root, RecordReference)
    assert isinstance(resolution.root, RecordMatch)
    resolvers = Resolvers(resolution, layouts.records)
    name = resolvers.function(resolution.root, root)
    functions = [*map(read_function, layouts.records.values()), *resolvers.functions]
    scope = {**_NAMES, **layouts.constants, **resolvers.constants}
    source = "\n\n".join(["from __future__ import annotations", *functions])
    exec(compile(source, "<reader>", "exec"), scope)
    function: Any = scope[name]

    def read(data: bytes) -> Any:
        value, position = function(data, 0, binary.Guard(DEEPEST))
        if position != len(data):
            raise binary.Fault(f"{len(data) - position} bytes follow its end")
        return value

    return read


class _Layouts:
    """Layouts of all that a plan has."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.records: dict[str, RecordLayout] = {}
        self.constants: dict[str, object] = {}
        self._suffixes: dict[str, str] = {}

    def layout(self, step: Step) -> Layout:
        match step:
            case ScalarStep():
                return ScalarLayout(step=step, annotation="Any", is_strict=True)
            case EnumStep(symbols=symbols):
                members = f"MEMBERS{len(self.constants)}"
                self.constants[members] = symbols
                return EnumLayout(
                    step=step, annotation="Any", class_name="str", expected="", written=members, members=members
                )
            case ArrayStep(items=items):
                return ArrayLayout(step=step, annotation="Any", items=self.layout(items), sequence="list")
            case MapStep(values=values):
                return MapLayout(step=step, annotation="Any", values=self.layout(values), is_strict=True)
            case UnionStep(branches=branches):
                inner = tuple(map(self.layout, branches))
                return UnionLayout(step=step, annotation="Any", expected="", branches=inner, tests=())
            case RecordStep(name=name):
                return self._record(step, name)

    def _record(self, step: RecordStep, name: str) -> RecordReference:
        if name not in self._suffixes:
            suffix = self._suffixes[name] = f"record{len(self._suffixes)}"
            plan = self.plan.records[name]
            fields = tuple(
                FieldLayout(name=one.name, attribute=one.name, layout=self.layout(one.step)) for one in plan.fields
            )
            self.records[suffix] = RecordLayout(
                plan=plan, class_name="dict", expected="", suffix=suffix, fields=fields, is_strict=True
            )
        return RecordReference(step=step, annotation="Any", suffix=self._suffixes[name], is_shareable=False)
