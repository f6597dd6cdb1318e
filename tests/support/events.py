"""Waiting in tests: for events, with a handler that collects them, and for anything else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from orbitalis.bus import EventHandler
from orbitalis.message import Event

__all__ = ["Collector", "until"]

_PATIENCE = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something of which nobody tells."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


class Collector(EventHandler):
    """Keeps every event with its topic, in order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.received: list[tuple[str, Event[Any]]] = []
        self._arrived = asyncio.Event()

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Keep one more."""
        self.received.append((topic, event))
        self._arrived.set()

    @property
    def topics(self) -> list[str]:
        """The topics of what was received."""
        return [topic for topic, _ in self.received]

    @property
    def values(self) -> list[Any]:
        """The values of what was received: of primitive messages the value, of empty events `None`."""
        return [getattr(event.payload, "value", event.payload) for _, event in self.received]

    async def wait_for(self, count: int) -> None:
        """Wait until so many events have arrived; with more of them it fails."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while len(self.received) < count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"expected {count} events, got {len(self.received)}: {self.values}") from None
        assert len(self.received) == count, self.values
