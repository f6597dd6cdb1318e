"""Who lives in a simulation over asyncio: real orbiters, one after the other under each identifier, and their users."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from orbitalis.core import Core
from orbitalis.errors import OrbitalisError
from orbitalis.orbiter import Orbiter
from orbitalis.plugin import Plugin
from orbitalis.protocol.handshake.provider import Provider
from orbitalis.protocol.handshake.requester import Requester
from orbitalis.protocol.machine import CoreMachine, Machine, PluginMachine
from tests.simulation.cancelling import Cancelling
from tests.simulation.data import watch_data
from tests.simulation.shaky_bus import ShakyBus, ShakyBusClient
from tests.simulation.shaky_orbiters import Mischief, ShakyCore
from tests.simulation.shuffling_loop import belongs_to, owner

__all__ = ["Call", "Inhabitant"]

_LONGEST_DEATH = 30
"""Seconds, stalls left aside, within which all tasks of an orbiter end when they are cancelled."""


class Call:
    """Something that a user does: a task that ends by itself, or is cancelled."""

    def __init__(self, name: str, task: asyncio.Task[object]) -> None:
        self.name = name
        self.task = task
        self.made_at = asyncio.get_running_loop().time()

    def __str__(self) -> str:
        return f"{self.name} of {self.made_at:.3f}"


class Inhabitant:
    """One identifier: a present orbiter, and what its users ask of it. Also looks like a node to :mod:`invariants`."""

    def __init__(
        self, identifier: str, bus: ShakyBus, make: Callable[[ShakyBusClient], Orbiter], on_fault: Callable[[str], None]
    ) -> None:
        """Take the first life; `make` makes an orbiter, and `on_fault` is told what goes wrong in a call."""
        self.identifier = identifier
        self.bus = bus
        self.calls: list[Call] = []
        self._on_fault = on_fault
        self._make = make
        self._life: object = None
        self.begin()

    def begin(self) -> None:
        """Make another orbiter of this identifier, which is not started yet."""
        self._life = object()
        self.is_maimed = False
        """Whether tasks were cancelled that are its own, so that it can do nothing but stop."""
        self.client = ShakyBusClient(self.bus, self.identifier)
        self.orbiter = self._make(self.client)
        self.stopped_at = 0.0
        """When it stopped last."""
        stop = self.orbiter._switch_to_stopped

        def note_and_stop() -> None:
            self.stopped_at = asyncio.get_running_loop().time()
            stop()

        self.orbiter._switch_to_stopped = note_and_stop  # type: ignore[method-assign]
        if isinstance(self.orbiter, ShakyCore):
            self.orbiter.on_fault = self._on_fault
        watch_data(self.orbiter, self._on_fault)

    @property
    def machine(self) -> Machine:
        return self.orbiter._machine

    @property
    def settings(self) -> Any:
        return self.orbiter

    @property
    def requester(self) -> Requester:
        assert isinstance(self.machine, CoreMachine)
        return self.machine.requester

    @property
    def provider(self) -> Provider:
        assert isinstance(self.machine, PluginMachine)
        return self.machine.provider

    @property
    def is_core(self) -> bool:
        return isinstance(self.orbiter, Core)

    @property
    def requirements(self) -> dict[str, Any]:
        assert isinstance(self.orbiter, Core)
        return self.orbiter.operation_requirements

    @property
    def operations(self) -> dict[str, Any]:
        assert isinstance(self.orbiter, Plugin)
        return self.orbiter.operations

    @property
    def is_changing(self) -> bool:
        """Whether it starts or stops at the moment."""
        return self.orbiter._home.is_changing

    def call(
        self, name: str, coroutine: Coroutine[Any, Any, object], *, cancel_at: tuple[int, ...] = (), late: bool = False
    ) -> Call:
        """Have a user do something, and cancel it at some of its awaits."""
        self.bus.note(
            "user of %s: %s%s", self.identifier, name, f", cancelled at await {cancel_at}" if cancel_at else ""
        )
        token = owner.set(self._life)
        try:
            task = asyncio.get_running_loop().create_task(
                self._attend(name, Cancelling(coroutine, cancel_at, when_done=late)), name=f"{name} {self.identifier}"
            )
        finally:
            owner.reset(token)
        # One that is cancelled before it has begun was not awaited.
        task.add_done_callback(lambda _: coroutine.close())
        call = Call(f"{name} {self.identifier}", task)
        self.calls.append(call)
        return call

    async def _attend(self, name: str, awaitable: Cancelling[object]) -> object:
        self.bus.touched.add(self.identifier)
        try:
            result = await awaitable
        except asyncio.CancelledError:
            self.bus.note("user of %s: %s was cancelled", self.identifier, name)
            raise
        except (OrbitalisError, Mischief) as error:
            self.bus.note("user of %s: %s raised %s: %s", self.identifier, name, type(error).__name__, error)
            return error
        except Exception as error:
            self._on_fault(f"{name} of {self.identifier} raised {type(error).__name__}: {error}")
            raise
        finally:
            self.bus.touched.add(self.identifier)
        self.bus.note("user of %s: %s is done: %s", self.identifier, name, result)
        if name == "stop":
            self.is_maimed = False
        return result

    def crash_soon(self) -> None:
        """Have it crash in a task that is none of its own."""
        self.calls.append(Call(f"crash {self.identifier}", asyncio.get_running_loop().create_task(self.crash())))

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Return the tasks of the present life."""
        return {task for task in asyncio.all_tasks() if belongs_to(task, self._life)}

    async def crash(self) -> None:
        """End from one moment to the next, as a process that is killed; another life can begin."""
        self.bus.note("%s crashes", self.identifier)
        self.client.is_dead = True
        loop, client, life = self.orbiter._loop, self.client, self._life
        self.begin()
        await self._end_tasks(life)
        loop.stop()
        await client.disconnect()
        await self._end_tasks(life)

    def cancel_everything(self) -> None:
        """Cancel all that is under way, as an event loop does that is to end."""
        self.bus.note("all tasks of %s are cancelled", self.identifier)
        self.is_maimed = True
        for task in self.tasks():
            task.cancel()

    async def _end_tasks(self, life: object) -> None:
        for _ in range(_LONGEST_DEATH):
            tasks = {task for task in asyncio.all_tasks() if belongs_to(task, life)}
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)
        self._on_fault(f"tasks of {self.identifier} do not end when they are cancelled: {tasks}")
