"""What can be set of orbiters: the fields of their classes, with defaults and what they mean."""

from __future__ import annotations

import dataclasses
import importlib
from enum import Enum

import griffe

from tools.website.api import attributes

__all__ = ["describe"]


def describe(path: str) -> str:
    """Return a table of the fields of a dataclass; of an orbiter's class without those that every orbiter has.

    Raises:
        LookupError: There is no such dataclass.
    """
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise LookupError(f"{path} is no dataclass")
    inherited = {field.name for base in found.__mro__[1:] if dataclasses.is_dataclass(base) for field in _fields(base)}
    own = [field for field in _fields(found) if field.name not in inherited or name == "Orbiter"]
    documented = attributes(path)
    rows = [_row(field, documented[field.name]) for field in own if field.name in documented]
    return "\n".join(["| field | type | default | what it is |", "| --- | --- | --- | --- |", *rows])


def _fields(found: type) -> tuple[dataclasses.Field[object], ...]:
    return tuple(field for field in dataclasses.fields(found) if field.init and not field.name.startswith("_"))


def _row(field: dataclasses.Field[object], documented: tuple[griffe.Attribute, str]) -> str:
    attribute, meaning = documented
    return f"| `{field.name}` | `{attribute.annotation}` | {_default(field)} | {meaning} |"


def _default(field: dataclasses.Field[object]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory
        return "`{}`" if getattr(made, "__origin__", made) is dict else "one of its own"
    if field.default is dataclasses.MISSING:
        return "has to be given"
    value = field.default
    if dataclasses.is_dataclass(value):
        return f"`{type(value).__name__}()`"
    if isinstance(value, Enum):
        return f"`{value}`"
    return f"`{value:,}`" if isinstance(value, int) and not isinstance(value, bool) else f"`{value!r}`"
