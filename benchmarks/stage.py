"""The orbiters that are measured: cores and plugins with an operation that takes and gives a text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from orbitalis import Core, EventBusClient, LocalEventBus, LocalEventBusClient, Plugin, operation, sink

__all__ = ["Bus", "TextCore", "TextPlugin", "connected", "start_compliant", "start_plugins"]

_PATIENCE = 600.0
"""Seconds for which a core may become compliant."""


class Bus:
    """A bus within this process, of its own."""

    def __init__(self) -> None:
        """Make it."""
        self._bus = LocalEventBus()

    def client(self) -> EventBusClient:
        """Return a new client."""
        return LocalEventBusClient(self._bus)


class TextPlugin(Plugin):
    """Makes texts lower case."""

    @operation
    async def lowercase(self, text: str) -> str:
        """Do it."""
        return text.lower()


@dataclass(eq=False)
class TextCore(Core):
    """Counts the texts that it gets."""

    taken: int = 0
    awaited: int = 1
    """How many have to be there for :attr:`arrived` to be set."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @sink(TextPlugin.lowercase)
    async def take(self, text: str) -> None:
        """Count."""
        self.taken += 1
        if self.taken >= self.awaited:
            self.arrived.set()

    def expect(self, count: int) -> None:
        """Have :attr:`arrived` set when there are so many more."""
        self.arrived.clear()
        self.awaited = self.taken + count

    def need(self, count: int) -> TextCore:
        """Require the operation of so many plugins."""
        return self.with_requirement(TextPlugin.lowercase, minimum=count)


async def start_plugins(bus: Bus, count: int, *, first: int = 0, with_loop: bool = False) -> list[TextPlugin]:
    """Return so many plugins that run, numbered from the first on."""
    plugins = [
        TextPlugin(identifier=f"plugin{number}", eventbus_client=bus.client(), with_loop=with_loop)
        for number in range(first, first + count)
    ]
    for plugin in plugins:
        await plugin.start()
    return plugins


async def start_compliant(core: Core) -> None:
    """Start a core and wait until it is compliant."""
    await core.start()
    async with asyncio.timeout(_PATIENCE):
        await core.compliant_event.wait()


async def connected(count: int, *, with_loop: bool = False) -> tuple[TextCore, list[TextPlugin]]:
    """Return a core and so many plugins, connected on a bus within this process."""
    bus = Bus()
    plugins = await start_plugins(bus, count, with_loop=with_loop)
    core = TextCore(
        identifier="core",
        eventbus_client=bus.client(),
        with_loop=with_loop,
        # On a busy machine, the handshakes may take longer than the default.
        discovering_interval=_PATIENCE,
    ).need(count)
    await start_compliant(core)
    return core, plugins
