"""Between an orbiter's state machine and the event bus: events in, effects out, hooks called where they belong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from orbitalis.bus.stamp import TopicStamp
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.errors import BusError, RemoteProtocolError
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis.orbiter.channel_receiver import ChannelReceiver
from orbitalis.orbiter.connection import Connection, PendingRequest
from orbitalis.orbiter.connection_data import ConnectionData
from orbitalis.orbiter.lanes import Lanes, is_being_cancelled
from orbitalis.orbiter.overruns import Overruns
from orbitalis.orbiter.slot_lanes import DrainingLane, PreparationLane
from orbitalis.orbiter.whereabouts import Whereabouts
from orbitalis.protocol.effects import (
    ComplianceChanged,
    ConnectionClosed,
    ConnectionOpened,
    Drain,
    Effect,
    MessageReceived,
    PendingRequestDiscarded,
    Prepare,
    ProtocolMessage,
    RemoteLost,
    Send,
    Subscribe,
    Unsubscribe,
    sender_of,
)
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis.protocol.weight import weigh
from orbitalis_wire import PROTOCOL_VERSION, channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
)

if TYPE_CHECKING:
    from orbitalis.orbiter.orbiter import Orbiter

__all__ = ["Carrier"]

# pyright: reportPrivateUsage=false
# The orbiter's hooks are private to users, who override but do not call them. This module does.

_ENDS_OF_GRACEFUL_CLOSES: Final = (GracefulCloseConnectionMessage, CloseConnectionAckMessage)
_LONGEST_DRAINING: Final = 8
"""Graceful closes and acknowledgements of one connection that wait; more are repetitions, or not the remote's."""
_READABLE_ENCODINGS: Final = tuple(encoding.value for encoding in Encoding)
_OWN_LANE: Final = ("compliance",)


