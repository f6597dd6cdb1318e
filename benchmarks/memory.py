"""The memory of a plugin that is not connected, and of a connection, both sides of which are in one process."""

from __future__ import annotations

import asyncio
import gc
import resource
import tracemalloc
from functools import partial
from pathlib import Path

from benchmarks.measuring import Numbers, Settings, fresh, interleaved, show
from benchmarks.stage import Bus, TextCore, start_compliant, start_plugins

__all__ = ["grow", "main"]

_STATM = Path("/proc/self/statm")
_WAYS = {"resident": False, "allocated by Python": True}


def main(settings: Settings) -> None:
    """Measure and print."""
    count = settings.pick(1_000, 20)
    samples = interleaved(settings.rounds, {way: partial(fresh, grow, count, traced) for way, traced in _WAYS.items()})
    rows = [
        (what, *(f"{samples.median(way, what) / 1000:.1f}" for way in _WAYS))
        for what in ("idle plugin", "connection, both sides")
    ]
    show((f"kB each, of {count:,}", *_WAYS), rows)


async def grow(count: int, traced: bool) -> Numbers:
    """Start so many plugins, and connect one core with all of them."""
    bus = Bus()
    # What the first of each brings along is not counted.
    plugins = await start_plugins(bus, 1)
    core = TextCore(identifier="first", eventbus_client=bus.client(), with_loop=False).need(1)
    await start_compliant(core)
    await core.stop()
    if traced:
        tracemalloc.start()
    begin = _bytes()
    plugins += await start_plugins(bus, count, first=1)
    started = _bytes()
    core = TextCore(identifier="core", eventbus_client=bus.client(), with_loop=False).need(count + 1)
    await start_compliant(core)
    # Until the queues are gone through which the handshakes went.
    await asyncio.sleep(0.5)
    connected = _bytes()
    assert sum(len(plugin.retrieve_connections()) for plugin in plugins) == count + 1
    return {"idle plugin": (started - begin) / count, "connection, both sides": (connected - started) / (count + 1)}


def _bytes() -> int:
    gc.collect()
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()
