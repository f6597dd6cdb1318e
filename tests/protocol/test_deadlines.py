"""Deadlines: the first is found at once, each is due once, and none that was replaced ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orbitalis.protocol.deadlines import Deadlines


def test_keys_are_due_in_the_order_of_their_deadlines_and_each_once() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for key, at in {"c": 3.0, "a": 1.0, "b": 2.0}.items():
        deadlines.set(key, at)
    assert deadlines.next() == 1.0
    assert deadlines.pop_due(0.9) == []
    assert deadlines.pop_due(2.0) == ["a", "b"]
    assert deadlines.pop_due(2.0) == []
    assert deadlines.next() == 3.0
    assert len(deadlines) == 1


def test_a_deadline_that_is_set_again_replaces_the_one_before() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.set("a", 5.0)
    assert deadlines.pop_due(4.0) == []
    assert deadlines.next() == 5.0
    deadlines.set("a", 2.0)
    deadlines.set("a", 2.0)
    assert deadlines.pop_due(10.0) == ["a"]
    assert deadlines.next() is None


def test_what_is_discarded_is_never_due() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.discard("a")
    deadlines.discard("unknown")
    assert "a" not in deadlines
    assert deadlines.next() is None
    deadlines.set("a", 1.0)
    assert deadlines.pop_due(1.0) == ["a"]
    deadlines.set("a", 1.0)
    deadlines.clear()
    assert deadlines.next() is None


def test_what_is_set_again_and_again_takes_no_more_room() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for number in range(10_000):
        deadlines.set("a", float(number))
    assert len(deadlines._heap) <= 65
    assert deadlines.pop_due(10_000.0) == ["a"]


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
    deadlines: Deadlines[int] = Deadlines()
    plain: dict[int, float] = {}
    for step, key, at in steps:
        if step == "set":
            deadlines.set(key, float(at))
            plain[key] = float(at)
        elif step == "discard":
            deadlines.discard(key)
            plain.pop(key, None)
        else:
            due = [key for key, when in plain.items() if when <= at]
            assert sorted(deadlines.pop_due(float(at))) == sorted(due)
            for one in due:
                del plain[one]
        assert deadlines.next() == min(plain.values(), default=None)
        assert len(deadlines) == len(plain)
