"""How Python sees the records of a model: the layouts from which their codecs are made.

Generated classes forgive what type checkers do: every sequence and mapping, subclasses, and integers for floats.
"""

from __future__ import annotations

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
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordStep, ScalarStep, Step, UnionStep
from orbitalis_avro.types import Array, AvroType, LogicalType, Map, Record, Reference, Union
from orbitalis_codegen.emit.python import names
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Model

__all__ = ["Layouts"]


_SUFFIXES_IN_USE = ("avro", "event", "json")
"""What follows `encode_` and `decode_` in functions of the envelope."""


class Layouts:
    """The layouts of all records of a model."""

    def __init__(self, model: Model, types: Types) -> None:
        self._types = types
        self.plan = Plan(model.types)
        self.suffixes = names.unique_names(
            ((name, names.snake_case(class_name)) for name, class_name in types.class_names.items()),
            taken=_SUFFIXES_IN_USE,
        )
        """What the functions of a named type are called after `_write_` and `_read_`, by its full name."""

    def record(self, record: Record) -> RecordLayout:
        """Return the layout of a record."""
        plan = self.plan.records[record.name]
        return RecordLayout(
            plan=plan,
            class_name=self._types.class_names[record.name],
            expected=self._types.class_names[record.name],
            suffix=self.suffixes[record.name],
            fields=tuple(
                FieldLayout(
                    name=field.field.name,
                    attribute=field.name,
                    layout=self._layout(field.field.type, inner.step),
                )
                for field, inner in zip(self._types.fields(record), plan.fields, strict=True)
            ),
            is_strict=False,
            is_split=True,
        )

    def enum_constants(self, name: str) -> tuple[str, str]:
        """Return the names of the constants of an enumeration: the bytes of each member, and all members."""
        suffix = self.suffixes[name].upper()
        return f"_{suffix}_WRITTEN", f"_{suffix}_MEMBERS"

    def _layout(self, type_: AvroType, step: Step) -> Layout:
        annotation = self._types.annotation(type_)
        match type_, step:
            case _, ScalarStep():
                return ScalarLayout(step=step, annotation=annotation, is_strict=False)
            case Reference(name=name), EnumStep():
                class_name = self._types.class_names[name]
                written, members = self.enum_constants(name)
                return EnumLayout(
                    step=step,
                    annotation=annotation,
                    class_name=class_name,
                    expected=class_name,
                    written=written,
                    members=members,
                )
            case Reference(name=name), RecordStep():
                return RecordReference(step=step, annotation=annotation, suffix=self.suffixes[name], is_shareable=False)
            case Array(items=inner), ArrayStep(items=items):
                return ArrayLayout(step=step, annotation=annotation, items=self._layout(inner, items), sequence="any")
            case Map(values=inner), MapStep(values=values):
                return MapLayout(step=step, annotation=annotation, values=self._layout(inner, values), is_strict=False)
            case Union(branches=types), UnionStep(branches=steps):
                branches = tuple(self._layout(*pair) for pair in zip(types, steps, strict=True))
                return UnionLayout(
                    step=step, annotation=annotation, expected=annotation, branches=branches, tests=_tests(branches)
                )
            case LogicalType(underlying=underlying), _:
                return self._layout(underlying, step)
            case _:
                raise ValueError(f"{type_} has no layout in Python")


def _tests(branches: tuple[Layout, ...]) -> tuple[tuple[int, str], ...]:
    """Return how a value shows of which branch it is; what is more special comes first."""
    numbers = {branch.step.name for branch in branches if isinstance(branch, ScalarLayout)}
    ranked = sorted((*_test(branch, numbers), index) for index, branch in enumerate(branches))
    return tuple((index, test) for _, test, index in sorted(ranked, key=lambda one: (one[0], one[2])))


def _test(branch: Layout, scalars: set[str]) -> tuple[int, str]:
    match branch:
        case ScalarLayout(step=step):
            return _scalar_test(step, scalars)
        case ArrayLayout():
            return 5, "is_sequence({})"
        case MapLayout():
            return 5, "isinstance({}, Mapping)"
        case EnumLayout(class_name=name) | RecordReference(annotation=name):
            return 1, f"isinstance({{}}, {name})"
        case UnionLayout():
            raise ValueError("a union stands directly in a union")


def _scalar_test(step: ScalarStep, scalars: set[str]) -> tuple[int, str]:
    match step.name:
        case "null":
            return 0, "{} is None"
        case "boolean":
            return 0, "isinstance({}, bool)"
        case "int" if scalars & {"float", "double"}:
            return 1, "isinstance({}, int) and -0x80000000 <= {} <= 0x7FFFFFFF and not isinstance({}, bool)"
        case "int" | "long":
            return 2, "isinstance({}, int) and not isinstance({}, bool)"
        case "double" | "float":
            if scalars & {"int", "long"}:
                return 3, "isinstance({}, float)"
            return 3, "isinstance({}, (float, int)) and not isinstance({}, bool)"
        case "bytes":
            return 3, "isinstance({}, bytes)"
        case "fixed":
            return 2, f"isinstance({{}}, bytes) and len({{}}) == {step.size}"
        case "string":
            return 3, "isinstance({}, str)"
        case "date":
            # A datetime is a date as well.
            return 2, "isinstance({}, date)"
        case name:
            return 1, f"isinstance({{}}, {LOGICAL[name].python})"
