"""Parameters and annotations of handlers: what they mean, also where annotations are postponed.

Annotations may name what is local to a function around the class.
"""

from __future__ import annotations

import inspect
import typing
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, TypeVar

from orbitalis.annotations import own_annotations, signature_of, text_of
from orbitalis.operations.connection import Connection

__all__ = ["Names", "Parameters", "has_type_variable", "is_connection", "substitute"]

_MISSING: Final = inspect.Parameter.empty


class Names:
    """The names that the annotations of a function can use."""

    def __init__(self, function: Callable[..., object]) -> None:
        """Remember the names of the function's module, and of the functions and classes around it that are running."""
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
        """Let go of the names around the function, which may keep large objects alive: all annotations are read."""
        self._locals = ChainMap[str, Any]()

    def resolve(self, annotation: object) -> object:
        """Return what an annotation means.

        Raises:
            NameError: It names something that is not there, or not yet.
        """
        if annotation is None or isinstance(annotation, type):
            return annotation
        hints = typing.get_type_hints(_Annotated({"it": annotation}), self._globals, self._locals)
        return hints["it"]


class _Annotated:
    """An object with annotations, as `get_type_hints` takes it."""

    def __init__(self, annotations: dict[str, object]) -> None:
        self.__annotations__ = annotations


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters and annotations of a handler."""

    others: tuple[str, ...]
    """Names of the parameters in order, without `self` and the one for the connection."""
    connection: str | None
    """Name of the parameter that is annotated `Connection`."""
    annotations: Mapping[str, object]
    """The annotations as they are written, by parameter; that of the result is under `return`."""

    @classmethod
    def of(cls, function: Callable[..., object], names: Names, *, has_self: bool) -> Parameters:
        """Read the parameters of a function; `has_self` says whether the first one is `self`.

        Raises:
            TypeError: There is a parameter that nothing can be given to.
        """
        parameters = list(signature_of(function).parameters.values())
        if has_self:
            if not parameters:
                raise TypeError("has no parameter self: add it")
            first = parameters[0]
            if first.name != "self" and first.annotation is not _MISSING:
                raise TypeError(f"takes '{first.name}' where self belongs: let it begin with (self, {first.name}")
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
        return cls(tuple(others), connection, own_annotations(function))

    def annotation(self, name: str, names: Names) -> object:
        """Return what the annotation of a parameter, or of `return`, means.

        Raises:
            TypeError: There is no annotation.
            NameError: It names something that is not there, or not yet.
        """
        if name not in self.annotations:
            where = "behind the arrow" if name == "return" else f"for the parameter '{name}'"
            fix = "-> None if there is no result" if name == "return" else f"such as {name}: str"
            raise TypeError(f"has no annotation {where}: add one, {fix}")
        return names.resolve(self.annotations[name])


def is_connection(annotation: object, names: Names) -> bool:
    """Return whether an annotation asks for the connection. One that cannot be resolved is judged by its text."""
    if annotation is _MISSING:
        return False
    text = text_of(annotation)
    if text is not None:
        try:
            annotation = names.resolve(annotation)
        except Exception:  # the name may be imported for type checkers only
            return text.rpartition(".")[2] == Connection.__name__
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
