"""The stage for machines without a broker: all orbiters in this process, on the bus within it."""

from __future__ import annotations

import asyncio
import uuid

from examples.demo.chronicle import Chronicle
from examples.demo.stage import Actor, Stage
from examples.lamps.commands import obey
from examples.lamps.home import make_home
from examples.lamps.plugin import make_lamp
from examples.lamps.program import QUICK
from examples.lamps.reporting import ReportingHome, ReportingLampX, ReportingLampY
from orbitalis import connect

__all__ = ["InProcessActor", "InProcessStage"]


class InProcessActor(Actor):
    """An orbiter in this process."""

    def __init__(self, orbiter: ReportingHome | ReportingLampX | ReportingLampY) -> None:
        """Take an orbiter that is running."""
        self.identifier = orbiter.identifier
        self._orbiter = orbiter
        self._commands: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether it was neither stopped nor killed."""
        return self._orbiter.is_running and self._orbiter.eventbus_client.is_connected

    def tell(self, command: str) -> None:
        """Give it a command, a line of text."""
        assert isinstance(self._orbiter, ReportingHome)
        task = asyncio.create_task(obey(self._orbiter, command))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def kill(self) -> None:
        """Tear it off the bus, so that it can tell nobody."""
        self._orbiter.stop_loop()
        await self._orbiter.eventbus_client.disconnect()

    async def terminate(self) -> int:
        """Stop it, and return what would be its exit status."""
        await asyncio.gather(*self._commands)
        await self._orbiter.stop()
        return 0


class InProcessStage(Stage):
    """Runs every orbiter in this process."""

    is_one_process = True

    def __init__(self, chronicle: Chronicle) -> None:
        """Prepare it."""
        self._chronicle = chronicle
        self._bus = f"local://demo-{uuid.uuid4().hex}"
        self._actors: list[InProcessActor] = []
        self._others: set[asyncio.Task[object]] = set()

    async def open(self) -> str:
        """Return the URL of the bus, which is always there."""
        self._others = asyncio.all_tasks()
        return self._bus

    async def start_home(self, identifier: str, *, lamps: int, dimmable: int) -> Actor:
        """Start a home."""
        client, report = connect(self._bus), self._chronicle.add
        return await self._start(
            make_home(identifier, client, report, lamps=lamps, dimmable=dimmable, discovering_interval=0.5, **QUICK)
        )

    async def start_lamp(self, identifier: str, kind: str) -> Actor:
        """Start a lamp."""
        return await self._start(make_lamp(kind, identifier, connect(self._bus), self._chronicle.add, **QUICK))

    async def start_program(self, identifier: str, *command: str) -> Actor:
        """Refuse: the bus within this process reaches no other one."""
        raise NotImplementedError("a bus within the process has no programs on it")

    async def kill_bus(self) -> None:
        """Refuse: the bus lives and ends with this process."""
        raise NotImplementedError("a bus within the process cannot be killed")

    async def restart_bus(self) -> None:
        """Refuse: the bus lives and ends with this process."""
        raise NotImplementedError("a bus within the process cannot be restarted")

    async def close_bus(self) -> None:
        """Do nothing: the bus ends with this process."""

    def left_running(self) -> list[str]:
        """Return the names of orbiters that still run, and of tasks that they have left behind."""
        names = [actor.identifier for actor in self._actors if actor.is_running]
        return [*names, *(task.get_name() for task in asyncio.all_tasks() - self._others)]

    async def close(self) -> None:
        """Stop everything that still runs."""
        for actor in self._actors:
            if actor.is_running:
                await actor.terminate()

    async def _start(self, orbiter: ReportingHome | ReportingLampX | ReportingLampY) -> Actor:
        actor = InProcessActor(orbiter)
        self._actors.append(actor)
        self._chronicle.note("demo", f"starts {orbiter.identifier}")
        await orbiter.start()
        return actor
