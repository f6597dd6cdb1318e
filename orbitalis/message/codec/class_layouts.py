"""How the classes of users hold the values of a plan: a step of the schema and the annotation at its place, paired.

The schema says what is written, the annotation what a value is in Python. Where both come from the same class they fit;
a schema that a class brings along may not, and is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID

from orbitalis.annotations import signature_of
from orbitalis.message.derivation import (
    DecimalField,
    EnumField,
    FieldType,
    FixedField,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    RecordMember,
    ScalarField,
    TupleField,
    UnionField,
)
from orbitalis_avro.binary import varint
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
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordStep, ScalarStep, Step, UnionStep

__all__ = ["ClassLayouts"]

_PYTHON: Final[dict[str, type]] = {
    "null": NoneType,
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "bytes": bytes,
    "fixed": bytes,
    "date": date,
    "time-millis": time,
    "time-micros": time,
    "timestamp-millis": datetime,
    "timestamp-micros": datetime,
    "local-timestamp-millis": datetime,
    "local-timestamp-micros": datetime,
    "uuid": UUID,
    "decimal": Decimal,
    "dataclasses-avroschema-timedelta": timedelta,
}
"""The class of the values of each scalar."""


class ClassLayouts:
    """The layouts of a message class and of all classes in it, with the constants that they name."""

    def __init__(self, plan: Plan, owner: str) -> None:
        self._plan = plan
        self._owner = owner
        """Name of the message class, for errors."""
        self.records: list[RecordLayout] = []
        """In the order in which functions of one may be called by those of the next."""
        self.constants: dict[str, Any] = {}
        """Classes and tables, by the names that the layouts use."""
        self._references: dict[tuple[type, str], RecordReference] = {}

    def record(self, step: RecordStep, field: RecordField, path: str = "") -> RecordReference:
        """Return how a record is referred to; its layout is entered once.

        Raises:
            TypeError: A field of the schema and its annotation do not fit.
        """
        key = (field.record_class, step.name)
        if key in self._references:
            return self._references[key]
        _check_can_be_made(field, self._owner)
        plan = self._plan.records[step.name]
        members = {member.name: member for member in field.members}
        fields = tuple(
            FieldLayout(
                name=one.name,
                attribute=one.name,
                layout=self._layout(one.step, self._member(members, one.name, path).type, f"{path}.{one.name}"),
                is_argument=members[one.name].init,
            )
            for one in plan.fields
        )
        suffix = f"record{len(self.records)}"
        class_name = self._constant(field.record_class.__name__, field.record_class)
        names = frozenset(one.name for one in fields)
        shareable = (
            _is_frozen(field.record_class)
            and names == frozenset(one.name for one in dataclasses.fields(field.record_class))
            and all(is_shareable(one.layout) for one in fields)
            and not plan.is_guarded
        )
        self.records.append(
            RecordLayout(
                plan=plan,
                class_name=class_name,
                expected=f"a {field.record_class.__name__}",
                suffix=suffix,
                fields=fields,
                is_strict=True,
                may_refuse=True,
                is_filled=_is_filled(field.record_class, names),
                is_shareable=shareable,
            )
        )
        reference = RecordReference(step=step, annotation=class_name, suffix=suffix, is_shareable=shareable)
        self._references[key] = reference
        return reference

    def _member(self, members: dict[str, RecordMember], name: str, path: str) -> RecordMember:
        if name not in members:
            raise TypeError(f"message {self._owner}: the schema has a field {f'{path}.{name}'[1:]}, the class has none")
        return members[name]

    def _constant(self, name: str, value: object) -> str:
        """Return the name under which a value stands beside the functions."""
        known = next((one for one, other in self.constants.items() if other is value), None)
        if known is not None:
            return known
        # Python normalizes the other letters of an identifier.
        unique = f"{name if name.isidentifier() and name.isascii() else 'Value'}_{len(self.constants)}"
        self.constants[unique] = value
        return unique

    def _layout(self, step: Step, field: FieldType, path: str) -> Layout:
        match step, field:
            case _, LiteralField():
                return self._literal(step, field, path)
            case ScalarStep(), _ if self._is_scalar(step, field):
                return ScalarLayout(step=step, annotation="Any", is_strict=True)
            case EnumStep(), EnumField():
                return self._enum(step, field, path)
            case ArrayStep(), ListField(items=items) | TupleField(items=items):
                return ArrayLayout(
                    step=step,
                    annotation="Any",
                    items=self._layout(step.items, items, f"{path}[]"),
                    sequence="list" if isinstance(field, ListField) else "tuple",
                )
            case MapStep(), MapField(values=values):
                inner = self._layout(step.values, values, f"{path}[]")
                return MapLayout(step=step, annotation="Any", values=inner, is_strict=True)
            case UnionStep(), UnionField():
                return self._union(step, field, path)
            case RecordStep(), RecordField():
                return self.record(step, field, path)
            case _:
                raise TypeError(
                    f"message {self._owner}: field {path[1:]} is {_named(step)} in the schema, "
                    f"and {_described(field)} in the annotations"
                )

    def _is_scalar(self, step: ScalarStep, field: FieldType) -> bool:
        expected = _PYTHON[step.name]
        match field:
            case ScalarField(python_type=python_type):
                return python_type is expected
            case DecimalField():
                return expected is Decimal
            case FixedField(size=size):
                return step.name == "fixed" and step.size == size
            case _:
                return False

    def _enum(self, step: EnumStep, field: EnumField, path: str, among: tuple[Any, ...] | None = None) -> EnumLayout:
        missing = [symbol for symbol in step.symbols if symbol not in field.members]
        if missing:
            raise TypeError(f"message {self._owner}: {field.python_type.__name__} in field {path[1:]} lacks {missing}")
        members = tuple(field.members[symbol] for symbol in step.symbols)
        return self._enumerated(field.python_type, members, members if among is None else among)

    def _enumerated(self, class_: type, members: tuple[Any, ...], allowed: tuple[Any, ...]) -> EnumLayout:
        # A text is equal to a member of a StrEnum.
        allowed = tuple(one for one in allowed if type(one) is class_)
        written = {member: varint(index << 1) for index, member in enumerate(members) if member in allowed}
        return EnumLayout(
            step=EnumStep(name="", symbols=tuple(map(str, members))),
            annotation="Any",
            class_name=self._constant(class_.__name__, class_),
            expected=f"a {class_.__name__}" if len(written) == len(members) else _one_of(allowed),
            written=self._constant("WRITTEN", written),
            members=self._constant("MEMBERS", members),
            is_narrowed=len(written) < len(members),
        )

    def _literal(self, step: Step, field: LiteralField, path: str) -> Layout:
        match step, field.carrier:
            case ScalarStep(), ScalarField() as carrier if self._is_scalar(step, carrier):
                if carrier.python_type is NoneType:
                    return ScalarLayout(step=step, annotation="Any", is_strict=True)
                allowed = tuple(value for value in field.values if type(value) is carrier.python_type)
                return ScalarLayout(
                    step=step, annotation="Any", is_strict=True, allowed=self._constant("ALLOWED", allowed)
                )
            case EnumStep(), EnumField() as carrier:
                return self._enum(step, carrier, path, among=field.values)
            case EnumStep(symbols=symbols), ScalarField(python_type=python_type) if python_type is str:
                return self._enumerated(str, symbols, field.values)
            case UnionStep(branches=steps), UnionField(branches=branches):
                inner = tuple(_narrowed(field, branch) for branch in branches)
                return self._union_of(step, steps, inner, path)
            case _:
                return self._layout(step, field.carrier, path)

    def _union(self, step: UnionStep, field: UnionField, path: str) -> Layout:
        return self._union_of(step, step.branches, field.branches, path)

    def _union_of(
        self, step: UnionStep, steps: tuple[Step, ...], fields: tuple[FieldType, ...], path: str
    ) -> UnionLayout:
        left = list(fields)
        branches: list[Layout] = []
        for inner in steps:
            branches.append(self._branch(inner, left, path))
        if left:
            raise TypeError(
                f"message {self._owner}: field {path[1:]} has no branch for {_described(left[0])} in the schema"
            )
        # An int is a float where that is the only number, as it is for type checkers.
        has_ints = any(_takes_ints(branch) for branch in branches)
        tests = tuple((index, " or ".join(_tests(branch, has_ints))) for index, branch in enumerate(branches))
        return UnionLayout(
            step=step,
            annotation="Any",
            expected=" or ".join(_expected(branch) for branch in branches),
            branches=tuple(branches),
            tests=tests,
        )

    def _branch(self, step: Step, left: list[FieldType], path: str) -> Layout:
        """Pair a branch with the first annotation that fits, which is taken out of `left`."""
        for index, field in enumerate(left):
            try:
                layout = self._layout(step, field, path)
            except TypeError:
                continue
            del left[index]
            return layout
        raise TypeError(f"message {self._owner}: field {path[1:]} may be {_named(step)} in the schema alone")


def _narrowed(field: LiteralField, branch: FieldType) -> FieldType:
    """Return the values of a literal that travel as one branch."""
    match branch:
        case ScalarField() | EnumField() | UnionField():
            return dataclasses.replace(field, carrier=branch)
        case _:
            return branch


def _is_filled(record_class: type, names: frozenset[str]) -> bool:
    """Return whether making an object only sets these attributes, one after the other: then it can be done faster."""
    made_by: Any = getattr(record_class, "__init__", None)
    makes: Any = getattr(record_class, "__new__", None)
    return (
        _is_frozen(record_class)
        # Functions that dataclasses makes come from no file; those of users do.
        and getattr(getattr(made_by, "__code__", None), "co_filename", "") == "<string>"
        and makes is getattr(object, "__new__", None)
        and not hasattr(record_class, "__post_init__")
        and record_class.__dictoffset__ != 0
        and all(field.init and field.name in names for field in dataclasses.fields(record_class))
        and not any(_is_set_by_descriptor(record_class, name) for name in names)
    )


def _is_set_by_descriptor(record_class: type, name: str) -> bool:
    found: Any = getattr(record_class, name, None)
    return hasattr(found, "__set__")


def _check_can_be_made(field: RecordField, owner: str) -> None:
    """Raise unless the class of a record takes the fields that are sent as arguments."""
    try:
        signature = signature_of(field.record_class)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**{member.name: None for member in field.members if member.init})
    except TypeError as error:
        raise TypeError(
            f"message {owner} could not be received: {field.record_class.__qualname__} is not made of its fields "
            f"alone: {error}; give each other argument a default"
        ) from error


def _is_frozen(record_class: type) -> bool:
    # Of its own: what derives from a frozen class without being a dataclass can have other attributes that change.
    parameters = vars(record_class).get("__dataclass_params__")
    return bool(parameters is not None and parameters.frozen)


def _takes_ints(layout: Layout) -> bool:
    match layout:
        case ScalarLayout(step=step):
            return step.name in ("int", "long")
        case UnionLayout(branches=branches):
            return any(_takes_ints(branch) for branch in branches)
        case _:
            return False


def _tests(layout: Layout, has_ints: bool) -> Iterator[str]:
    """Yield expressions of which one is true of each value of a layout, and none of others.

    Without other branches that have ints, a float takes them.
    """
    match layout:
        case ScalarLayout(step=step, allowed=allowed):
            match step.name:
                case "null":
                    yield "{} is None"
                case "boolean":
                    yield "({} is True or {} is False)" + (f" and {{}} in {allowed}" if allowed else "")
                case "float" | "double" if not has_ints:
                    yield "({}.__class__ is float or {}.__class__ is int)"
                case name:
                    test = f"{{}}.__class__ is {_PYTHON[name].__name__}"
                    yield f"({test} and {{}} in {allowed})" if allowed else test
        case EnumLayout(class_name=class_name, written=written):
            yield f"({{}}.__class__ is {class_name} and {{}} in {written})"
        case ArrayLayout(sequence=sequence):
            yield f"{{}}.__class__ is {sequence}"
        case MapLayout():
            yield "{}.__class__ is dict"
        case RecordReference(annotation=class_name):
            yield f"{{}}.__class__ is {class_name}"
        case UnionLayout(branches=branches):
            for branch in branches:
                yield from _tests(branch, has_ints)


def _expected(layout: Layout) -> str:
    match layout:
        case ScalarLayout(step=step):
            return "None" if step.name == "null" else _PYTHON[step.name].__name__
        case EnumLayout(expected=expected) | UnionLayout(expected=expected):
            return expected
        case ArrayLayout(sequence=sequence):
            return sequence
        case MapLayout():
            return "dict"
        case RecordReference(annotation=class_name):
            return f"a {class_name.rpartition('_')[0]}"


def _one_of(values: tuple[Any, ...]) -> str:
    return f"one of {', '.join(map(repr, values))}"


def _named(step: Step) -> str:
    match step:
        case ScalarStep(name=name):
            return name
        case EnumStep(name=name) | RecordStep(name=name):
            return name
        case ArrayStep():
            return "an array"
        case MapStep():
            return "a map"
        case UnionStep(branches=branches):
            return f"a union of {', '.join(map(_named, branches))}"


def _described(field: FieldType) -> str:
    match field:
        case ScalarField(python_type=python_type) | EnumField(python_type=python_type):
            return python_type.__name__
        case RecordField(record_class=record_class):
            return record_class.__name__
        case DecimalField():
            return "Decimal"
        case FixedField(size=size):
            return f"bytes of length {size}"
        case LiteralField(values=values):
            return _one_of(values)
        case ListField():
            return "list"
        case TupleField():
            return "tuple"
        case MapField():
            return "dict"
        case UnionField(branches=branches):
            return " | ".join(map(_described, branches))
