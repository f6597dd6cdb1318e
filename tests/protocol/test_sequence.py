"""The window of sequence numbers: each number once, in whatever order, and what is missing is counted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis.protocol.sequence import SequenceWindow
from orbitalis_wire.limits import SEQUENCE_WINDOW


class Model:
    """What a window does, with all numbers that have come in a set."""

    def __init__(self) -> None:
        self.come: set[int] = set()
        self.greatest = 0

    def admits(self, number: int) -> bool:
        """Return whether a number is new, and not too old."""
        if number < 1 or number in self.come or self.greatest - number >= SEQUENCE_WINDOW:
            return False
        self.come.add(number)
        self.greatest = max(self.greatest, number)
        return True

    @property
    def missing(self) -> int:
        """How many numbers below the greatest have not come."""
        return self.greatest - len(self.come)


def take(window: SequenceWindow, number: int) -> bool:
    """Take a number as the receiver does, which does by itself what is in order."""
    if number == window.greatest + 1:
        window.greatest = number
        if window.absent:
            window.shift()
        return True
    return window.admits(number)


@given(
    st.lists(
        st.one_of(
            st.integers(-3, 12),
            st.integers(1, 3 * SEQUENCE_WINDOW),
            st.integers(SEQUENCE_WINDOW - 3, SEQUENCE_WINDOW + 3),
        ),
        max_size=60,
    )
)
def test_it_admits_what_a_set_of_all_numbers_admits(numbers: list[int]) -> None:
    window, model = SequenceWindow(), Model()
    for number in numbers:
        assert take(window, number) == model.admits(number), number
        assert (window.greatest, window.missing) == (model.greatest, model.missing)


@pytest.mark.parametrize("seed", range(5))
def test_streams_that_are_lossy_repeated_and_out_of_order_are_as_with_a_set(seed: int) -> None:
    chance = random.Random(seed)
    numbers = [number for number in range(1, 6_000) if chance.random() > 0.02]
    numbers += [chance.choice(numbers) for _ in range(500)]
    numbers.sort(key=lambda number: number + chance.expovariate(1 / chance.choice([1, 20, 700])))
    window, model = SequenceWindow(), Model()
    for number in numbers:
        assert take(window, number) == model.admits(number), number
    assert (window.greatest, window.missing) == (model.greatest, model.missing)


def test_in_order_nothing_is_kept_but_the_greatest() -> None:
    window = SequenceWindow()
    for number in range(1, 5_000):
        assert take(window, number)
        assert window.absent == 0
    assert not any(take(window, number) for number in range(-10, 5_000))


def test_a_number_counts_as_long_as_it_is_within_the_window() -> None:
    window = SequenceWindow()
    assert take(window, SEQUENCE_WINDOW + 1)
    assert window.missing == SEQUENCE_WINDOW
    assert not take(window, 1), "it is as far below the greatest as the window is long"
    assert take(window, 2)
    assert not take(window, 2)
    assert window.missing == SEQUENCE_WINDOW - 1
    assert take(window, SEQUENCE_WINDOW + 2)
    assert not take(window, 2)
    assert take(window, 3)


def test_a_number_that_is_absurd_costs_no_memory() -> None:
    window = SequenceWindow()
    assert take(window, 2**62)
    assert window.absent.bit_length() <= SEQUENCE_WINDOW
    assert not take(window, -(2**62))
    assert not take(window, 2**62)
    assert take(window, 2**62 - SEQUENCE_WINDOW + 1)
    assert take(window, 2**62 + 1)