class Carrier:
    """Carries between one orbiter, its state machine and its client of the bus."""

    def __init__(self, orbiter: Orbiter, protocol: OrbiterProtocol) -> None:
        self._orbiter = orbiter
        self._protocol = protocol
        self._logger = FieldLogger(logging.getLogger(__name__), orbiter=orbiter.identifier)
        self._complaints = ThrottledLog(self._logger)
        self._overruns = Overruns(self._logger, orbiter.identifier, protocol.statistics)
        self._whereabouts = Whereabouts(protocol)
        self.data = ConnectionData(orbiter, protocol, self._whereabouts, self._complain)
        """What takes the data of connections."""
        self.incarnation = ""
        """Which life of the orbiter this is."""
        self.lanes = Lanes(orbiter.identifier)
        """What is to be done, in order for each remote."""
        self.connections: dict[Slot, Connection] = {}
        """What users see of the slots that are connections."""
        self._no_connections = asyncio.Event()
        """Set when the last connection has been closed."""
        self._pending_requests: dict[Slot, PendingRequest] = {}
        self._announced: dict[str, tuple[Send, str | None]] = {}
        """By event identifier: messages, with their bus, whose hook has been called and has not returned."""

    def begin(self, incarnation: str) -> None:
        """Prepare for another life of the orbiter."""
        self._announced.clear()
        self._whereabouts.clear()
        self.incarnation = incarnation
        self.lanes.begin()

    def clear(self) -> None:
        """Forget all connections, and what is about to be sent."""
        for slot in list(self.connections):
            self._disconnect(slot)
        self._pending_requests.clear()
        self._announced.clear()

    async def all_disconnected(self) -> None:
        """Wait until there is no connection."""
        while self.connections:
            self._no_connections.clear()
            await self._no_connections.wait()

    def pending_request(self, slot: Slot) -> PendingRequest:
        """Return what users see of a slot that is not a connection yet."""
        return self._pending_requests.setdefault(slot, PendingRequest(slot, self._now))

    # In

    def receiver(self, channel: channels.Channel) -> ChannelReceiver:
        """Return what takes the messages of a channel from the bus, and no others."""
        return ChannelReceiver(channel, self._receive, self._refuse)

    def _refuse(self, channel: channels.Channel, topic: str, kind: str) -> None:
        self._protocol.statistics.misplaced += 1
        self._complain(
            "%s ignores %s on topic %r, which is no message of channel '%s'", kind, topic, channel.key, topic=topic
        )

    def _receive(self, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        sender = sender_of(message)
        if self._is_overloaded(sender):
            self._protocol.statistics.overloaded += 1
            self._complain(
                "%s ignores a message on topic %r of %r: too much is still to be done",
                topic,
                sender,
                topic=topic,
                remote=sender,
            )
            return
        if not self._whereabouts.admits(message, event):
            self._protocol.statistics.misled += 1
            self._complain(
                "%s ignores a message on topic %r of a second %r, on bus %s: it has to do with the one on bus %s",
                topic,
                sender,
                event.origin,
                self._whereabouts.bus_of(sender),
                topic=topic,
                remote=sender,
                bus=event.origin,
            )
            return
        if isinstance(message, _ENDS_OF_GRACEFUL_CLOSES):
            slot = self._protocol.slots.get(sender, message.operation_name)
            # An open connection drains in a state of its own.
            if slot is not None and not slot.is_open and self.data.is_busy(slot):
                lane = DrainingLane(slot)
                if self.lanes.length(lane) < _LONGEST_DRAINING:
                    self.lanes.submit(lane, partial(self._handle_drained, slot, topic, message, event))
                return
        self._handle(topic, message, event)

    def _is_overloaded(self, sender: str) -> bool:
        """Return whether so much waits, for the hooks or the bus, that no more may be taken of a remote."""
        orbiter, lanes = self._orbiter, self.lanes
        return (
            lanes.length(sender) >= orbiter.maximum_waiting_work_of_remote
            or lanes.bytes(sender) >= orbiter.maximum_waiting_work_bytes / 2
            or len(lanes) >= orbiter.maximum_waiting_work
            or lanes.waiting_bytes >= orbiter.maximum_waiting_work_bytes
        )

    async def _handle_drained(self, slot: Slot, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        """Let a connection end gracefully when what has come on it is done; a graceless close ends it before."""
        await self.data.handled(slot)
        self._handle(topic, message, event)

    def _handle(self, topic: str, message: ProtocolMessage, event: Event[Any]) -> None:
        sender = sender_of(message)
        try:
            effects = self._protocol.handle(topic, message, event.envelope, self._now())
        except RemoteProtocolError as error:
            self._complain("%s ignores a message on topic %r: %s", topic, error, topic=topic, remote=sender)
            effects = self._protocol.take()
        self.submit(effects)

    def reconnected(self) -> None:
        """Take the report that the bus was away."""
        self.submit(self._protocol.reconnected(self._now()))

    # Out

    def submit(self, effects: Iterable[Effect]) -> set[Hashable]:
        """Have effects carried out soon; what has to be known at once is noted now. Return the lanes."""
        keys: set[Hashable] = set()
        for effect in effects:
            # Hooks that tell of the core as a whole must not hold up what is for everybody.
            key = _OWN_LANE if isinstance(effect, ComplianceChanged) else effect.remote_identifier
            weight = weigh(effect.message) if isinstance(effect, MessageReceived | Send) else 0
            self.lanes.submit(key, self._work(effect), weight, instead_of=_replaced_kind(effect))
            keys.add(key)
        self._orbiter._orbiter_loop.look_again()
        self._overruns.report()
        return keys

    async def carry_out(self, effects: Iterable[Effect]) -> None:
        """Carry effects out. Called by a hook, it does not wait for that: one hook might wait for another."""
        await self.settle(self.submit(effects))

    async def settle(self, keys: Iterable[Hashable]) -> None:
        """Wait until what is to be done in some lanes is done, unless a hook calls this."""
        if not self.lanes.is_around and not self._orbiter._orbiter_loop.is_around:
            await asyncio.gather(*(self.lanes.reached(key) for key in keys))

    def _work(self, effect: Effect) -> Callable[[], Coroutine[Any, Any, None]]:
        # Where the remote is now, not when its turn comes: it may have moved by then.
        bus = self._whereabouts.bus_of(effect.remote_identifier)
        match effect:
            case ConnectionOpened(slot=slot):
                connection = self._connect(slot)
                pending = self._pending_requests.pop(slot, None) or PendingRequest(slot, self._now)
                self.data.decided(slot)
                return lambda: self._tell_opened(connection, pending)
            case ConnectionClosed(slot=slot):
                connection = self._disconnect(slot)
                self._orbiter._on_disconnected(slot, effect.reason)
                self.lanes.end(DrainingLane(slot))
                return lambda: self._tell_closed(connection, effect)
            case PendingRequestDiscarded(slot=slot):
                self._pending_requests.pop(slot, None)
                self.data.decided(slot)
                self.lanes.end(PreparationLane(slot))
                return _nothing
            case ComplianceChanged():
                self._orbiter._on_compliance_changed(effect)
                return lambda: self._orbiter._after_compliance_changed(effect)
            case RemoteLost(remote_identifier=identifier):
                return lambda: self._tell_lost(identifier)
            case MessageReceived():
                return lambda: self._orbiter._on_message(effect)
            case Send():
                return lambda: self._send(effect, bus)
            case Prepare():
                return lambda: self._prepare(effect, bus)
            case Drain(slot=slot):
                self.lanes.submit(DrainingLane(slot), lambda: self._drain(slot))
                return _nothing
            case Subscribe(topic=topic):
                return lambda: self._subscribe(topic, bus)
            case Unsubscribe(topics=topics):
                return lambda: self._unsubscribe(topics)

    def _connect(self, slot: Slot) -> Connection:
        remote = self._protocol.acquaintances.get(slot.remote_identifier)
        stamp = TopicStamp(
            encoding=Encoding.JSON if remote is None else remote.encoding,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self.incarnation,
            # An older peer knows no headers, and has not got this one in its messages either.
            connection_identifier=slot.connection_identifier,
            readable_encodings=_READABLE_ENCODINGS,
            channel=channels.OPERATION_INPUT if slot.role is Role.CORE else channels.OPERATION_OUTPUT,
            bus=self._whereabouts.bus_of(slot.remote_identifier),
        )
        connection = self.connections[slot] = Connection(slot, self._now, stamp)
        if slot.outgoing_data_topic is not None:
            self._orbiter.eventbus_client.topic_stamps[slot.outgoing_data_topic] = stamp
        return connection

    def _disconnect(self, slot: Slot) -> Connection:
        connection, topic = self.connections.pop(slot), slot.outgoing_data_topic
        if topic is not None:
            stamps = self._orbiter.eventbus_client.topic_stamps
            stamps.pop(topic, None)
            for other in self._protocol.slots.of_topic(topic):
                if other in self.connections and other.outgoing_data_topic == topic:
                    stamps[topic] = self.connections[other].stamp
        if not self.connections:
            self._no_connections.set()
        return connection

    async def _tell_opened(self, connection: Connection, pending: PendingRequest) -> None:
        await self._orbiter._call(self._orbiter._on_promote_pending_request_to_connection, pending)
        self._orbiter.new_connection_added_event.set()

    async def _tell_closed(self, connection: Connection, effect: ConnectionClosed) -> None:
        self._logger.info(
            "%s: connection with %s for %s is no more: %s",
            self._orbiter.identifier,
            effect.remote_identifier,
            connection.operation_name,
            effect.reason,
            extra=_fields(effect.slot),
        )
        await self._orbiter._call(self._orbiter._on_close_connection, connection, effect.data)

    async def _tell_lost(self, remote_identifier: str) -> None:
        await self._orbiter._call(self._orbiter._on_remote_dead, remote_identifier)

    async def send_held_closes(self) -> None:
        """Send the graceless closes whose hooks hang, or are what stops the orbiter."""
        for effect, bus in list(self._announced.values()):
            if isinstance(effect.message, GracelessCloseConnectionMessage):
                del self._announced[effect.event_identifier]
                await self._publish(effect, bus)

    async def _send(self, effect: Send, bus: str | None) -> None:
        self._announced[effect.event_identifier] = effect, bus
        await self._orbiter._before_send(effect)
        if self._announced.pop(effect.event_identifier, None) is not None:
            await self._publish(effect, bus)

    async def _publish(self, effect: Send, bus: str | None) -> None:
        client = self._orbiter.eventbus_client
        event = Event.create(
            effect.message,
            identifier=effect.event_identifier,
            publisher_identifier=client.identifier,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self.incarnation,
            correlation_identifier=effect.correlation_identifier,
            connection_identifier=effect.connection_identifier,
            open_connections=effect.open_connections,
            readable_encodings=_READABLE_ENCODINGS,
            late_offers=effect.late_offers,
        )
        try:
            await client.publish(effect.topic, event, channel=effect.channel, encoding=effect.encoding, bus=bus)
        except (BusError, ValueError) as error:
            # Strangers name topics, and a topic may be one that the broker does not let this side publish to.
            self._complain(
                "%s could not send a %s to %s: %s",
                type(effect.message).__name__,
                effect.remote_identifier or "everybody",
                error,
                remote=effect.remote_identifier,
                connection=effect.connection_identifier,
                topic=effect.topic,
            )

    async def _prepare(self, effect: Prepare, bus: str | None) -> None:
        slot, client = effect.slot, self._orbiter.eventbus_client
        if slot.state is not SlotState.PREPARING:
            return  # it has come to nothing while this waited
        data_channel = channels.OPERATION_OUTPUT if slot.role is Role.CORE else channels.OPERATION_INPUT
        try:
            if slot.data_topic is not None:
                await client.subscribe(slot.data_topic, self.data, channel=data_channel, bus=bus)
            receive = self.receiver(channels.CLOSE)
            await client.subscribe(slot.incoming_close_topic, receive, channel=channels.CLOSE, bus=bus)
        except BusError as error:
            self._complain(
                "%s cannot prepare operation %r for %r: %s",
                slot.operation_name,
                slot.remote_identifier,
                error,
                **_fields(slot),
            )
            self.submit(self._protocol.preparation_failed(slot, effect.connection_identifier, self._now()))
        else:
            if slot.state is not SlotState.PREPARING:
                return  # it has so meanwhile; what unsubscribes follows in this lane
            # In a lane of its own: the user may take long, and keepalives with the same remote must not wait for that.
            self.lanes.submit(PreparationLane(slot), lambda: self._have_prepared(slot, effect.connection_identifier))

    async def _have_prepared(self, slot: Slot, identifier: str) -> None:
        """Let the user prepare, and report."""
        try:
            data = await self._orbiter._prepare(slot)
        except (Exception, asyncio.CancelledError):  # whatever the user's hook raises, the handshake comes to nothing
            if is_being_cancelled():
                raise
            self._logger.exception(
                "%s cannot prepare operation %s for %s",
                self._orbiter.identifier,
                slot.operation_name,
                slot.remote_identifier,
                extra=_fields(slot),
            )
            self.submit(self._protocol.preparation_failed(slot, identifier, self._now()))
        else:
            self.submit(self._protocol.prepared(slot, identifier, self._now(), data))

    async def _drain(self, slot: Slot) -> None:
        await self.data.handled(slot)
        self.submit(self._protocol.drained(slot, self._now()))

    async def _subscribe(self, topic: str, bus: str | None) -> None:
        try:
            await self._orbiter.eventbus_client.subscribe(
                topic, self.receiver(channels.CLOSE_ACK), channel=channels.CLOSE_ACK, bus=bus
            )
        except BusError as error:
            self._logger.warning(
                "%s cannot wait for an acknowledgement: %s", self._orbiter.identifier, error, extra={"topic": topic}
            )

    async def _unsubscribe(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            # A layout of the user's own may have one topic for several connections.
            if any(topic in slot.local_topics for slot in self._protocol.slots.of_topic(topic)):
                continue
            try:
                await self._orbiter.eventbus_client.unsubscribe(topic)
            except BusError as error:
                self._logger.warning(
                    "%s cannot unsubscribe: %s", self._orbiter.identifier, error, extra={"topic": topic}
                )

    def _complain(self, text: str, *arguments: object, **fields: str | None) -> None:
        self._complaints.warning(text, self._orbiter.identifier, *arguments, **fields)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _replaced_kind(effect: Effect) -> Hashable | None:
    """Return what earlier work an effect makes up for: while the bus is away, what is periodic must not pile up."""
    return (effect.channel.address, effect.topic) if isinstance(effect, Send) and effect.replaces_earlier else None


def _fields(slot: Slot) -> dict[str, str]:
    """Return what a line of the log that is about a slot has as fields."""
    return {
        "remote": slot.remote_identifier,
        "operation": slot.operation_name,
        "connection": slot.connection_identifier,
    }


async def _nothing() -> None:
    """Do nothing, in its turn."""
