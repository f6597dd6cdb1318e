"""Cores and plugins whose users do everything that users can do wrong, at random."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from orbitalis import Connection, Core, Event, Input, Operation, Output, Plugin, StringMessage, operation
from orbitalis.errors import OrbitalisError
from orbitalis.operations.handlers import GivenHandler
from orbitalis.orbiter import Orbiter
from tests.simulation.shuffling_loop import ShufflingEventLoop
from tests.simulation.trace import Trace
from tests.simulation.versions import said
from tests.support.orbiters import HOOKS

__all__ = [
    "MISCHIEFS",
    "NEVER",
    "OPERATIONS",
    "Mischief",
    "Moods",
    "ShakyCore",
    "ShakyPlugin",
    "inputs_of",
    "outputs_of",
]

OPERATIONS: Final = ("answer", "repeat", "swallow")
"""One that returns a result, one that sends it to all, and one without output."""

NEVER: Final = "never"
"""What is not answered."""

_LONGEST_CLINGING = 0.9
"""Seconds for which a hook goes on after it was cancelled; they are waited for a while, and no longer."""
_LATENESS = 0.001
"""Seconds within which what is due happens, stalls left aside."""


def inputs_of(name: str) -> Input:
    """Return what an operation takes."""
    return Input.string()


def outputs_of(name: str) -> Output:
    """Return what an operation gives."""
    return Output.no_output() if name == "swallow" else Output.string()


class Mischief(Exception):
    """Raised by users on purpose."""


class Moods:
    """What users' hooks and handlers do beside what they are for."""

    def __init__(self, chance: random.Random, trace: Trace) -> None:
        self.random = chance
        self.trace = trace
        self.rate = 0.0
        """How many calls do something."""
        self.kinds: Sequence[str] = ()
        """Which of :data:`MISCHIEFS` are done."""
        self.calls: list[Callable[[Orbiter], Awaitable[object]]] = []
        """What hooks call, where that is among the kinds."""
        self.under_way = 0
        """How much of it goes on."""
        self._released = asyncio.Event()

    def release(self) -> None:
        """Behave from now on, and let all that hangs go on."""
        self.rate = 0.0
        self._released.set()

    async def shake(self, orbiter: Orbiter, where: str) -> None:
        """Do something, perhaps."""
        if self.random.random() < self.rate:
            kind = self.random.choice(self.kinds)
            self.trace.note(asyncio.get_running_loop().time(), "%s of %s: %s", where, orbiter.identifier, kind)
            self.under_way += 1
            try:
                await MISCHIEFS[kind](self, orbiter)
            finally:
                self.under_way -= 1

    async def raising(self, orbiter: Orbiter) -> None:
        raise Mischief("on purpose")

    async def raising_cancelled_error(self, orbiter: Orbiter) -> None:
        raise asyncio.CancelledError("on purpose")

    async def raising_later(self, orbiter: Orbiter) -> None:
        await self._sleep(self.random.random())
        raise Mischief("on purpose")

    async def napping(self, orbiter: Orbiter) -> None:
        await self._sleep(self.random.random() * 2)

    async def yielding(self, orbiter: Orbiter) -> None:
        for _ in range(self.random.randint(1, 5)):
            await asyncio.sleep(0)

    async def sleeping(self, orbiter: Orbiter) -> None:
        """Take longer than every timer."""
        await self._sleep(self.random.choice([10.0, 400.0]))

    async def hanging(self, orbiter: Orbiter) -> None:
        await self._released.wait()

    async def clinging(self, orbiter: Orbiter) -> None:
        """Hang, and go on for a while when cancelled."""
        try:
            await self._released.wait()
        finally:
            await self._sleep(self.random.random() * _LONGEST_CLINGING)

    async def swallowing(self, orbiter: Orbiter) -> None:
        """Hang, and take a cancellation for the end of that."""
        with suppress(asyncio.CancelledError):
            await self._released.wait()

    async def blocking(self, orbiter: Orbiter) -> None:
        """Keep the event loop from running."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ShufflingEventLoop)
        loop.stall(self.random.choice([0.3, 3.0, 15.0]) * self.random.random())

    async def calling(self, orbiter: Orbiter) -> None:
        """Have the orbiter do something, from within one of its own hooks."""
        if self.calls:
            with suppress(OrbitalisError):
                await self.random.choice(self.calls)(orbiter)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()
                await asyncio.sleep(0)


MISCHIEFS: Final[dict[str, Callable[[Moods, Orbiter], Awaitable[None]]]] = {
    name: method
    for name, method in vars(Moods).items()
    if not name.startswith("_") and asyncio.iscoroutinefunction(method) and name != "shake"
}
"""Everything that hooks and handlers do, by name."""


def _shake_hooks(orbiter: Orbiter, moods: Moods) -> None:
    for name in HOOKS:
        if hasattr(orbiter, name):
            setattr(orbiter, name, _shaking(orbiter, moods, name))


def _shaking(orbiter: Orbiter, moods: Moods, name: str) -> Callable[..., Awaitable[Any]]:
    hook = getattr(orbiter, name)

    async def shaking(*args: Any, **kwargs: Any) -> Any:
        await moods.shake(orbiter, name)
        return await hook(*args, **kwargs)

    return shaking


@dataclass(kw_only=True, eq=False)
class ShakyPlugin(Plugin):
    """A plugin with some of the operations."""

    moods: Moods = field(repr=False)
    lends: Sequence[str] = field(repr=False, default=OPERATIONS)
    versions: Mapping[str, Mapping[str, Any]] = field(repr=False, default_factory=dict)
    """By operation: its input and output, where these are not texts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["repeat"] = Operation(
            name="repeat", handler=self._repeat, input=Input.string(), output=Output.string()
        )
        for name, shape in self.versions.items():
            self.operations[name] = Operation(name=name, handler=self._saying(name, shape["output"]), **shape)
        self.operations = {name: self.operations[name] for name in self.lends}
        _shake_hooks(self, self.moods)

    @operation
    async def answer(self, text: str) -> str:
        await self.moods.shake(self, "answer")
        if text == NEVER:
            await asyncio.Event().wait()
        return text

    @operation
    async def swallow(self, text: str, connection: Connection) -> None:
        await self.moods.shake(self, "swallow")

    def _saying(self, name: str, output: Output) -> GivenHandler:
        """Return what does what an operation does, with messages of this plugin's version."""

        async def say(topic: str, event: Event[Any], connection: Connection) -> None:
            await self.moods.shake(self, name)
            if name == "answer" and event.payload.value == NEVER:
                await asyncio.Event().wait()
            if output.has_output:
                message = said(output.schemas[0], event.payload.value)
                connections = await self.retrieve_and_touch_connections(name, input_topic=topic)
                await self.send_result_to_all([connection] if name == "answer" else connections, message)

        return say

    async def _repeat(self, topic: str, event: Event[StringMessage]) -> None:
        await self.moods.shake(self, "repeat")
        connections = await self.retrieve_and_touch_connections("repeat", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value)


