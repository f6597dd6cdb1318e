"""What users call is cancelled at its first await, its second, and so on: what is left then can be stopped."""

from __future__ import annotations

import itertools

import pytest

from tests.simulation.cancelled_calls import CALLS, CancelledCall

ONCE = {
    "while it waits": ((0,), False),
    "as what it waits for comes": ((0,), True),
}
"""At which awaits from the first on, and whether when what is awaited has come."""
AGAIN = {
    "and again at once": ((0, 1), False),
    "and again, and again": ((0, 1, 2), False),
    "and again a little later": ((0, 3), True),
}
"""The same for what cleans up when it is cancelled."""
CASES = [
    *((name, how) for name in CALLS for how in ONCE),
    *((name, how) for name in CALLS if name.startswith(("start", "stop", "leave")) for how in AGAIN),
]


@pytest.mark.parametrize(("name", "how"), CASES)
def test_whatever_is_cancelled_can_be_stopped(name: str, how: str) -> None:
    awaits, when_done = {**ONCE, **AGAIN}[how]
    for first in itertools.count(1):
        at = tuple(first + offset for offset in awaits)
        if not CancelledCall(name=name, at=at, when_done=when_done, seed=first).run():
            break
