"""Logical types: those of Avro 1.12, each on a type that it may stand on; others are ignored, as Avro demands."""

from __future__ import annotations

import math

from orbitalis_avro.types import LogicalType, Primitive, Reference
from orbitalis_codegen.avro import shapes
from orbitalis_codegen.check.shape import AVRO_OF_USERS, View
from orbitalis_codegen.diagnostic import NEAR, nearest, shown
from orbitalis_codegen.rules import Rule

__all__ = ["logical_type", "logical_type_name"]

_SIZES = {"duration": 12, "uuid": 16}
"""Bytes of the fixed types that a logical type stands on."""


def logical_type_name(view: View, kind: str | None = None) -> str | None:
    """The logical type of a type of some `kind`, or `None`; one that it cannot have is reported.

    An unknown one has no meaning, but one that looks like a known one is taken for a mistake.
    """
    name = view.optional_text("logicalType")
    if name is None:
        return None
    position = view.position_of("logicalType")
    kinds = shapes.LOGICAL_TYPES.get(name)
    if kinds is None:
        near = nearest(name, shapes.LOGICAL_TYPES, NEAR)
        if near is not None:
            message = f"there is no logical type {shown(name)}"
            view.report.add(Rule.AVRO_LOGICAL_TYPE, position, message, f"did you mean {shown(near)}?")
        else:
            view.report.note(Rule.AVRO_LOGICAL_TYPE, position, f"the unknown logical type {shown(name)} is ignored")
        return None
    if kind in kinds:
        return name
    message = f"the logical type {shown(name)} cannot stand on {kind or view.shape.name}"
    if view.shape.language is AVRO_OF_USERS:
        view.report.note(Rule.AVRO_LOGICAL_TYPE, position, f"{message}, and is ignored")
        return None
    view.report.add(Rule.AVRO_LOGICAL_TYPE, position, message, f"it stands on {' or '.join(kinds)}")
    return None


def logical_type(view: View, underlying: Primitive | Reference, size: int | float | None = None) -> LogicalType | None:
    """The logical type of a primitive, or of a fixed of some `size` in bytes; `None` if it has none."""
    name = logical_type_name(view, underlying.name if isinstance(underlying, Primitive) else "fixed")
    if name == "decimal":
        return _decimal(view, underlying, size)
    if name is not None and size is not None and size != _SIZES[name]:
        message = f"the logical type {shown(name)} stands on {shown(size)} bytes"
        hint = f"it takes {_SIZES[name]}"
        view.report.add(Rule.AVRO_LOGICAL_TYPE, view.position_of("logicalType"), message, hint)
        return None
    return None if name is None else LogicalType(name=name, underlying=underlying)


def _decimal(view: View, underlying: Primitive | Reference, size: int | float | None) -> LogicalType | None:
    precision, scale = view.number("precision"), view.number("scale")
    most = None if size is None else math.floor(math.log10(2) * (8 * max(size, 1) - 1))
    if not isinstance(precision, int) or precision < 1 or (most is not None and precision > most):
        key, hint = "precision", "an integer greater than zero" if most is None else f"an integer from 1 to {most}"
        got = "no precision" if precision is None else f"the precision {shown(precision)}"
    elif scale is not None and not (isinstance(scale, int) and 0 <= scale <= precision):
        key, hint, got = "scale", f"an integer from 0 to the precision, {precision}", f"the scale {shown(scale)}"
    else:
        return LogicalType(name="decimal", underlying=underlying, precision=precision, scale=int(scale or 0))
    view.report.add(Rule.AVRO_LOGICAL_TYPE, view.position_of(key), f"a decimal has {got}", hint)
    return None
