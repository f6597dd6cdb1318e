"""Pages: how what does not fit into one answer is cut, so that changes between two of them lose nothing that stays.

Things are told in the order of their places, which are texts: the names of operations, or of remote and operation. The
cursor of a page is the place of the last thing before it. So the next page begins behind that place, whatever has come
or gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from orbitalis_avro.errors import EncodeError
from orbitalis_wire import limits

__all__ = ["CURSOR_BYTES", "Page", "cut", "place_before"]

T = TypeVar("T")

_AFTER: Final = "after:"
"""How all cursors begin."""
CURSOR_BYTES: Final = len(_AFTER) + 2 * limits.IDENTIFIER_BYTES + 1
"""Bytes that a cursor has at most: the place of a connection has two identifiers, and what is between them."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What fits into one answer."""

    things: dict[str, T]
    """By place, in order."""
    left_out: tuple[str, ...]
    """The places of things of which each is too large for a page of its own."""
    next_cursor: str | None
    """Where the next page begins; `None` if this is the last."""


def place_before(cursor: str | None) -> str | None:
    """Return the place behind which a page begins; `None` for no cursor, and for what is none: begin anew then."""
    return cursor.removeprefix(_AFTER) if cursor is not None and cursor.startswith(_AFTER) else None


def cut(
    places: Iterable[str],
    describe: Callable[[str], T],
    size: Callable[[str, T], int],
    *,
    after: str | None,
    room: int,
    capacity: int,
    note_bytes: int = 0,
) -> Page[T]:
    """Return the page that begins behind a place.

    Args:
        places: Where there is something; in any order, each once.
        describe: Returns what is at a place.
        size: Returns how many bytes it takes in the answer.
        after: What :func:`place_before` gave.
        room: Bytes that this page has.
        capacity: Bytes that a page has which holds nothing else.
        note_bytes: Bytes that it takes, beside the place, to say that something was left out.
    """
    things: dict[str, T] = {}
    left_out: list[str] = []
    last = after or ""
    for place in sorted(place for place in places if place > last):
        thing = describe(place)
        try:
            needed = size(place, thing)
        except EncodeError:  # users choose names
            needed = capacity + 1
        is_too_large = needed > capacity
        if is_too_large:
            needed = note_bytes + len(place.encode("utf-8", "replace"))
        if needed > room:
            return Page(things, tuple(left_out), f"{_AFTER}{last}")
        if is_too_large:
            left_out.append(place)
        else:
            things[place] = thing
        room -= needed
        last = place
    return Page(things, tuple(left_out), None)
