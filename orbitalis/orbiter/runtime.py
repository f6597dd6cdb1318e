"""The runtime of an orbiter: hands events to the state machine, carries out its effects, and calls hooks.

An effect is carried out at once if nothing has to wait. If a hook or the bus takes time, later effects for the same
remote wait in its queue (:mod:`orbitalis.orbiter.peer_queues`). Effects for other remotes do not wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Final, TypeAlias

from orbitalis.bus.client import EventBusClient, Later
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.bus.topic_filters import check_filter
from orbitalis.errors import BusError, RemoteProtocolError
from orbitalis.log import FieldLogger
from orbitalis.message.event import READABLE_ENCODINGS, Event
from orbitalis.operations.connection import Connection, PendingRequest, PublishHeaders
from orbitalis.orbiter.bus_locator import BusLocator
from orbitalis.orbiter.channel_receiver import ChannelReceiver
from orbitalis.orbiter.connection_publisher import ConnectionPublisher
from orbitalis.orbiter.delivery import Delivery
from orbitalis.orbiter.hooks import MESSAGE_HOOKS, SEND_HOOKS, HookCaller
from orbitalis.orbiter.loop import OrbiterLoop
from orbitalis.orbiter.narrator import Narrator, tells
from orbitalis.orbiter.peer_queues import PeerQueues, is_being_cancelled
from orbitalis.orbiter.role_calls import RoleCalls
from orbitalis.orbiter.slot_work import DrainingWork, PreparationWork
from orbitalis.orbiter.tracing import Tracing
from orbitalis.orbiter.wills import Wills
from orbitalis.protocol.effects import (
    ComplianceChanged,
    ConnectionClosed,
    ConnectionOpened,
    Drain,
    Effect,
    MessageReceived,
    ObstacleMet,
    PendingRequestDiscarded,
    Prepare,
    ProtocolMessage,
    RemoteLost,
    Send,
    Subscribe,
    SuspicionChanged,
    Unsubscribe,
    WatchWill,
    operation_of,
    sender_of,
)
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.sequence import SentNumbers
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire import PROTOCOL_VERSION, channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
)

__all__ = ["Runtime"]

_plain = logging.getLogger(__name__)

_KEEPALIVES: Final = (KeepaliveMessage, KeepaliveRequestMessage)
_CLOSES: Final = (GracelessCloseConnectionMessage, GracefulCloseConnectionMessage)

Waiting: TypeAlias = Awaitable[Any] | None
"""Something to await, or `None` if all is done."""

_LONGEST_DRAINING: Final = 8
"""Graceful closes and acknowledgements of one connection that wait; more are repetitions, or not the remote's."""
_PROMOTED: Final = "_on_promote_pending_request_to_connection"
_FOR_THE_USER: Final = (ComplianceChanged, ConnectionClosed, PendingRequestDiscarded, RemoteLost)
"""Effects that can still be carried out without an event loop: nothing can be sent any more."""
_OWN_KEY: Final[Hashable] = ("compliance",)
"""The queue of hooks about the orbiter as a whole. They must not delay messages for everybody."""


