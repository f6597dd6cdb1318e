"""The state machine of one orbiter: dispatches messages and deadlines to its parts, and collects their effects.

It does no input or output, and has neither clock nor log. Its caller hands in messages, reports and the time, and
carries out the effects that come back. Times are seconds on any monotonic clock of the caller.

The parts, each of which owns its state:

- `peers`: the known remotes, their incarnations, and when they were last seen;
- `slots`: handshakes under way and connections, with their indexes; `Lifecycle` has the steps that change them;
- `Quotas`: every limit on what others can use up;
- `Liveness`: keepalives, and remotes that are dead;
- `Incarnations`: remotes that were restarted, or claim it;
- `Suspicions`: wills of remotes;
- `Namesakes`: two orbiters with one identifier;
- `Closing`: graceful and graceless closes;
- `provider` (plugin) or `requester` (core): the handshake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

from orbitalis.arguments import did_you_mean
from orbitalis.errors import NoConnectionError, RemoteProtocolError
from orbitalis.protocol.closing import Closing, never
from orbitalis.protocol.config import CoreConfig, OrbiterConfig, PluginConfig, RequirementTerms
from orbitalis.protocol.effects import SENDER, CloseReason, Effect, ProtocolMessage
from orbitalis.protocol.handshake.provider import Provider
from orbitalis.protocol.handshake.requester import Requester
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.incarnations import Incarnations
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.namesakes import Namesakes
from orbitalis.protocol.obstacles import Obstacle, ObstacleKind, Obstacles
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import IncarnationStatus, Peers, PeerTopics
from orbitalis.protocol.quotas import Quotas
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.suspicions import Suspicions
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import messages
from orbitalis_wire.topics import KeepaliveRequestTopic, KeepaliveTopic

__all__ = ["CoreMachine", "Machine", "PluginMachine"]

_Receiver: TypeAlias = tuple[int, Callable[[Any, str, Any, Headers, float], None]]
"""The receiver of a message: the number of the part, and its method. A bound method would take 64 bytes."""
_ROLE, _LIVENESS, _CLOSING, _SUSPICIONS = range(4)
_SHARED: Final[Mapping[type[object], _Receiver]] = {
    messages.KeepaliveMessage: (_LIVENESS, Liveness.on_keepalive),
    messages.KeepaliveRequestMessage: (_LIVENESS, Liveness.on_keepalive_request),
    messages.GracefulCloseConnectionMessage: (_CLOSING, Closing.on_close),
    messages.GracelessCloseConnectionMessage: (_CLOSING, Closing.on_close),
    messages.CloseConnectionAckMessage: (_CLOSING, Closing.on_close_ack),
    messages.WillMessage: (_SUSPICIONS, Suspicions.on_will),
}


class Machine:
    """The base of both machines.

    Public methods return the effects of the call. A late, duplicated or foreign message has no effects. A message that
    breaks the protocol raises :class:`~orbitalis.errors.RemoteProtocolError`. The effects before the error are returned
    by :meth:`take`, or by the next call.
    """

    role: ClassVar[Role]
    _receivers: ClassVar[Mapping[type[object], _Receiver]]
    """The receiver of each message. Other messages are not for this role."""

    def __init__(
        self,
        config: OrbiterConfig,
        *,
        new_identifier: Callable[[], str],
        new_challenge: Callable[[], str],
        is_own: Callable[[str], bool],
    ) -> None:
        """Make a machine that takes no part yet.

        `new_identifier` gives an identifier that is new each time, `new_challenge` one that nobody can guess either,
        and `is_own` says whether it is one of these.
        """
        self.running = False
        """Whether the orbiter takes part."""
        self.statistics = OrbiterStatistics()
        """The counters."""
        self.slots = SlotTable()
        """All connections and handshakes."""
        self.peers = Peers(config, self.statistics)
        """All known remotes."""
        self.quotas = Quotas(config, self.slots, self.statistics)
        """All limits on what others can use up."""
        self.obstacles = Obstacles(config, self.slots)
        """The reasons why operations were not connected."""
        self._config = config
        self._resolver = resolver = TopicResolver(self.role, config.identifier)
        self._outbox = outbox = Outbox(self.peers, new_identifier, new_challenge)
        self._lifecycle = lifecycle = Lifecycle(self.role, config, self.slots, self.peers, outbox)
        self._liveness = liveness = Liveness(config, self.peers, self.slots, lifecycle, resolver, outbox)
        self.namesakes = liveness.namesakes = Namesakes(config, outbox, liveness, self.statistics, is_own)
        """What is known of two orbiters with one identifier."""
        self._incarnations = Incarnations(config, self.peers, self.slots, lifecycle, liveness, outbox)
        self._suspicions = lifecycle.suspicions = Suspicions(config, self.peers, liveness, outbox)
        self._closing = Closing(config, self.slots, lifecycle, liveness, resolver, outbox)

    @property
    def leaving(self) -> bool:
        """Whether it begins no new connections, and only waits until its connections have ended."""
        return self.quotas.is_closed

    def _set_part(self, part: Provider | Requester) -> None:
        self._part = part
        self._parts = part, self._liveness, self._closing, self._suspicions
        self._timed = (
            self.peers.deadlines,
            self._lifecycle.deadlines,
            self._suspicions.deadlines,
            part.waiting_queries.deadlines if isinstance(part, Provider) else part,
        )
        self._lifecycle.role = self._liveness.role = part

    # Life

    def start(self, now: float) -> list[Effect]:
        """Begin to take part."""
        self.running = True
        self.quotas.is_closed = False
        self.namesakes.start(now)
        self._part.start(now)
        return self._outbox.take()

    def stop(self, close_data: Mapping[Slot, bytes | None] | None = None) -> list[Effect]:
        """Close everything gracelessly, with the given data, and stop taking part."""
        for slot in self.slots:
            if slot.is_connection:
                self._lifecycle.send_graceless_close(slot, close_data.get(slot) if close_data else None)
                self._lifecycle.release(slot, SlotTrigger.STOPPED, CloseReason.STOPPED)
            else:
                self._lifecycle.give_up(slot, SlotTrigger.STOPPED)
        self._part.stop()
        self.obstacles.clear()
        self.running = False
        self.peers.clear()
        self._suspicions.clear()
        self._lifecycle.clear()
        return self._outbox.take()

    def leave(self) -> list[Effect]:
        """Begin no new connections until the next start, and give up the handshakes under way."""
        self.quotas.is_closed = True
        self._part.leave()
        for slot in self.slots:
            if not slot.is_connection:
                self._lifecycle.give_up(slot, SlotTrigger.STOPPED)
        return self._outbox.take()

    def take(self) -> list[Effect]:
        """Return the effects of a call that has raised."""
        return self._outbox.take()

    def _configured(self, config: OrbiterConfig, now: float) -> list[Effect]:
        """Give all parts but the role's a new snapshot; return the effects of both."""
        self._config = config
        parts = (self.peers, self.quotas, self.obstacles, self._lifecycle, self._liveness, self._closing)
        for part in (*parts, self._suspicions, self.namesakes, self._incarnations):
            part.configure(config)
        return self._settled(now)

    def _settled(self, now: float) -> list[Effect]:
        """Return the effects of a call, and of the conclusions that the role draws from it."""
        if self.running:
            self._part.settle(now)
        return self._outbox.take()

    # What arrives

    def handle(self, topic: str, message: ProtocolMessage, headers: Headers, now: float) -> list[Effect]:
        """Take a message of the protocol that arrived on `topic`.

        Raises:
            RemoteProtocolError: The remote broke the protocol.
        """
        if not self.running:
            return self._outbox.take()
        sender = SENDER[type(message)](message)
        try:
            is_bound = self._resolver.check_event(topic, sender, headers)
            peer = self.peers.get(sender)
            if self.quotas.admit(sender, peer, is_proven=is_bound, now=now):
                if type(message) in self._receivers:
                    part, receive = self._receivers[type(message)]
                    if sender == self._config.identifier:
                        self.namesakes.heard_own(message, headers, now)
                    else:
                        try:
                            if (
                                peer is None
                                or peer.incarnation == headers.incarnation
                                or self._incarnations.admits(peer, topic, message, headers, now, is_bound=is_bound)
                            ):
                                receive(self._parts[part], topic, message, headers, now)
                        finally:
                            self._part.settle(now)
                if not self._outbox.effects:
                    self.statistics.ignored += 1
        except RemoteProtocolError:
            self.statistics.refused += 1
            raise
        return self._outbox.take()

    def is_ahead_of_confirm(self, slot: Slot, headers: Headers) -> bool:
        """Return whether an output belongs to a request that the plugin has taken but not confirmed yet."""
        return slot.state is SlotState.REQUESTED and headers.connection_identifier in (None, slot.connection_identifier)

    def data_received(self, slot: Slot, headers: Headers, now: float) -> bool:
        """Note an input or output of a connection, and return whether the user gets it."""
        if slot.state is not SlotState.OPEN and not slot.is_connection:
            return False
        connection = headers.connection_identifier
        if connection is not None and connection != slot.connection_identifier:
            return False
        peer = self.peers.get(slot.remote_identifier)
        if peer is not None:
            incarnation = headers.incarnation
            if (
                incarnation is not None
                and incarnation != peer.incarnation
                and peer.status(headers) is not IncarnationStatus.CURRENT
            ):
                return False
            if peer.probed_at is None and not peer.is_dead:
                if now > peer.last_seen:
                    peer.last_seen = now
            else:
                self.peers.seen(peer, now)
        if now > slot.last_used:
            slot.last_used = now
        return True

    def prepared(
        self, slot: Slot, connection_identifier: str, now: float, setup_data: bytes | None = None
    ) -> list[Effect]:
        """Note that the preparation of a slot is done. `setup_data` comes from the user of a core."""
        if slot.state is SlotState.PREPARING and slot.connection_identifier == connection_identifier:
            if self.role is Role.CORE:
                slot.setup_data = setup_data
            self._part.prepared(slot, now)
        return self._settled(now)

    def preparation_failed(self, slot: Slot, connection_identifier: str, now: float, reason: str = "") -> list[Effect]:
        """Note that the preparation of a slot has failed. `reason` is a text for people."""
        if slot.state is SlotState.PREPARING and slot.connection_identifier == connection_identifier:
            remote, name, kind = slot.remote_identifier, slot.operation_name, ObstacleKind.PREPARATION
            self.obstacles.note(Obstacle(remote_identifier=remote, operation_name=name, kind=kind, detail=reason))
            self._lifecycle.give_up(slot, SlotTrigger.PREPARATION_FAILED)
        return self._settled(now)

    def drained(self, slot: Slot, now: float) -> list[Effect]:
        """Note that all data of a connection that arrived before the remote's close is handled."""
        self._closing.drained(slot)
        return self._settled(now)

    def reconnected(self, now: float) -> list[Effect]:
        """Note that the bus was away, so that messages of both sides may be lost."""
        if self.running:
            self._liveness.reconnected(now)
            self._part.reconnected(now)
        return self._outbox.take()

    def cancel_suspicions(self, remote_identifiers: Iterable[str]) -> list[Effect]:
        """Note that a bus was lost. Wills of its remotes do not count any more."""
        self._suspicions.cancel(remote_identifiers)
        return self._outbox.take()

    # What the user wants

    def touch(self, slot: Slot, now: float) -> None:
        """Note that a connection was used."""
        if now > slot.last_used:
            slot.last_used = now

    def connection(self, remote_identifier: str, operation_name: str) -> Slot:
        """Return the connection of a remote and an operation, also if it is closing.

        Raises:
            NoConnectionError: There is none. All methods that take a remote and an operation raise this.
        """
        slot = self.slots.get(remote_identifier, operation_name)
        if slot is None or not slot.is_connection:
            raise NoConnectionError(
                f"'{self._config.identifier}' has no connection with '{remote_identifier}' "
                f"for operation '{operation_name}'{self._near(remote_identifier, operation_name)}"
            )
        return slot

    def _near(self, remote_identifier: str, operation_name: str) -> str:
        """Return what may have been meant by a remote and an operation between which there is no connection."""
        connected = [slot for slot in self.slots if slot.is_connection]
        operations = {slot.operation_name for slot in connected if slot.remote_identifier == remote_identifier}
        if operations:
            return did_you_mean(operation_name, operations)
        remotes = {slot.remote_identifier for slot in connected}
        return did_you_mean(remote_identifier, remotes) if remotes else ""

    def close_gracelessly(
        self, remote_identifier: str, operation_name: str, data: bytes | None, now: float
    ) -> list[Effect]:
        """Close a connection at once."""
        self._closing.close_gracelessly(self.connection(remote_identifier, operation_name), data, now)
        return self._settled(now)

    def close_gracefully(
        self, remote_identifier: str, operation_name: str, data: bytes | None, now: float
    ) -> list[Effect]:
        """Ask the remote to close a connection. This side closes it when the remote has acknowledged.

        It does nothing if the connection is closing already.
        """
        self._closing.close_gracefully(self.connection(remote_identifier, operation_name), data, now)
        return self._settled(now)

    def close_here(self, remote_identifier: str, operation_name: str, now: float) -> list[Effect]:
        """Close a connection on this side, and tell the remote nothing."""
        slot = self.connection(remote_identifier, operation_name)
        self._lifecycle.release(slot, SlotTrigger.CLOSED_HERE, CloseReason.LOCAL)
        return self._settled(now)

    def send_keepalive(self, remote_identifier: str, now: float) -> list[Effect]:
        """Send a keepalive to a remote. Raises :class:`NoConnectionError` if its keepalive topic is not known."""
        peer = self.peers.get(remote_identifier)
        if peer is None or peer.keepalive_topic is None:
            raise NoConnectionError(f"'{self._config.identifier}' knows no keepalive topic of '{remote_identifier}'")
        self._liveness.send_keepalive(peer, now)
        return self._outbox.take()

    def send_keepalive_request(self, remote_identifier: str, now: float) -> list[Effect]:
        """Ask a remote for a keepalive. Raises :class:`NoConnectionError` if its topic for that is not known."""
        peer = self.peers.get(remote_identifier)
        if peer is None or peer.keepalive_request_topic is None:
            raise NoConnectionError(
                f"'{self._config.identifier}' knows no keepalive request topic of '{remote_identifier}'"
            )
        self._liveness.send_keepalive_request(peer, now)
        return self._outbox.take()

    def update_peer(
        self, remote_identifier: str, keepalive_topic: str, keepalive_request_topic: str, considers_me_dead_after: float
    ) -> None:
        """Change the topics and the time that a remote has told.

        Raises:
            NoConnectionError: The remote is not known.
            RemoteProtocolError: It is not possible to publish to one of the topics.
        """
        peer = self.peers.get(remote_identifier)
        if peer is None:
            raise NoConnectionError(f"'{self._config.identifier}' knows no remote '{remote_identifier}'")
        resolve = self._resolver.resolve
        topics = PeerTopics(
            keepalive_topic=resolve(KeepaliveTopic, remote_identifier, keepalive_topic),
            keepalive_request_topic=resolve(KeepaliveRequestTopic, remote_identifier, keepalive_request_topic),
            considers_me_dead_after=considers_me_dead_after,
        )
        self.peers.told(peer, topics)

    # What time brings

    def discard_expired(self, now: float) -> list[Effect]:
        """Forget offers and requests that were not answered in time, and other data whose time is over."""
        self._part.do_due(now)
        for slot in self._lifecycle.pop_expired(now):
            self._lifecycle.give_up(slot)
        return self._settled(now)

    def lose_dead_remotes(self, now: float) -> list[Effect]:
        """Close all connections with dead remotes, and ask suspected ones for a keepalive."""
        self._liveness.lose_dead_remotes(now)
        if self._suspicions.recent:
            self._suspicions.do_due(now)
        return self._settled(now)

    def send_due_keepalives(self, now: float) -> list[Effect]:
        """Send the keepalives that are due, and ask for those that are overdue."""
        self._liveness.send_due_keepalives(now)
        return self._outbox.take()

    def unused_connections(self, now: float, is_in_use: Callable[[Slot], bool] = never) -> list[Slot]:
        """Return the open connections that were not used for `close_connection_if_unused_after` seconds.

        For those that are in use now, as `is_in_use` says, the time begins anew.
        """
        return self._closing.unused_connections(now, is_in_use)

    def close_unused(
        self, slot: Slot, data: bytes | None, now: float, is_in_use: Callable[[Slot], bool] = never
    ) -> list[Effect]:
        """Gracefully close connections that `unused_connections` returned, unless they are used now or have ended."""
        if self._closing.is_unused(slot, now, is_in_use):
            self._closing.close_gracefully(slot, data, now)
        return self._settled(now)

    def overdue_closes(self, now: float) -> list[Slot]:
        """Return the connections whose graceful close was not acknowledged in time, by either side."""
        return self._lifecycle.pop_overdue_closes(now)

    def deadline_has_moved(self) -> bool:
        """Return whether something may be due earlier than when this was asked last."""
        peers, slots, suspicions, role = self._timed
        if not (peers.has_moved or slots.has_moved or suspicions.has_moved or role.has_moved):
            return False
        peers.has_moved = slots.has_moved = suspicions.has_moved = role.has_moved = False
        return True

    def next_deadline(self) -> float | None:
        """Return when the next thing is due, or `None` while nothing is."""
        first = self._lifecycle.next_deadline()
        for at in (self.peers.next_deadline(), self._part.next_deadline()):
            if at is not None and (first is None or at < first):
                first = at
        if self._suspicions.recent:
            at = self._suspicions.deadlines.next()
            if at is not None and (first is None or at < first):
                first = at
        return first


