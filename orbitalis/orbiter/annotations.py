"""Reading parameters and annotations of handlers, also postponed ones, and those of classes within functions."""

from __future__ import annotations

import inspect
import typing
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, TypeVar

from orbitalis.orbiter.connection import Connection

__all__ = ["Names", "Parameters", "has_type_variable", "is_connection", "substitute"]

_MISSING: Final = inspect.Parameter.empty


class Names:
    """What the names in the annotations of a function mean."""

    def __init__(self, function: Callable[..., object]) -> None:
        """Note the names of the module, and of the bodies around the function that are being executed."""
        self._globals: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
        scopes: list[Mapping[str, Any]] = []
        frame = inspect.currentframe()
        while frame is not None:
            if function.__qualname__.startswith(f"{frame.f_code.co_qualname}."):
                scopes.append(frame.f_locals)
            elif scopes:
                break
            frame = frame.f_back
        self._locals = ChainMap[str, Any](*map(dict, scopes))

    def forget(self) -> None:
        """Let go of what those bodies have: nothing more is to be resolved."""
        self._locals = ChainMap[str, Any]()

    def resolve(self, annotation: object) -> object:
        """Return what an annotation means; raises :class:`NameError` if it names what is not there (yet)."""
        if annotation is None or isinstance(annotation, type):
            return annotation
        hints = typing.get_type_hints(_Annotated({"it": annotation}), self._globals, self._locals)
        return hints["it"]


class _Annotated:
    """Something with annotations, as `get_type_hints` takes it."""

    def __init__(self, annotations: dict[str, object]) -> None:
        self.__annotations__ = annotations


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a handler takes, and what it gives."""

    others: tuple[str, ...]
    """All but `self` and the connection, in order."""
    connection: str | None
    """That which is annotated `Connection`."""
    annotations: Mapping[str, object]
    """As written; `return` among them."""

    @classmethod
    def of(cls, function: Callable[..., object], names: Names, *, has_self: bool) -> Parameters:
        """Read a function.

        Raises:
            TypeError: It has parameters of a kind that nothing could be given to.
        """
        parameters = list(inspect.signature(function).parameters.values())
        if has_self:
            if not parameters:
                raise TypeError("has no parameter self: add it")
            del parameters[0]
        others: list[str] = []
        connection: str | None = None
        for one in parameters:
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                raise TypeError(f"takes *{one.name}: name each parameter")
            if is_connection(one.annotation, names):
                if connection is not None:
                    raise TypeError(f"has two parameters for the connection, '{connection}' and '{one.name}': keep one")
                connection = one.name
            elif one.kind is one.KEYWORD_ONLY:
                raise TypeError(f"takes '{one.name}' by keyword only: let it stand before the '*'")
            elif connection is not None:
                raise TypeError(f"takes '{one.name}' after the connection: let the connection be the last parameter")
            else:
                others.append(one.name)
        return cls(tuple(others), connection, dict(inspect.get_annotations(function)))

    def annotation(self, name: str, names: Names) -> object:
        """Return what the annotation of a parameter, or of `return`, means.

        Raises:
            TypeError: There is none.
            NameError: It names what is not there (yet).
        """
        if name not in self.annotations:
            where = "behind the arrow" if name == "return" else f"for the parameter '{name}'"
            fix = "-> None if there is no result" if name == "return" else f"such as {name}: str"
            raise TypeError(f"has no annotation {where}: add one, {fix}")
        return names.resolve(self.annotations[name])


def is_connection(annotation: object, names: Names) -> bool:
    """Return whether a parameter asks for the connection; what cannot be resolved is read as text."""
    if annotation is _MISSING:
        return False
    if isinstance(annotation, str):
        try:
            annotation = names.resolve(annotation)
        except Exception:  # it may be there for type checkers only
            return str(annotation).rpartition(".")[2] == Connection.__name__
    return annotation is Connection


def has_type_variable(annotation: object) -> bool:
    """Return whether an annotation is, or is a union with, a type variable."""
    return isinstance(annotation, TypeVar) or any(has_type_variable(one) for one in _members(annotation))


def substitute(annotation: object, arguments: Mapping[object, object]) -> object:
    """Return an annotation with type variables replaced."""
    if isinstance(annotation, TypeVar):
        return arguments.get(annotation, annotation)
    members = _members(annotation)
    if not members:
        return annotation
    return typing.Union[tuple(substitute(one, arguments) for one in members)]  # noqa: UP007 - made at run time


def _members(annotation: object) -> tuple[object, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) in (typing.Union, UnionType) else ()
