"""What a plugin class declares, as plain data: for tools that know neither its messages nor this package."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orbitalis.operations.declared_method import DeclaredMethod, declarations_of
from orbitalis.operations.provided_operations import OperationsProviderMixin
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation
from orbitalis_wire import messages

__all__ = ["OperationDescription", "PayloadDescription", "description_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadDescription:
    """What an operation takes or gives; nothing at all if no field says anything else."""

    schemas: Sequence[str]
    """Avro schemas as JSON text, one of which a payload has."""
    support_empty_schema: bool
    """Whether there may be an empty event."""
    support_undefined_schema: bool
    """Whether there may be any payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDescription:
    """What a class says about one operation."""

    name: str
    documentation: str
    """The docstring, without indentation; that of a base where the class has none."""
    input: PayloadDescription
    output: PayloadDescription
    place: str
    """Where it is declared, such as `lamps.Lamp.light`."""
    file: str
    """The file in which that is; empty if there is none."""
    line: int
    """The line in that file, from 1."""


def description_of(plugin_class: type) -> Sequence[OperationDescription]:
    """Return what a plugin class declares, in the order of its methods, those of bases first.

    Operations that are added to a plugin, by `with_operation`, are not known to its class.

    Raises:
        TypeError: It is no plugin class, or the annotations of an operation cannot be read.
    """
    if not issubclass(plugin_class, OperationsProviderMixin):
        raise TypeError(f"{plugin_class.__module__}.{plugin_class.__qualname__} does not derive from orbitalis.Plugin")
    # Of two with the same name, that of the more derived class counts.
    declared = {one.name: one for one in declarations_of(plugin_class, is_typed_operation)}
    return [_operation(plugin_class, one) for one in declared.values()]


def _operation(owner: type, declared: TypedOperation[Any, Any, Any]) -> OperationDescription:
    bases = [base for base in owner.__mro__ if declared.attribute in vars(base)]
    file, line = _where(declared, bases)
    return OperationDescription(
        name=declared.name,
        documentation=_documentation(vars(base)[declared.attribute] for base in bases),
        input=_payload(declared.input),
        output=_payload(declared.output),
        place=f"{bases[0].__module__}.{bases[0].__qualname__}.{declared.attribute}",
        file=file,
        line=line,
    )


def _documentation(declared: Iterable[object]) -> str:
    """Return the first text that is written, the most derived declaration being the first one."""
    return next((inspect.cleandoc(one.__doc__) for one in declared if is_typed_operation(one) and one.__doc__), "")


def _payload(spec: messages.Input | messages.Output) -> PayloadDescription:
    return PayloadDescription(
        schemas=tuple(spec.schemas),
        support_empty_schema=spec.support_empty_schema,
        support_undefined_schema=spec.support_undefined_schema,
    )


def _where(declared: TypedOperation[Any, Any, Any], bases: Sequence[type]) -> tuple[str, int]:
    """Return file and line of a method, or of the class where that is all that is known."""
    if isinstance(declared, DeclaredMethod):
        code = declared.function.__code__
        return code.co_filename, code.co_firstlineno
    try:
        return inspect.getsourcefile(bases[0]) or "", inspect.getsourcelines(bases[0])[1]
    except (OSError, TypeError):
        return "", 1
