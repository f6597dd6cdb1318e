"""Deadlines: the first is found at once, each is due once, and none that was replaced ever."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis.protocol.deadlines import Deadline, Deadlines


@dataclass(eq=False)
class Item:
    name: str
    due_at: float | None = None
    deadline: Deadline | None = None


def test_items_are_due_in_the_order_of_their_deadlines_and_each_once() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    a, b, c = map(Item, "abc")
    for item, at in ((c, 3.0), (a, 1.0), (b, 2.0)):
        deadlines.set(item, at)
    assert deadlines.next() == 1.0
    assert deadlines.pop_due(0.9) == []
    assert deadlines.pop_due(2.0) == [a, b]
    assert deadlines.pop_due(2.0) == []
    assert deadlines.next() == c.due_at == 3.0
    assert a.due_at is None
    assert len(deadlines) == 1


def test_a_deadline_that_is_set_again_replaces_the_one_before() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item = Item("a")
    deadlines.set(item, 1.0)
    deadlines.set(item, 5.0)
    assert deadlines.pop_due(4.0) == []
    assert deadlines.next() == 5.0
    deadlines.set(item, 2.0)
    deadlines.set(item, 2.0)
    assert deadlines.pop_due(10.0) == [item]
    assert deadlines.next() is None


def test_what_is_discarded_is_never_due() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item = Item("a")
    deadlines.set(item, 1.0)
    deadlines.discard(item)
    deadlines.discard(Item("unknown"))
    assert len(deadlines) == 0
    assert deadlines.next() is None
    deadlines.set(item, 1.0)
    assert deadlines.pop_due(1.0) == [item]
    deadlines.set(item, 1.0)
    deadlines.clear()
    assert deadlines.next() is item.due_at is None
    assert len(deadlines) == 0


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_what_is_set_again_and_again_takes_no_more_room(step: float) -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item = Item("a")
    for number in range(10_000):
        deadlines.discard(item)
        deadlines.set(item, number * step)
    assert len(deadlines._heap) <= 69
    assert deadlines.pop_due(10_000.0) == [item]


def test_what_is_due_no_more_is_not_kept() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item, other = Item("a"), Item("b")
    kept = weakref.ref(item)
    deadlines.set(other, 3.0)
    deadlines.set(item, 1.0)
    deadlines.set(item, 2.0)
    deadlines.discard(item)
    del item
    assert len(deadlines._heap) == 3
    assert kept() is None
    deadlines.discard(other)
    assert not deadlines._heap


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 100)),
            st.tuples(st.just("discard"), st.integers(0, 5), st.just(0)),
            st.tuples(st.just("pop"), st.just(0), st.integers(0, 100)),
        )
    )
)
def test_is_like_a_search_through_all_of_them(steps: list[tuple[str, int, int]]) -> None:
    deadlines: Deadlines[Item] = Deadlines()
    items = [Item(str(number)) for number in range(6)]
    plain: dict[Item, float] = {}
    for step, key, at in steps:
        item = items[key]
        if step == "set":
            deadlines.set(item, float(at))
            plain[item] = float(at)
        elif step == "discard":
            deadlines.discard(item)
            plain.pop(item, None)
        else:
            due = {item for item, when in plain.items() if when <= at}
            popped = deadlines.pop_due(float(at))
            assert len(popped) == len(due)
            assert set(popped) == due
            for one in due:
                del plain[one]
        assert deadlines.next() == min(plain.values(), default=None)
        assert len(deadlines) == len(plain)
        assert all(item.due_at == plain.get(item) for item in items)
