"""Subscriptions without a bus, and a handler that waits, for tests of how events are delivered."""

from __future__ import annotations

import asyncio
from typing import Any

from orbitalis.bus import QueueBounds
from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.dispatch import Intake, Subscription
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.other_versions import OtherVersions
from orbitalis.message import Event
from orbitalis_wire.messages import Int64Message
from tests.support.events import Collector

__all__ = ["Gated", "drained", "event", "offer", "subscription"]


class Gated(Collector):
    """Handles an event only when its gate is open, and notes which are being handled."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.begun: list[int] = []
        self.side_by_side = 0
        self._running = 0

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.begun.append(event.payload.value)
        self._running += 1
        self.side_by_side = max(self.side_by_side, self._running)
        try:
            await self.gate.wait()
        finally:
            self._running -= 1
        await super().handle(topic, event)


def subscription(handler: EventHandler, *, concurrency: int = 1, **bounds: int) -> Subscription:
    """Return a subscription with counters of its own."""
    statistics = BusStatistics()
    intake = Intake(statistics, OtherVersions("test", statistics), QueueBounds(**bounds))
    return Subscription("topic", handler, intake, 1, concurrency)


def event(number: int) -> Event[Any]:
    """Return an event with a number."""
    return Event.create(Int64Message(value=number), publisher_identifier="test")


def offer(one: Subscription, *numbers: int, length: int = 0) -> None:
    """Offer events with numbers."""
    for number in numbers:
        one.offer("topic", event(number), length)


async def drained(one: Subscription) -> None:
    """Wait until nothing is being handled, for not too long."""
    async with asyncio.timeout(20):
        await one.drained()