@dataclass(kw_only=True, eq=False)
class ShakyCore(Core):
    """A core that takes what it gets."""

    moods: Moods = field(repr=False)
    versions: Mapping[str, str] = field(repr=False, default_factory=dict)
    """By operation: the schema of what it sends, where that is no text."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in OPERATIONS:
            self.with_operation_sink(name, self._take)
        self.asking = 0
        """How many requests are under way."""
        self.on_fault: Callable[[str], None] = lambda text: None
        """Called with what is wrong with the end of a request."""
        _shake_hooks(self, self.moods)

    async def execute(self, name: str, texts: list[str], *given: Any, **mode: Any) -> list[str]:  # type: ignore[override]
        """Send texts, in this core's version of them."""
        return await super().execute(name, [self._in_version(name, text) for text in texts], *given, **mode)

    def _in_version(self, name: str, text: str) -> Any:
        return said(self.versions[name], text) if name in self.versions else text

    async def request(self, name: str, text: str, *, timeout: float, **options: Any) -> Any:  # type: ignore[override]
        """Ask, and see that it does not take longer than it may: L5."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ShufflingEventLoop)
        end = loop.time() - loop.stalled + timeout + _LATENESS
        self.asking += 1
        try:
            return await super().request(name, self._in_version(name, text), timeout=timeout, **options)
        finally:
            self.asking -= 1
            late = loop.time() - loop.stalled - end
            if late > 0:
                self.on_fault(f"L5: a request of {self.identifier} took {late:g} s more than its {timeout:g} s")

    async def _take(self, topic: str, event: Event[StringMessage]) -> None:
        await self.moods.shake(self, "sink")
