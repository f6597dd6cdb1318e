"""For how long the event loop stands still when a message comes over MQTT that is as large as one may be.

What sending it costs is shown beside it: the event loop of the sender stands still about as long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from benchmarks.broker import running_broker
from benchmarks.large import OPERATIONS
from benchmarks.measuring import Numbers, Settings, fresh, interleaved, settle, show
from benchmarks.messages import Track
from orbitalis import Constraint, Core, Input, OfferMessage, OperationRequirement, Output, Plugin, connect, operation
from tests.support.processes import ReportingProcess

__all__ = ["main", "receive_offer", "receive_records"]

_BEAT = 0.001
_PATIENCE = 600.0


def main(settings: Settings) -> None:
    """Measure and print."""
    size = settings.pick(1_000_000, 20_000)
    with running_broker() as broker:
        cases: dict[str, Callable[[], Numbers]] = {
            "a message of records of 2 bytes": partial(fresh, receive_records, broker.url, size),
            "an offer of 1,000 operations": partial(fresh, receive_offer, "offer of operations", broker.url, size),
            "an offer of schemas of 5 bytes": partial(fresh, receive_offer, "offer of schemas", broker.url, size),
        }
        samples = interleaved(settings.pick(3, 1), cases)
    show(
        (f"{size:,} bytes of", "stands still, ms", "works meanwhile, ms", "sender works, ms"),
        [
            (case, *(f"{samples.median(case, name) * 1000:,.0f}" for name in ("wall", "cpu", "sender")))
            for case in cases
        ],
    )


@dataclass(eq=False)
class _Follower(Plugin):
    """Notes that it got a message."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @operation
    async def follow(self, track: Track) -> str:
        """Take many records."""
        self.arrived.set()
        return str(len(track.points))


@dataclass(eq=False)
class _OfferedCore(Core):
    """Notes that it got an offer."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def _on_new_offer(self, offer_message: OfferMessage) -> None:
        self.arrived.set()


async def receive_records(url: str, size: int) -> Numbers:
    """Have a plugin here take a message of so many bytes from a core in another process."""
    # The sender is silent while it encodes.
    plugin = _Follower(identifier="plugin", eventbus_client=connect(url), consider_others_dead_after=_PATIENCE)
    async with ReportingProcess("core", "benchmarks.worker", "records", url, str(size)) as worker, plugin:
        return await _watch(worker, plugin.arrived)


async def receive_offer(kind: str, url: str, size: int) -> Numbers:
    """Have a core here take an offer of so many bytes from another process."""
    core = _OfferedCore(identifier="core", eventbus_client=connect(url))
    for name in OPERATIONS:
        # So that it compares schemas.
        constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.no_output()])
        core.operation_requirements[name] = OperationRequirement(constraint)
    async with ReportingProcess("stranger", "benchmarks.worker", kind, url, str(size)) as worker, core:
        return await _watch(worker, core.arrived)


async def _watch(worker: ReportingProcess, arrived: asyncio.Event) -> Numbers:
    """Have the other side send something, and return the longest time between two turns of this loop meanwhile."""
    worker.patience = _PATIENCE
    longest = {"wall": 0.0, "cpu": 0.0}

    async def beat() -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_BEAT)
            longest["wall"] = max(longest["wall"], time.perf_counter() - wall - _BEAT)
            longest["cpu"] = max(longest["cpu"], time.thread_time() - cpu)

    settle()
    beating = asyncio.create_task(beat())
    sender = float(await worker.ask("send"))
    async with asyncio.timeout(_PATIENCE):
        await arrived.wait()
    # What it entails.
    await asyncio.sleep(1)
    beating.cancel()
    return {**longest, "sender": sender}
