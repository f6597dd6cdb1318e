"""A core and lamps that are traced, for tests: each operation is another thing that handlers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import baggage

from orbitalis import Core, Plugin, operation, sink
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.observability.traces import trace
from orbitalis.plugin import periodic
from tests.observability.spans import Spans

__all__ = ["PATIENCE", "Lamp", "Room", "Scene", "scene"]

PATIENCE = 20


@dataclass(kw_only=True, eq=False)
class Lamp(Plugin):
    """Has handlers of which each test takes one."""

    spans: Spans
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[object] = field(default_factory=list[object])

    @operation
    async def turn(self, state: str) -> str:
        """Do something within a span of its own."""
        self.seen.append(baggage.get_all())
        with self.spans.provider.get_tracer("user").start_as_current_span("light"):
            await asyncio.sleep(0)
        return state.upper()

    @operation
    async def fail(self, text: str) -> str:
        """Raise."""
        raise ValueError(text)

    @operation
    async def wait(self, text: str) -> str:
        """Wait until the test lets it go on."""
        await self.may_go_on.wait()
        return text

    @periodic(0.05)
    async def beat(self) -> str:
        """Send outputs."""
        return "beat"

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        if operation_name == "turn":
            with self.spans.provider.get_tracer("user").start_as_current_span("set up"):
                await asyncio.sleep(0)


@dataclass(kw_only=True, eq=False)
class Room(Core):
    """Notes outputs."""

    outputs: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    beats: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    refuses: bool = False

    @sink(Lamp.turn)
    async def turned(self, text: str) -> None:
        """Take an output, or fail."""
        self.outputs.put_nowait(text)
        if self.refuses:
            raise LookupError("no room")

    @sink(Lamp.beat)
    async def beaten(self, text: str) -> None:
        """Take an output that answers nothing."""
        self.beats.put_nowait(text)


@dataclass
class Scene:
    """A core and its plugins on a bus in this process, all of them traced."""

    spans: Spans
    core: Room
    lamps: list[Lamp]
    bus: LocalEventBus


@asynccontextmanager
async def scene(spans: Spans | None = None, lamps: int = 1, *operations: Any) -> AsyncIterator[Scene]:
    """Give so many lamps and a core that is connected with them for some operations."""
    spans, bus = spans or Spans(), LocalEventBus()
    plugins = [
        Lamp(identifier=f"lamp-{number}", eventbus_client=LocalEventBusClient(bus), spans=spans)
        for number in range(lamps)
    ]
    core = Room(identifier="room", eventbus_client=LocalEventBusClient(bus))
    for one in operations or (Lamp.turn, Lamp.fail, Lamp.wait):
        core.with_requirement(one, minimum=lamps)
    trace(core, *plugins, tracer_provider=spans.provider)
    for orbiter in (*plugins, core):
        await orbiter.start()
    try:
        async with asyncio.timeout(PATIENCE):
            await core.compliant_event.wait()
        yield Scene(spans, core, plugins, bus)
    finally:
        for lamp in plugins:
            lamp.may_go_on.set()
        for orbiter in (core, *plugins):
            await orbiter.stop()
