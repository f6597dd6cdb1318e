"""What a plugin class declares, or a plugin has, as plain data: for tools that know neither it nor this package."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final

from orbitalis.message.payload import schema_of, with_article
from orbitalis.operations.declared_method import DeclaredMethod, declarations_of
from orbitalis.operations.provided_operations import Operation, OperationsProviderMixin, documentation_of
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation
from orbitalis_wire import messages

__all__ = ["OperationDescription", "PayloadDescription", "PluginDescription", "description_of", "may_add_operations"]

_RUNTIME: Final = "orbitalis."


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
    """What a class, or a plugin, says about one operation."""

    name: str
    documentation: str
    """The docstring, without indentation; that of a base where the class has none."""
    input: PayloadDescription
    output: PayloadDescription
    errors: Sequence[str]
    """Those of the schemas of the output that are errors."""
    file: str
    """The file in which that is; empty if there is none."""
    line: int
    """The line in that file, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDescription:
    """What a plugin class declares, or a plugin has."""

    documentation: str
    """The docstring, without indentation; that of a base where the class has none; empty if nobody has written one."""
    operations: Sequence[OperationDescription]
    """In the order of the methods, those of bases first."""
    file: str
    """The file in which the class is defined; empty if there is none."""
    line: int
    """The line in that file, from 1."""


def description_of(plugin: object) -> PluginDescription:
    """Return what a plugin class declares, or what a plugin has been given as well.

    Operations that are added to a plugin, by `with_operation` or in `operations`, are not known to its class.

    Raises:
        TypeError: It is neither a plugin class nor a plugin, or the annotations of an operation cannot be read.
    """
    owner: type = plugin if isinstance(plugin, type) else type(plugin)
    if not issubclass(owner, OperationsProviderMixin):
        if owner is plugin:
            raise TypeError(f"{owner.__module__}.{owner.__qualname__} does not derive from orbitalis.Plugin")
        raise TypeError(f"expected a plugin class or a plugin, got {with_article(owner.__name__)}: {plugin!r}")
    # Of two with the same name, that of the more derived class counts.
    declared = {one.name: one for one in declarations_of(owner, is_typed_operation)}
    if isinstance(plugin, OperationsProviderMixin):
        operations = [_given(owner, name, one, declared.get(name)) for name, one in plugin.operations.items()]
    else:
        operations = [_declared(owner, one) for one in declared.values()]
    file, line = _where_class(owner)
    return PluginDescription(
        documentation=next(map(_class_documentation, filter(_is_documented, owner.__mro__)), ""),
        operations=operations,
        file=file,
        line=line,
    )


def may_add_operations(plugin_class: type) -> bool:
    """Return whether a plugin class runs code of its own when a plugin is made, which may give that operations."""
    return any(
        isinstance(vars(base).get("__post_init__"), FunctionType) and not base.__module__.startswith(_RUNTIME)
        for base in plugin_class.__mro__
    )


def _is_documented(plugin_class: type) -> bool:
    """Return whether somebody has written a docstring of a plugin class; a dataclass gets one if nobody has."""
    documentation = vars(plugin_class).get("__doc__")
    return (
        issubclass(plugin_class, OperationsProviderMixin)
        and not plugin_class.__module__.startswith(_RUNTIME)
        and documentation is not None
        and not documentation.startswith(f"{plugin_class.__name__}(")
    )


def _class_documentation(plugin_class: type) -> str:
    return inspect.cleandoc(plugin_class.__doc__ or "")


def _declared(owner: type, declared: TypedOperation[Any, Any, Any]) -> OperationDescription:
    """Describe an operation as a class has it."""
    declaring = next(base for base in owner.__mro__ if declared.attribute in vars(base))
    file, line = _where(declared, declaring)
    return OperationDescription(
        name=declared.name,
        documentation=documentation_of(owner, declared.attribute),
        input=_payload(declared.input),
        output=_payload(declared.output),
        errors=tuple(map(schema_of, declared.errors)),
        file=file,
        line=line,
    )


def _given(
    owner: type, name: str, given: Operation, declared: TypedOperation[Any, Any, Any] | None
) -> OperationDescription:
    """Describe an operation as a plugin has it, which may be as its class has it."""
    if declared is not None and (given.input, given.output) == (declared.input, declared.output):
        return _declared(owner, declared)
    file, line = _where_class(owner)
    return OperationDescription(
        name=name,
        documentation=inspect.cleandoc(given.documentation).strip(),
        input=_payload(given.input),
        output=_payload(given.output),
        errors=(),
        file=file,
        line=line,
    )


def _payload(spec: messages.Input | messages.Output) -> PayloadDescription:
    return PayloadDescription(
        schemas=tuple(spec.schemas),
        support_empty_schema=spec.support_empty_schema,
        support_undefined_schema=spec.support_undefined_schema,
    )


def _where(declared: TypedOperation[Any, Any, Any], owner: type) -> tuple[str, int]:
    """Return file and line of a method, or of the class where that is all that is known."""
    if isinstance(declared, DeclaredMethod):
        code = declared.function.__code__
        return code.co_filename, code.co_firstlineno
    return _where_class(owner)


def _where_class(owner: type) -> tuple[str, int]:
    try:
        return inspect.getsourcefile(owner) or "", inspect.getsourcelines(owner)[1]
    except (OSError, TypeError):
        return "", 1
