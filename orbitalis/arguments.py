"""What is said of arguments that cannot be meant: what was expected, what came, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias, cast

__all__ = [
    "Identifiers",
    "check_identifiers",
    "check_kind",
    "check_list",
    "check_number",
    "check_seconds",
    "check_text",
    "did_you_mean",
]

Identifiers: TypeAlias = list[str] | tuple[str, ...] | set[str] | frozenset[str]
"""Several identifiers or names. A text would be a sequence of texts, too, and is meant by nobody."""


def check_list(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a list or another collection.

    A text would be taken for its letters, and what can be gone through only once would be empty the next time.
    """
    if value is None or (isinstance(value, Collection) and not isinstance(value, str | bytes)):
        return
    advice = f"list({name})" if isinstance(value, Iterable) and not isinstance(value, str | bytes) else f"[{value!r}]"
    raise TypeError(f"{name} must be a list, got {value!r}: write {advice}")


def check_identifiers(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a list of texts, or another collection of them."""
    check_list(name, value)
    if isinstance(value, Collection):
        for one in cast("Collection[object]", value):
            if not isinstance(one, str):
                advice = ": write its identifier" if hasattr(one, "identifier") else ""
                raise TypeError(f"{name} must be a list of identifiers, which are texts, got {one!r} in it{advice}")


def check_text(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r}")


def check_kind(name: str, value: object, expected: type[object]) -> None:
    """Raise :class:`TypeError` for what is no instance of a class."""
    if not isinstance(value, expected):
        kind = expected.__name__
        raise TypeError(f"{name} must be of class {kind}, got {value!r}: write {name}={kind}(…)")


def check_number(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a whole number."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")


def check_seconds(name: str, value: object, *, is_optional: bool = False, is_positive: bool = False) -> None:
    """Check a duration; `None` is one where it is optional, and 0 where it need not be positive.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, or 0 where it has to be positive.
    """
    if value is None and is_optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, such as {name}=5.0, got {value!r}")
    if not value >= 0:
        raise ValueError(f"{name} must not be negative, got {value}")
    if value == 0 and is_positive:
        raise ValueError(f"{name} must be positive, got {value}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the question that ends an error about an unknown name, or nothing if no known name is like it."""
    # Only for errors, and it takes long to import.
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
