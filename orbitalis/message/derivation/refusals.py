"""What is said about types that no field can have: what is wrong, and what to write instead."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import is_dataclass
from decimal import Decimal
from enum import Flag
from pathlib import PurePath
from typing import Any, Final, TypeVar

__all__ = ["Refusal", "refusal", "shown"]

_ALL: Final = (
    "write bool, int, float, str, bytes, date, time, datetime, timedelta, UUID, Decimal with DecimalDigits, an Enum, a "
    "Literal, a dataclass, list[...], tuple[X, ...], dict[str, ...], or a union of them"
)
_SETS: Final = (set, frozenset)


class Refusal(Exception):
    """A type cannot be sent; the text says why, and what to do."""


def shown(annotation: object) -> str:
    """Return an annotation as it is written."""
    if annotation is type(None):
        return "None"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__qualname__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def refusal(annotation: Any) -> Refusal:
    """Return what is to be said about a type that is not supported."""
    return Refusal(f"{shown(annotation)} cannot be sent: {_fix(annotation)}")


def _fix(annotation: Any) -> str:
    origin: Any = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin in _SETS or _is_subclass(origin, typing.AbstractSet):
        return f"write list[{shown(arguments[0]) if arguments else '...'}], and make a set of it where it arrives"
    if origin is tuple:
        return "write tuple[X, ...] for any number of items of one type, or a dataclass with a field for each item"
    if _is_subclass(origin, tuple) or typing.is_typeddict(origin):
        return "make it a dataclass"
    if origin is list or (_is_subclass(origin, typing.Sequence) and origin not in (str, bytes, bytearray)):
        return f"write list[{shown(arguments[0])}]" if arguments else "say what the items are, as in list[str]"
    if origin is dict or _is_subclass(origin, typing.Mapping):
        if not arguments:
            return "say what the values are, as in dict[str, int]"
        return f"the keys of an Avro map are texts: write dict[str, {shown(arguments[-1])}]"
    if annotation is Any or annotation is object:
        return "name the types that there may be, as in int | str"
    if isinstance(annotation, TypeVar) or (is_dataclass(origin) and arguments):
        return "a message has one schema, so write the type itself, and no type variable"
    if origin is Callable or (callable(annotation) and not isinstance(annotation, type) and not arguments):
        return "it is no type of data"
    if origin is complex:
        return "write a dataclass with two fields of float"
    if _is_subclass(origin, PurePath):
        return "write str"
    if origin in (bytearray, memoryview):
        return "write bytes"
    if origin is Decimal:
        return "say how many digits it has, as in Annotated[Decimal, DecimalDigits(10, 2)]"
    if _is_subclass(origin, Flag):
        return "write int, since several of its members may be set"
    if isinstance(origin, type) and origin.__module__ != "builtins":
        return "make it a dataclass, or write what it is made of"
    return _ALL


def _is_subclass(candidate: object, of: Any) -> bool:
    try:
        return isinstance(candidate, type) and issubclass(candidate, typing.get_origin(of) or of)
    except TypeError:
        return False
