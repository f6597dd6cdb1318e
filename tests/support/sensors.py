"""A plugin with a periodic operation that does what a test wants, and a core that takes its outputs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from orbitalis import Core, Plugin, output, periodic, sink
from orbitalis.testing import Harness

__all__ = ["Home", "Sensor", "connected", "sensor_on"]


@dataclass
class Sensor(Plugin):
    """Notes when it is called, and does then what the test wants."""

    calls: list[float] = field(default_factory=list[float])
    takes: float = 0.0
    error: Exception | None = None
    result: Any = None
    running: int = 0
    resists: bool = False
    stops: bool = False
    stopped: bool = False
    button = output(str)

    @periodic(1.0)
    async def temperature(self) -> float | None:
        loop = asyncio.get_running_loop()
        self.calls.append(loop.time())
        assert self.running == 0
        self.running += 1
        try:
            if self.stops:
                await self.stop()
                self.stopped = True
            if self.error is not None:
                raise self.error
            if self.takes:
                await asyncio.sleep(self.takes)
        except asyncio.CancelledError:
            if not self.resists:
                raise
            await asyncio.sleep(1000)
        finally:
            self.running -= 1
        return float(len(self.calls)) if self.result is None else self.result

    @periodic(10.0)
    async def nothing(self) -> float | None:
        return None


@dataclass
class Home(Core):
    """Notes what it takes."""

    taken: list[float] = field(default_factory=list[float])
    times: list[float] = field(default_factory=list[float])

    @sink(Sensor.temperature)
    async def take(self, value: float) -> None:
        self.taken.append(value)
        self.times.append(asyncio.get_running_loop().time())


def sensor_on(harness: Harness, **options: Any) -> Sensor:
    """Make a sensor on the bus of a test."""
    return Sensor(identifier="sensor", eventbus_client=harness.client(), **options)


async def connected(harness: Harness, identifier: str = "home") -> Home:
    """Start a core, and return it when it is connected; the sensor runs."""
    home = Home(identifier=identifier, eventbus_client=harness.client())
    home.with_requirement(Sensor.temperature, minimum=1)
    await harness.start(home)
    await harness.compliant(home)
    return home
