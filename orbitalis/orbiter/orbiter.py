"""What core and plugin share for their users: attributes, life cycle, connections, keepalives and closes."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Self

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.url import connect
from orbitalis.errors import NoConnectionError, OrbiterStateError
from orbitalis.message.schema import Input, Output
from orbitalis.orbiter.carrier import Carrier
from orbitalis.orbiter.connection import Connection, PendingRequest
from orbitalis.orbiter.connection_added_event import ConnectionAddedEvent
from orbitalis.orbiter.hooks import OrbiterHooks
from orbitalis.orbiter.loop import OrbiterLoop
from orbitalis.orbiter.topics import BuiltTopics, OrbiterTopics
from orbitalis.protocol.effects import ComplianceChanged, MessageReceived, Send
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.slot import Slot
from orbitalis_wire import channels, limits, timings
from orbitalis_wire.messages import (
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
)

__all__ = ["Orbiter"]

P = ParamSpec("P")

_logger = logging.getLogger(__name__)

_STOP_TIMEOUT = 5.0
"""Seconds for which `stop` waits for closes to be sent and hooks to return."""


@dataclass(kw_only=True, eq=False)
class Orbiter(OrbiterHooks, OrbiterTopics, ABC):
    """Base of cores and plugins. Times are in seconds, and `None` switches off what a time is for.

    Attributes may be changed while the orbiter runs, but for `identifier`, `eventbus_client` and `discover_topic`.
    An orbiter is an asynchronous context manager, which starts and stops it.
    """

    eventbus_client: EventBusClient = field(default_factory=connect, repr=False)
    """Its own client of the event bus; by default of the bus that `ORBITALIS_BUS` names."""
    identifier: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Unique among all orbiters of the context; a level of topics, so without `/`, `+` and `#`."""
    discover_topic: str = field(default=channels.DISCOVER.address, repr=False)
    """Where discovers are published; the same for all orbiters of the context."""
    raise_exceptions: bool = field(default=False, repr=False)
    """Whether hooks that fail while it starts or stops make that fail; otherwise they are logged."""
    with_loop: bool = field(default=True, repr=False)
    """Whether the loop is started with the orbiter; without it no periodic work is done."""
    loop_interval: float = field(default=timings.LOOP_INTERVAL, repr=False)
    """Time between two iterations of the loop, at least."""
    close_connection_if_unused_after: float | None = field(default=None, repr=False)
    """How long a connection may be unused before it is closed gracefully."""
    pending_requests_expire_after: float | None = field(default=timings.PENDING_REQUESTS_EXPIRE_AFTER, repr=False)
    """How long an offer or request may be unanswered before it is discarded."""
    consider_others_dead_after: float | None = field(default=timings.CONSIDERED_DEAD_AFTER, repr=False)
    """How long a remote may be silent before it is dead."""
    send_keepalive_before_timelimit: float = field(default=timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT, repr=False)
    """How long before a remote would consider this orbiter dead a keepalive is sent."""
    graceful_close_timeout: float | None = field(default=timings.GRACEFUL_CLOSE_TIMEOUT, repr=False)
    """How long a graceful close waits for its acknowledgement before a graceless one follows."""
    maximum_pending_requests: int = field(default=limits.PENDING_REQUESTS, repr=False)
    """How many handshakes may be under way at a time."""
    new_connection_added_event: ConnectionAddedEvent = field(
        default_factory=ConnectionAddedEvent, init=False, repr=False
    )
    """Tells of new connections: awaiting it twice awaits two of them."""

    def __post_init__(self) -> None:
        """Check the attributes, and make the state machine.

        Raises:
            ValueError: A duration is negative, or the identifier cannot be a level of a topic.
        """
        self.topics = BuiltTopics(self)
        # Raises if the identifier cannot be in a topic.
        self._build_keepalive_filter()
        for name in _DURATIONS:
            duration = getattr(self, name)
            if duration is not None and not duration >= 0:
                raise ValueError(f"{name} must not be negative, got {duration}")
        self._incarnation = ""
        self._changing = asyncio.Lock()
        self._protocol = self._build_protocol()
        self._carrier = Carrier(self, self._protocol)
        self._orbiter_loop = OrbiterLoop(
            interval=lambda: self.loop_interval,
            on_start=lambda: self._call(self._on_loop_start),
            iteration=self._iterate,
            name=self.identifier,
        )

    # For core and plugin

    @abstractmethod
    def _build_protocol(self) -> OrbiterProtocol:
        """Make the state machine of the role."""

    @abstractmethod
    def _protocol_filters(self) -> dict[str, channels.Channel]:
        """Return where messages of the protocol arrive while the orbiter runs: filter to channel."""

    @abstractmethod
    def _check_can_start(self) -> None:
        """Raise :class:`OrbiterStateError` unless the orbiter's state allows starting."""

    def _switch_to_started(self) -> None:
        """Change the state, now that the orbiter takes part."""

    @abstractmethod
    def _switch_to_stopped(self) -> None:
        """Change the state, now that the orbiter has stopped."""

    @abstractmethod
    async def _prepare(self, slot: Slot) -> bytes | None:
        """Have the user prepare for a connection; return what the remote is to get."""

    async def _on_message(self, effect: MessageReceived) -> None:
        """Call the hooks of a message that was received."""
        match effect.message:
            case KeepaliveMessage(from_identifier=identifier):
                await self._call(self._on_keepalive, identifier)
            case KeepaliveRequestMessage(from_identifier=identifier):
                await self._call(self._on_keepalive_request, identifier)
            case _:
                pass

    @abstractmethod
    async def _on_data(self, slot: Slot, topic: str, event: Any) -> None:
        """Hand the data of a connection to the user's handler."""

    @abstractmethod
    def _accepts_data(self, slot: Slot, payload: object | None) -> bool:
        """Return whether a payload is what the connection carries."""

    def _on_compliance_changed(self, effect: ComplianceChanged) -> None:
        """Change the state of a core."""

    async def _after_compliance_changed(self, effect: ComplianceChanged) -> None:
        """Call the hooks of a core."""

    async def _before_send(self, effect: Send) -> None:
        """Call the hooks of a message that is about to be sent."""
        remote, message = effect.remote_identifier or "", effect.message
        if isinstance(message, GracelessCloseConnectionMessage):
            name, data = message.operation_name, message.data
            await self._call(self._on_graceless_close_connection, remote, name, data)
        elif isinstance(message, GracefulCloseConnectionMessage):
            name, data = message.operation_name, message.data
            await self._call(self._on_graceful_close_connection, remote, name, data)

    async def _housekeep(self) -> None:
        """Do the periodic work of the role."""

    # Life cycle

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether it has started and not stopped."""

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Connect to the bus and take part; the arguments are handed to the hooks.

        Raises:
            OrbiterStateError: It is running already.
            BusError: The bus cannot be reached or refuses; the orbiter is as it was before.
        """
        async with self._changing:
            self._check_can_start()
            await self._call_or_raise(self._on_starting, *args, **kwargs)
            try:
                await self._internal_start(*args, **kwargs)
            except BaseException:
                if not self.is_running:
                    await self._leave_bus()
                raise
        _logger.info("%s has started", self.identifier)
        await self._call_or_raise(self._on_started, *args, **kwargs)

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        """Start; whoever overrides this calls it."""
        self._incarnation = max(_new_incarnation(), self._incarnation + "0")
        self._carrier.incarnation = self._incarnation
        await self.eventbus_client.connect()
        self.eventbus_client.on_reconnected = self._carrier.reconnected
        for topic_filter, channel in self._protocol_filters().items():
            await self.eventbus_client.subscribe(topic_filter, self._carrier.receive, channel=channel)
        effects = self._protocol.start(self._now())
        self._switch_to_started()
        await self._carrier.carry_out(effects)
        if self.with_loop:
            self.start_loop()

    async def stop(self, *args: Any, **kwargs: Any) -> None:
        """Close all connections gracelessly and leave the bus; does nothing if it is not running.

        When it returns nothing is subscribed and no task of the orbiter is running, but for one that calls it.
        """
        async with self._changing:
            if not self.is_running:
                return
            await self._call_or_raise(self._on_stopping, *args, **kwargs)
            await self._internal_stop(*args, **kwargs)
        _logger.info("%s has stopped", self.identifier)
        await self._call_or_raise(self._on_stopped, *args, **kwargs)

    async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
        """Stop; whoever overrides this calls it."""
        await self._orbiter_loop.end(_STOP_TIMEOUT)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await self._close_all()
        except TimeoutError:
            _logger.warning("%s: not everybody could be told of its stop within %g s", self.identifier, _STOP_TIMEOUT)
        finally:
            self._protocol.stop()
            self._switch_to_stopped()
            await self._leave_bus()

    async def _close_all(self) -> None:
        data = {slot: await self._close_data(*slot.key) for slot in self._protocol.slots if slot.is_connection}
        for slot, close_data in data.items():
            if slot.is_connection:
                effects = self._protocol.close_gracelessly(*slot.key, close_data, self._now())
                self._carrier.submit(effects)
        self._carrier.submit(self._protocol.stop())
        await self._carrier.lanes.drain()

    async def _leave_bus(self) -> None:
        self.eventbus_client.on_reconnected = None
        await self._carrier.lanes.cancel()
        self._carrier.clear()
        await self.eventbus_client.disconnect()

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Stop it."""
        await self.stop()

    # Loop

    def start_loop(self) -> None:
        """Start the loop; does nothing if it is running."""
        self._orbiter_loop.start()

    def stop_loop(self) -> None:
        """End the loop after the iteration under way."""
        self._orbiter_loop.stop()

    def pause_loop(self) -> None:
        """Leave iterations of the loop out until :meth:`resume_loop`."""
        self._orbiter_loop.pause()

    def resume_loop(self) -> None:
        """Let a loop that pauses go on."""
        self._orbiter_loop.resume()

    async def _iterate(self) -> None:
        await self._call(self._on_new_loop_iteration)
        await asyncio.gather(
            self._call(self._on_loop_iteration),
            self._call(self.close_unused_connections),
            self._call(self.discard_expired_pending_requests),
            self._call(self.force_close_connection_for_out_to_timeout_pending_graceful_close_connection),
            self._call(self.send_keepalive_based_on_connections_and_threshold),
            self._call(self.lose_dead_remotes),
            self._call(self._housekeep),
        )
        await self._call(self._on_loop_iteration_end)

    async def _call(self, hook: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs) -> object:
        """Call a hook, which may be asynchronous or not; one that fails is logged, and gives `None`."""
        try:
            outcome = hook(*args, **kwargs)
            return await outcome if isinstance(outcome, Awaitable) else outcome
        except Exception:
            name = getattr(hook, "__qualname__", repr(hook))
            _logger.exception("%s of '%s' failed", name, self.identifier)
            return None

    async def _call_or_raise(
        self, hook: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Call a hook of the life cycle; whether one that fails is logged says `raise_exceptions`."""
        if not self.raise_exceptions:
            await self._call(hook, *args, **kwargs)
        elif isinstance(outcome := hook(*args, **kwargs), Awaitable):
            await outcome

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # Connections

    @property
    def remote_identifiers(self) -> set[str]:
        """Identifiers of all remotes with which there is a connection."""
        return {connection.remote_identifier for connection in self._carrier.connections.values()}

    @property
    def dead_remote_identifiers(self) -> list[str]:
        """Identifiers of remotes that have been silent for too long; their connections are about to be closed."""
        known = self._protocol.acquaintances
        return [remote.identifier for remote in known.all() if known.is_silent(remote, self._now())]

    def retrieve_connections(
        self,
        *,
        remote_identifier: str | None = None,
        input_topic: str | None = None,
        output_topic: str | None = None,
        operation_name: str | None = None,
        input: Input | None = None,
        output: Output | None = None,
    ) -> list[Connection]:
        """Return the open connections that are as all given arguments say, oldest first."""
        return [
            self._carrier.connections[slot]
            for slot in self._slots(remote_identifier, input_topic or output_topic, operation_name)
            if slot.is_open
            and remote_identifier in (None, slot.remote_identifier)
            and operation_name in (None, slot.operation_name)
            and input_topic in (None, slot.input_topic)
            and output_topic in (None, slot.output_topic)
            and (input is None or slot.input.is_compatible(input))
            and (output is None or slot.output.is_compatible(output))
        ]

    def _slots(self, remote_identifier: str | None, topic: str | None, operation_name: str | None) -> Sequence[Slot]:
        """Return no more slots than have to be looked at."""
        slots = self._protocol.slots
        if topic is not None:
            return slots.of_topic(topic)
        if remote_identifier is not None:
            return slots.of_remote(remote_identifier)
        if operation_name is not None:
            return slots.open_of_operation(operation_name)
        return tuple(slots)

    async def retrieve_and_touch_connections(
        self, operation_name: str, *, input_topic: str | None = None
    ) -> list[Connection]:
        """Return the open connections of an operation, all noted to be used now."""
        connections = self.retrieve_connections(operation_name=operation_name, input_topic=input_topic)
        for connection in connections:
            async with connection.lock:
                connection.touch()
        return connections

    def _find_connection_or_fail(self, input_topic: str, operation_name: str) -> Connection:
        """Return the one open connection of an input topic and an operation.

        Raises:
            NoConnectionError: There is none, or more than one.
        """
        found = self.retrieve_connections(input_topic=input_topic, operation_name=operation_name)
        if len(found) != 1:
            raise NoConnectionError(
                f"'{self.identifier}' has {len(found)} connections for operation '{operation_name}' on input topic "
                f"'{input_topic}', expected one"
            )
        return found[0]

    def _connections_by_remote_identifier(self, remote_identifier: str) -> dict[str, Connection]:
        """Return the open connections with a remote, by operation name."""
        found = self.retrieve_connections(remote_identifier=remote_identifier)
        return {connection.operation_name: connection for connection in found}

    def _pending_requests_by_remote_identifier(self, remote_identifier: str) -> dict[str, PendingRequest]:
        """Return the handshakes under way with a remote, by operation name."""
        slots = self._protocol.slots.of_remote(remote_identifier)
        return {slot.operation_name: self._carrier.pending_request(slot) for slot in slots if not slot.is_connection}

    def _is_pending(self, remote_identifier: str, operation_name: str) -> bool:
        """Return whether a handshake with a remote for an operation is under way."""
        slot = self._protocol.slots.get(remote_identifier, operation_name)
        return slot is not None and not slot.is_connection

    # Closing

    async def send_graceless_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Close a connection at once; `data` arrives at the remote's hook, by default that of `_get_on_close_data`.

        Raises:
            NoConnectionError: There is none.
        """
        self._protocol.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._close_data(remote_identifier, operation_name)
        effects = self._protocol.close_gracelessly(remote_identifier, operation_name, data, self._now())
        await self._carrier.carry_out(effects)

    async def send_graceful_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Ask a remote to close a connection; it is not used from now on, and closed once that is acknowledged.

        Raises:
            NoConnectionError: There is none.
        """
        self._protocol.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._close_data(remote_identifier, operation_name)
        effects = self._protocol.close_gracefully(remote_identifier, operation_name, data, self._now())
        await self._carrier.carry_out(effects)

    async def _close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        data = await self._call(self._get_on_close_data, remote_identifier, operation_name)
        return data if isinstance(data, bytes) else None

    async def close_unused_connections(self) -> int:
        """Close gracefully what was unused for `close_connection_if_unused_after`; return how many that were."""
        unused = self._protocol.unused_connections(self._now())
        for slot in unused:
            await self.send_graceful_close_connection(*slot.key)
        return len(unused)

    async def force_close_connection_for_out_to_timeout_pending_graceful_close_connection(self) -> int:
        """Close gracelessly what was not acknowledged within `graceful_close_timeout`; return how many that were."""
        overdue = self._protocol.overdue_closes(self._now())
        for slot in overdue:
            await self.send_graceless_close_connection(*slot.key, slot.close_data)
        return len(overdue)

    async def discard_expired_pending_requests(self) -> int:
        """Discard handshakes that were not answered in time; return how many that were."""
        before = self._protocol.slots.pending_count
        effects = self._protocol.discard_expired(self._now())
        discarded = before - self._protocol.slots.pending_count
        await self._carrier.carry_out(effects)
        return discarded

    # Keepalive

    async def send_keepalive(self, remote_identifier: str) -> None:
        """Give a remote a sign of life.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._carrier.carry_out(self._protocol.send_keepalive(remote_identifier, self._now()))

    async def send_keepalive_request(self, remote_identifier: str) -> None:
        """Ask a remote for a sign of life.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._carrier.carry_out(self._protocol.send_keepalive_request(remote_identifier))

    async def send_all_keepalive_based_on_connections(self) -> None:
        """Give every remote with a connection a sign of life."""
        for identifier in self.remote_identifiers:
            await self.send_keepalive(identifier)

    async def send_keepalive_based_on_connections_and_threshold(self) -> None:
        """Give each remote with a connection the sign of life that it is owed, and ask those that owe one."""
        await self._carrier.carry_out(self._protocol.send_due_keepalives(self._now()))

    async def lose_dead_remotes(self) -> None:
        """Close the connections with remotes that have been silent for `consider_others_dead_after`."""
        await self._carrier.carry_out(self._protocol.lose_dead_remotes(self._now()))

    def have_seen(self, remote_identifier: str) -> None:
        """Note a sign of life of a remote that is known."""
        remote = self._protocol.acquaintances.get(remote_identifier)
        if remote is not None:
            self._protocol.acquaintances.seen(remote, self._now())

    def update_acquaintances(
        self,
        remote_identifier: str,
        *,
        keepalive_topic: str,
        keepalive_request_topic: str,
        consider_me_dead_after: float,
    ) -> None:
        """Change what is known of a remote.

        Raises:
            NoConnectionError: The remote is not known.
        """
        remote = self._protocol.acquaintances.get(remote_identifier)
        if remote is None:
            raise NoConnectionError(f"'{self.identifier}' knows no remote '{remote_identifier}'")
        remote.keepalive_topic = keepalive_topic
        remote.keepalive_request_topic = keepalive_request_topic
        remote.considers_me_dead_after = consider_me_dead_after

    def __str__(self) -> str:
        return f"{type(self).__name__} '{self.identifier}'"

    def _already_running(self) -> OrbiterStateError:
        return OrbiterStateError(f"{self} is running already: stop it before it is started again")


_DURATIONS = (
    "loop_interval",
    "close_connection_if_unused_after",
    "pending_requests_expire_after",
    "consider_others_dead_after",
    "send_keepalive_before_timelimit",
    "graceful_close_timeout",
)


def _new_incarnation() -> str:
    """Return a text that is greater than all that earlier calls gave, as long as the clock is not set back."""
    return f"{time.time_ns():020d}"
