"""Whatever comes is read or refused, in time and within bounds; `make fuzz` goes on where this ends."""

from __future__ import annotations

import os
import random
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.bombs import BOMBS
from tests.fuzzing.mutations import mutated_bytes
from tests.fuzzing.regressions import REGRESSIONS
from tests.fuzzing.target import Target
from tests.fuzzing.targets import TARGETS

FACTOR = float(os.environ.get("ORBITALIS_FUZZING_FACTOR", "1"))
"""How many times as many inputs as usual."""
EXAMPLES = {"machines": 120, "running": 60, "specification document": 25, "specification schema": 25, "url": 100}
"""Inputs of those that are not quick; of all others :data:`QUICK`."""
QUICK = 150
MEMORY = 16 * 1024 * 1024
"""Bytes that reading anything may take, beside what is read."""
MEMORY_A_BYTE = 150
"""Bytes that a byte of what is read may take: an empty object of Python's is as large as 60."""
SLOWED_DOWN = 4
"""Times that everything takes longer while memory is counted."""

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@pytest.mark.parametrize(("name", "data"), REGRESSIONS)
def test_what_was_found_before(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@every_target
def test_what_is_right_is_taken(target: Target) -> None:
    for seed in target.seeds():
        target.run(seed)


@pytest.mark.timeout(120 + 60 * FACTOR)
@every_target
def test_whatever_comes_is_taken_or_refused(target: Target) -> None:
    seeds = target.seeds()
    noise = st.binary(max_size=200)
    changed = st.builds(
        lambda seed, count, chance: mutated_bytes(seed, count, chance, target.tokens),
        st.sampled_from(seeds),
        st.integers(1, 6),
        st.randoms(use_true_random=False),
    )

    @settings(
        max_examples=round(EXAMPLES.get(target.name, QUICK) * FACTOR),
        deadline=1000 * target.seconds,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        database=None,
    )
    @given(st.one_of(noise, changed, changed, changed, changed))
    def run(data: bytes) -> None:
        target.run(data)

    run()


@pytest.mark.parametrize("target", [one for one in TARGETS.values() if not one.is_slow], ids=lambda target: target.name)
def test_bombs_cost_no_more_than_what_they_weigh(target: Target) -> None:
    target.run(b"")
    tracemalloc.start()
    try:
        for name, bomb in BOMBS.items():
            if target.largest_bomb is not None and len(bomb) > target.largest_bomb:
                continue
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            begin = time.process_time()
            target.run(bomb)
            elapsed = time.process_time() - begin
            _, peak = tracemalloc.get_traced_memory()
            assert elapsed < SLOWED_DOWN * target.seconds, f"{name} takes {elapsed:.1f} s"
            cost = peak - before
            assert cost < MEMORY + MEMORY_A_BYTE * len(bomb), f"{name} ({len(bomb)} bytes) takes {cost} bytes"
    finally:
        tracemalloc.stop()


def test_mutations_are_repeatable() -> None:
    for seed in (b"", b"a", b"some\nlines\n" * 10):
        one, other = (mutated_bytes(seed, 20, random.Random(1), [b"token"]) for _ in range(2))
        assert one == other
