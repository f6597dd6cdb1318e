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
    "check_positive",
    "check_seconds",
    "check_text",
    "did_you_mean",
    "nearest",
    "shown",
]

Identifiers: TypeAlias = list[str] | tuple[str, ...] | set[str] | frozenset[str]
"""Several identifiers or names. A text would be a sequence of texts, too, and is meant by nobody."""
_LONGEST_COMPARED = 200
"""Characters of a name for which a like one is looked for; comparing takes the square of them."""
_LONGEST_SHOWN = 80
"""Characters of a value that an error shows."""
_SHOWN = 10
"""Names of which an error tells."""


def shown(value: object) -> str:
    """Return a value as an error shows it: not at length."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def check_list(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a list or another collection.

    A text would be taken for its letters, and what can be gone through only once would be empty the next time.
    """
    if value is None or _is_several(value):
        return
    advice = f"list({name})" if _is_once(value) else f"[{shown(value)}]"
    raise TypeError(f"{name} must be a list, got {shown(value)}: write {advice}")


def _is_several(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def _is_once(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


def check_identifiers(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a list of texts, or another collection of them."""
    check_list(name, value)
    if isinstance(value, Collection):
        for one in cast("Collection[object]", value):
            if not isinstance(one, str):
                advice = ": write its identifier" if hasattr(one, "identifier") else ""
                raise TypeError(
                    f"{name} must be a list of identifiers, which are texts, got {shown(one)} in it{advice}"
                )


def check_text(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {shown(value)}")


def check_kind(name: str, value: object, expected: type[object]) -> None:
    """Raise :class:`TypeError` for what is no instance of a class."""
    if not isinstance(value, expected):
        kind = expected.__name__
        raise TypeError(f"{name} must be of class {kind}, got {shown(value)}: write {name}={kind}(…)")


def check_number(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a whole number."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{name} must be a whole number, got {shown(value)}")


def check_positive(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is no number, and :class:`ValueError` for one that is not above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")


def check_seconds(name: str, value: object, *, is_optional: bool = False, is_positive: bool = False) -> None:
    """Check a duration; `None` is one where it is optional, and 0 where it need not be positive.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, or 0 where it has to be positive.
    """
    if value is None and is_optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, such as {name}=5.0, got {shown(value)}")
    if not value >= 0:
        raise ValueError(f"{name} must not be negative, got {value}")
    if value == 0 and is_positive:
        raise ValueError(f"{name} must be positive, got {value}")


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return the question that ends an error about an unknown name, or nothing if no known name is like it."""
    # Only for errors, and it takes long to import.
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1, cutoff=likeness) if len(name) <= _LONGEST_COMPARED else []
    return f"; did you mean '{found[0]}'?" if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what ends an error about an unknown name: the known one that is most like it, or else those there are."""
    names = list(known)
    listed = ", ".join(f"'{one}'" for one in names[:_SHOWN]) or "none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return nearest(name, names) or f"; known: {listed}{more}"
