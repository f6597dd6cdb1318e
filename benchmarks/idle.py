"""What one core and many connected plugins cost while nothing happens, each with its loop."""

from __future__ import annotations

import asyncio
from functools import partial

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import connected

__all__ = ["main", "rest"]


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes, seconds = settings.pick((100, 1_000), (3, 10)), settings.pick(20.0, 0.2)
    samples = interleaved(settings.pick(3, 1), {f"{size}": partial(fresh, rest, size, seconds) for size in sizes})
    rows = [(f"{size:,}", f"{samples.median(f'{size}', 'share'):.2%}") for size in sizes]
    show(("plugins with loops, and a core", "share of a processor"), rows)


async def rest(plugins: int, seconds: float) -> Numbers:
    """Do nothing for so many seconds, once there is nothing more to be done."""
    core, _ = await connected(plugins, with_loop=True)
    await asyncio.sleep(min(seconds, 3.0))
    settle()
    with Stopwatch() as watch:
        await asyncio.sleep(seconds)
    assert core.is_compliant()
    return {"share": watch.cpu / watch.wall}
