"""Where chaos happens: a broker, proxies before it, and a core and ten plugins in three processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from tests.chaos.proxy import Proxy, Weather
from tests.support.broker import Broker
from tests.support.processes import ReportingProcess

__all__ = ["CORE", "FAR", "NEAR", "PLUGINS", "ChaosProcess", "Healing", "Stage"]

CORE: Final = "core"
NEAR: Final = "near"
FAR: Final = "far"
PLUGINS: Final = {name: tuple(f"{name}-{number}" for number in range(1, 6)) for name in (NEAR, FAR)}
"""Identifiers of the plugins in each process that has some."""
_POLL = 0.02
"""Seconds between two questions whether both sides believe the same, which nothing announces."""


class ChaosProcess(ReportingProcess):
    """A process with a core or with plugins; one life of it."""

    def __init__(self, name: str, port: int, patience: float) -> None:
        """Prepare a process whose bus is behind `port`."""
        self.patience = patience
        arguments = ["plugin", *PLUGINS[name]] if name in PLUGINS else ["core", CORE]
        remotes = ["--remotes", *(one for some in PLUGINS.values() for one in some)] if name == CORE else []
        super().__init__(name, "tests.chaos.worker", str(port), *arguments, *remotes)
        self.survived = 0
        """How many faults it has lived through."""
        self.baseline: dict[str, Any] | None = None
        """What it was like after the first of them."""

    def find(self, event: str, since: float = 0.0, **content: object) -> list[dict[str, Any]]:
        """Return what it has reported since a point of time."""
        wanted = {"event": event, **content}
        return [one for one in self.reports if one["at"] >= since and wanted.items() <= one.items()]

    async def happens(self, event: str, since: float = 0.0, **content: object) -> dict[str, Any]:
        """Wait until it has reported something that happened at a point of time or later."""
        return await self.until(f"report {event}", lambda: next(iter(self.find(event, since, **content)), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """How long it took after the end of a fault, in seconds."""

    compliant: float | None
    """Until the core was compliant for good; `None` if it was all the time."""
    working: float
    """Until each plugin had answered a request made after the fault."""
    agreed: float
    """Until both sides believed in the same connections."""


class Stage:
    """Everything that takes part; an asynchronous context manager."""

    def __init__(self, folder: Path, random: Random, patience: float) -> None:
        """Prepare; `folder` is for the broker, and `patience` is how many seconds anything may take."""
        self.random = random
        self.patience = patience
        self.broker = Broker(folder)
        self.proxies = {name: Proxy(self.broker.port, random.getrandbits(32), patience) for name in (CORE, NEAR)}
        """By the process whose clients use it."""
        self.processes: dict[str, ChaosProcess] = {}
        self.errors: list[dict[str, Any]] = []
        """What processes reported that must not be, of those that are killed by now."""
        self._healings = 0

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.broker.start)
        for proxy in self.proxies.values():
            await proxy.start()
        for name in (CORE, *PLUGINS):
            await self.launch(name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self.processes.values():
            await process.kill()
        for proxy in self.proxies.values():
            await proxy.stop()
        await asyncio.to_thread(self.broker.kill)

    @property
    def core(self) -> ChaosProcess:
        """The process with the core."""
        return self.processes[CORE]

    async def launch(self, name: str) -> None:
        """Start a process, and don't wait for it."""
        port = self.proxies[name].port if name in self.proxies else self.broker.port
        self.processes[name] = ChaosProcess(name, port, self.patience)
        await self.processes[name].launch()

    async def kill(self, name: str) -> None:
        """Kill a process."""
        process = self.processes[name]
        await process.kill()
        self.errors += process.find("error")

    async def kill_broker(self) -> None:
        """Kill the broker."""
        await asyncio.to_thread(self.broker.kill)

    async def start_broker(self, *, is_persistent: bool) -> None:
        """Start the broker again."""
        self.broker.is_persistent = is_persistent
        await asyncio.to_thread(self.broker.start)

    def calm(self) -> None:
        """End all that befalls packets."""
        for proxy in self.proxies.values():
            proxy.weather = Weather()

    async def healed(self, began: float, over: float) -> Healing:
        """Wait until all is well after a fault that began and was over at these points of time."""
        for process in self.processes.values():
            await process.happens("started")
        self._healings += 1
        await self.core.ask("heal", str(self._healings))
        working = (await self.core.happens("healed", number=str(self._healings)))["at"]
        agreed = await self.agreed()
        left = self.core.find("not compliant", began)
        compliant = max((one["at"] for one in self.core.find("compliant", began)), default=over)
        return Healing(
            compliant=max(compliant - over, 0.0) if left else None,
            working=max(working - over, 0.0),
            agreed=max(agreed - over, 0.0),
        )

    async def agreed(self) -> float:
        """Wait until both sides believe in the same connections, all of them open, and return when that was seen."""
        deadline = time.monotonic() + self.patience
        while True:
            told: dict[str, list[list[str]]] = await self.ask_all("connections")
            here = told[CORE]
            there = sorted(one for name in PLUGINS for one in told[name])
            if here == there and all(state == "open" for *_, state in here):
                return time.monotonic()
            if time.monotonic() > deadline:
                alone = {tuple(one) for one in here} ^ {tuple(one) for one in there}
                raise AssertionError(f"connections that one side alone believes in: {sorted(alone) or here}")
            await asyncio.sleep(_POLL)

    async def settled(self) -> None:
        """Wait until nothing is under way: no handshake, and no subscription that is not needed."""
        deadline = time.monotonic() + self.patience
        while True:
            await self.agreed()
            found = await self.ask_all("unsettled")
            if not any(found.values()):
                return
            assert time.monotonic() < deadline, f"still under way: {found}"
            await asyncio.sleep(_POLL)

    async def ask_all(self, command: str) -> dict[str, Any]:
        """Return the answers of all processes to a command, by their names."""
        answers = await asyncio.gather(*(process.ask(command) for process in self.processes.values()))
        return dict(zip(self.processes, answers, strict=True))

    def unexpected(self) -> Iterator[dict[str, Any]]:
        """Yield all that processes reported that must not be."""
        yield from self.errors
        for process in self.processes.values():
            yield from process.find("error")
