"""Pages: nothing that stays is lost, and no page is larger than it may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orbitalis.introspection.pages import CURSOR_BYTES, Page, cut, place_before
from orbitalis_avro.errors import EncodeError

NAMES = st.text(alphabet="abcäß€", min_size=1, max_size=6)


def page(things: dict[str, int], cursor: str | None, *, room: int = 100, capacity: int = 100) -> Page[int]:
    """Cut things that say how large they are."""
    return cut(
        things,
        lambda place: things[place],
        lambda place, thing: thing,
        after=place_before(cursor),
        room=room,
        capacity=capacity,
        note_bytes=10,
    )


def test_pages_follow_each_other_in_the_order_of_places() -> None:
    things = {"d": 40, "b": 50, "a": 60, "c": 50}

    first = page(things, None)
    second = page(things, first.next_cursor)
    third = page(things, second.next_cursor)

    assert [list(one.things) for one in (first, second, third)] == [["a"], ["b", "c"], ["d"]]
    assert (first.next_cursor is None, second.next_cursor is None, third.next_cursor is None) == (False, False, True)


def test_a_place_that_has_gone_meanwhile_still_says_where_to_go_on() -> None:
    first = page({"a": 50, "b": 50, "c": 50}, None)
    second = page({"a": 50, "aa": 50, "c": 50, "d": 50}, first.next_cursor)

    assert (list(first.things), list(second.things)) == (["a", "b"], ["c", "d"])


def test_a_cursor_that_is_none_begins_anew() -> None:
    for cursor in ("", "b", "before:b", "x" * 5000):
        assert list(page({"a": 1, "b": 1}, cursor).things) == ["a", "b"]
        assert place_before(cursor) is None


def test_what_is_too_large_for_any_page_is_left_out_and_named() -> None:
    found = page({"a": 10, "b": 101, "c": 10}, None)

    assert (found.things, found.left_out, found.next_cursor) == ({"a": 10, "c": 10}, ("b",), None)


def test_names_of_what_is_left_out_take_room_as_well() -> None:
    things = {f"{number:020d}": 101 for number in range(7)}
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        found = page(things, cursor)
        assert found.things == {}
        assert len(found.left_out) * 30 <= 100
        seen += found.left_out
        cursor = found.next_cursor
    assert (seen, cursor) == (sorted(things), None)


def test_what_cannot_be_written_is_left_out() -> None:
    def size(place: str, thing: int) -> int:
        if thing < 0:
            raise EncodeError("OperationInfo", "allowlist", "no text")
        return thing

    found = cut(["a", "b"], {"a": -1, "b": 1}.__getitem__, size, after=None, room=50, capacity=50)

    assert (found.things, found.left_out) == ({"b": 1}, ("a",))


def test_a_first_page_without_room_leaves_all_to_the_next_one() -> None:
    first = page({"a": 80}, None, room=50)

    assert (first.things, first.left_out) == ({}, ())
    assert first.next_cursor is not None
    assert list(page({"a": 80}, first.next_cursor).things) == ["a"]


@given(st.lists(st.dictionaries(NAMES, st.integers(1, 130), max_size=12), min_size=40, max_size=40))
def test_nothing_that_stays_is_lost_and_nothing_comes_twice(changes: list[dict[str, int]]) -> None:
    """What there is changes between any two pages, some of it aside."""
    staying = changes[0]
    seen: list[str] = []
    cursor: str | None = None
    for others in changes:
        things = {**others, **staying}
        found = page(things, cursor, room=60 if cursor is None else 100)
        assert sum(found.things.values()) <= (60 if cursor is None else 100)
        seen += sorted([*found.things, *found.left_out])
        cursor = found.next_cursor
        if cursor is None:
            break
        assert len(cursor.encode()) <= CURSOR_BYTES
    assert cursor is None
    assert seen == sorted(set(seen))
    assert set(staying) <= set(seen)
