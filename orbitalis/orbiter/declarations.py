"""What decorated methods declare, found through a class and its bases."""

from __future__ import annotations

from typing import Final, TypeVar

__all__ = ["declarations_of", "declare"]

_ATTRIBUTE: Final = "__orbitalis_declaration__"

T = TypeVar("T")
F = TypeVar("F")


def declare(function: F, declaration: object) -> F:
    """Attach a declaration to a function, and return that."""
    setattr(function, _ATTRIBUTE, declaration)
    return function


def declarations_of(owner: type, kind: type[T]) -> dict[str, T]:
    """Return the declarations of one kind by attribute name, those of base classes first.

    A method that overrides a declared one keeps the declaration unless it has one of its own.
    """
    found: dict[str, T] = {}
    for base in reversed(owner.__mro__):
        for name, attribute in vars(base).items():
            declaration = getattr(attribute, _ATTRIBUTE, None)
            if isinstance(declaration, kind):
                # The last one is the most derived; it is to come last.
                found.pop(name, None)
                found[name] = declaration
    return found
