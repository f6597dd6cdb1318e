"""How much memory something takes that came from a remote."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Final, cast

__all__ = ["weigh"]

_OBJECT = 64
"""Bytes of an object beside its fields, of an entry in a collection, or of a number: about as many."""
_names: Final[dict[type[object], tuple[str, ...]]] = {}
"""Fields of the dataclasses that have been weighed."""


def weigh(*values: object) -> int:
    """Return about how many bytes texts, bytes, collections and messages take, with all that is in them."""
    total = 0
    for value in values:
        kind = type(value)
        # The commonest first: this is done for every message.
        if kind is str or kind is bytes:
            total += sys.getsizeof(value)
        elif value is None:
            continue
        elif names := _field_names(kind):
            total += _OBJECT + weigh(*[getattr(value, name) for name in names])
        elif isinstance(value, Mapping):
            pairs = cast(Mapping[object, object], value)
            total += _OBJECT + weigh(*pairs.keys()) + weigh(*pairs.values())
        elif isinstance(value, Collection):
            total += _OBJECT + weigh(*cast(Collection[object], value))
        else:
            total += _OBJECT
    return total


def _field_names(kind: type[object]) -> tuple[str, ...]:
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return names
