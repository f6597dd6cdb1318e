"""What core and plugin share for their users: attributes, life cycle, connections, keepalives and closes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from abc import abstractmethod
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from orbitalis.bus.client import EventBusClient, Later
from orbitalis.bus.home_loop import HomeLoop
from orbitalis.bus.url import connect_by_environment
from orbitalis.errors import NoConnectionError, OrbiterStateError
from orbitalis.introspection.responder import Responder
from orbitalis.log import FieldLogger
from orbitalis.message.schema import Input, Output
from orbitalis.operations.connection import Connection, PendingRequest
from orbitalis.operations.explanation import CoreExplanation, PluginExplanation
from orbitalis.operations.operation_statistics import OperationStatistics, StatisticsByOperation
from orbitalis.orbiter.attributes import KEPT_BY_THE_CLASS, SETTINGS, check_attribute
from orbitalis.orbiter.connection_added_event import ConnectionAddedEvent
from orbitalis.orbiter.connection_closer import ConnectionCloser
from orbitalis.orbiter.connection_search import find_connections
from orbitalis.orbiter.hooks import LOOP_HOOKS, PERIODIC_HOOKS, TOPIC_HOOKS, HookCaller, OrbiterHooks, default
from orbitalis.orbiter.identity import check_identity, new_incarnation
from orbitalis.orbiter.loop import LoopWork, OrbiterLoop
from orbitalis.orbiter.mistakes import (
    OrbiterClass,
    check_operation,
    needs_async_with,
    refuse_while_main_is_imported,
)
from orbitalis.orbiter.role_calls import RoleCalls
from orbitalis.orbiter.runtime import Runtime
from orbitalis.orbiter.scope import Scope
from orbitalis.orbiter.tracing import Tracing
from orbitalis.protocol.config import TopicLayout
from orbitalis.protocol.effects import Effect
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role
from orbitalis_wire import channels, timings

__all__ = ["Orbiter"]

_STOP_TIMEOUT = 5.0
"""Seconds for which `stop` waits for closes to be sent and hooks to return."""


@dataclass(kw_only=True, eq=False)
class Orbiter(OrbiterHooks, metaclass=OrbiterClass):
    """The base of cores and plugins. Times are in seconds. A time of `None` switches its feature off.

    You may assign attributes while the orbiter runs, and they take effect at once. `eventbus_client`, the topics and
    `introspection` can change only while it is stopped, and `identifier` never. An orbiter is an asynchronous context
    manager: `async with` starts and stops it.
    """

    identifier: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Its name, unique among all orbiters of the context. It is a level of topics, so without `/`, `+` and `#`."""
    eventbus_client: EventBusClient = field(default_factory=connect_by_environment, repr=False)
    """A client of the event bus that no other orbiter uses; by default one of the bus that `ORBITALIS_BUS` names."""
    consider_others_dead_after: float | None = field(default=timings.CONSIDERED_DEAD_AFTER, repr=False)
    """How long a remote may be silent before it counts as dead."""
    suspicion_grace: float | None = field(default=timings.SUSPICION_GRACE, repr=False)
    """How long a remote may be silent after its will has come; `None`: this orbiter uses no wills."""
    send_keepalive_before_timelimit: float = field(default=timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT, repr=False)
    """How long before a remote would consider this orbiter dead it sends a keepalive."""
    graceful_close_timeout: float | None = field(default=timings.GRACEFUL_CLOSE_TIMEOUT, repr=False)
    """How long a graceful close waits for its acknowledgement before a graceless close follows."""
    close_connection_if_unused_after: float | None = field(default=None, repr=False)
    """How long a connection may be unused before it is closed gracefully."""
    pending_requests_expire_after: float | None = field(default=timings.PENDING_REQUESTS_EXPIRE_AFTER, repr=False)
    """How long an offer or request may be unanswered before it is forgotten."""
    raise_exceptions: bool = field(default=False, repr=False)
    """Whether a hook of the start or stop that fails makes the start or stop fail; otherwise it is only logged."""
    with_loop: bool = field(default=True, repr=False)
    """Whether the loop starts with the orbiter; without it, no keepalives and no repeated discovers are sent."""
    loop_interval: float = field(default=timings.LOOP_INTERVAL, repr=False)
    """Shortest time between two iterations of the loop; work that is due in between is done on time, without hooks."""
    discover_topic: str = field(default=channels.DISCOVER.address, repr=False)
    """Topic of discovers. It is the same for all orbiters of the context."""
    announce_topic: str = field(default=channels.ANNOUNCE.address, repr=False)
    """Topic of announcements. It is the same for all orbiters of the context."""
    introspection: bool = field(default=True, repr=False)
    """Whether it answers operators that ask what it is and does."""
    introspection_topic: str = field(default=channels.INTROSPECTION_OF_ALL.address, repr=False)
    """Topic on which operators ask all orbiters. It is the same for all orbiters of the context."""
    limits: Limits = field(default=Limits(), repr=False)
    """How much of its memory and time others can use."""

    _role: ClassVar[Role]
    _configured: ClassVar[frozenset[str]]
    """Attributes that are part of the snapshot of the state machine."""
    _calls: ClassVar[RoleCalls]
    """Functions of the role that the runtime calls."""

    def __post_init__(self) -> None:
        """Make the state machine."""
        self.new_connection_added_event = ConnectionAddedEvent()
        """Set for each new connection: awaiting it twice waits for two connections."""
        self._incarnation = ""
        self._home = HomeLoop(self)
        """The event loop from its start to its end."""
        self._stopped: asyncio.Event | None = None
        """Set when it stops, if somebody waits for that."""
        self._has_remains = False
        """Whether a start or stop that was cut short has left something to shut down."""
        self._hooks = HookCaller(self, self.identifier, self._overridden)
        self._topics = TopicLayout(self._role, self.identifier)
        """Where it listens; with what the user has overridden from the start on."""
        self._machine = machine = self._make_machine()
        self._loop = OrbiterLoop(self, self._loop_work, name=self.identifier, home=self._home)
        self._runtime = Runtime(
            self.identifier,
            self.eventbus_client,
            machine,
            self._hooks,
            self,
            self._calls,
            on_connection=self.new_connection_added_event.set,
            loop=self._loop,
        )
        self._closer = ConnectionCloser(self.identifier, machine, self._runtime, self._hooks, self._is_awaiting)
        self._operation_statistics = StatisticsByOperation()
        self._responder = Responder(self, machine, self._runtime)

    def __setattr__(self, name: str, value: object) -> None:
        """Assign an attribute. If it is part of the snapshot, the state machine gets a new snapshot.

        Raises:
            ValueError, TypeError, OrbiterStateError: The attribute cannot have that value, or cannot change now.
        """
        counts = name in self._configured and "_runtime" in vars(self)
        if counts:
            self._home.check()
        check_attribute(self, name, value)
        if name not in KEPT_BY_THE_CLASS or value is not getattr(type(self), name, None) or name in vars(self):
            super().__setattr__(name, value)  # a default is the class's, and takes no room in each orbiter
        if counts:
            self._configure()

    @property
    def _logger(self) -> FieldLogger:
        return FieldLogger(logging.getLogger(__name__), orbiter=self.identifier)

    @property
    def statistics(self) -> OrbiterStatistics:
        """The counters of this orbiter. Its bus client has its own, in `eventbus_client.statistics`."""
        return self._machine.statistics

    @property
    def operation_statistics(self) -> Mapping[str, OperationStatistics]:
        """The counters of each operation that was executed, by name."""
        return dict(self._operation_statistics)

    def trace_with(self, tracing: Tracing | None) -> None:
        """Start or stop to make spans. :func:`orbitalis.observability.traces.trace` calls this."""
        self._runtime.trace_with(tracing)

    @abstractmethod
    def _make_machine(self) -> Machine:
        """Make the state machine of the role, with the attributes as they are now."""

    @abstractmethod
    def _topic_layout(self) -> TopicLayout:
        """Return the topics on which it listens, with those that the user has overridden."""

    @abstractmethod
    def _configure(self) -> None:
        """Hand the state machine a snapshot of the attributes as they are now, and do what follows from it."""

    @abstractmethod
    def explain(self) -> CoreExplanation | PluginExplanation:
        """Return which connections it has, which it lacks, and why."""

    @abstractmethod
    def _names_of_operations(self) -> Iterable[str]:
        """Return the names of the operations that it has, or has had."""

    @abstractmethod
    def _look_at_edits(self) -> None:
        """Take a new snapshot if the user has edited a dictionary or a policy since the last one."""

    @abstractmethod
    def _protocol_filters(self) -> dict[str, channels.Channel]:
        """Return where messages of the protocol arrive while the orbiter runs: filter to channel."""

    @abstractmethod
    def _topic_to_itself(self) -> str:
        """Return a topic that only this orbiter in its role may publish to, and to which nobody subscribes."""

    @abstractmethod
    def _switch_to_stopped(self) -> None:
        """Change the state, now that the orbiter has stopped."""

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether it has started and not stopped."""

    async def _begin(self, effects: list[Effect]) -> None:
        """Have done what starting asks for."""
        self._runtime.submit(effects)

    def _do_own_work(self) -> None:
        """Have done what each iteration of the loop does for the role alone."""

    def _is_awaiting(self, slot: Slot) -> bool:
        """Return whether something is awaited on a connection."""
        return False

    def _common_settings(self) -> dict[str, Any]:
        """Return what a snapshot has of every orbiter."""
        settings = {name: getattr(self, name) for name in SETTINGS} | {"topics": self._topics}
        return settings if self.eventbus_client.has_wills() else settings | {"suspicion_grace": None}

    def _common_topics(self, **others: Any) -> dict[str, Any]:
        """Return the topics that every orbiter has, where the user has overridden them, and others."""
        overridden = {name: getattr(self, hook) for name, hook in TOPIC_HOOKS.items() if self._hooks.has(hook)}
        return {
            "keepalive_of_anybody": self._build_keepalive_topic(None),
            "keepalive_request_of_anybody": self._build_keepalive_request_topic(None),
            **others,
            **overridden,
        }

    # Life cycle

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Connect to the bus and take part in the protocol. The arguments go to the hooks.

        Raises:
            OrbiterStateError: It runs already, one of its own hooks calls this, or another orbiter uses its client.
            BusError: The bus cannot be reached, or refuses. Nothing of the orbiter keeps running.
        """
        if Scope.around(self._home) is not None:
            raise OrbiterStateError(f"{self} is starting or stopping: its hooks cannot start it")
        refuse_while_main_is_imported()
        async with self._home.changing():
            if self.is_running:
                raise OrbiterStateError(f"{self} is running already: stop it before it is started again")
            with Scope(self._home):
                await self._remove_remains()
                await self._hooks.call_for_life_cycle(self.raise_exceptions, "_on_starting", *args, **kwargs)
                try:
                    await self._internal_start(*args, **kwargs)
                except BaseException:
                    await self._remove_remains()
                    raise
        self._logger.info("%s has started", self.identifier)
        try:
            await self._hooks.call_for_life_cycle(self.raise_exceptions, "_on_started", *args, **kwargs)
        except BaseException:
            await self.stop()
            raise

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        """Do the work of `start`. An override has to call it."""
        self._incarnation = new_incarnation()
        client = self.eventbus_client
        client.claim(self)
        self._has_remains = True
        self._home.enter()
        self._runtime.begin(self._incarnation, client, self._home.clock)
        await client.connect()
        await self._runtime.listen(self._protocol_filters())
        await check_identity(client, self._topic_to_itself(), self.identifier, self._machine.role.value, self._logger)
        await self._responder.start(client, self._incarnation, self._runtime.queues.context)
        # Nothing may be waited for between these: what a user edits until then counts from the start on.
        self._topics = self._topic_layout()
        self._configure()
        effects = self._machine.start(self._runtime.now())
        self._switch_to_started()
        await self._begin(effects)
        if self.with_loop:
            self.start_loop()

    def _switch_to_started(self) -> None:
        """Change the state, now that the orbiter takes part."""

    async def stop(self, *args: Any, **kwargs: Any) -> None:
        """Close all connections gracelessly and leave the bus. It does nothing if the orbiter is not running.

        When it returns, nothing is subscribed, and no task of the orbiter runs, except one that calls this. If it is
        cancelled or fails, the next `stop` or `start` does the rest.
        """
        if Scope.around(self._home) is not None:
            return  # a hook of its start, before it runs, or of its stop
        async with self._home.changing():
            if not self.is_running:
                with Scope(self._home):
                    await self._remove_remains()
                return
            with Scope(self._home):
                try:
                    await self._hooks.call_for_life_cycle(self.raise_exceptions, "_on_stopping", *args, **kwargs)
                finally:
                    await self._internal_stop(*args, **kwargs)
                    self._has_remains = False
        self._logger.info("%s has stopped", self.identifier)
        await self._hooks.call_for_life_cycle(self.raise_exceptions, "_on_stopped", *args, **kwargs)

    async def _remove_remains(self) -> None:
        """Shut down what a start or stop has left that failed or was cancelled."""
        if self._has_remains:
            await self._shut_down()
            self._has_remains = False

    async def wait_stopped(self) -> None:
        """Wait until the orbiter has stopped. Returns at once if it is not running."""
        self._home.check()
        if self.is_running:
            if self._stopped is None:
                self._stopped = asyncio.Event()
            await self._stopped.wait()

    async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
        """Do the work of `stop`. An override has to call it."""
        await self._shut_down()

    async def _shut_down(self) -> None:
        """End everything, however far the start has come."""
        runtime, machine = self._runtime, self._machine
        self._responder.stop()
        try:
            if self._home.is_lost:
                self._stopped = None
                runtime.end_without_loop()
            else:
                await self._loop.end(_STOP_TIMEOUT)
                runtime.submit(machine.stop(await self._closer.all_data(_STOP_TIMEOUT)))
            if not await runtime.queues.finish(_STOP_TIMEOUT):
                self._logger.warning("%s: hooks did not return within %g s of its stop", self.identifier, _STOP_TIMEOUT)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_TIMEOUT):
                    await runtime.send_held_closes()
        finally:
            # There is no time any more to send what is to be sent; but those who wait for a connection are told.
            runtime.submit(machine.stop())
            if self.is_running:
                self._switch_to_stopped()
            runtime.end()
            self._home.leave()
            await runtime.queues.cancel()
            try:
                await self.eventbus_client.disconnect()
            finally:
                self.eventbus_client.release(self)
                if self._stopped is not None:
                    self._stopped.set()
                    self._stopped = None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Stop it."""
        await self.stop()

    if not TYPE_CHECKING:
        __enter__ = __exit__ = needs_async_with

    # Loop

    def start_loop(self) -> None:
        """Start the loop. It does nothing if the loop is running."""
        self._loop.start()

    def stop_loop(self) -> None:
        """End the loop after the current iteration."""
        self._loop.stop()

    def pause_loop(self) -> None:
        """Skip iterations of the loop until :meth:`resume_loop`."""
        self._loop.pause()

    def resume_loop(self) -> None:
        """Continue a loop after :meth:`pause_loop`."""
        self._loop.resume()

    def _iterate(self) -> Awaitable[object] | None:
        """Do the work of an iteration; return the hooks that have to be awaited for it."""
        if self._hooks.has_any(LOOP_HOOKS):
            return Later(self._iterate_with_hooks)
        self._do_own_work()
        return None

    async def _iterate_with_hooks(self) -> None:
        await self._hooks.wait_for("_on_new_loop_iteration")
        self._do_what_is_due()
        self._do_own_work()
        periodic = [hook for name in PERIODIC_HOOKS if (hook := self._hooks.start(name)) is not None]
        if periodic:
            await asyncio.gather(*periodic)
        await self._hooks.wait_for("_on_loop_iteration_end")

    def _do_what_is_due(self) -> None:
        """Have everything done that time has brought, and wait for none of it."""
        machine, submit, now = self._machine, self._runtime.submit, self._runtime.now()
        self._closer.close_unused()
        submit(machine.discard_expired(now))
        self._closer.force_overdue()
        submit(machine.lose_dead_remotes(now))
        submit(machine.send_due_keepalives(now))

    def _do_what_cannot_wait(self) -> None:
        """Have done what an iteration of the loop does, while one hangs."""
        self._do_what_is_due()
        self._do_own_work()

    _loop_work: ClassVar = LoopWork(
        interval=lambda orbiter: orbiter.loop_interval,
        on_start=lambda orbiter: orbiter._hooks.start("_on_loop_start"),
        iteration=_iterate,
        meanwhile=_do_what_cannot_wait,
        when_due=lambda orbiter: orbiter._do_what_is_due(),  # which each role has more of
        next_due=lambda orbiter: orbiter._machine.next_deadline(),
    )

    # Connections

    @property
    def remote_identifiers(self) -> set[str]:
        """Identifiers of all remotes with which there is a connection."""
        return {slot.remote_identifier for slot in self._machine.slots if slot.is_connection}

    @property
    def _connections(self) -> Mapping[str, Mapping[str, Connection]]:
        """A copy of the open connections, by remote identifier and operation name."""
        found: dict[str, dict[str, Connection]] = {}
        for connection in self.retrieve_connections():
            found.setdefault(connection.remote_identifier, {})[connection.operation_name] = connection
        return found

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
        """Return the open connections that match all given arguments, oldest first.

        Raises:
            NoConnectionError: This orbiter has no operation of that name, and never had one.
        """
        connections = find_connections(
            self._machine.slots, remote_identifier, input_topic, output_topic, operation_name, input, output
        )
        if not connections and operation_name is not None:
            check_operation(self, operation_name, self._names_of_operations())
        return connections

    async def retrieve_and_touch_connections(
        self, operation_name: str, *, input_topic: str | None = None
    ) -> list[Connection]:
        """Return the open connections of an operation, and mark all of them as used now."""
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
        slots = self._machine.slots.of_remote(remote_identifier)
        return {slot.operation_name: self._runtime.pending_request(slot) for slot in slots if not slot.is_connection}

    def _is_pending(self, remote_identifier: str, operation_name: str) -> bool:
        """Return whether a handshake with a remote for an operation is under way."""
        slot = self._machine.slots.get(remote_identifier, operation_name)
        return slot is not None and not slot.is_connection

    # Closing. Called from a hook or the loop, none of these methods waits until what it asks for is done.

    async def send_graceless_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Close a connection at once. The remote's hook gets `data`, by default the result of `_get_on_close_data`.

        Raises:
            NoConnectionError: There is no such connection.
        """
        self._home.check()
        slot = self._machine.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._closer.data_for(slot)
        if slot.is_connection:  # it may have ended while the hook was busy
            await self._runtime.carry_out(self._machine.close_gracelessly(*slot.key, data, self._home.now()))

    async def send_graceful_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Close a connection gracefully: use it no more, and close it once the remote has acknowledged.

        Raises:
            NoConnectionError: There is no such connection.
        """
        self._home.check()
        slot = self._machine.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._closer.data_for(slot)
        if slot.is_connection:
            await self._runtime.carry_out(self._machine.close_gracefully(*slot.key, data, self._home.now()))

    async def leave(self, timeout: float) -> bool:
        """Close all connections gracefully and begin no new ones. Call it before `stop` if work should be finished.

        Data that has arrived on a connection is handled and answered before the connection is closed. If more and more
        data arrives, the connection is closed after half of the time. Returns whether all closes were acknowledged
        within `timeout` seconds. `stop` closes the remaining connections gracelessly.
        """
        self._home.check()
        if not self.is_running:
            return True
        return await self._closer.leave(timeout)

    async def _close_self_side_connection(self, remote_identifier: str, operation_name: str) -> None:
        """Close a connection only on this side. The remote gets no message, and finds out by the next keepalives.

        Raises:
            NoConnectionError: There is no such connection.
        """
        now = self._home.now()
        await self._runtime.carry_out(self._machine.close_here(remote_identifier, operation_name, now))

    @default
    async def close_unused_connections(self) -> int:
        """Gracefully close connections unused for `close_connection_if_unused_after`, and return their number.

        A connection is in use while its data waits or is being handled, and while an answer is awaited on it.
        """
        self._home.check()
        remotes = self._closer.close_unused()
        for _ in range(2):  # first for the data that goes along, then for the closes
            await self._runtime.settle(remotes)
        return len(remotes)

    @default
    async def force_close_connection_for_out_to_timeout_pending_graceful_close_connection(self) -> int:
        """End graceful closes not acknowledged within `graceful_close_timeout`, and return their number."""
        self._home.check()
        remotes = self._closer.force_overdue()
        await self._runtime.settle(remotes)
        return len(remotes)

    @default
    async def discard_expired_pending_requests(self) -> int:
        """Discard handshakes that were not answered in time, and return their number."""
        before = self._machine.slots.pending_count
        effects = self._machine.discard_expired(self._home.now())
        discarded = before - self._machine.slots.pending_count
        await self._runtime.carry_out(effects)
        return discarded

    # Keepalives, and what is known of remotes

    @property
    def dead_remote_identifiers(self) -> list[str]:
        """Identifiers of remotes that have been silent for too long, and have not been heard since."""
        peers, now = self._machine.peers, self._runtime.now()
        return [peer.identifier for peer in peers.all() if peers.is_silent(peer, now)]

    @property
    def suspected_remote_identifiers(self) -> list[str]:
        """Identifiers of remotes whose connection with the bus was cut, and that have not answered since."""
        return list(self._machine.peers.suspected)

    async def send_keepalive(self, remote_identifier: str) -> None:
        """Send a keepalive to a remote.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._runtime.carry_out(self._machine.send_keepalive(remote_identifier, self._home.now()))

    async def send_keepalive_request(self, remote_identifier: str) -> None:
        """Ask a remote for a keepalive.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._runtime.carry_out(self._machine.send_keepalive_request(remote_identifier, self._home.now()))

    async def send_all_keepalive_based_on_connections(self) -> None:
        """Send a keepalive to every remote with a connection."""
        effects: list[Effect] = []
        for identifier in self.remote_identifiers:
            with suppress(NoConnectionError):  # an older peer may not have told where
                effects += self._machine.send_keepalive(identifier, self._home.now())
        await self._runtime.carry_out(effects)

    @default
    async def send_keepalive_based_on_connections_and_threshold(self) -> None:
        """Send the keepalives that are due to remotes with a connection, and ask for those that are overdue."""
        await self._runtime.carry_out(self._machine.send_due_keepalives(self._home.now()))

    @default
    async def lose_dead_remotes(self) -> None:
        """Close the connections with remotes that have been silent for `consider_others_dead_after`."""
        await self._runtime.carry_out(self._machine.lose_dead_remotes(self._home.now()))

    def have_seen(self, remote_identifier: str) -> None:
        """Note a sign of life of a known remote. It does nothing for other remotes."""
        peer = self._machine.peers.get(remote_identifier)
        if peer is not None:
            self._machine.peers.seen(peer, self._home.now())
            self._machine.peers.suspected.pop(remote_identifier, None)

    def update_acquaintances(
        self,
        remote_identifier: str,
        *,
        keepalive_topic: str,
        keepalive_request_topic: str,
        consider_me_dead_after: float,
    ) -> None:
        """Change the topics of a known remote, and the seconds of silence after which it considers this one dead.

        Raises:
            NoConnectionError: The remote is not known.
            RemoteProtocolError: It is not possible to publish to one of the topics.
        """
        self._machine.update_peer(remote_identifier, keepalive_topic, keepalive_request_topic, consider_me_dead_after)

    def _moment(self, at: float | None) -> datetime | None:
        """Return in UTC when a time was on the clock of the state machine."""
        return None if at is None else datetime.now(UTC) - timedelta(seconds=self._runtime.now() - at)

    @property
    def _last_seen(self) -> Mapping[str, datetime]:
        """The time of the last sign of life of each remote, in UTC."""
        return self._machine.peers.known(lambda peer: self._moment(peer.last_seen))

    @property
    def _last_keepalive_sent(self) -> Mapping[str, datetime]:
        """The time of the last keepalive to each remote, in UTC."""
        return self._machine.peers.known(lambda peer: self._moment(peer.last_keepalive_sent))

    @property
    def _others_considers_me_dead_after(self) -> Mapping[str, float]:
        """The seconds of silence after which each remote considers this orbiter dead."""
        return self._machine.peers.known(lambda peer: peer.considers_me_dead_after)

    @property
    def _remote_keepalive_topics(self) -> Mapping[str, str]:
        """The topic on which each remote listens for keepalives."""
        return self._machine.peers.known(lambda peer: peer.keepalive_topic)

    @property
    def _remote_keepalive_request_topics(self) -> Mapping[str, str]:
        """The topic on which each remote listens for keepalive requests."""
        return self._machine.peers.known(lambda peer: peer.keepalive_request_topic)

    def __str__(self) -> str:
        return f"{type(self).__name__} '{self.identifier}'"
