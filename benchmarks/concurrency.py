"""How long concurrent requests to one handler take that waits 10 ms."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import Any

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, show
from benchmarks.stage import Bus, start_compliant
from orbitalis import Core, Plugin, operation

__all__ = ["main", "request"]

_WAIT = 0.01
_operation: Any = operation
"""Takes `concurrency` where that is supported, which is tried at run time."""


def main(settings: Settings) -> None:
    """Measure and print."""
    counts = settings.pick((1, 10, 100, 500), (1, 10))
    concurrencies = (1, 10, 100) if "concurrency" in inspect.signature(operation).parameters else (1,)
    samples = interleaved(
        settings.pick(3, 1),
        {
            f"{count}, {concurrency}": partial(fresh, request, count, concurrency)
            for concurrency in concurrencies
            for count in counts
        },
    )
    rows = [
        (f"{count}", *(f"{samples.median(f'{count}, {concurrency}', 'seconds'):.3f}" for concurrency in concurrencies))
        for count in counts
    ]
    show(("requests at once", *(f"seconds, concurrency={concurrency}" for concurrency in concurrencies)), rows)


async def request(count: int, concurrency: int) -> Numbers:
    """Make so many requests at once, to a handler that takes so many inputs side by side."""

    class SlowPlugin(Plugin):
        async def wait(self, text: str) -> str:
            await asyncio.sleep(_WAIT)
            return text

        wait = _operation(wait) if concurrency == 1 else _operation(concurrency=concurrency)(wait)

    bus = Bus()
    core = Core(identifier="core", eventbus_client=bus.client(), with_loop=False)
    declared: Any = SlowPlugin.wait
    core.with_requirement(declared, minimum=1)
    await SlowPlugin(identifier="plugin", eventbus_client=bus.client(), with_loop=False).start()
    await start_compliant(core)
    await core.request("wait", "warm-up")
    with Stopwatch() as watch:
        await asyncio.gather(*(core.request("wait", "HELLO") for _ in range(count)))
    return {"seconds": watch.wall}