class PluginMachine(Machine):
    """The machine of a plugin."""

    role = Role.PLUGIN
    _receivers: ClassVar = {
        **_SHARED,
        messages.DiscoverMessage: (_ROLE, Provider.on_discover),
        messages.RequestOperationMessage: (_ROLE, Provider.on_request),
        messages.RejectOperationMessage: (_ROLE, Provider.on_reject),
    }

    def __init__(self, config: PluginConfig, **identifiers: Any) -> None:
        """Make a machine that takes no part yet; it takes the arguments of any machine."""
        super().__init__(config, **identifiers)
        shared = self.peers, self.slots, self.quotas, self.obstacles
        self.provider = Provider(config, *shared, self._lifecycle, self._liveness, self._resolver, self._outbox)
        """The plugin's side of the handshake."""
        self._set_part(self.provider)

    def configure(self, config: PluginConfig, now: float) -> list[Effect]:
        """Take a new snapshot of what the user wants; it counts from now on."""
        self.provider.configure(config)
        return self._configured(config, now)

    def pop_disallowed(self) -> list[Slot]:
        """Return the open connections that a policy has ceased to allow, the newest of each operation first."""
        return self.provider.pop_disallowed()

    def close_disallowed(self, slot: Slot, data: bytes | None, now: float) -> list[Effect]:
        """Gracefully close connections that `pop_disallowed` returned, unless they are allowed again or have ended."""
        name = slot.operation_name
        terms = self.provider.operations.get(name)
        if terms is not None and not (
            terms.admits(slot.remote_identifier) and terms.has_room(self.slots.open_count(name) - 1)
        ):
            self._closing.close_gracefully(slot, data, now)
        return self._settled(now)

    def update_operations(self, now: float) -> list[Effect]:
        """Offer free slots to cores that wait, and announce operations that are new or have changed."""
        if self.running:
            self.provider.settle(now)
            self.provider.announce_changes()
        return self._outbox.take()

    def send_offer(
        self, core_identifier: str, offer_topic: str, operation_names: list[str], now: float
    ) -> list[Effect]:
        """Offer operations to a core without a discover. Operations that cannot be lent to it now are left out.

        Raises:
            RemoteProtocolError: The core's identifier or the topic cannot be used.
        """
        if self.running:
            self.provider.send_offer_to(core_identifier, offer_topic, operation_names, now)
        return self._outbox.take()


