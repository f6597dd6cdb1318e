"""Counts what is the same however busy the machine is: calls of functions, files, base classes and lines.

Each function gives `count`, or the files that it counts.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import random
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.measuring import Numbers
from benchmarks.messages import Draft, Reading, ReadingCore, ReadingPlugin
from benchmarks.stage import Bus, TextCore, TextPlugin, connected, start_compliant, start_plugins
from orbitalis import Core, DiscoverMessage, Event, Plugin, sink
from orbitalis.orbiter import Orbiter
from orbitalis_wire.channels import DISCOVER
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.topics import OfferTopic
from tests.support.repository import PACKAGE_FOLDERS, ROOT

__all__ = [
    "bases_of_core",
    "bases_of_plugin",
    "execution",
    "files_of_discover",
    "files_of_execution",
    "frozen_message",
    "handshake",
    "lines",
    "mutable_message",
    "request",
    "traced_execution",
    "traced_handshake",
    "traced_request",
]

_PLUGINS = 10
_CALLS = 2_000
_WARM_UP = 200

_COUNTED_FOLDERS = ("orbitalis/protocol", "orbitalis/orbiter")
_RUNTIME = tuple(str(PACKAGE_FOLDERS[name]) for name in ("orbitalis", "orbitalis_wire"))


async def _calls_of(work: Coroutine[Any, Any, None]) -> int:
    """Do some work and return how many functions were called meanwhile, those of C included."""
    gc.collect()
    # What it calls depends on what there was before.
    gc.disable()
    # So does how often a number is drawn until it is in range.
    random.seed(0)
    profile = cProfile.Profile()
    profile.enable()
    try:
        # In a task of its own: each time that it goes on, all coroutines go on that wait for it, and that is counted.
        await asyncio.create_task(work)
    finally:
        profile.disable()
        gc.enable()
    # Not by pstats: it takes functions for one that dataclasses have made, whose file and line are the same.
    return sum(entry.callcount for entry in profile.getstats())


async def handshake(plugins: int = 800) -> Numbers:
    """Count the calls of one handshake of a core with each of so many plugins, late offers included."""
    await _shake_hands(_PLUGINS)
    return {"count": await _shake_hands(plugins)}


async def traced_handshake(plugins: int = 800) -> Numbers:
    """Count the same, with a span at each side."""
    await _shake_hands(_PLUGINS, is_traced=True)
    return {"count": await _shake_hands(plugins, is_traced=True)}


async def _shake_hands(plugins: int, *, is_traced: bool = False) -> float:
    bus = Bus()
    started = await start_plugins(bus, plugins)
    core = TextCore(identifier="core", eventbus_client=bus.client(), with_loop=False).need(plugins)
    if is_traced:
        _trace(core, *started)
    calls = await _calls_of(start_compliant(core))
    assert len(core.retrieve_connections()) == plugins
    return calls / plugins


async def execution(count: int = _CALLS) -> Numbers:
    """Count the calls of an execution with a text, from `execute` through the handler to the sink."""
    core, _ = await connected(_PLUGINS)
    return await _executions(core, count)


async def traced_execution(count: int = _CALLS) -> Numbers:
    """Count the same, with spans of the execution, the handler and the sink."""
    core, plugins = await connected(_PLUGINS)
    _trace(core, *plugins)
    return await _executions(core, count)


async def _executions(core: TextCore, count: int) -> Numbers:
    async def execute(count: int) -> None:
        for _ in range(count):
            core.arrived.clear()
            await core.execute_sending_any(TextPlugin.lowercase, "HELLO")
            await core.arrived.wait()

    return await _each(execute, count)


async def frozen_message(count: int = _CALLS) -> Numbers:
    """Count the calls of an execution with a frozen message of five fields."""
    core = await _connected_for_messages()
    reading = Reading("north", "kelvin", 273.15, 1, True)

    async def execute(count: int) -> None:
        for _ in range(count):
            core.arrived.clear()
            await core.execute_sending_any(ReadingPlugin.check, reading)
            await core.arrived.wait()

    return await _each(execute, count)


async def mutable_message(count: int = _CALLS) -> Numbers:
    """Count the calls of an execution with a mutable message of five fields."""
    core = await _connected_for_messages()
    draft = Draft("north", "kelvin", 273.15, 1, True)

    async def execute(count: int) -> None:
        for _ in range(count):
            core.arrived.clear()
            await core.execute_sending_any(ReadingPlugin.revise, draft)
            await core.arrived.wait()

    return await _each(execute, count)


async def request(count: int = _CALLS) -> Numbers:
    """Count the calls of a request with a text."""
    core, _ = await connected(_PLUGINS)
    return await _requests(core, count)


async def traced_request(count: int = _CALLS) -> Numbers:
    """Count the same, with spans of the request and the handler."""
    core, plugins = await connected(_PLUGINS)
    _trace(core, *plugins)
    return await _requests(core, count)


async def _requests(core: TextCore, count: int) -> Numbers:
    async def ask(count: int) -> None:
        for _ in range(count):
            await core.request(TextPlugin.lowercase, "HELLO")

    return await _each(ask, count)


def _trace(*orbiters: Orbiter) -> None:
    """Have spans made by the SDK of OpenTelemetry, which are exported nowhere."""
    # Nothing but this needs it.
    from opentelemetry.sdk.trace import TracerProvider

    from orbitalis.observability.traces import trace

    trace(*orbiters, tracer_provider=TracerProvider())


async def _connected_for_messages() -> ReadingCore:
    bus = Bus()
    for number in range(_PLUGINS):
        await ReadingPlugin(identifier=f"plugin{number}", eventbus_client=bus.client(), with_loop=False).start()
    core = ReadingCore(identifier="core", eventbus_client=bus.client(), with_loop=False)
    core.with_requirement(ReadingPlugin.check, minimum=_PLUGINS)
    core.with_requirement(ReadingPlugin.revise, minimum=_PLUGINS)
    await start_compliant(core)
    return core


async def _each(work: Callable[[int], Coroutine[Any, Any, None]], count: int) -> Numbers:
    """Count the calls of something that does as much as it is told, for each."""
    await work(_WARM_UP)
    return {"count": await _calls_of(work(count)) / count}


class _Trace:
    """Notes the files of the runtime that are entered, until it is stopped."""

    def __init__(self) -> None:
        self._files: dict[str, None] = {}

    @property
    def files(self) -> Numbers:
        """The files, relative to the repository, numbered in the order in which they were entered first."""
        return {name: float(number) for number, name in enumerate(self._files, start=1)}

    def start(self) -> None:
        """Begin anew."""
        self._files.clear()
        sys.setprofile(self._note)

    def stop(self) -> None:
        """Note nothing more."""
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(_RUNTIME):
            self._files[str(Path(name).relative_to(ROOT))] = None


async def files_of_discover() -> Numbers:
    """Return the files that are entered from a discover, as it is published, to the offer that answers it."""
    bus, trace, offered = Bus(), _Trace(), asyncio.Event()
    client = bus.client()
    await client.connect()
    plugin = TextPlugin(identifier="plugin", eventbus_client=bus.client(), with_loop=False)
    # The discovers of cores that have stopped when they are published again, to a plugin that was not there before.
    wanted: list[Event[DiscoverMessage]] = []
    discovered = asyncio.Event()

    def note(topic: str, event: Event[DiscoverMessage]) -> None:
        if event.payload.queries:  # a core that stops wants nothing more
            wanted.append(event)
            discovered.set()

    await client.subscribe(plugin.discover_topic, note)
    for identifier in ("warm-up", "core"):
        discovered.clear()
        async with TextCore(identifier=identifier, eventbus_client=bus.client(), with_loop=False).need(1):
            await discovered.wait()
    await client.unsubscribe(plugin.discover_topic)
    assert [event.payload.core_identifier for event in wanted] == ["warm-up", "core"]
    await plugin.start()

    def take(topic: str, event: Event[object]) -> None:
        trace.stop()
        offered.set()

    for event in wanted:
        await client.subscribe(OfferTopic.filter(core_identifier=event.payload.core_identifier), take)
        offered.clear()
        trace.start()
        client.start_publish(plugin.discover_topic, event, DISCOVER, Encoding.JSON)
        await offered.wait()
    return trace.files


class _TracingCore(Core):
    """Ends a trace when it gets an output."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.trace = _Trace()
        self.arrived = asyncio.Event()

    @sink(TextPlugin.lowercase)
    async def take(self, text: str) -> None:
        """End it."""
        self.trace.stop()
        self.arrived.set()


async def files_of_execution() -> Numbers:
    """Return the files that are entered from `execute()` to the sink that takes the output."""
    bus = Bus()
    await start_plugins(bus, 1)
    core = _TracingCore(identifier="core", eventbus_client=bus.client(), with_loop=False)
    core.with_requirement(TextPlugin.lowercase, minimum=1)
    await start_compliant(core)
    for _ in range(_PLUGINS):
        core.arrived.clear()
        core.trace.start()
        await core.execute(TextPlugin.lowercase, "HELLO", any=True)
        await core.arrived.wait()
    return core.trace.files


def bases_of_core() -> Numbers:
    """Count the classes in the method resolution order of `Core`."""
    return {"count": len(Core.__mro__)}


def bases_of_plugin() -> Numbers:
    """Count the classes in the method resolution order of `Plugin`."""
    return {"count": len(Plugin.__mro__)}


def lines() -> Numbers:
    """Count the lines of the folders that have a budget."""
    folders = [ROOT / name for name in _COUNTED_FOLDERS]
    return {"count": sum(len(path.read_bytes().splitlines()) for folder in folders for path in folder.rglob("*.py"))}
