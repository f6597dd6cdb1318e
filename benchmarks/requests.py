"""How many requests one core makes to plugins in the same process, for a second of the processor."""

from __future__ import annotations

import asyncio
from functools import partial

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import TextPlugin, connected

__all__ = ["main", "request"]


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes, at_once, count = settings.pick((1, 800), (1, 3)), (1, 100), settings.pick(5_000, 100)
    cases = {
        f"{size}, {number} at a time": partial(fresh, request, size, number, count)
        for number in at_once
        for size in sizes
    }
    samples = interleaved(settings.rounds, cases)
    rows = [
        (case, f"{samples.median(case, 'rate'):,.0f}", f"{samples.ratio(case, '1, 1 at a time', 'rate'):.2f}")
        for case in cases
    ]
    show(("plugins", "requests a CPU second", "against the first"), rows)


async def request(plugins: int, at_once: int, count: int) -> Numbers:
    """Make so many requests, so many at a time."""
    core, _ = await connected(plugins)

    async def ask(number: int) -> None:
        for _ in range(number):
            answer = await core.request(TextPlugin.lowercase, "HELLO")
            assert answer == "hello"

    settle()
    with Stopwatch() as watch:
        await asyncio.gather(*(ask(count // at_once) for _ in range(at_once)))
    return {"rate": count / watch.cpu}
