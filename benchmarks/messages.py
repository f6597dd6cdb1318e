"""Messages of users, and orbiters with an operation for each: frozen, mutable, and large with small records."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from orbitalis import AvroMessageMixin, Core, Plugin, operation, sink

__all__ = ["Draft", "Point", "Reading", "ReadingCore", "ReadingPlugin", "Track"]


@dataclass(frozen=True)
class Reading(AvroMessageMixin):
    """A message that cannot be changed."""

    sensor: str
    unit: str
    value: float
    number: int
    is_valid: bool


@dataclass
class Draft(AvroMessageMixin):
    """The same, but its handlers may change it."""

    sensor: str
    unit: str
    value: float
    number: int
    is_valid: bool


@dataclass(frozen=True)
class Point(AvroMessageMixin):
    """A small record."""

    x: int
    y: int


@dataclass(frozen=True)
class Track(AvroMessageMixin):
    """A message with many small records."""

    points: list[Point]


class ReadingPlugin(Plugin):
    """Gives messages back as they are."""

    @operation
    async def check(self, reading: Reading) -> Reading:
        """Take and give what cannot be changed."""
        return reading

    @operation
    async def revise(self, draft: Draft) -> Draft:
        """Take and give what can be changed."""
        return draft

    @operation
    async def follow(self, track: Track) -> str:
        """Take many records."""
        return str(len(track.points))


@dataclass(eq=False)
class ReadingCore(Core):
    """Takes what comes back."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each output."""

    @sink(ReadingPlugin.check)
    async def take_reading(self, reading: Reading) -> None:
        """Take what cannot be changed."""
        self.arrived.set()

    @sink(ReadingPlugin.revise)
    async def take_draft(self, draft: Draft) -> None:
        """Take what can be changed."""
        self.arrived.set()
