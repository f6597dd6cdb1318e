"""A small world in which one call of a user is cancelled at awaits of one's choosing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from orbitalis import Constraint, OperationRequirement
from orbitalis.errors import OrbitalisError
from orbitalis.testing.pending_tasks import describe_tasks
from tests.simulation.cancelling import Cancelling
from tests.simulation.eavesdropping import Eavesdropper
from tests.simulation.inhabitants import Inhabitant
from tests.simulation.orbiter_safety import (
    OrbiterSafety,
    assert_nobody_is_on,
    assert_nothing_is_left_of,
    check_published,
)
from tests.simulation.shaky_bus import ShakyBus, ShakyBusClient, Weather
from tests.simulation.shaky_orbiters import NEVER, OPERATIONS, Moods, ShakyCore, ShakyPlugin, inputs_of, outputs_of
from tests.simulation.shuffling_loop import STYLES, ShufflingEventLoop, knowing_all_tasks
from tests.simulation.trace import Trace

__all__ = ["CALLS", "CancelledCall"]

_LONGEST_STOP: Final = 30.0
_LONGEST_WAIT: Final = 30.0

Ask = Callable[[Any], Coroutine[Any, Any, object]]
"""Makes the call, given the orbiter."""

CALLS: Final[dict[str, tuple[str, Ask]]] = {
    "start of a core": ("core", lambda core: core.start()),
    "start of a plugin": ("plugin", lambda plugin: plugin.start()),
    "stop of a core": ("core", lambda core: core.stop()),
    "stop of a plugin": ("plugin", lambda plugin: plugin.stop()),
    "leave of a core": ("core", lambda core: core.leave(5.0)),
    "leave of a plugin": ("plugin", lambda plugin: plugin.leave(5.0)),
    "request": ("core", lambda core: core.request("answer", "text", timeout=3.0)),
    "request without time": ("core", lambda core: core.request("repeat", "text", timeout=0.0)),
    "execute": ("core", lambda core: core.execute("repeat", ["one", "two"], all=True)),
    "execute, forgotten": ("core", lambda core: core.execute("repeat", "one", True, all=True)),
    "distribute": ("core", lambda core: core.execute("swallow", ["one", "two", "three"], distribute=True)),
    "graceful close of a core": ("core", lambda core: core.send_graceful_close_connection("plugin", "answer")),
    "graceful close of a plugin": ("plugin", lambda plugin: plugin.send_graceful_close_connection("core", "repeat")),
    "graceless close of a core": ("core", lambda core: core.send_graceless_close_connection("plugin", "answer")),
    "graceless close of a plugin": ("plugin", lambda plugin: plugin.send_graceless_close_connection("core", "repeat")),
    "close here": ("core", lambda core: core._close_self_side_connection("plugin", "swallow")),
    "keepalives": ("core", lambda core: core.send_all_keepalive_based_on_connections()),
    "discover": ("core", lambda core: core.send_discover_based_on_requirements()),
    "offer": ("plugin", lambda plugin: plugin.send_offer("orbitalis/core/-/offer", "core", ["answer"])),
    "results": ("plugin", lambda plugin: plugin.send_result_to_all(plugin.retrieve_connections(), "text")),
    "unused": ("plugin", lambda plugin: plugin.close_unused_connections()),
}
"""What users call: at which orbiter, and how."""


@dataclass(frozen=True, kw_only=True)
class CancelledCall:
    """One of :data:`CALLS` that is cancelled `at` some of its awaits."""

    name: str
    at: tuple[int, ...]
    when_done: bool
    seed: int

    def run(self) -> bool:
        """Have it happen, and fail if anything is wrong then; return whether it came to the first of the awaits."""
        ears, trace = Eavesdropper(), Trace(300)
        loop = ShufflingEventLoop(self.seed, STYLES[self.seed % len(STYLES)])
        try:
            with ears.listening(), knowing_all_tasks():
                loop.set_exception_handler(ears.take)
                bus = ShakyBus(loop, random.Random(self.seed), trace)
                was_cancelled = loop.run_until_complete(_World(self, loop, bus).live())
                loop.close()
            assert not ears.heard, ears.heard
        except BaseException as error:
            error.add_note(f"{self}\n{trace}")
            raise
        return was_cancelled


class _World:
    def __init__(self, case: CancelledCall, loop: ShufflingEventLoop, bus: ShakyBus) -> None:
        self._case = case
        self._loop = loop
        self._bus = bus
        self._faults: list[str] = []
        self._safety = OrbiterSafety()
        moods = Moods(bus.random, bus.trace)
        moods.rate, moods.kinds = 1.0, ("yielding",)
        self._moods = moods
        needs = {
            name: OperationRequirement(Constraint(minimum=1, inputs=[inputs_of(name)], outputs=[outputs_of(name)]))
            for name in OPERATIONS
        }
        self._people = {
            identifier: Inhabitant(identifier, bus, make, self._faults.append)
            for identifier, make in (
                ("plugin", partial(self._plugin, "plugin")),
                ("other", partial(self._plugin, "other")),
                (
                    "core",
                    lambda client: ShakyCore(
                        identifier="core", operation_requirements=needs, moods=moods, eventbus_client=client
                    ),
                ),
            )
        }
        bus.on_publish = self._on_publish
        loop.before_time_passes = partial(self._check, is_idle=True)

    def _plugin(self, identifier: str, client: ShakyBusClient) -> ShakyPlugin:
        return ShakyPlugin(identifier=identifier, moods=self._moods, eventbus_client=client)

    def _on_publish(self, client: ShakyBusClient, topic: str, event: Any) -> None:
        try:
            check_published(self._people[client.identifier], client, topic, event)
        except AssertionError as error:
            self._faults.append(str(error))

    def _check(self, *, is_idle: bool = False) -> None:
        touched, self._bus.touched = self._bus.touched, set()
        for one in self._people.values():
            if one.identifier not in touched:
                continue
            try:
                self._safety.check(one, is_idle=is_idle)
            except AssertionError as error:
                self._faults.append(str(error))

    async def live(self) -> bool:
        identifier, ask = CALLS[self._case.name]
        one = self._people[identifier]
        for other in self._people.values():
            if other is not one or "start" not in self._case.name:
                await other.orbiter.start()
        if "start" not in self._case.name:
            await self._all_connected()
        self._bus.weather = Weather(slowness=0.02)
        under_way = self._keep_busy() if self._case.name.startswith(("stop", "leave")) else None
        was_cancelled = await self._call(one, ask)
        assert not self._faults, self._faults[0]
        if "start" in self._case.name and was_cancelled and len(self._case.at) == 1:
            assert_nothing_is_left_of(one)
        await asyncio.sleep(self._bus.random.choice([0.0, 0.5, 2.5]))
        self._bus.weather = Weather()
        await self._stop(one)
        if under_way is not None and one is self._people["core"]:
            _, late = await asyncio.wait([under_way], timeout=1)
            assert not late, f"L5: a request has not ended with its core:\n{describe_tasks(late)}"
        await one.orbiter.start()
        await self._all_connected()
        assert await self._people["core"].orbiter.request("answer", "a", plugin_identifier="plugin", timeout=5.0)  # type: ignore[attr-defined]
        for other in self._people.values():
            await self._stop(other)
        await asyncio.sleep(1_000)
        assert_nobody_is_on(self._bus)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, describe_tasks(left)
        assert self._loop.timers() == []
        assert not self._faults, self._faults[0]
        return was_cancelled

    def _keep_busy(self) -> asyncio.Task[object]:
        """Send inputs, and ask for what nobody answers."""

        async def ask() -> object:
            core = self._people["core"].orbiter
            assert isinstance(core, ShakyCore)
            try:
                await core.execute("repeat", ["one", "two"], True, all=True)
                return await core.request("answer", NEVER, timeout=1_000.0, plugin_identifier="plugin")
            except OrbitalisError as error:
                return error

        return asyncio.create_task(ask())

    async def _call(self, one: Inhabitant, ask: Ask) -> bool:
        call = Cancelling(ask(one.orbiter), self._case.at, when_done=self._case.when_done)

        async def attend() -> None:
            try:
                await call
            except OrbitalisError as error:
                self._bus.note("it raised %s", error)

        self._bus.note("now")
        task = asyncio.create_task(attend())
        _, late = await asyncio.wait([task], timeout=_LONGEST_WAIT)
        assert not late, describe_tasks(late)
        assert task.cancelled() == call.was_cancelled, "it was cancelled, and has swallowed that"
        if not task.cancelled():
            task.result()
        return call.was_cancelled

    async def _stop(self, one: Inhabitant) -> None:
        self._bus.note("%s is to stop", one.identifier)
        try:
            async with asyncio.timeout(_LONGEST_STOP):
                await one.orbiter.stop()
        except TimeoutError:
            raise AssertionError(f"it does not stop:\n{describe_tasks(asyncio.all_tasks())}") from None
        self._bus.note("%s has stopped", one.identifier)
        assert_nothing_is_left_of(one)

    async def _all_connected(self) -> None:
        expected = {(core, name) for core in ("plugin", "other") for name in OPERATIONS}
        end = self._loop.time() + _LONGEST_WAIT
        while not self._is_connected(expected):
            assert self._loop.time() < end, "they do not connect"
            await asyncio.sleep(0.05)

    def _is_connected(self, expected: set[tuple[str, str]]) -> bool:
        slots = self._people["core"].machine.slots
        if {slot.key for slot in slots if slot.is_open} != expected:
            return False
        return all(
            len([slot for slot in self._people[name].machine.slots if slot.is_open]) == len(OPERATIONS)
            for name in ("plugin", "other")
        )
