"""The plugin's side of the handshake: announcements, offers and confirms.

A discover asks for operations. If an operation matches and has a free slot, the slot is reserved, and the operation is
offered. After a request, topics are subscribed to, the user prepares, and a confirm opens the connection. A reject, or
the end of the time, frees the slot. A query that gets no offer at once waits
(:mod:`orbitalis.protocol.waiting_queries`), and gets a late offer when a slot becomes free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import TypeAlias

from orbitalis.message.matching import SchemaPair, foreign_schemas
from orbitalis.message.schema import Input, Output
from orbitalis.message.schema_difference import shortened
from orbitalis.protocol.config import OperationTerms, PluginConfig
from orbitalis.protocol.effects import CloseReason, MessageReceived, ObstacleMet
from orbitalis.protocol.handshake.role_part import RolePart
from orbitalis.protocol.headers import Headers, may_answer
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.matching import Matching, offer_message, size_of_foreign
from orbitalis.protocol.obstacles import (
    UNREAD_SCHEMAS,
    Obstacle,
    ObstacleKind,
    Obstacles,
    came_to_nothing,
    not_allowed,
)
from orbitalis.protocol.older_peers import repeats_request
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import IncarnationStatus, Peer, Peers, PeerTopics, newest_encoding
from orbitalis.protocol.quotas import Quotas
from orbitalis.protocol.slots import Slot, SlotTable, size_of_request
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis.protocol.waiting_queries import (
    AskingCore,
    WaitingQueries,
    WaitingQuery,
    admits,
    schemas_of,
    size_of_query,
)
from orbitalis_wire import limits, messages
from orbitalis_wire.topics import (
    CloseTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OfferTopic,
    OperationOutputTopic,
    ResponseTopic,
)

__all__ = ["Provider"]

_Shape: TypeAlias = tuple[Input, Output]

_TOLD = frozenset((ObstacleKind.SCHEMAS, ObstacleKind.POLICY, ObstacleKind.CONSTRAINT, ObstacleKind.MAXIMUM))
"""Obstacles that the user is told of, as what the user can change."""
_ENDS_WAITING = frozenset({SlotTrigger.REJECT_RECEIVED, SlotTrigger.EXPIRED, SlotTrigger.PREPARATION_FAILED})
"""What ends an offer so that the core has to ask again before it is repeated."""


@dataclass(slots=True, eq=False)
class Provider(RolePart):
    """Lends the operations of one plugin. Times are seconds on the clock of the machine's caller."""

    _config: PluginConfig
    _peers: Peers
    _slots: SlotTable
    _quotas: Quotas
    _obstacles: Obstacles
    _lifecycle: Lifecycle
    _liveness: Liveness
    _resolver: TopicResolver
    _outbox: Outbox
    _matching: Matching = field(init=False)
    waiting_queries: WaitingQueries = field(init=False)
    """What cores have asked for that may be offered later."""
    _freed: dict[str, None] = field(init=False, default_factory=dict[str, None])
    """Operations that could not be lent and perhaps can be now, in the order in which that happened."""
    _announced: Mapping[str, OperationTerms] = field(init=False, default_factory=dict[str, OperationTerms])
    """The operations that were announced last."""
    has_news: bool = field(init=False, default=False)
    """Whether operations may have to be announced."""
    _edited: dict[str, None] = field(init=False, default_factory=dict[str, None])
    """Operations whose policy may be stricter than their connections."""

    def __post_init__(self) -> None:
        self._matching = Matching(self._quotas)
        self.waiting_queries = WaitingQueries(self._config)

    # What the user wants

    @property
    def operations(self) -> Mapping[str, OperationTerms]:
        """The operations as they are now."""
        return self._config.operations

    def configure(self, config: PluginConfig) -> None:
        """Take a new snapshot: what has changed may suit those who wait for it, and not those who have it."""
        before, self._config = self._config.operations, config
        self.waiting_queries.configure(config)
        if before is config.operations:
            return
        self.has_news = True
        if not self.waiting_queries and not len(self._slots):
            return
        for name in {**before, **config.operations}:
            if before.get(name) != config.operations.get(name):
                self._freed[name] = None
                self.waiting_queries.operation_changed(name)
                self._edited[name] = None
                is_gone = name not in config.operations
                for slot in self._slots.of_operation(name) if is_gone else self._disallowed(name):
                    if not slot.is_connection:
                        self._lifecycle.give_up(slot, SlotTrigger.WITHDRAWN)

    def pop_disallowed(self) -> list[Slot]:
        """Return the open connections that a policy has ceased to allow, the newest of each operation first."""
        edited, self._edited = self._edited, {}
        return [slot for name in edited for slot in self._disallowed(name)]

    def _disallowed(self, operation_name: str) -> list[Slot]:
        """Return the slots of an operation that its policy does not allow any more, newest first."""
        terms = self._config.operations.get(operation_name)
        return [] if terms is None else terms.disallowed(self._slots.of_operation(operation_name))

    def announce_changes(self) -> None:
        """Announce the operations if there is a new one, or one has another input or output."""
        before, self._announced = self._announced, self._config.operations
        self.has_news = False
        for name, terms in self._announced.items():
            earlier = before.get(name)
            if earlier is None or (earlier.input, earlier.output) != (terms.input, terms.output):
                self._announce()
                return

    def send_offer_to(self, core_identifier: str, offer_topic: str, operation_names: list[str], now: float) -> None:
        """Offer operations to a core without being asked; those that cannot be lent to it now are left out.

        Raises:
            RemoteProtocolError: The core's identifier or the topic cannot be used.
        """
        self._resolver.check_identifier(core_identifier)
        topic = self._resolver.resolve(OfferTopic, core_identifier, offer_topic)
        offered = [
            self._reserve(core_identifier, name, (terms.input, terms.output), 0, now)
            for name in operation_names
            if (terms := self._config.operations.get(name)) is not None
            and self._slots.get(core_identifier, name) is None
            and self._can_lend(core_identifier, name, terms)
        ]
        self._send_offer(core_identifier, topic, offered, now)

    # What happens to the machine

    def start(self, now: float) -> None:
        """Announce what there is."""
        self._announced = self._config.operations
        self.has_news = False
        self._announce()
        self._liveness.older_peers.ask(self._config.named)

    def stop(self) -> None:
        """Forget those who wait."""
        self.waiting_queries.clear()
        self._freed.clear()

    def reconnected(self, now: float) -> None:
        """Announce again what there is."""
        self._announce()

    def do_due(self, now: float) -> None:
        """Forget what was asked for too long ago."""
        self.waiting_queries.discard_expired(now)

    def next_deadline(self) -> float | None:
        """Return when :meth:`do_due` has something to do."""
        return self.waiting_queries.deadlines.next()

    def heard(self, remote_identifier: str) -> None:
        """Let a core that seemed dead have its place among those who wait."""
        self.waiting_queries.heard(remote_identifier)

    def remote_restarted(self, peer: Peer, offered: Sequence[Slot], now: float) -> None:
        """Forget what a core asked for in a past incarnation, and hold what is offered to this one."""
        core = peer.identifier
        asking = self.waiting_queries.of_core(core)
        if asking is not None and peer.status(asking) is not IncarnationStatus.CURRENT:
            self.waiting_queries.forget(core)
        for slot in offered:
            terms = self._config.operations.get(slot.operation_name)
            if terms is not None and self._can_lend(core, slot.operation_name, terms):
                held = self._reserve(core, slot.operation_name, (slot.input, slot.output), slot.size, now)
                held.offer_identifiers = slot.offer_identifiers

    def remote_died(self, remote_identifier: str) -> None:
        """Forget what a core asked for."""
        self.waiting_queries.forget(remote_identifier)

    def opened(self, slot: Slot) -> None:
        """Let the core of a connection wait for its operation no more."""
        self.waiting_queries.fulfil(slot.remote_identifier, slot.operation_name)
        if self._obstacles.found:
            self._obstacles.forget(slot.remote_identifier, slot.operation_name)

    def released(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Have a slot that is free offered to those who wait."""
        self._freed[slot.operation_name] = None
        core, name = slot.key
        if (terms := self._config.operations.get(name)) and not (terms.admits(core) and self._is_free(name)):
            self._tell(not_allowed(core, name, terms, self._slots))
        elif trigger is SlotTrigger.EXPIRED and (obstacle := came_to_nothing(slot, trigger)) is not None:
            self._obstacles.note(obstacle)
        if trigger in _ENDS_WAITING:
            self.waiting_queries.fulfil(slot.remote_identifier, slot.operation_name)
        else:
            self.waiting_queries.resume(slot.remote_identifier, slot.operation_name)

    def give_up(self, slot: Slot) -> None:
        """Tell the core that its request comes to nothing."""
        if slot.state is SlotState.PREPARING:
            self._send_no_longer_available(
                slot.remote_identifier,
                slot.operation_name,
                slot.peer_topic,
                slot.request_identifier,
                slot.connection_identifier,
            )

    def settle(self, now: float) -> None:
        """Offer what has become free to those who wait for it."""
        if self._freed:
            if self.waiting_queries:
                self._offer_freed_slots(now)
            else:
                self._freed.clear()

    # Announcement

    def _announce(self) -> None:
        if not self._quotas.is_closed:
            message = messages.AnnounceMessage(
                plugin_identifier=self._config.identifier,
                operation_names=list(self._config.operations),
                discover_topic=self._config.topics.discover_of_anybody,
            )
            self._outbox.send(None, self._config.announce_topic, message)

    # Discover

    def on_discover(self, topic: str, message: messages.DiscoverMessage, headers: Headers, now: float) -> None:
        """Offer what a core asks for and is free, and remember the rest."""
        core = message.core_identifier
        self._quotas.check_operations(core, len(message.queries))
        is_directed = topic != self._config.discover_topic
        peer = self._peers.get(core)
        is_claim = peer is not None and peer.status(headers) is IncarnationStatus.UNKNOWN
        # What was offered to an earlier incarnation is unknown to this one.
        has_offers = peer is not None and peer.incarnation == headers.incarnation
        if is_directed and not is_claim:
            self._liveness.hear(core, headers, now)
        elif peer is None:
            self._resolver.check_identifier(core)
        asking = self._asking_core(message, headers, now, is_certain=is_directed)
        self._outbox.effects.append(MessageReceived(remote_identifier=core, message=message))
        queries: dict[str, messages.DiscoverQuery] = {}
        sizes: dict[str, int] = {}
        for name, query in message.queries.items():
            if not admits(query, self._config.identifier):
                self._note(core, name, ObstacleKind.CONSTRAINT, "the core's constraint excludes this plugin")
            elif self._quotas.admit_schemas(schemas_of(query), now, are_compared=name in self._config.operations):
                queries[name] = query
                sizes[name] = size_of_query(name, query)
            else:
                self._note(core, name, ObstacleKind.LIMIT, UNREAD_SCHEMAS)
        # A directed discover has perhaps crossed the offer that answers another, and is no reason to repeat that.
        mine = self._slots.with_remote(core)
        is_repeated = is_directed and mine and has_offers
        awaited = {name for name, slot in mine.items() if is_repeated and slot.state is SlotState.OFFERED}
        offered = [
            slot
            for name, query in queries.items()
            if name not in awaited
            and (slot := self._answer(asking, name, query, sizes[name], headers, now)) is not None
        ]
        self._remember(asking, queries if headers.late_offers else {}, sizes, is_claim=is_claim)
        if offered or self._peers.get(core) is not None:
            self._meet(asking, now)
        if offered:
            self._send_offer(core, asking.offer_topic, offered, now, correlation_identifier=headers.identifier)
            return
        if is_directed and not awaited:
            self._liveness.publish_keepalive(
                core, asking.topics.keepalive_topic, correlation_identifier=headers.identifier
            )
        if is_claim and peer is not None:
            self._liveness.challenge_claim(peer, now)

    def _asking_core(
        self, message: messages.DiscoverMessage, headers: Headers, now: float, *, is_certain: bool
    ) -> AskingCore:
        """Check the topics that a discover tells, and keep what it says of its sender."""
        core, resolve, exact = message.core_identifier, self._resolver.resolve, message.exact_schemas
        topics = PeerTopics(
            keepalive_topic=resolve(KeepaliveTopic, core, message.core_keepalive_topic, is_told_to_anybody=True),
            keepalive_request_topic=resolve(
                KeepaliveRequestTopic, core, message.core_keepalive_request_topic, is_told_to_anybody=True
            ),
            considers_me_dead_after=message.considered_dead_after,
        )
        offer_topic = resolve(OfferTopic, core, message.offer_topic, is_told_to_anybody=True)
        return AskingCore(
            core_identifier=core,
            incarnation=headers.incarnation,
            readable_encodings=(newest_encoding(headers.readable_encodings),),  # not all that a stranger lists
            asked_at=now,
            offer_topic=offer_topic,
            topics=topics,
            is_certain=is_certain,
            exact_schemas={name: exact[name] for name in message.queries if name in exact} if exact else exact,
        )

    def _meet(self, asking: AskingCore, now: float) -> None:
        """Know a core, with what its discover told; what an unknown incarnation claims is kept apart."""
        peer = self._peers.get(asking.core_identifier)
        if peer is not None and peer.status(asking) is IncarnationStatus.UNKNOWN:
            self._liveness.claimed(peer, asking, asking.topics, now)
            return
        peer = self._peers.meet(asking.core_identifier, asking, now, is_certain=asking.is_certain)
        self._peers.told(peer, asking.topics)

    def _answer(
        self, asking: AskingCore, name: str, query: messages.DiscoverQuery, size: int, headers: Headers, now: float
    ) -> Slot | None:
        """Return the slot to offer in answer to one query, if there is any."""
        core = asking.core_identifier
        slot = self._slots.get(core, name)
        if slot is None:
            return self._reserve_for(asking, name, query, size, now)
        # A core that has started anew cannot prove it yet, and an older one that has lost a connection cannot say so:
        # both get their operation offered again.
        if (
            slot.state is SlotState.OFFERED
            or (slot.is_open and headers.incarnation is None)
            or self._peers.status(core, headers) is IncarnationStatus.UNKNOWN
        ):
            suited = self._suited(asking, name, query, now)
            if suited is not None and slot.state is SlotState.OFFERED:
                slot.input, slot.output = suited
            return None if suited is None else slot
        return None

    # Late offers

    def _remember(
        self, asking: AskingCore, queries: dict[str, messages.DiscoverQuery], sizes: dict[str, int], *, is_claim: bool
    ) -> None:
        """Remember what a core that wants late offers has asked for and is not connected for.

        What is open is so with the one before, if the core claims to have started anew.
        """
        core = asking.core_identifier
        waiting: dict[str, tuple[messages.DiscoverQuery, int, bool]] = {}
        mine = self._slots.with_remote(core)
        for name, query in queries.items():
            slot = mine.get(name)
            if slot is None:
                suited = self._suited_late(asking, name, query, asking.asked_at)
                waiting[name] = query, sizes[name], suited is not None
            elif is_claim or not slot.is_open:
                waiting[name] = query, sizes[name], False
        self.waiting_queries.remember(asking, waiting)
        if waiting and not self._quotas.has_room_for_pending():
            self._freed.update(dict.fromkeys(name for name in waiting if name in self._config.operations))

    def _offer_freed_slots(self, now: float) -> None:
        offers: dict[str, tuple[AskingCore, list[Slot]]] = {}
        for name in tuple(self._freed):
            if not self._quotas.has_room_for_pending():
                break  # the rest has to wait for that, too
            del self._freed[name]
            while self._is_free(name) and (query := self.waiting_queries.first(name)) is not None:
                if not self._quotas.has_room_for_pending():
                    self._freed[name] = None
                    break
                if (slot := self._reserve_late(query, name, now)) is not None:
                    offers.setdefault(query.core.core_identifier, (query.core, []))[1].append(slot)
        for asking, offered in offers.values():
            self._meet(asking, now)
            self._send_offer(asking.core_identifier, asking.offer_topic, offered, now)

    def _reserve_late(self, query: WaitingQuery, name: str, now: float) -> Slot | None:
        """Take a slot for the next query that waits; one that gets none lets others be the next."""
        core = query.core.core_identifier
        if self._peers.status(core, query.core) is IncarnationStatus.PAST:
            self.waiting_queries.forget(core)
            return None
        # Those who may be dead come behind all others.
        if self._is_silent(query.core, now) and self.waiting_queries.put_off(query):
            return None
        suited = self._suited_late(query.core, name, query.query, now)
        slot = None
        if suited is not None and self._can_lend(core, name, self._config.operations[name]):
            slot = self._reserve(core, name, suited, query.size, now)
        self.waiting_queries.set_aside(query)
        return slot

    def _suited_late(self, asking: AskingCore, name: str, query: messages.DiscoverQuery, now: float) -> _Shape | None:
        """Do as :meth:`_suited`, for a core that the policy admits and that has no offer.

        If that gives nothing, it gives nothing until the offer has ended, or operation or policy have changed.
        """
        core, terms = asking.core_identifier, self._config.operations.get(name)
        if terms is None or not terms.admits(core) or self._slots.get(core, name) is not None:
            return None
        return self._suited(asking, name, query, now)

    def _is_silent(self, asking: AskingCore, now: float) -> bool:
        after = self._config.consider_others_dead_after
        peer = self._peers.get(asking.core_identifier)
        last_seen = asking.asked_at if peer is None else max(peer.last_seen, asking.asked_at)
        return after is not None and last_seen + after <= now

    # Offer

    def _suited(self, asking: AskingCore, name: str, query: messages.DiscoverQuery, now: float) -> _Shape | None:
        """Return input and output of an operation as they are offered, if they are what a query asks for."""
        terms = self._config.operations.get(name)
        return None if terms is None else self._matching.shape_for(terms, name, query, asking, now)

    def _reserve_for(
        self, asking: AskingCore, name: str, query: messages.DiscoverQuery, size: int, now: float
    ) -> Slot | None:
        """Take a slot for an offer that answers a query, if the operation suits it and can be lent.

        An offer that has gone unanswered may be given up for it.
        """
        core, terms = asking.core_identifier, self._config.operations.get(name)
        if terms is None:
            return None
        if not terms.has_room(self._slots.count(name)) or not terms.admits(core):
            self._tell(not_allowed(core, name, terms, self._slots))
            return None
        suited = self._matching.shape_for(terms, name, query, asking, now)
        if suited is None:
            there = query.inputs, query.outputs
            self._tell(self._matching.obstacle(core, name, terms, there, asking, asking.exact_schemas))
            return None
        if not self._quotas.make_room_for_pending(core, now, self._lifecycle.give_up):
            if not self._quotas.is_closed:
                self._note(core, name, ObstacleKind.LIMIT, "too many handshakes are under way")
            return None
        return self._reserve(core, name, suited, size, now)

    def _note(self, core: str, name: str, kind: ObstacleKind, detail: str) -> None:
        """Note what keeps an operation that there is, and that the core has not got, from being lent to it."""
        if name in self._config.operations and self._slots.get(core, name) is None:
            self._tell(Obstacle(remote_identifier=core, operation_name=name, kind=kind, detail=detail))

    def _tell(self, obstacle: Obstacle) -> None:
        """Note an obstacle, and have the user told of it where that was not done before."""
        if self._obstacles.note(obstacle) and obstacle.kind in _TOLD:
            self._outbox.add(ObstacleMet(remote_identifier=obstacle.remote_identifier, obstacle=obstacle))

    def _reserve(self, core: str, name: str, shape: _Shape, size: int, now: float) -> Slot:
        """Take a slot for an offer."""
        slot = Slot(
            role=Role.PLUGIN,
            remote_identifier=core,
            operation_name=name,
            input=shape[0],
            output=shape[1],
            created_at=now,
            waiting_since=now,
            size=size,
        )
        self._lifecycle.begin(slot, SlotTrigger.OFFER_SENT)
        return slot

    def _can_lend(self, core: str, name: str, terms: OperationTerms) -> bool:
        return (
            terms.has_room(self._slots.count(name))
            and terms.admits(core)
            and self._quotas.has_room_for_pending()
            and self._quotas.has_room_for_connection(core)
        )

    def _is_free(self, name: str) -> bool:
        """Return whether there is such an operation, and its policy has a slot left."""
        return (terms := self._config.operations.get(name)) is not None and terms.has_room(self._slots.count(name))

    def _send_offer(
        self,
        core: str,
        offer_topic: str,
        offered: list[Slot],
        now: float,
        *,
        correlation_identifier: str | None = None,
    ) -> None:
        peer = self._peers.get(core)
        for begin in range(0, len(offered), limits.OPERATIONS_OF_MESSAGE):
            event_identifier = self._outbox.challenge(peer, messages.OfferMessage, now)
            if peer is not None and peer.claim is not None:
                peer.claim.offers = (*peer.claim.offers[-7:], event_identifier)
            slots = offered[begin : begin + limits.OPERATIONS_OF_MESSAGE]
            for slot in slots:
                slot.offer_identifiers = (*slot.offer_identifiers[-7:], event_identifier)
            self._outbox.send(
                core,
                offer_topic,
                offer_message(self._config, core, slots),
                event_identifier=event_identifier,
                correlation_identifier=correlation_identifier,
            )

    # Request

    def on_request(self, topic: str, message: messages.RequestOperationMessage, headers: Headers, now: float) -> None:
        """Lend an operation that was offered: prepare, then confirm; or say that it is no longer available."""
        core, name = message.core_identifier, message.operation_name
        self._liveness.hear(core, headers, now)
        terms = self._config.operations.get(name)
        response_topic, output_topic, close_topic = self._told_topics(message, headers, is_ours=terms is not None)
        self._outbox.effects.append(MessageReceived(remote_identifier=core, message=message))
        slot = self._slots.get(core, name)
        if slot is not None and slot.state is not SlotState.OFFERED:
            if self._repeats(slot, headers, (response_topic, output_topic, close_topic)):
                slot.request_identifier = headers.identifier
                if slot.is_open:
                    self._send_confirm(slot)
                return
            if headers.connection_identifier is None:
                self._lifecycle.release(slot, SlotTrigger.REPLACED, CloseReason.REMOTE_FORGOT)
                slot = None
        is_expected = terms is not None and self._answers_offer(slot, core, name, terms, headers, now)
        pairs: Sequence[SchemaPair] | Obstacle = ()
        if terms is not None and is_expected and message.input_schemas:
            pairs = self._matching.read_inputs(slot.input if slot else terms.input, terms, message, headers, now)
        if terms is None or not is_expected or isinstance(pairs, Obstacle):
            if isinstance(pairs, Obstacle):
                if slot is not None:
                    # As if the core had rejected it: it has to ask again before it gets another offer.
                    self._lifecycle.release(slot, SlotTrigger.REJECT_RECEIVED, CloseReason.LOCAL)
                self._tell(pairs)
            self._send_no_longer_available(
                core, name, response_topic, headers.identifier, headers.connection_identifier
            )
            return
        is_new = slot is None
        if slot is None:
            slot = Slot(
                role=Role.PLUGIN,
                remote_identifier=core,
                operation_name=name,
                input=terms.input,
                output=terms.output,
                created_at=now,
                waiting_since=now,
            )
        self._lifecycle.build_topics(slot, headers.connection_identifier or self._outbox.new_identifier())
        slot.request_identifier = headers.identifier
        if headers.connection_identifier is None:
            slot.request_publisher = headers.publisher_identifier
        slot.peer_topic = response_topic
        slot.output_topic = output_topic if slot.output.has_output else None
        slot.remote_close_topic = close_topic
        slot.setup_data = message.setup_data
        slot.foreign = foreign_schemas(pairs) if pairs else None
        if is_new:
            self._lifecycle.begin(slot, SlotTrigger.REQUEST_RECEIVED)
        else:
            self._lifecycle.advance(slot, SlotTrigger.REQUEST_RECEIVED, now)
        self._slots.grow(slot, size_of_request(slot) + (size_of_foreign(slot.foreign) if pairs else 0))
        if self._peers.get(core) is None:
            self._peers.meet(core, headers, now)
        self._slots.index_topics(slot)
        self._lifecycle.prepare(slot)

    def _told_topics(
        self, message: messages.RequestOperationMessage, headers: Headers, *, is_ours: bool
    ) -> tuple[str, str | None, str]:
        """Check the topics that a request tells: where the response, outputs and closes go."""
        core, name, resolve = message.core_identifier, message.operation_name, self._resolver.resolve
        connection = headers.connection_identifier
        # The name of an operation that there is, and the header, are known to be good for a level.
        levels = (name, connection) if is_ours and connection is not None else None
        output_topic = message.output_topic or None
        if output_topic is not None:
            output_topic = resolve(OperationOutputTopic, core, output_topic, levels)
        return (
            resolve(ResponseTopic, core, message.response_topic),
            output_topic,
            resolve(CloseTopic, core, message.core_side_close_operation_connection_topic, levels),
        )

    def _repeats(self, slot: Slot, headers: Headers, told: tuple[str, str | None, str]) -> bool:
        """Return whether a request is the one that made this slot what it is, sent again."""
        if headers.connection_identifier is None:
            return repeats_request(slot, headers, told)
        return slot.connection_identifier == headers.connection_identifier

    def _answers_offer(
        self, slot: Slot | None, core: str, name: str, terms: OperationTerms, headers: Headers, now: float
    ) -> bool:
        if slot is None:
            # Only an older peer, which cannot say which offer it answers, gets a slot that is not reserved for it.
            return (
                headers.connection_identifier is None
                and self._quotas.make_room_for_pending(core, now, self._lifecycle.give_up)
                and self._can_lend(core, name, terms)
            )
        return slot.state is SlotState.OFFERED and may_answer(headers, *slot.offer_identifiers)

    # Confirm

    def prepared(self, slot: Slot, now: float) -> None:
        """Open the connection of a slot in state PREPARING, and confirm it."""
        self._slots.grow(slot, -getsizeof(slot.setup_data))  # which has done its work
        self._lifecycle.open(slot, SlotTrigger.PREPARED, now)
        self._send_confirm(slot)

    def _send_confirm(self, slot: Slot) -> None:
        message = messages.ConfirmConnectionMessage(
            plugin_identifier=self._config.identifier,
            operation_name=slot.operation_name,
            operation_input_topic=slot.input_topic or self._unused_input_topic(slot),
            plugin_side_close_operation_connection_topic=slot.incoming_close_topic,
        )
        self._outbox.send(
            slot.remote_identifier,
            slot.peer_topic,
            message,
            correlation_identifier=slot.request_identifier,
            connection_identifier=slot.connection_identifier,
        )

    def _unused_input_topic(self, slot: Slot) -> str | None:
        """Return a topic for an operation without input: an older core opens no connection without one."""
        if slot.request_publisher is None:
            return None
        return self._config.topics.data(slot.remote_identifier, slot.operation_name, slot.connection_identifier)

    def _send_no_longer_available(
        self, core: str, name: str, topic: str, request_identifier: str | None, connection_identifier: str | None
    ) -> None:
        self._outbox.send(
            core,
            topic,
            messages.OperationNoLongerAvailableMessage(plugin_identifier=self._config.identifier, operation_name=name),
            correlation_identifier=request_identifier,
            connection_identifier=connection_identifier,
        )

    def on_reject(self, topic: str, message: messages.RejectOperationMessage, headers: Headers, now: float) -> None:
        """Take back an offer that the core does not want, or a connection whose request it has given up."""
        self._liveness.hear(message.core_identifier, headers, now)
        slot = self._slots.get(message.core_identifier, message.operation_name)
        if slot is None:
            return
        if slot.state is SlotState.OFFERED:
            is_meant = may_answer(headers, *slot.offer_identifiers[-1:])
        else:
            is_meant = headers.connection_identifier == slot.connection_identifier
        if is_meant:
            self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
            self._lifecycle.release(slot, SlotTrigger.REJECT_RECEIVED, CloseReason.REMOTE)
            said = f"the core rejected the offer: {shortened(message.description, 200)}"
            self._note(message.core_identifier, message.operation_name, ObstacleKind.REJECTED, said)
