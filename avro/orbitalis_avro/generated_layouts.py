"""How Python sees the records of schemas in code that is generated: the layouts from which their codecs are made.

Generated classes forgive what type checkers do: every sequence and mapping, subclasses, and integers for floats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

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
    is_shareable,
)
from orbitalis_avro.logical import LOGICAL
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordStep, ScalarStep, Step, UnionStep
from orbitalis_avro.types import Array, AvroType, LogicalType, Map, NamedType, Record, Reference, Union

__all__ = ["GeneratedLayouts"]


class GeneratedLayouts:
    """The layouts of records for which there are generated classes."""

    def __init__(
        self,
        named: Mapping[str, NamedType],
        *,
        class_names: Mapping[str, str],
        suffixes: Mapping[str, str],
        attributes: Callable[[Record], Sequence[str]],
        annotation: Callable[[AvroType], str],
        filled: Collection[str] = (),
        is_strict: bool = False,
        tests: Callable[[tuple[Layout, ...]], Iterable[tuple[int, str]]] | None = None,
    ) -> None:
        """Lay out named types, given by their full names.

        Args:
            named: The types.
            class_names: What the class of each record and enumeration is called, by its full name.
            suffixes: What the functions of each are called after `_write_` and `_read_`, by its full name.
            attributes: What the fields of a record are called in Python, in order.
            annotation: The annotation of values of a type.
            filled: The records whose instances cannot change, and may be made by filling their `__dict__`.
            is_strict: Whether nothing is forgiven; then a value in which nothing can change may be handed over.
            tests: How a value of a union shows of which branch it is, as `UnionLayout.tests`; by its class by default.
        """
        self.plan = Plan(named)
        self._named = named
        self._class_names = class_names
        self._suffixes = suffixes
        self._attributes = attributes
        self._annotation = annotation
        self._filled = filled
        self._is_strict = is_strict
        self._tests = tests or _tests

    def record(self, record: Record) -> RecordLayout:
        """Return the layout of a record."""
        plan = self.plan.records[record.name]
        return RecordLayout(
            plan=plan,
            class_name=self._class_names[record.name],
            expected=self._class_names[record.name],
            suffix=self._suffixes[record.name],
            fields=tuple(
                FieldLayout(name=field.name, attribute=attribute, layout=self._layout(field.type, inner.step))
                for field, attribute, inner in zip(record.fields, self._attributes(record), plan.fields, strict=True)
            ),
            is_strict=self._is_strict,
            is_filled=record.name in self._filled,
            is_shareable=self._is_shareable(record),
            is_split=True,
        )

    def _is_shareable(self, record: Record) -> bool:
        plan = self.plan.records[record.name]
        if record.name not in self._filled or plan.is_guarded:
            return False
        steps = (field.step for field in plan.fields)
        return all(
            is_shareable(self._layout(*pair)) for pair in zip((one.type for one in record.fields), steps, strict=True)
        )

    def reference(self, type_: Reference) -> RecordReference:
        """Return how a record is referred to."""
        layout = self._layout(type_, self.plan.step(type_))
        assert isinstance(layout, RecordReference)
        return layout

    def enum_constants(self, name: str) -> tuple[str, str]:
        """Return the names of the constants of an enumeration: the bytes of each member, and all members."""
        suffix = self._suffixes[name].upper()
        return f"_{suffix}_WRITTEN", f"_{suffix}_MEMBERS"

    def _layout(self, type_: AvroType, step: Step) -> Layout:
        annotation = self._annotation(type_)
        sequence: Literal["tuple", "any"] = "tuple" if self._is_strict else "any"
        match type_, step:
            case _, ScalarStep():
                return ScalarLayout(step=step, annotation=annotation, is_strict=self._is_strict)
            case Reference(name=name), EnumStep():
                class_name = self._class_names[name]
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
                record = self._named[name]
                return RecordReference(
                    step=step,
                    annotation=annotation,
                    suffix=self._suffixes[name],
                    is_shareable=isinstance(record, Record) and self._is_shareable(record),
                )
            case Array(items=inner), ArrayStep(items=items):
                return ArrayLayout(
                    step=step, annotation=annotation, items=self._layout(inner, items), sequence=sequence
                )
            case Map(values=inner), MapStep(values=values):
                return MapLayout(
                    step=step, annotation=annotation, values=self._layout(inner, values), is_strict=self._is_strict
                )
            case Union(branches=types), UnionStep(branches=steps):
                branches = tuple(self._layout(*pair) for pair in zip(types, steps, strict=True))
                tests = tuple(self._tests(branches))
                return UnionLayout(
                    step=step, annotation=annotation, expected=annotation, branches=branches, tests=tests
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
