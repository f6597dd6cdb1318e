"""Dataclasses as class statements make them, from fields that a test has in a list."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any


def stated_dataclass(name: str, fields: list[tuple[Any, ...]], base: type) -> Any:
    """Make a dataclass whose base is told of it when its annotations are there.

    :func:`dataclasses.make_dataclass` does so before Python 3.14; from then on, it annotates a class that is made.
    A field is its name, its annotation and, if it has one, its default.
    """

    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["__annotations__"] = {one[0]: one[1] for one in fields}
        namespace.update({one[0]: one[2] for one in fields if len(one) > 2})

    return dataclass(types.new_class(name, (base,), {}, body))
