"""The harness for tests of plugins and cores: :class:`Harness`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from orbitalis.bus.local import LocalEventBus, LocalEventBusClient
from orbitalis.core import Core
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable
from orbitalis.orbiter import Connection, Orbiter
from orbitalis.plugin import Plugin
from orbitalis.testing.explanation import explain_needs, names
from orbitalis.testing.pending_tasks import describe_tasks
from orbitalis.testing.recording import Recording, RecordingBus, Sent
from orbitalis.testing.virtual_clock import VirtualClockEventLoop
from orbitalis_wire.topics import OperationOutputTopic

__all__ = ["Harness", "LeftoverError"]

_TIMEOUT = 60.0
_STEP = 0.1
_BUSY = ("events of ", "execution of ", "orbitalis work for ", "output of ")
"""How tasks are called that carry something which is in flight."""


class LeftoverError(AssertionError):
    """A test has ended, but some of its tasks or subscriptions have not."""


class Harness:
    """The bus of one test, a record of all events on it, and the orbiters of the test.

    All times are virtual, so a timeout takes no real time. With pytest, use the fixture `harness`. Elsewhere, use it as
    an asynchronous context manager, inside :func:`orbitalis.testing.run`.
    """

    def __init__(self) -> None:
        """Make a bus on which nobody is."""
        self._bus = RecordingBus()
        self._client = LocalEventBusClient(self._bus, identifier="harness")
        self._clients = 0
        self._orbiters: list[Orbiter] = []
        self._outputs_taken: dict[tuple[str, str], int] = {}
        self._tasks_before: set[asyncio.Task[Any]] = set()

    @property
    def bus(self) -> LocalEventBus:
        """The bus of this test. No other test uses it."""
        return self._bus

    @property
    def recording(self) -> Recording[Any]:
        """All events on the bus so far, in order. Later events are added."""
        return self._bus.recording

    @property
    def time(self) -> float:
        """Virtual seconds since the test began."""
        return _loop().time()

    def client(self, identifier: str | None = None) -> LocalEventBusClient:
        """Return a new client of the bus: `MyPlugin(eventbus_client=harness.client())`."""
        self._clients += 1
        return LocalEventBusClient(self._bus, identifier=identifier or f"client-{self._clients}")

    async def start(self, *orbiters: Orbiter) -> None:
        """Start orbiters one by one. They are stopped at the end of the test.

        Raises:
            ValueError: An orbiter is on another bus.
        """
        _loop()
        for orbiter in orbiters:
            client = orbiter.eventbus_client
            if isinstance(client, LocalEventBusClient) and client.bus is not self._bus:
                raise ValueError(f"{orbiter} is on another bus: give it eventbus_client=harness.client()")
        for orbiter in orbiters:
            if orbiter not in self._orbiters:
                self._orbiters.append(orbiter)
            await orbiter.start()

    async def publish(self, topic: str, message: Event[object] | Publishable = None) -> None:
        """Publish a message that comes neither from a core nor from a plugin."""
        await self._client.connect()
        await self._client.publish(topic, message)

    # Waiting

    async def compliant(self, core: Core, timeout: float = _TIMEOUT) -> None:
        """Wait until a core is compliant. If it fails, the error says which operation lacks what."""
        __tracebackhide__ = True
        await self._until(
            lambda: core.compliant_event.is_set(),
            timeout,
            lambda: (
                f"{core} is not compliant after {timeout:g} s{self._running_note(core)}:\n"
                f"{explain_needs(core, self.recording, self._plugins())}"
            ),
        )

    async def connected(
        self, core: Core, plugin: Plugin, operation_name: str | None = None, timeout: float = _TIMEOUT
    ) -> Connection:
        """Wait until core and plugin are connected on both sides, and return the connection of the core."""
        __tracebackhide__ = True

        def connections(orbiter: Orbiter, other: Orbiter) -> list[Connection]:
            return orbiter.retrieve_connections(remote_identifier=other.identifier, operation_name=operation_name)

        await self._until(
            lambda: bool(connections(core, plugin) and connections(plugin, core)),
            timeout,
            lambda: (
                f"{core} and {plugin} have no connection{f' for {operation_name}' if operation_name else ''} after "
                f"{timeout:g} s{self._running_note(core)}{self._running_note(plugin)}:\n"
                f"{explain_needs(core, self.recording, [plugin])}"
            ),
        )
        return connections(core, plugin)[0]

    async def output(self, core: Core, operation_name: str, timeout: float = _TIMEOUT) -> Event[Any]:
        """Return the next output of an operation that a core has received and its sink has handled.

        The first call returns the first output, and so on. It waits only for an output that was not sent yet.
        """
        __tracebackhide__ = True
        taken = (core.identifier, operation_name)
        found: list[tuple[int, Sent[Any]]] = []

        def look() -> bool:
            outputs = self._outputs(core, operation_name)
            begin = self._outputs_taken.get(taken, 0)
            found[:] = [(begin + 1, output) for output in outputs[begin : begin + 1]]
            return bool(found)

        await self._until(
            look,
            timeout,
            lambda: (
                f"{core} has got no further output of {operation_name} after {timeout:g} s, "
                f"{self._outputs_taken.get(taken, 0)} before; connected for it: "
                f"{names(one.remote_identifier for one in core.retrieve_connections(operation_name=operation_name))}; "
                f"events on which handlers failed: {self._failures()}"
            ),
        )
        (self._outputs_taken[taken], output) = found[0]
        await self.idle(timeout)
        return output.event

    async def idle(self, timeout: float = _TIMEOUT) -> None:
        """Wait until all events are handled. Time passes only if a handler or hook waits."""
        __tracebackhide__ = True
        loop = _loop()
        deadline = loop.time() + timeout
        await loop.settle()
        while busy := [task for task in asyncio.all_tasks() if _is_busy(task)]:
            if loop.time() >= deadline:
                raise AssertionError(f"something is still in flight after {timeout:g} s:\n{describe_tasks(busy)}")
            await asyncio.wait(busy, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED)
            await loop.settle()

    async def advance(self, seconds: float) -> None:
        """Let time pass, and do everything that becomes due."""
        await asyncio.sleep(seconds)
        await _loop().settle()

    async def _until(self, condition: Callable[[], bool], timeout: float, failure: Callable[[], str]) -> None:
        __tracebackhide__ = True
        loop = _loop()
        deadline = loop.time() + timeout
        await loop.settle()
        while not condition():
            if loop.time() >= deadline:
                raise AssertionError(failure())
            await asyncio.sleep(min(_STEP, deadline - loop.time()))
            await loop.settle()

    # The end

    async def close(self) -> None:
        """Stop the orbiters, the last one first.

        Raises:
            LeftoverError: Some tasks or subscriptions have not ended.
        """
        __tracebackhide__ = True
        failures: list[Exception] = []
        while self._orbiters:
            try:
                await self._orbiters.pop().stop()
            except Exception as error:  # the others are stopped nevertheless
                failures.append(error)
        await self._client.disconnect()
        await _loop().settle()
        if failures:
            raise failures[0] if len(failures) == 1 else ExceptionGroup("orbiters could not be stopped", failures)
        tasks = asyncio.all_tasks() - self._tasks_before - {asyncio.current_task()}
        filters = sorted(subscription.topic_filter for subscription in self._bus.subscriptions)
        if not tasks and not filters:
            return
        lines = ["the test has left something behind"]
        if tasks:
            lines.append(f"tasks that still run:\n{describe_tasks(tasks)}")
        if filters:
            lines.append("subscriptions (disconnect the client, stop the orbiter):\n  " + "\n  ".join(filters))
        raise LeftoverError("\n".join(lines))

    async def __aenter__(self) -> Self:
        """Note what runs already."""
        _loop()
        self._tasks_before = asyncio.all_tasks()
        return self

    async def __aexit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        """Stop the orbiters; what is left after a failure is no further failure."""
        try:
            await self.close()
        except LeftoverError:
            if exception_type is None:
                raise

    # What failures say

    def _plugins(self) -> list[Plugin]:
        return [orbiter for orbiter in self._orbiters if isinstance(orbiter, Plugin)]

    def _running_note(self, orbiter: Core | Plugin) -> str:
        return "" if orbiter.is_running else f" ({orbiter.identifier} does not run: await harness.start(...))"

    def _failures(self) -> int:
        return sum(orbiter.eventbus_client.statistics.handler_errors for orbiter in self._orbiters)

    def _outputs(self, core: Core, operation_name: str) -> list[Sent[Any]]:
        topics = {one.output_topic for one in core.retrieve_connections(operation_name=operation_name)}
        usual = OperationOutputTopic.filter(core_identifier=core.identifier, operation_name=operation_name)
        topics |= {sent.topic for sent in self.recording.on(usual)}
        return [sent for sent in self.recording if sent.topic in topics]


def _is_busy(task: asyncio.Task[Any]) -> bool:
    return task is not asyncio.current_task() and task.get_name().startswith(_BUSY)


def _loop() -> VirtualClockEventLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualClockEventLoop):
        raise RuntimeError(
            "a harness needs the virtual clock: use the fixture `harness` as an argument of an `async def` test, "
            "or orbitalis.testing.run(...) instead of asyncio.run(...)"
        )
    return loop
