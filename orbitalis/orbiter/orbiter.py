"""What core and plugin share for their users: attributes, life cycle, connections, keepalives and closes."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Self

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.url import connect
from orbitalis.errors import BusRefusedError, OrbiterStateError
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis.message.schema import SchemaSpec
from orbitalis.orbiter.bounds import Bounds
from orbitalis.orbiter.carrier import Carrier
from orbitalis.orbiter.connection_added_event import ConnectionAddedEvent
from orbitalis.orbiter.housekeeping import Housekeeping
from orbitalis.orbiter.lanes import is_being_cancelled
from orbitalis.orbiter.loop import OrbiterLoop
from orbitalis.orbiter.scope import Scope
from orbitalis.orbiter.topics import BuiltTopics, OrbiterTopics
from orbitalis.protocol.effects import CloseReason, ComplianceChanged, Effect, MessageReceived, Send
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.statistics import OrbiterStatistics
from orbitalis_wire import channels, timings
from orbitalis_wire.errors import TopicError
from orbitalis_wire.messages import (
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
)
from orbitalis_wire.topics import KeepaliveTopic

__all__ = ["Orbiter"]

P = ParamSpec("P")

_STOP_TIMEOUT = 5.0
"""Seconds for which `stop` waits for closes to be sent and hooks to return."""


@dataclass(kw_only=True, eq=False)
class Orbiter(Bounds, Housekeeping, OrbiterTopics, ABC):
    """Base of cores and plugins. Times are in seconds, and `None` switches off what a time is for.

    Attributes may be changed while the orbiter runs, but for `identifier`, `eventbus_client`, `discover_topic` and
    `announce_topic`.
    An orbiter is an asynchronous context manager, which starts and stops it.
    """

    eventbus_client: EventBusClient = field(default_factory=connect, repr=False)
    """Its own client of the event bus; by default of the bus that `ORBITALIS_BUS` names."""
    identifier: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Unique among all orbiters of the context; a level of topics, so without `/`, `+` and `#`."""
    discover_topic: str = field(default=channels.DISCOVER.address, repr=False)
    """Where discovers are published; the same for all orbiters of the context."""
    announce_topic: str = field(default=channels.ANNOUNCE.address, repr=False)
    """Where announcements are published; the same for all orbiters of the context."""
    raise_exceptions: bool = field(default=False, repr=False)
    """Whether hooks that fail while it starts or stops make that fail; otherwise they are logged."""
    with_loop: bool = field(default=True, repr=False)
    """Whether the loop is started with the orbiter; without it no periodic work is done."""
    loop_interval: float = field(default=timings.LOOP_INTERVAL, repr=False)
    """Time between two iterations of the loop, at least; what is due in between is done without its hooks."""
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
    new_connection_added_event: ConnectionAddedEvent = field(
        default_factory=ConnectionAddedEvent, init=False, repr=False
    )
    """Tells of new connections: awaiting it twice awaits two of them."""

    def __post_init__(self) -> None:
        """Check the attributes, and make the state machine.

        Raises:
            ValueError: A duration is negative, a bound is not positive, or the identifier cannot be a level of a topic.
            TypeError: The client is none, such as the URL of a bus.
        """
        _check_client(self.eventbus_client)
        self.topics = BuiltTopics(self)
        try:
            KeepaliveTopic.build(recipient_identifier=self.identifier, sender_identifier=self.identifier)
        except TopicError as error:
            raise ValueError(f"identifier {error.value!r} cannot be used: {error.reason}") from None
        for name in _DURATIONS:
            duration = getattr(self, name)
            if duration is not None and not duration >= 0:
                raise ValueError(f"{name} must not be negative, got {duration}")
        if self.loop_interval == 0:
            raise ValueError("loop_interval must be positive, got 0")
        self._check_bounds()
        self._logger = FieldLogger(logging.getLogger(__name__), orbiter=self.identifier)
        self._incarnation = ""
        self._changing = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._has_remains = False
        """Whether a start or stop that was cut short has left something to shut down."""
        self._protocol = self._build_protocol()
        self._carrier = Carrier(self, self._protocol)
        self._orbiter_loop = OrbiterLoop(
            interval=lambda: self.loop_interval,
            on_start=lambda: self._call(self._on_loop_start),
            iteration=self._iterate,
            meanwhile=self._do_what_cannot_wait,
            when_due=self._do_what_is_due,
            next_due=lambda: self._protocol.next_deadline(),
            name=self.identifier,
        )

    @property
    def statistics(self) -> OrbiterStatistics:
        """What it has counted so far; what its client of the bus counts is in `eventbus_client.statistics`."""
        return self._protocol.statistics

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

    @abstractmethod
    def _topic_to_itself(self) -> str:
        """Return a topic that only this orbiter in its role may publish to, and to which nobody subscribes."""

    def _switch_to_started(self) -> None:
        """Change the state, now that the orbiter takes part."""

    async def _begin(self, effects: list[Effect]) -> None:
        """Have done what starting asks for."""
        self._carrier.submit(effects)

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

    def _on_data_arrival(self, topic: str, event: Event[Any]) -> bool:
        """Take data of a connection that must not wait for the handler; return whether it was taken."""
        return False

    def _on_disconnected(self, slot: Slot, reason: CloseReason) -> None:
        """Note at once that a connection is no more, before any hook is called."""

    @abstractmethod
    async def _on_data(self, slot: Slot, topic: str, event: Any) -> None:
        """Hand the data of a connection to the user's handler."""

    @abstractmethod
    def _data_of(self, slot: Slot) -> SchemaSpec:
        """Return what may arrive on a connection."""

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

    # Life cycle

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether it has started and not stopped."""

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Connect to the bus and take part; the arguments are handed to the hooks.

        Raises:
            OrbiterStateError: It is running already, or a hook of its start or stop calls this.
            BusError: The bus cannot be reached or refuses; nothing of the orbiter is left running.
        """
        if Scope.around(self._changing) is not None:
            raise OrbiterStateError(f"{self} is starting or stopping: its hooks cannot start it")
        async with self._changing:
            self._check_can_start()
            with Scope(self._changing):
                await self._remove_remains()
                await self._call_or_raise(self._on_starting, *args, **kwargs)
                self._has_remains = True
                try:
                    await self._internal_start(*args, **kwargs)
                except BaseException:
                    await self._remove_remains()
                    raise
        self._logger.info("%s has started", self.identifier)
        try:
            await self._call_or_raise(self._on_started, *args, **kwargs)
        except BaseException:
            await self.stop()
            raise

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        """Start; whoever overrides this calls it."""
        self._incarnation = max(_new_incarnation(), self._incarnation + "0")
        self._carrier.begin(self._incarnation)
        await self.eventbus_client.connect()
        self.eventbus_client.on_reconnected = self._carrier.reconnected
        for topic_filter, channel in self._protocol_filters().items():
            await self.eventbus_client.subscribe(topic_filter, self._carrier.receiver(channel), channel=channel)
        await self._check_identity()
        effects = self._protocol.start(self._now())
        self._stopped.clear()
        self._switch_to_started()
        await self._begin(effects)
        if self.with_loop:
            self.start_loop()

    async def _check_identity(self) -> None:
        """Report a broker that does not let this orbiter be who it says; what brokers refuse later may go unnoticed."""
        try:
            await self.eventbus_client.check_may_publish(self._topic_to_itself())
        except BusRefusedError as error:
            self._logger.error(
                "%s may not publish as itself. A broker that binds topics to users takes the identifier for the "
                "user's name, and the user has to be one of the %ss: %s",
                self.identifier,
                self._protocol.role.value,
                error,
            )

    async def stop(self, *args: Any, **kwargs: Any) -> None:
        """Close all connections gracelessly and leave the bus; does nothing if it is not running.

        When it returns nothing is subscribed and no task of the orbiter is running, but for one that calls it. What is
        left where it is cancelled, or fails, the next stop or start ends.
        """
        if Scope.around(self._changing) is not None:
            return  # a hook of its start, before it runs, or of its stop
        async with self._changing:
            if not self.is_running:
                with Scope(self._changing):
                    await self._remove_remains()
                return
            with Scope(self._changing):
                try:
                    await self._call_or_raise(self._on_stopping, *args, **kwargs)
                finally:
                    await self._internal_stop(*args, **kwargs)
                    self._has_remains = False
        self._logger.info("%s has stopped", self.identifier)
        await self._call_or_raise(self._on_stopped, *args, **kwargs)

    async def _remove_remains(self) -> None:
        """Shut down what a start or stop has left that failed or was cancelled."""
        if self._has_remains:
            await self._shut_down()
            self._has_remains = False

    async def wait_stopped(self) -> None:
        """Wait until it is not running."""
        await self._stopped.wait()

    async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
        """Stop; whoever overrides this calls it."""
        await self._shut_down()

    async def _shut_down(self) -> None:
        """End everything, however far the start has come."""
        try:
            await self._orbiter_loop.end(_STOP_TIMEOUT)
            self._carrier.submit(self._protocol.stop(await self._all_close_data()))
            if not await self._carrier.lanes.finish(_STOP_TIMEOUT):
                self._logger.warning("%s: hooks did not return within %g s of its stop", self.identifier, _STOP_TIMEOUT)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_TIMEOUT):
                    await self._carrier.send_held_closes()
        finally:
            # There is no time any more to send what is to be sent; but who waits for a connection is told.
            self._carrier.submit(self._protocol.stop())
            if self.is_running:
                self._switch_to_stopped()
            self.eventbus_client.on_reconnected = None
            self._carrier.clear()
            await self._carrier.lanes.cancel()
            try:
                await self.eventbus_client.disconnect()
            finally:
                self._stopped.set()

    async def _all_close_data(self) -> dict[Slot, bytes | None]:
        """Ask the user for the data of every close; a hook that does not return in time gives none."""
        asked = {
            asyncio.create_task(self._close_data(slot), name=f"close data of {self.identifier}"): slot
            for slot in self._protocol.slots
            if slot.is_connection
        }
        if not asked:
            return {}
        try:
            done, _ = await asyncio.wait(asked, timeout=_STOP_TIMEOUT)
        finally:
            late = [task for task in asked if not task.done()]
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_STOP_TIMEOUT)
        return {asked[task]: task.result() for task in done}

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
            self._call(self.lose_dead_remotes),
            self._call(self.send_keepalive_based_on_connections_and_threshold),
            self._call(self._do_own_work),
        )
        await self._call(self._on_loop_iteration_end)

    async def _call(self, hook: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs) -> object:
        """Call a hook, which may be asynchronous or not; one that fails is logged, and gives `None`."""
        try:
            outcome = hook(*args, **kwargs)
            return await outcome if inspect.isawaitable(outcome) else outcome
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise
            name = getattr(hook, "__qualname__", repr(hook))
            self._logger.exception("%s of '%s' failed", name, self.identifier)
            return None

    async def _call_or_raise(
        self, hook: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Call a hook of the life cycle; whether one that fails is logged says `raise_exceptions`."""
        if not self.raise_exceptions:
            await self._call(hook, *args, **kwargs)
        elif inspect.isawaitable(outcome := hook(*args, **kwargs)):
            await outcome

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

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


def _check_client(given: object) -> None:
    if not isinstance(given, EventBusClient):
        hint = "; connect(URL) makes one" if isinstance(given, str) else ""
        raise TypeError(f"eventbus_client is a client of an event bus, got a {type(given).__name__}{hint}")