class CoreMachine(Machine):
    """The machine of a core."""

    role = Role.CORE
    _receivers: ClassVar = {
        **_SHARED,
        messages.AnnounceMessage: (_ROLE, Requester.on_announcement),
        messages.OfferMessage: (_ROLE, Requester.on_offer),
        messages.ConfirmConnectionMessage: (_ROLE, Requester.on_confirm),
        messages.OperationNoLongerAvailableMessage: (_ROLE, Requester.on_no_longer_available),
    }

    def __init__(self, config: CoreConfig, **identifiers: Any) -> None:
        """Make a machine that takes no part yet; it takes the arguments of any machine."""
        super().__init__(config, **identifiers)
        shared = self.peers, self.slots, self.quotas, self.obstacles
        self.requester = Requester(config, *shared, self._lifecycle, self._liveness, self._resolver, self._outbox)
        """The core's side of the handshake."""
        self._set_part(self.requester)

    def configure(self, config: CoreConfig, now: float) -> list[Effect]:
        """Take a new snapshot of what the user wants; it counts from now on."""
        self.requester.configure(config)
        return self._configured(config, now)

    def discover(self, wanted: Mapping[str, RequirementTerms], now: float) -> list[Effect]:
        """Ask all plugins for operations; without any, nothing is sent."""
        if self.running:
            self.requester.discover(wanted, now)
        return self._outbox.take()

    def discover_if_due(self, now: float) -> list[Effect]:
        """Ask for operations that are still wanted, if a discover is due."""
        self.requester.discover_if_due(now)
        return self._outbox.take()