class Runtime:
    """Connects an orbiter, its state machine and its bus client."""

    def __init__(
        self,
        identifier: str,
        client: EventBusClient,
        machine: Machine,
        hooks: HookCaller,
        orbiter: object,
        calls: RoleCalls,
        *,
        on_connection: Callable[[], None],
        loop: OrbiterLoop,
    ) -> None:
        """Serve the orbiter with this identifier; `calls` are of its class.

        `on_connection` is called for each connection, after the hook. `loop` is told when something may be due earlier.
        """
        client.belong_to(identifier)
        self.client = client
        self.machine = machine
        self.hooks = hooks
        self.queues = PeerQueues(identifier)
        """The work that waits for hooks and the bus, in order for each remote."""
        self.publisher = ConnectionPublisher(client, self._headers_on, identifier)
        """Publishes on connections."""
        self.locator = BusLocator(machine)
        """Knows the bus of each remote."""
        self.incarnation = ""
        self.tracing: Tracing | None = None
        """Makes spans, if the orbiter is traced."""
        self.identifier = identifier
        self._logger = FieldLogger(_plain, orbiter=identifier)
        self._orbiter = orbiter
        self._calls = calls
        self.on_connection = on_connection
        self._loop = loop
        self._complaints = ThrottledLog(self._logger)
        complain = self.complain
        self._narrator = Narrator(identifier, machine.obstacles, machine.statistics, complain)
        self.delivery = Delivery(identifier, client, machine, self.locator, orbiter, calls, complain)
        """Takes the data of connections."""
        self._no_connections: asyncio.Event | None = None
        """Set when the last connection is closed, if somebody waits for that."""
        self._promoted: dict[Slot, PendingRequest] = {}
        """What users have seen of connections before these were opened, until the hook is told of it."""
        self._announced: dict[str, tuple[Send, str | None]] = {}
        """By event identifier: messages, with their bus, whose hook has been called and has not returned."""
        self.now: Callable[[], float] = lambda: 0.0
        """Returns the time of the state machine's clock, that of the event loop; before the first start, zero."""
        self._under_way: list[Effect] = []
        """Effects that are being carried out, and those that came meanwhile, by what these called."""
        self._receivers: dict[str, ChannelReceiver] = {}
        self._wills = Wills(self, identifier, orbiter, calls)

    def trace_with(self, tracing: Tracing | None) -> None:
        """Start or stop to make spans."""
        if self.tracing is not None:
            self.tracing.end()
        self.tracing = self.publisher.tracing = tracing

    def begin(self, incarnation: str, client: EventBusClient, now: Callable[[], float]) -> None:
        """Prepare for another incarnation of the orbiter, in the running event loop; its client may be another one."""
        client.belong_to(self.identifier)
        self.client = self.publisher.client = client
        self.now = now
        self.delivery.start(client, self.now)
        self._announced.clear()
        self.locator.clear()
        self.incarnation = incarnation
        self.queues.begin()
        client.publish_message, client.on_reconnected = self.publisher, self.reconnected
        self._wills.begin()

    def end(self) -> None:
        """Release the client and drop messages that were not sent yet, after the machine has stopped."""
        self._announced.clear()
        self.client.publish_message = self.client.on_reconnected = None
        self._wills.end()

    def end_without_loop(self) -> None:
        """Drop the work in a closed event loop, end the connections only on this side, and log that."""
        self._logger.warning(
            "%s was not stopped before its event loop was closed: its remotes get no message, and consider it dead "
            "when it has been silent for long enough",
            self.identifier,
        )
        self._no_connections = None
        self._announced.clear()
        for part in (self._loop, self.queues, self.delivery):
            part.let_go()
        self.submit([effect for effect in self.machine.stop() if isinstance(effect, _FOR_THE_USER)])

    async def all_disconnected(self) -> None:
        """Wait until there is no connection."""
        while self.machine.slots.connection_count:
            if self._no_connections is None:
                self._no_connections = asyncio.Event()
            await self._no_connections.wait()

    # In

    def receiver(self, channel: Channel) -> EventHandler:
        """Return a handler that takes only the messages of one channel from the bus."""
        if channel.key not in self._receivers:
            self._receivers[channel.key] = ChannelReceiver(channel, self)
        return self._receivers[channel.key]

    async def listen(self, filters: Mapping[str, Channel]) -> None:
        """Subscribe to the filters of channels. It raises the errors of a subscription."""
        for topic_filter, channel in filters.items():
            check_filter(topic_filter)
            waiting = self._subscribe_to(topic_filter, channel, None)
            if waiting is not None:
                await waiting

    def _subscribe_to(self, topic: str, channel: Channel, bus: str | None) -> Waiting:
        handler, context = self.receiver(channel), self.queues.context
        return self.client.start_subscribe(topic, handler, channel, bus=bus, context=context)

    def refuse(self, channel: Channel, topic: str, kind: str) -> None:
        """Count and report a message that does not belong to the channel on which it came."""
        self.machine.statistics.misplaced += 1
        self.complain(
            "%s ignores %s on topic %r, which is no message of channel '%s'", kind, topic, channel.key, topic=topic
        )

    def receive(self, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        """Take a message of the protocol."""
        if self.queues.waiting and self._is_overloaded(topic, sender_of(message)):
            return
        if event.origin is not None and not self._is_in_place(topic, message, event):
            return
        if type(message) is GracefulCloseConnectionMessage or type(message) is CloseConnectionAckMessage:
            slot = self.machine.slots.get(sender_of(message), message.operation_name)
            # An open connection drains in a state of its own.
            if slot is not None and not slot.is_open and self.delivery.is_busy(slot):
                work = DrainingWork(slot)
                if self.queues.length(work) < _LONGEST_DRAINING:
                    self.queues.submit(work, partial(self._handle_drained, slot, topic, message, event))
                return
        self._handle(topic, message, event)

    def _is_overloaded(self, topic: str, sender: str) -> bool:
        """Return whether too much work waits to accept more from a remote, and report it."""
        queues = self.queues
        if self.machine.quotas.admits_work(
            queues.length(sender), queues.bytes(sender), queues.waiting, queues.waiting_bytes
        ):
            return False
        self.machine.statistics.overloaded += 1
        self.complain(
            "%s ignores a message on topic %r of %r: too much is still to be done",
            topic,
            sender,
            topic=topic,
            remote=sender,
        )
        return True

    def _is_in_place(self, topic: str, message: ProtocolMessage, event: Event[Any]) -> bool:
        """Return whether a message comes on the bus of its remote, and report it if not."""
        if self.locator.admits(message, event):
            return True
        sender = sender_of(message)
        self.machine.statistics.misled += 1
        self.complain(
            "%s ignores a message on topic %r of a second %r, on bus %s: it has to do with the one on bus %s",
            topic,
            sender,
            event.origin,
            self.locator.bus_of(sender),
            topic=topic,
            remote=sender,
            bus=event.origin,
        )
        return False

    async def _handle_drained(self, slot: Slot, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        """End a connection gracefully after its data is handled. A graceless close may end it earlier."""
        await self.delivery.handled(slot)
        self._handle(topic, message, event)

    def _handle(self, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        try:
            effects = self.machine.handle(topic, message, event, self.now())
        except RemoteProtocolError as error:
            fields = {"remote": sender_of(message), "operation": operation_of(message)}
            self.complain("%s ignores a message on topic %r: %s", topic, error, topic=topic, **fields)
            effects = self.machine.take()
        self.submit(effects, event.traceparent)

    def reconnected(self) -> None:
        """Take the report that the bus was away."""
        self.submit(self.machine.reconnected(self.now()))
        self._wills.reconnected()

    # Out

    def submit(self, effects: Iterable[Effect], cause: str | None = None) -> None:
        """Carry effects out, each now or in its turn. Changes that must be known at once are noted now.

        `cause` is the trace context of the message that they follow from, if it has one.
        """
        if self._under_way:
            self._under_way += effects
            return
        under_way = self._under_way = [*effects]
        tracing, steps, queues, locator = self.tracing, self._steps, self.queues, self.locator
        try:
            for effect in under_way:  # it grows
                note, work = steps[type(effect)]
                if tracing is not None:
                    tracing.note(effect, cause)
                if note is not None:
                    note(self, effect)
                if work is None:
                    continue
                bus = locator.bus_of(effect.remote_identifier) if locator.buses else None
                if queues.under_way and (key := _key_of(effect)) in queues.under_way:
                    later = partial(work, self, effect, bus)
                    queues.submit(key, later, _size_of(effect), instead_of=_replaced_kind(effect))
                    continue
                try:
                    waiting = work(self, effect, bus)
                except Exception:
                    fields = {"remote": effect.remote_identifier}
                    self._logger.exception("a piece of work failed", extra=fields)
                    continue
                if waiting is not None:
                    queues.submit(_key_of(effect), partial(_itself, waiting))
        finally:
            self._under_way = []
        if self.machine.deadline_has_moved():
            self._loop.look_again()
        if self._narrator.overruns != self.machine.quotas.overruns:
            self._narrator.limits_reached()
        if self.machine.namesakes.untold:
            self._narrator.namesakes_found(self.machine.namesakes)

    async def carry_out(self, effects: list[Effect]) -> None:
        """Carry effects out and wait for them. A call from a hook does not wait: hooks might wait for each other."""
        self.submit(effects)
        await self.settle(map(_key_of, effects))

    async def settle(self, keys: Iterable[Hashable]) -> None:
        """Wait until the work in some queues is done. If a hook calls this, it does not wait."""
        under_way = [key for key in dict.fromkeys(keys) if key in self.queues.under_way]
        if under_way and not self.queues.is_around and not self._loop.is_around:
            await asyncio.gather(*(self.queues.reached(key) for key in under_way))
        else:
            # A caller in a loop must let others have their turn.
            await asyncio.sleep(0)

    # Connections

    def _note_opened(self, effect: ConnectionOpened) -> None:
        slot = effect.slot
        peer = self.machine.peers.get(slot.remote_identifier)
        headers = PublishHeaders(
            encoding=Encoding.JSON if peer is None or peer.claim is not None else peer.told_encoding,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self.incarnation,
            # An older peer knows no headers, and has not got this one in its messages either.
            connection_identifier=slot.connection_identifier,
            readable_encodings=READABLE_ENCODINGS,
            channel=channels.OPERATION_INPUT if slot.role is Role.CORE else channels.OPERATION_OUTPUT,
            bus=self.locator.bus_of(slot.remote_identifier) if self.locator.buses else None,
            numbers=SentNumbers(),
        )
        if slot.view is not None and isinstance(slot.view, PendingRequest):
            self._promoted[slot] = slot.view
        slot.view = Connection(slot, self.now, headers)
        self.delivery.decided(slot)

    def _note_closed(self, effect: ConnectionClosed) -> None:
        slot = effect.slot
        if slot in self._promoted:
            del self._promoted[slot]
        if self._no_connections is not None and not self.machine.slots.connection_count:
            self._no_connections.set()
            self._no_connections = None
        self._calls.disconnected(self._orbiter, slot, effect.reason)
        if self.queues.under_way:
            self.queues.end(DrainingWork(slot))

    def _note_discarded(self, effect: PendingRequestDiscarded) -> None:
        self.delivery.decided(effect.slot)
        if self.queues.under_way:
            self.queues.end(PreparationWork(effect.slot))

    def _headers_on(self, topic: str) -> PublishHeaders | None:
        """Return the headers of what this side publishes to a topic, if it is that of a connection."""
        for slot in self.machine.slots.of_topic(topic):
            if slot.outgoing_data_topic == topic and isinstance(slot.view, Connection):
                return slot.view.headers
        return None

    def pending_request(self, slot: Slot) -> PendingRequest:
        """Return the view for users of a slot that is not a connection yet."""
        if not isinstance(slot.view, PendingRequest):
            slot.view = PendingRequest(slot, self.now)
        return slot.view

    def _tell_opened(self, effect: ConnectionOpened, bus: str | None) -> Waiting:
        slot = effect.slot
        if tells(logging.INFO):
            self._narrator.opened(slot)
        seen = self._promoted.pop(slot, None) if self._promoted else None
        if _PROMOTED in self.hooks.overridden or _PROMOTED in self.hooks.attributes:
            return Later(self._promote, seen or PendingRequest(slot, self.now))
        self.on_connection()
        return None

    async def _promote(self, pending: PendingRequest) -> None:
        await self.hooks.wait_for(_PROMOTED, pending)
        self.on_connection()

    def _tell_closed(self, effect: ConnectionClosed, bus: str | None) -> Waiting:
        slot = effect.slot
        if tells(logging.INFO):
            self._narrator.closed(slot, effect.reason)
        connection, slot.view = slot.view, None
        return self.hooks.start("_on_close_connection", connection, effect.data)

    def _tell_lost(self, effect: RemoteLost, bus: str | None) -> Waiting:
        return self.hooks.start("_on_remote_dead", effect.remote_identifier)

    def _narrate(self, effect: ObstacleMet | SuspicionChanged) -> None:
        self._narrator.tell(effect)

    def _note_will(self, effect: WatchWill) -> None:
        self._wills.watch(effect)

    def _note_compliance(self, effect: ComplianceChanged) -> None:
        self._calls.compliance_changed(self._orbiter, effect.compliant)

    def _tell_compliance(self, effect: ComplianceChanged, bus: str | None) -> Waiting:
        return self.hooks.start("_on_compliant" if effect.compliant else "_on_not_compliant")

    # Messages

    def _tell_message(self, effect: MessageReceived, bus: str | None) -> Waiting:
        message, hooks = effect.message, self.hooks
        names = MESSAGE_HOOKS.get(type(message), ())
        for name in names:
            if name in hooks.overridden or name in hooks.attributes:
                return Later(self._call_in_order, names, message)
        return None

    async def _call_in_order(self, names: Sequence[str], message: ProtocolMessage) -> None:
        argument = message.from_identifier if isinstance(message, _KEEPALIVES) else message
        for name in names:
            await self.hooks.wait_for(name, argument)

    def _before_send(self, effect: Send, name: str) -> Waiting:
        message = effect.message
        if isinstance(message, _CLOSES):
            if effect.connection_identifier is None:
                return None  # of no connection on this side, but of one in which an older peer may believe
            return self.hooks.start(name, effect.remote_identifier or "", message.operation_name, message.data)
        return self.hooks.start(name, message)

    def _send(self, effect: Send, bus: str | None) -> Waiting:
        name, hooks, hook = SEND_HOOKS.get(type(effect.message)), self.hooks, None
        if name in hooks.overridden or name in hooks.attributes:
            hook = self._before_send(effect, name)
        if hook is not None:
            self._announced[effect.event_identifier] = effect, bus
            return Later(self._send_after, hook, effect, bus)
        return self._publish(effect, bus)

    async def _send_after(self, hook: Awaitable[object], effect: Send, bus: str | None) -> None:
        await hook
        if self._announced.pop(effect.event_identifier, None) is not None:
            waiting = self._publish(effect, bus)
            if waiting is not None:
                await waiting

    async def send_held_closes(self) -> None:
        """Send the graceless closes whose hooks hang, or whose hooks have stopped the orbiter."""
        for effect, bus in list(self._announced.values()):
            if isinstance(effect.message, GracelessCloseConnectionMessage):
                del self._announced[effect.event_identifier]
                waiting = self._publish(effect, bus)
                if waiting is not None:
                    await waiting

    def _publish(self, effect: Send, bus: str | None) -> Waiting:
        client = self.client
        event = Event.create(
            effect.message,
            identifier=effect.event_identifier,
            publisher_identifier=client.identifier,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self.incarnation,
            correlation_identifier=effect.correlation_identifier,
            connection_identifier=effect.connection_identifier,
            open_connections=effect.open_connections,
            readable_encodings=READABLE_ENCODINGS,
            late_offers=effect.late_offers,
            traceparent=None if self.tracing is None else self.tracing.traceparent_of(effect),
        )
        try:
            waiting = client.start_publish(effect.topic, event, effect.channel, effect.encoding, bus=bus)
        except (BusError, ValueError) as error:
            self._complain_of(effect, error)
            return None
        return None if waiting is None else Later(self._published, waiting, effect)

    async def _published(self, waiting: Awaitable[None], effect: Send) -> None:
        try:
            await waiting
        except (BusError, ValueError) as error:
            # Strangers name topics, and a topic may be one that the broker does not let this side publish to.
            self._complain_of(effect, error)

    def _complain_of(self, effect: Send, error: Exception) -> None:
        self.complain(
            "%s could not send a %s to %s: %s",
            type(effect.message).__name__,
            effect.remote_identifier or "everybody",
            error,
            remote=effect.remote_identifier,
            operation=operation_of(effect.message),
            connection=effect.connection_identifier,
            topic=effect.topic,
        )

    # Preparation

    def _prepare(self, effect: Prepare, bus: str | None) -> Waiting:
        slot = effect.slot
        if slot.state is not SlotState.PREPARING:
            return None  # it has come to nothing while this waited
        is_core = slot.role is Role.CORE
        data_topic = slot.output_topic if is_core else slot.input_topic
        waiting: list[Any] = []
        try:
            if data_topic is not None:
                data_channel = channels.OPERATION_OUTPUT if is_core else channels.OPERATION_INPUT
                concurrency = self._calls.concurrency(self._orbiter, slot)
                context = self.queues.context
                first = self.client.start_subscribe(
                    data_topic, self.delivery, data_channel, bus=bus, concurrency=concurrency, context=context
                )
                if first is not None:
                    waiting.append(first)
            second = self._subscribe_to(slot.incoming_close_topic, channels.CLOSE, bus)
            if second is not None:
                waiting.append(second)
        except BusError as error:
            self._preparation_failed(effect, error)
            return None
        if waiting:
            return Later(self._subscribed, waiting, effect)
        self._have_prepared(effect)
        return None

    async def _subscribed(self, waiting: list[Any], effect: Prepare) -> None:
        try:
            for one in waiting:
                await one
        except BusError as error:
            self._preparation_failed(effect, error)
        else:
            # It may have come to nothing meanwhile; then what unsubscribes follows in this queue.
            if effect.slot.state is SlotState.PREPARING:
                self._have_prepared(effect)

    def _preparation_failed(self, effect: Prepare, error: BusError) -> None:
        slot, reason = effect.slot, str(error)
        self._narrator.preparation_refused(slot, reason)
        self.submit(self.machine.preparation_failed(slot, effect.connection_identifier, self.now(), reason))

    def _have_prepared(self, effect: Prepare) -> None:
        """Let the user prepare, and report."""
        slot = effect.slot
        data = self._calls.prepare(self._orbiter, slot)
        if data is None or isinstance(data, bytes):
            self.submit(self.machine.prepared(slot, effect.connection_identifier, self.now(), data))
        else:
            # In a queue of its own: the user may take long, and keepalives with the same remote must not wait for that.
            self.queues.submit(PreparationWork(slot), partial(self._report_prepared, effect, data))

    async def _report_prepared(self, effect: Prepare, preparation: Awaitable[bytes | None]) -> None:
        slot, identifier = effect.slot, effect.connection_identifier
        if self.tracing is not None:
            preparation = self.tracing.prepare(slot, preparation)
        try:
            data = await preparation
        except (Exception, asyncio.CancelledError) as error:  # whatever it is, the handshake comes to nothing
            if is_being_cancelled():
                raise
            reason = self._narrator.preparation_raised(slot, error)
            self.submit(self.machine.preparation_failed(slot, identifier, self.now(), reason))
        else:
            self.submit(self.machine.prepared(slot, identifier, self.now(), data))

    # End

    def _drain(self, effect: Drain, bus: str | None) -> Waiting:
        slot = effect.slot
        if self.delivery.is_busy(slot):
            self.queues.submit(DrainingWork(slot), partial(self._report_drained, slot))
        else:
            self.submit(self.machine.drained(slot, self.now()))
        return None

    async def _report_drained(self, slot: Slot) -> None:
        await self.delivery.handled(slot)
        self.submit(self.machine.drained(slot, self.now()))

    def _subscribe(self, effect: Subscribe, bus: str | None) -> Waiting:
        topic, failure = effect.topic, "cannot wait for an acknowledgement"
        try:
            waiting = self._subscribe_to(topic, channels.CLOSE_ACK, bus)
        except BusError as error:
            self._warn_of(effect.remote_identifier, topic, failure, error)
            return None
        return None if waiting is None else Later(self._attempt, waiting, effect.remote_identifier, topic, failure)

    def _unsubscribe(self, effect: Unsubscribe, bus: str | None) -> Waiting:
        # A layout of the user's own may have one topic for several connections.
        topics = [
            topic
            for topic in effect.topics
            if not [slot for slot in self.machine.slots.of_topic(topic) if topic in slot.local_topics]
        ]
        waiting = self.client.start_unsubscribe(topics)
        if waiting is None:
            return None
        return Later(self._attempt, waiting, effect.remote_identifier, ", ".join(topics), "cannot unsubscribe")

    async def _attempt(self, waiting: Awaitable[None], remote: str, topic: str, failure: str) -> None:
        try:
            await waiting
        except BusError as error:
            self._warn_of(remote, topic, failure, error)

    def _warn_of(self, remote: str, topic: str, failure: str, error: BusError) -> None:
        fields = {"remote": remote, "topic": topic}
        self._logger.warning("%s %s: %s", self.identifier, failure, error, extra=fields)

    def complain(self, text: str, *arguments: object, **fields: str | None) -> None:
        """Log a warning that strangers can cause, but not too often."""
        self._complaints.warning(text, self.identifier, *arguments, **fields)

    # How effects are carried out

    _steps: ClassVar[Mapping[type[object], tuple[Callable[..., None] | None, Callable[..., Waiting] | None]]] = {
        Send: (None, _send),
        MessageReceived: (None, _tell_message),
        Prepare: (None, _prepare),
        ConnectionOpened: (_note_opened, _tell_opened),
        ConnectionClosed: (_note_closed, _tell_closed),
        PendingRequestDiscarded: (_note_discarded, None),
        ObstacleMet: (_narrate, None),
        RemoteLost: (None, _tell_lost),
        WatchWill: (_note_will, None),
        SuspicionChanged: (_narrate, None),
        ComplianceChanged: (_note_compliance, _tell_compliance),
        Drain: (None, _drain),
        Subscribe: (None, _subscribe),
        Unsubscribe: (None, _unsubscribe),
    }
    """For each kind of effect: a function that notes at once what it changes, and one that carries it out in its turn.

    The second one gets the bus of the remote, which may have changed by then.
    """


def _itself(waiting: Awaitable[Any]) -> Waiting:
    """Return what has to be awaited."""
    return waiting


def _key_of(effect: Effect) -> Hashable:
    """Return in which queue an effect waits for its turn."""
    return _OWN_KEY if type(effect) is ComplianceChanged else effect.remote_identifier


def _replaced_kind(effect: Effect) -> Hashable | None:
    """Return the kind of earlier work that an effect replaces, so that periodic work does not pile up."""
    return (effect.channel.address, effect.topic) if isinstance(effect, Send) and effect.replaces_earlier else None


def _size_of(effect: Effect) -> int:
    """Return how many bytes an effect takes while it waits: those of its message."""
    if isinstance(effect, (Send, MessageReceived)):
        from orbitalis_wire.codecs import CODEC_BY_CLASS  # which takes long to import, and is needed for nothing else

        with suppress(ValueError):  # what cannot be written is not sent in its turn, either
            return len(CODEC_BY_CLASS[type(effect.message)].encode(effect.message))
    return 0
