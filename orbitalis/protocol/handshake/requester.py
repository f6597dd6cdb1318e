"""The core's side of the handshake: discovers, requests and rejects.

A discover asks all plugins, or one that has announced itself, for the operations that are still wanted. If an offer
fits, topics are subscribed to, the user prepares, and a request is sent. Any other offer is rejected. A confirm opens
the connection. The core is compliant while the open connections meet every requirement.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from sys import getsizeof

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.config import CoreConfig, RequirementTerms
from orbitalis.protocol.effects import CloseReason, ComplianceChanged, MessageReceived
from orbitalis.protocol.handshake.role_part import RolePart
from orbitalis.protocol.headers import Headers, may_answer
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.matching import Fit, Matching, size_of_foreign
from orbitalis.protocol.obstacles import (
    UNREAD_SCHEMAS,
    Obstacle,
    ObstacleKind,
    Obstacles,
    came_to_nothing,
)
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import IncarnationStatus, Peer, Peers, PeerTopics
from orbitalis.protocol.quotas import Quotas
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels, limits, messages, timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.topics import (
    CloseTopic,
    DirectedDiscoverTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OperationInputTopic,
    ReplyTopic,
)

__all__ = ["Requester"]

_LONG_AGO = float("-inf")
_OPERATIONS_HEARD_OF = 20
"""Operations that are remembered of an announcement."""


@dataclass(slots=True, eq=False)
class Requester(RolePart):
    """Fulfils the requirements of one core. Times are seconds on the clock of the machine's caller."""

    _config: CoreConfig
    _peers: Peers
    _slots: SlotTable
    _quotas: Quotas
    _obstacles: Obstacles
    _lifecycle: Lifecycle
    _liveness: Liveness
    _resolver: TopicResolver
    _outbox: Outbox
    _matching: Matching = field(init=False)
    compliant: bool = field(init=False, default=False)
    """Whether all requirements were met when that was last evaluated."""
    silent: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict[str, tuple[str, ...]])
    """Plugins that were asked after their announcement, and have not answered: what of the wanted they announced."""
    heard_of: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict[str, tuple[str, ...]])
    """Those that have answered."""
    has_moved: bool = field(init=False, default=False)
    """Whether it may be time to discover earlier than before; a caller that has looked resets it."""
    _unmet: set[str] = field(init=False, default_factory=set[str])
    """Requirements that are not met, without those in `_changed`."""
    _changed: set[str] = field(init=False)
    """Requirements to evaluate again: they, or their connections, have changed."""
    _runs: bool = field(init=False, default=False)
    _discovered_at: float | None = field(init=False, default=None)
    """When it was last time to discover, also if nothing was wanted then."""
    _asked: int = field(init=False, default=0)
    """Where among the requirements the last discover ended, if it could not ask for all that was wanted."""
    _older: set[str] = field(init=False, default_factory=set[str])
    """Older plugins that have confirmed a connection."""
    _wants_late_offers: bool = field(init=False, default=False)
    """Whether plugins may remember what this core asked for."""
    _directed_since: float = field(init=False, default=_LONG_AGO)
    """When the directed discovers that are counted began."""
    _directed_count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._matching = Matching(self._quotas)
        self._changed = set(self._config.requirements)

    # What the user wants

    @property
    def requirements(self) -> Mapping[str, RequirementTerms]:
        """The requirements as they are now."""
        return self._config.requirements

    def configure(self, config: CoreConfig) -> None:
        """Take a new snapshot: each requirement that has changed is evaluated again."""
        before, self._config = self._config.requirements, config
        self.has_moved = True
        if before is not config.requirements:
            for name in {**before, **config.requirements}:
                if before.get(name) != config.requirements.get(name):
                    self._changed.add(name)

    def is_compliant_for(self, operation_name: str) -> bool:
        """Return whether the open connections of an operation meet its requirement.

        Raises:
            KeyError: The operation is not required.
        """
        terms = self._config.requirements[operation_name]
        others = self._slots.open_count(operation_name)
        for plugin in terms.mandatory:
            slot = self._slots.get(plugin, operation_name)
            if slot is None or not slot.is_open:
                return False
            others -= 1
        return others >= terms.minimum

    def is_compliant(self) -> bool:
        """Return whether all requirements are met."""
        if self._changed:
            changed, self._changed = self._changed, set()
            for name in changed:
                if name in self._config.requirements and not self.is_compliant_for(name):
                    self._unmet.add(name)
                else:
                    self._unmet.discard(name)
        return not self._unmet

    def discover(self, wanted: Mapping[str, RequirementTerms], now: float) -> None:
        """Ask all plugins for operations; without any, nothing is sent."""
        self._discovered_at = now
        names = list(wanted)
        for begin in range(0, len(names), limits.OPERATIONS_OF_MESSAGE):
            asked = {name: wanted[name] for name in names[begin : begin + limits.OPERATIONS_OF_MESSAGE]}
            self._send_discover(asked, event_identifier=self._outbox.challenge_all(messages.DiscoverMessage, now))

    # What happens to the machine

    def start(self, now: float) -> None:
        """Evaluate compliance, and let the next discover be due at once."""
        self._runs = True
        self.silent.clear()
        self.heard_of.clear()
        self._older.clear()
        self._discovered_at = None
        self.has_moved = True
        self._directed_since = _LONG_AGO
        self.compliant = self.is_compliant()
        self._outbox.add(ComplianceChanged(compliant=self.compliant))

    def leave(self) -> None:
        """Take back what plugins may remember."""
        if self._wants_late_offers:
            self._send_discover({}, late_offers=False)

    def stop(self) -> None:
        """Be compliant no more, and take back what plugins may remember."""
        self._runs = False
        self.compliant = False
        self.leave()

    def reconnected(self, now: float) -> None:
        """Let the next discover be due at once: the last one may be lost."""
        self._discovered_at = None
        self.has_moved = True

    def next_deadline(self) -> float | None:
        """Return when it is time to discover: soon again while requirements are not met, later while they are."""
        if not self._runs or self._quotas.is_closed:
            return None
        if self._discovered_at is None:
            return _LONG_AGO
        config = self._config
        interval = config.discovering_interval_when_compliant if self.compliant else config.discovering_interval
        return self._discovered_at + interval

    def heard(self, remote_identifier: str) -> None:
        """Note that a plugin which was asked has answered, if only that it has nothing to offer."""
        if remote_identifier in self.silent:
            _remember(self.heard_of, remote_identifier, self.silent.pop(remote_identifier))

    def opened(self, slot: Slot) -> None:
        """Evaluate the requirement of a connection again."""
        self._changed.add(slot.operation_name)
        if self._obstacles.found:
            self._obstacles.forget(slot.remote_identifier, slot.operation_name)

    def closing(self, slot: Slot) -> None:
        """Evaluate the requirement of a connection again."""
        self._changed.add(slot.operation_name)

    def released(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Evaluate the requirement of a slot again, and note why a request came to nothing."""
        self._changed.add(slot.operation_name)
        obstacle = came_to_nothing(slot, trigger)
        if obstacle is not None:
            self._obstacles.note(obstacle)

    def settle(self, now: float) -> None:
        """Tell of compliance that was reached or lost; ask anew, if it is time to, when it was lost."""
        if not self._changed:
            return
        compliant = self.is_compliant()
        if compliant != self.compliant:
            self.compliant = compliant
            self._outbox.add(ComplianceChanged(compliant=compliant))
            self.has_moved = True
            if not compliant:
                self.discover_if_due(now)

    # What is wanted

    def still_wanted(self, operation_name: str, *, without: str | None = None) -> RequirementTerms | None:
        """Return the requirement of an operation less what is connected or requested; `None` if nothing is missing.

        Where only mandatory plugins are missing, they are the allowlist. What is shared with the plugin `without`
        counts as lost.
        """
        terms = self._config.requirements.get(operation_name)
        if terms is None:
            return None
        missing: tuple[str, ...] = ()
        if terms.mandatory:
            missing = tuple(
                plugin
                for plugin in terms.mandatory
                if plugin == without or self._slots.get(plugin, operation_name) is None
            )
        taken = self._taken(operation_name, terms)
        if without is not None and without not in terms.mandatory:
            taken -= self._slots.get(without, operation_name) is not None
        if not terms.has_room(taken):
            if not missing:
                return None
            return replace(terms, minimum=0, maximum=0, mandatory=missing, allowlist=missing, blocklist=None)
        allowlist = terms.allowlist
        if allowlist is not None and missing:
            allowlist = (*allowlist, *(plugin for plugin in missing if plugin not in allowlist))
        if taken == 0 and missing == terms.mandatory and allowlist == terms.allowlist:
            return terms
        return replace(
            terms,
            minimum=max(terms.minimum - taken, 0),
            maximum=None if terms.maximum is None else terms.maximum - taken,
            mandatory=missing,
            allowlist=allowlist,
        )

    def _taken(self, operation_name: str, terms: RequirementTerms) -> int:
        """Count the slots of an operation that the maximum bounds: those of plugins that are not mandatory."""
        taken = self._slots.count(operation_name)
        for plugin in terms.mandatory:
            taken -= self._slots.get(plugin, operation_name) is not None
        return taken

    # Discover

    def discover_if_due(self, now: float) -> None:
        """Ask for what is still wanted, if it is time to."""
        at = self.next_deadline()
        if at is not None and at <= now:
            is_first, self._discovered_at = self._discovered_at is None, now
            wanted = self._next_wanted()
            if wanted:
                event_identifier = self._outbox.challenge_all(messages.DiscoverMessage, now)
                self._send_discover(wanted, event_identifier=event_identifier, replaces_earlier=True)
                if not is_first and not self.compliant:
                    # They have not answered. An older plugin does not if it believes in a connection.
                    self._liveness.older_peers.ask(self._config.named)

    def _next_wanted(self) -> dict[str, RequirementTerms]:
        """Return as much of what is wanted as one discover may ask for, in turn if that is not all."""
        names = list(self._config.requirements)
        begin = self._asked % len(names) if names else 0
        wanted: dict[str, RequirementTerms] = {}
        for index in range(len(names)):
            name = names[(begin + index) % len(names)]
            if (terms := self.still_wanted(name)) is not None:
                if len(wanted) == limits.OPERATIONS_OF_MESSAGE:
                    self._asked = begin + index
                    return wanted
                wanted[name] = terms
        self._asked = 0
        if self._older:
            self._add_lent_by_older(wanted)
        return wanted

    def _add_lent_by_older(self, wanted: dict[str, RequirementTerms]) -> None:
        """Ask older plugins for what they lend, too: one that has started anew says so by offering it, and not else."""
        for plugin in sorted(self._older):
            lent = self._slots.with_remote(plugin)
            if not lent:
                self._older.remove(plugin)
            for name, slot in lent.items():
                terms = self._config.requirements.get(name)
                if (
                    terms is None
                    or not slot.is_open
                    or (name not in wanted and len(wanted) >= limits.OPERATIONS_OF_MESSAGE)
                ):
                    continue
                asked = wanted.get(name) or replace(terms, minimum=0, mandatory=(), allowlist=(), blocklist=None)
                if asked.allowlist is not None and plugin not in asked.allowlist:
                    asked = replace(asked, allowlist=(*asked.allowlist, plugin))
                wanted[name] = asked

    def _send_discover(
        self,
        wanted: Mapping[str, RequirementTerms],
        *,
        event_identifier: str | None = None,
        late_offers: bool | None = None,
        replaces_earlier: bool = False,
    ) -> None:
        self._wants_late_offers = self._config.late_offers if late_offers is None else late_offers
        self._outbox.send(
            None,
            self._config.discover_topic,
            self._discover_message(wanted),
            channel=channels.DISCOVER,
            event_identifier=event_identifier,
            late_offers=self._wants_late_offers,
            replaces_earlier=replaces_earlier,
        )

    def _discover_message(self, wanted: Mapping[str, RequirementTerms]) -> messages.DiscoverMessage:
        topics, after = self._config.topics, self._config.consider_others_dead_after
        return messages.DiscoverMessage(
            core_identifier=self._config.identifier,
            offer_topic=topics.offer_of_anybody,
            core_keepalive_topic=topics.keepalive_of_anybody,
            core_keepalive_request_topic=topics.keepalive_request_of_anybody,
            considered_dead_after=float("inf") if after is None else after,
            queries={name: _query(name, terms) for name, terms in wanted.items()},
            exact_schemas={name: terms.exact for name, terms in wanted.items() if terms.exact},
        )

    # Announcement

    def on_announcement(self, topic: str, message: messages.AnnounceMessage, headers: Headers, now: float) -> None:
        """Ask a plugin for what it has and is wanted.

        Anybody can publish an announcement in its name, so this changes nothing here: if the plugin has started anew,
        its answer says so.
        """
        plugin = message.plugin_identifier
        peer = self._peers.get(plugin)
        if peer is None:
            self._resolver.check_identifier(plugin)
        topic = self._resolver.resolve(DirectedDiscoverTopic, plugin, message.discover_topic, is_told_to_anybody=True)
        self._outbox.add(MessageReceived(remote_identifier=plugin, message=message))
        if self._quotas.is_closed:
            return
        without: str | None = None
        if peer is not None and self._slots.has_remote(plugin) and peer.status(headers) is IncarnationStatus.UNKNOWN:
            without = plugin
        else:
            if not any(self._wants(plugin, name) for name in message.operation_names):
                return
            if (at := self.next_deadline()) is not None and at <= now:
                self.discover_if_due(now)
                return
        self._send_directed_discover(message, topic, without, headers, now)

    def _wants(self, plugin: str, operation_name: str) -> bool:
        """Return whether an operation is wanted of a plugin that may not have been asked for it."""
        wanted = self.still_wanted(operation_name)
        return wanted is not None and wanted.admits(plugin) and self._slots.get(plugin, operation_name) is None

    def _send_directed_discover(
        self, announcement: messages.AnnounceMessage, topic: str, without: str | None, headers: Headers, now: float
    ) -> None:
        """Ask one plugin, unless too many are asked already; first for what it has, if that is not all."""
        if now >= self._directed_since + timings.DIRECTED_DISCOVERS_INTERVAL:
            self._directed_since = now
            self._directed_count = 0
        plugin = announcement.plugin_identifier
        peer = self._peers.get(plugin)
        if self._directed_count >= limits.DIRECTED_DISCOVERS:
            if without is not None and peer is not None:
                self._liveness.challenge_claim(peer, now)
            return
        self._directed_count += 1
        wanted: dict[str, RequirementTerms] = {}
        for name in dict.fromkeys((*announcement.operation_names, *self._config.requirements)):
            terms = self.still_wanted(name, without=without)
            if terms is not None and terms.admits(plugin):
                wanted[name] = terms
                if len(wanted) == limits.OPERATIONS_OF_MESSAGE:
                    break
        announced = (name for name in announcement.operation_names if name in wanted)
        _remember(self.silent, plugin, tuple(islice(announced, _OPERATIONS_HEARD_OF)))
        self._wants_late_offers = self._wants_late_offers or self._config.late_offers
        self._outbox.send(
            plugin,
            topic,
            self._discover_message(wanted),
            channel=channels.DIRECTED_DISCOVER,
            event_identifier=self._outbox.challenge(peer, messages.DiscoverMessage, now),
            correlation_identifier=headers.identifier,
            late_offers=self._config.late_offers,
            encoding=Encoding.JSON,
        )

    # Offer

    def on_offer(self, topic: str, message: messages.OfferMessage, headers: Headers, now: float) -> None:
        """Request what fits of what a plugin offers, and reject the rest."""
        plugin = message.plugin_identifier
        self._quotas.check_operations(plugin, len(message.offered_operations))
        self._liveness.hear(plugin, headers, now)
        resolve = self._resolver.resolve
        reply_topic = resolve(ReplyTopic, plugin, message.reply_topic)
        topics = PeerTopics(
            keepalive_topic=resolve(KeepaliveTopic, plugin, message.plugin_keepalive_topic),
            keepalive_request_topic=resolve(KeepaliveRequestTopic, plugin, message.plugin_keepalive_request_topic),
            considers_me_dead_after=message.considered_dead_after,
        )
        self._outbox.effects.append(MessageReceived(remote_identifier=plugin, message=message))
        offers: dict[str, messages.OfferedOperation] = {}
        for offered in message.offered_operations:
            if offered.name not in offers:
                offers[offered.name] = offered
        for offered in offers.values():
            self._on_offered(plugin, offered, reply_topic, message.exact_schemas, headers, now)
        if self._slots.has_remote(plugin) or self._peers.get(plugin) is not None:
            self._peers.told(self._peers.meet(plugin, headers, now), topics)

    def _on_offered(
        self,
        plugin: str,
        offered: messages.OfferedOperation,
        reply_topic: str,
        exact: Mapping[str, Sequence[str]],
        headers: Headers,
        now: float,
    ) -> None:
        slot = self._slots.get(plugin, offered.name)
        if slot is not None and not slot.is_connection:
            # The offer crossed the request, or the request was lost. An older peer would take a second one for another.
            if headers.incarnation is not None:
                slot.offer_identifiers = (headers.identifier,)
                if slot.state is SlotState.REQUESTED:
                    self._send_request(slot)
            return
        if slot is not None and headers.incarnation is None:
            # An older peer offers nothing that is lent to this core: it has started anew, and cannot say so.
            self._lifecycle.release(slot, SlotTrigger.REPLACED, CloseReason.REMOTE_FORGOT)
            slot = None
        fit = self._fit_or_reason(plugin, offered, slot, exact, headers, now)
        if type(fit) is Fit:
            try:
                self._request(plugin, offered.name, fit, reply_topic, headers, now)
                return
            except RemoteProtocolError as error:
                fit = str(error)
                self._note(plugin, offered.name, ObstacleKind.PROTOCOL, fit)
        self._send_reject(plugin, offered.name, reply_topic, str(fit), correlation_identifier=headers.identifier)

    def _fit_or_reason(
        self,
        plugin: str,
        offered: messages.OfferedOperation,
        slot: Slot | None,
        exact: Mapping[str, Sequence[str]],
        headers: Headers,
        now: float,
    ) -> Fit | str:
        """Return what fits of an offered operation that is to be requested, or why it is not, for people."""
        name = offered.name
        terms = self._config.requirements.get(name)
        if terms is None:
            return "the operation is not required"
        if slot is not None:
            return "connected already"
        if not terms.admits(plugin):
            return self._note(plugin, name, ObstacleKind.CONSTRAINT, "the plugin is excluded")
        if not self._quotas.admit_schemas((*offered.input.schemas, *offered.output.schemas), now):
            return self._note(plugin, name, ObstacleKind.LIMIT, UNREAD_SCHEMAS)
        fit = self._matching.fit(terms, offered, headers, exact, now)
        if fit is None:
            offer = (offered.input,), (offered.output,)
            self._obstacles.note(self._matching.obstacle(plugin, name, terms, offer, headers, exact))
            return "input or output does not fit"
        if plugin not in terms.mandatory and not terms.has_room(self._taken(name, terms)):
            return self._note(plugin, name, ObstacleKind.NOT_NEEDED, "not needed anymore")
        if not self._quotas.make_room_for_pending(plugin, now, self._lifecycle.give_up):
            if self._quotas.is_closed:
                return "the core is leaving"
            return self._note(plugin, name, ObstacleKind.LIMIT, "too many requests are under way")
        return fit

    def _note(self, plugin: str, operation_name: str, kind: ObstacleKind, reason: str) -> str:
        """Note why an offered operation is not requested; return that."""
        self._obstacles.note(
            Obstacle(remote_identifier=plugin, operation_name=operation_name, kind=kind, detail=reason)
        )
        return reason

    # Request and reject

    def _request(
        self, plugin: str, operation_name: str, fit: Fit, reply_topic: str, headers: Headers, now: float
    ) -> None:
        slot = Slot(
            role=Role.CORE,
            remote_identifier=plugin,
            operation_name=operation_name,
            input=fit.input,
            output=fit.output,
            input_schemas=fit.input_schemas,
            foreign=fit.foreign,
            created_at=now,
            waiting_since=now,
            offer_identifiers=(headers.identifier,),
            peer_topic=reply_topic,
        )
        self._lifecycle.build_topics(slot, self._outbox.new_identifier())
        slot.size = _size_of_offer(slot) + (size_of_foreign(fit.foreign) if fit.foreign else 0)
        self._lifecycle.begin(slot, SlotTrigger.OFFER_ACCEPTED)
        self._slots.index_topics(slot)
        self._lifecycle.prepare(slot)

    def prepared(self, slot: Slot, now: float) -> None:
        """Send the request of a slot in state PREPARING."""
        self._lifecycle.advance(slot, SlotTrigger.PREPARED, now)
        self._send_request(slot)

    def _send_request(self, slot: Slot) -> None:
        slot.request_identifier = self._outbox.new_identifier()
        message = messages.RequestOperationMessage(
            core_identifier=self._config.identifier,
            operation_name=slot.operation_name,
            response_topic=self._config.topics.response(slot.remote_identifier),
            output_topic=slot.output_topic,
            core_side_close_operation_connection_topic=slot.incoming_close_topic,
            setup_data=slot.setup_data,
            input_schemas=slot.input_schemas,
        )
        self._outbox.send(
            slot.remote_identifier,
            slot.peer_topic,
            message,
            event_identifier=slot.request_identifier,
            correlation_identifier=slot.offer_identifiers[-1],
            connection_identifier=slot.connection_identifier,
        )

    def repeat_unanswered(self, peer: Peer, connection_identifiers: Container[str] | None = None) -> None:
        """Send requests again that a plugin has not answered, or whose answer was lost; it answers each as the first.

        With `connection_identifiers`, those for these alone.
        """
        if not peer.sends_headers:
            return  # an older peer would take it for another one
        for slot in self._slots.of_remote(peer.identifier):
            is_meant = connection_identifiers is None or slot.connection_identifier in connection_identifiers
            if is_meant and slot.state is SlotState.REQUESTED:
                self._send_request(slot)

    def _send_reject(
        self,
        plugin: str,
        operation_name: str,
        topic: str,
        description: str,
        *,
        correlation_identifier: str | None,
        connection_identifier: str | None = None,
    ) -> None:
        message = messages.RejectOperationMessage(
            core_identifier=self._config.identifier, operation_name=operation_name, description=description
        )
        self._outbox.send(
            plugin,
            topic,
            message,
            correlation_identifier=correlation_identifier,
            connection_identifier=connection_identifier,
        )

    def give_up(self, slot: Slot) -> None:
        """Tell the plugin that its offer is not taken up."""
        self._send_reject(
            slot.remote_identifier,
            slot.operation_name,
            slot.peer_topic,
            "the request is taken back",
            correlation_identifier=slot.offer_identifiers[-1],
            connection_identifier=slot.connection_identifier,
        )

    # Confirm and no longer available

    def on_confirm(self, topic: str, message: messages.ConfirmConnectionMessage, headers: Headers, now: float) -> None:
        """Open the connection that was requested."""
        plugin, name = message.plugin_identifier, message.operation_name
        self._liveness.hear(plugin, headers, now)
        slot = self._slots.get(plugin, name)
        close_topic = self._resolver.resolve(
            CloseTopic,
            plugin,
            message.plugin_side_close_operation_connection_topic,
            None if slot is None else (name, slot.connection_identifier),
        )
        if slot is not None and headers.connection_identifier in (None, slot.connection_identifier):
            if slot.is_connection:
                return
            if slot.state is SlotState.REQUESTED:
                if headers.incarnation is None:
                    self._older.add(plugin)
                self._connect(slot, message, close_topic, now)
                return
        # Nobody here waits for it, so the plugin must not go on to believe in it.
        self._outbox.send(
            plugin,
            close_topic,
            messages.GracelessCloseConnectionMessage(
                from_identifier=self._config.identifier, operation_name=name, data=None
            ),
            correlation_identifier=headers.identifier,
            connection_identifier=headers.connection_identifier,
        )

    def _connect(self, slot: Slot, message: messages.ConfirmConnectionMessage, close_topic: str, now: float) -> None:
        plugin, name = slot.remote_identifier, slot.operation_name
        if message.operation_input_topic is not None:
            slot.input_topic = self._resolver.resolve(
                OperationInputTopic, plugin, message.operation_input_topic, (name, slot.connection_identifier)
            )
            self._slots.index_topics(slot)
        slot.remote_close_topic = close_topic
        self._slots.grow(slot, getsizeof(close_topic) + getsizeof(slot.input_topic))
        self._outbox.effects.append(MessageReceived(remote_identifier=plugin, message=message))
        self._lifecycle.open(slot, SlotTrigger.CONFIRM_RECEIVED, now)

    def on_no_longer_available(
        self, topic: str, message: messages.OperationNoLongerAvailableMessage, headers: Headers, now: float
    ) -> None:
        """Give up a request."""
        self._liveness.hear(message.plugin_identifier, headers, now)
        slot = self._slots.get(message.plugin_identifier, message.operation_name)
        if slot is None or slot.state is not SlotState.REQUESTED:
            return
        if headers.connection_identifier in (None, slot.connection_identifier) and may_answer(
            headers, slot.request_identifier
        ):
            self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
            self._lifecycle.release(slot, SlotTrigger.NO_LONGER_AVAILABLE_RECEIVED, CloseReason.REMOTE)


def _remember(plugins: dict[str, tuple[str, ...]], plugin: str, operation_names: tuple[str, ...]) -> None:
    """Keep what a plugin has announced, of as many as are asked at a time: the oldest is forgotten."""
    plugins.pop(plugin, None)
    plugins[plugin] = operation_names
    if len(plugins) > limits.DIRECTED_DISCOVERS:
        del plugins[next(iter(plugins))]


def _query(operation_name: str, terms: RequirementTerms) -> messages.DiscoverQuery:
    return messages.DiscoverQuery(
        operation_name=operation_name,
        inputs=terms.inputs,
        outputs=terms.outputs,
        allowlist=terms.allowlist,
        blocklist=None if terms.allowlist is not None else terms.blocklist,
    )


def _size_of_offer(slot: Slot) -> int:
    """Return how many bytes a slot takes that it has from an offer: identifiers, topics and schemas."""
    told = (
        slot.remote_identifier,
        slot.operation_name,
        slot.offer_identifiers[-1],
        slot.peer_topic,
        slot.output_topic,
        slot.incoming_close_topic,
        *slot.input.schemas,
        *slot.output.schemas,
    )
    return sum(map(getsizeof, told))
