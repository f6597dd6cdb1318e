"""Plugins and cores for tests, which note what happens to them, on a bus of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orbitalis import Connection, Constraint, Core, Event, Input, OperationRequirement, Output, Plugin, StringMessage
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.orbiter import Orbiter
from orbitalis.plugin import operation
from tests.support.events import until

__all__ = [
    "Diary",
    "EchoPlugin",
    "TextCore",
    "all_connected",
    "assert_nothing_is_left",
    "core_on",
    "needs",
    "on",
    "plugin_on",
    "running",
]

HOOKS = [
    "_on_starting",
    "_on_started",
    "_on_stopping",
    "_on_stopped",
    "_on_promote_pending_request_to_connection",
    "_on_keepalive_request",
    "_on_keepalive",
    "_on_graceless_close_connection",
    "_on_graceful_close_connection",
    "_on_close_connection",
    "_on_remote_dead",
    "_on_loop_start",
    "_on_new_loop_iteration",
    "_on_loop_iteration",
    "_on_loop_iteration_end",
    "_on_compliant",
    "_on_not_compliant",
    "_on_new_announcement",
    "_on_send_discover",
    "_get_setup_data",
    "_on_new_offer",
    "_on_response",
    "_on_confirm_connection",
    "_on_operation_no_longer_available",
    "_on_send_announcement",
    "_on_new_discover",
    "_on_send_offer",
    "_on_reply",
    "_on_request",
    "_on_reject",
    "_setup_operation",
    "_get_on_close_data",
]


class Diary:
    """Notes which hooks of orbiters were called, in order, with what; hooks do what they did before."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, tuple[Any, ...]]] = []
        """Identifier, hook and arguments."""

    def keep(self, orbiter: Orbiter) -> None:
        """Note the hooks of an orbiter from now on."""
        for name in HOOKS:
            if hasattr(orbiter, name):
                setattr(orbiter, name, self._noting(orbiter, name))

    def _noting(self, orbiter: Orbiter, name: str) -> Any:
        hook = getattr(orbiter, name)

        async def noting(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((orbiter.identifier, name, (*args, *kwargs.values())))
            return await hook(*args, **kwargs)

        return noting

    def of(self, orbiter: Orbiter) -> list[str]:
        """Return the names of the hooks that were called."""
        return [name for identifier, name, _ in self.calls if identifier == orbiter.identifier]

    def arguments(self, orbiter: Orbiter, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments with which a hook was called."""
        return [args for identifier, hook, args in self.calls if (identifier, hook) == (orbiter.identifier, name)]


@dataclass
class EchoPlugin(Plugin):
    """Gives every text back."""

    received: list[str] = field(default_factory=list)

    @operation(name="text", input=Input.string(), output=Output.string())
    async def give_back(self, topic: str, event: Event[StringMessage]) -> None:
        self.received.append(event.payload.value)
        connections = await self.retrieve_and_touch_connections("text", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value)


@dataclass
class TextCore(Core):
    """Keeps the texts that it gets."""

    texts: list[str] = field(default_factory=list)
    closed: list[tuple[str, bytes | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operation_sinks.setdefault("text", self._keep)

    async def _keep(self, topic: str, event: Event[StringMessage]) -> None:
        self.texts.append(event.payload.value)

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        self.closed.append((connection.remote_identifier, data))


def needs(**rules: Any) -> dict[str, OperationRequirement]:
    """Return the requirement of operation `text`; by default one plugin is enough and more are taken."""
    rules = {"minimum": 1, "inputs": [Input.string()], "outputs": [Output.string()], **rules}
    return {"text": OperationRequirement(Constraint(**rules))}


def on(bus: LocalEventBus) -> LocalEventBusClient:
    """Return a new client of a bus."""
    return LocalEventBusClient(bus)


@asynccontextmanager
async def running(*orbiters: Orbiter) -> AsyncIterator[None]:
    """Start orbiters, plugins first, and stop them; nothing may be left of them then."""
    for orbiter in orbiters:
        await orbiter.start()
    try:
        yield
    finally:
        for orbiter in reversed(orbiters):
            await orbiter.stop()
    assert_nothing_is_left(*orbiters)


def assert_nothing_is_left(*orbiters: Orbiter) -> None:
    """Fail if a task runs beside the caller's, or an orbiter is still on its bus."""
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for orbiter in orbiters:
        client = orbiter.eventbus_client
        assert not client.is_connected
        assert client._subscriptions == {}
        assert client.on_reconnected is None
        assert orbiter.retrieve_connections() == []
        assert orbiter.remote_identifiers == set()
        assert client.publish_message is None
        assert client.publish_message is None
        assert orbiter._runtime.queues.under_way == {}
        assert orbiter._runtime.queues.waiting == orbiter._runtime.queues.waiting_bytes == 0
        assert orbiter._runtime.queues.waiting == orbiter._runtime.queues.waiting_bytes == 0


async def all_connected(core: Core, plugins: Iterable[Plugin], operation_name: str = "text") -> None:
    """Wait until a core is connected with plugins, on both sides."""
    identifiers = {plugin.identifier for plugin in plugins}

    def are_connected() -> bool:
        mine = {one.remote_identifier for one in core.retrieve_connections(operation_name=operation_name)}
        return mine == identifiers

    await until(are_connected)


def core_on(bus: LocalEventBus, identifier: str = "core", **options: Any) -> TextCore:
    """Return a core that needs operation `text`, without loop unless that is asked for."""
    options = {"operation_requirements": needs(), "with_loop": False, **options}
    return TextCore(identifier=identifier, eventbus_client=on(bus), **options)


def plugin_on(bus: LocalEventBus, identifier: str = "plugin", **options: Any) -> EchoPlugin:
    """Return a plugin with operation `text`, without loop unless that is asked for."""
    return EchoPlugin(identifier=identifier, eventbus_client=on(bus), **{"with_loop": False, **options})
