"""What a plugin offers, and when: what is free when a core asks, and later what has become free."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeAlias

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.effects import CloseReason, Effect, MessageReceived
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.policy import AllowBlockList
from orbitalis.protocol.remote import Claim, Standing, Told
from orbitalis.protocol.settings import OperationTerms, PluginSettings
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis.protocol.wishes import Wish, Wishes
from orbitalis_wire import channels, limits
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    DiscoverQuery,
    EventEnvelope,
    OfferedOperation,
    OfferMessage,
)
from orbitalis_wire.topics import KeepaliveRequestTopic, KeepaliveTopic, OfferTopic

__all__ = ["Offering"]

_Shape: TypeAlias = tuple[Input, Output]
_Terms: TypeAlias = tuple[_Shape, Hashable]
"""What an operation is, and the rules of its policy, as they cannot be edited any more."""

_ENDS_WISH = frozenset({SlotTrigger.REJECT_RECEIVED, SlotTrigger.EXPIRED, SlotTrigger.PREPARATION_FAILED})
"""What ends an offer so that the core has to ask again before it is repeated."""


class Offering(OrbiterProtocol):
    """The part of a plugin's machine that makes itself known, and offers."""

    role = Role.PLUGIN
    _settings: PluginSettings

    def __init__(self, settings: PluginSettings, *, new_identifier: Callable[[], str]) -> None:
        super().__init__(settings, new_identifier=new_identifier)
        self.wishes = Wishes(lambda name: name in self._settings.operations)
        """What cores have asked for that may be offered later."""
        self._freed: dict[str, None] = {}
        """Operations that could not be lent and perhaps can be now, in the order in which that happened."""
        self._known_terms: dict[str, _Terms] = {}
        """What the operations were when each was last looked at."""
        self._announced: dict[str, _Shape] = {}
        """What the operations were when all were last looked at."""

    # On the plugin's own account

    def send_offer(
        self, core_identifier: str, offer_topic: str, operation_names: list[str], now: float
    ) -> list[Effect]:
        """Offer operations to a core without being asked; those that cannot be lent to it now are left out.

        Raises:
            RemoteProtocolError: The core's identifier or the topic cannot be used.
        """
        if self.running:
            self._told.check_identifier(core_identifier)
            topic = self._told.resolve(OfferTopic, core_identifier, offer_topic)
            offered = [
                slot
                for name in operation_names
                if (terms := self._settings.operations.get(name)) is not None
                and (slot := self._reserve(core_identifier, name, terms.input, terms.output, now)) is not None
            ]
            self._send_offer(core_identifier, topic, offered)
        return self._outbox.take()

    def update_operations(self, now: float) -> list[Effect]:
        """Offer and announce what has changed since this was last called: operations, and their policies."""
        if self.running:
            before, self._announced = self._announced, self._shapes()
            for name in {**self._known_terms, **self._announced}:
                self._look_at(name)
            self._settle(now)
            if any(before.get(name) != shape for name, shape in self._announced.items()):
                self._announce()
        return self._outbox.take()

    def _shapes(self) -> dict[str, _Shape]:
        return {name: (terms.input, terms.output) for name, terms in self._settings.operations.items()}

    def _look_at(self, operation_name: str) -> None:
        """Note whether an operation has changed since this was last called: perhaps it can be lent now."""
        terms = self._settings.operations.get(operation_name)
        if terms is None:
            if self._known_terms.pop(operation_name, None) is not None:
                self.wishes.operation_changed(operation_name)
        elif self._known_terms.get(operation_name) != (known := ((terms.input, terms.output), _rules(terms))):
            self._known_terms[operation_name] = known
            self._freed[operation_name] = None
            self.wishes.operation_changed(operation_name)

    def _announce(self) -> None:
        if self.leaving:
            return
        message = AnnounceMessage(
            plugin_identifier=self._settings.identifier,
            operation_names=list(self._settings.operations),
            discover_topic=self._settings.topics.directed_discover(None),
        )
        self._outbox.send(None, self._settings.announce_topic, channels.ANNOUNCE, message)

    def _on_start(self, now: float) -> None:
        self._announced = self._shapes()
        self._announce()

    def _on_stop(self) -> None:
        self.wishes.clear()
        self._freed.clear()
        self._known_terms.clear()

    def _on_reconnected(self, now: float) -> None:
        self._announce()

    def _next_own_deadline(self) -> float | None:
        return self.wishes.next_deadline()

    def _discard_own_expired(self, now: float) -> None:
        self.wishes.discard_expired(now)

    # Discover

    def _on_discover(self, topic: str, message: DiscoverMessage, envelope: EventEnvelope, now: float) -> None:
        core = message.core_identifier
        self._check_operations(core, len(message.queries))
        is_directed = topic != self._settings.discover_topic
        if not (self._admit(core, envelope, now) if is_directed else self._is_to_be_answered(core, envelope)):
            return
        wish = Wish(
            core_identifier=core,
            envelope=envelope,
            asked_at=now,
            offer_topic=self._told.resolve(OfferTopic, core, message.offer_topic),
            told=Told(
                keepalive_topic=self._told.resolve(KeepaliveTopic, core, message.core_keepalive_topic),
                keepalive_request_topic=self._told.resolve(
                    KeepaliveRequestTopic, core, message.core_keepalive_request_topic
                ),
                considers_me_dead_after=message.considered_dead_after,
            ),
            is_certain=is_directed,
            is_named=self._is_named(core),
        )
        self._outbox.add(MessageReceived(remote_identifier=core, message=message))
        queries = {
            name: query
            for name, query in message.queries.items()
            if _admits(query, self._settings.identifier)
            and self._can_compare(_schemas_of(query), name in self._settings.operations, now)
        }
        # A directed discover has perhaps crossed the offer that answers another, and is no reason to repeat that.
        awaited = {slot.operation_name for slot in self.slots.of_remote(core) if slot.state is SlotState.OFFERED}
        offered = [
            slot
            for name, query in queries.items()
            if not (is_directed and name in awaited)
            and (slot := self._answer(core, name, query, envelope, now)) is not None
        ]
        self._remember(wish, queries)
        if offered or self.acquaintances.get(core) is not None:
            self._meet(wish, now)
        if offered:
            self._send_offer(core, wish.offer_topic, offered)
        elif is_directed and not awaited:
            self._publish_keepalive(core, wish.told.keepalive_topic, correlation_identifier=envelope.identifier)

    def _is_to_be_answered(self, core: str, envelope: EventEnvelope) -> bool:
        """Return whether a discover to everybody is not from a life that is over.

        Anybody can publish one in the core's name, so that it ends nothing: if the core has started anew, its request,
        on a topic of its own, says so.
        """
        self._check_sender(core)
        return self.acquaintances.standing(core, envelope) is not Standing.STALE

    def _meet(self, wish: Wish, now: float) -> None:
        """Make the acquaintance of a core, with what its discover told; what a newer life claims is kept apart."""
        core = self.acquaintances.get(wish.core_identifier)
        if core is not None and core.standing(wish.envelope) is Standing.NEWER:
            core.claim = Claim(incarnation=wish.envelope.incarnation, told=wish.told)
            return
        self.acquaintances.told(
            self.acquaintances.meet(wish.core_identifier, wish.envelope, now, is_certain=wish.is_certain), wish.told
        )

    def _answer(
        self, core: str, operation_name: str, query: DiscoverQuery, envelope: EventEnvelope, now: float
    ) -> Slot | None:
        """Return the slot to offer in answer to one query, if there is any."""
        slot = self.slots.get(core, operation_name)
        if slot is None:
            return self._reserve_for(core, operation_name, query, now)
        # A core that has started anew cannot say so for sure, or, an older peer, at all; it gets its operation offered
        # again.
        may_be_new = self.acquaintances.standing(core, envelope) is Standing.NEWER
        if slot.state is SlotState.OFFERED or (slot.is_open and envelope.incarnation is None) or may_be_new:
            return slot if self._suited(operation_name, query) is not None else None
        return None

    # Offers in a second moment

    def _remember(self, wish: Wish, queries: dict[str, DiscoverQuery]) -> None:
        """Remember what a core, which may want late offers, has asked for and is not connected for."""
        core = wish.core_identifier
        if wish.envelope.late_offers:
            for name, query in queries.items():
                slot = self.slots.get(core, name)
                if slot is None or not slot.is_open:
                    wish.queries[name] = query
        self.wishes.remember(wish)
        for name in wish.queries:
            self._look_at(name)
            if self._suited_late(wish, name) is None:
                self.wishes.set_aside(core, name)
        if not self._has_room_for_pending():
            self._freed.update(dict.fromkeys(name for name in wish.queries if name in self._settings.operations))

    def _forget_wishes(self, remote_identifier: str, *, but_of: str | None = None) -> None:
        wish = self.wishes.of_core(remote_identifier)
        if wish is not None and (but_of is None or wish.envelope.incarnation != but_of):
            self.wishes.forget(remote_identifier)

    def _open(self, slot: Slot, trigger: SlotTrigger, now: float) -> None:
        super()._open(slot, trigger, now)
        self.wishes.fulfil(*slot.key)

    def _release(self, slot: Slot, trigger: SlotTrigger, reason: CloseReason, data: bytes | None = None) -> None:
        super()._release(slot, trigger, reason, data)
        self._freed[slot.operation_name] = None
        if trigger in _ENDS_WISH:
            self.wishes.fulfil(*slot.key)
        else:
            self.wishes.resume(*slot.key)

    def _admit(self, remote_identifier: str, envelope: EventEnvelope, now: float) -> bool:
        is_present = super()._admit(remote_identifier, envelope, now)
        if is_present:
            self.wishes.heard(remote_identifier)
        return is_present

    def _settle(self, now: float) -> None:
        """Offer what has become free to those who wait for it."""
        if not self._freed or not self.running:
            return
        if not self.wishes:
            self._freed.clear()
            return
        offers: dict[str, tuple[Wish, list[Slot]]] = {}
        for name in tuple(self._freed):
            if not self._has_room_for_pending():
                break  # the rest has to wait for that, too
            self._look_at(name)
            del self._freed[name]
            while self._is_free(name) and (wish := self.wishes.first(name)) is not None:
                if not self._has_room_for_pending():
                    self._freed[name] = None
                    break
                if (slot := self._reserve_late(wish, name, now)) is not None:
                    offers.setdefault(wish.core_identifier, (wish, []))[1].append(slot)
        for wish, offered in offers.values():
            self._meet(wish, now)
            self._send_offer(wish.core_identifier, wish.offer_topic, offered)

    def _reserve_late(self, wish: Wish, name: str, now: float) -> Slot | None:
        """Take a slot for who is the next to wait for an operation; who gets none lets others be the next."""
        core = wish.core_identifier
        if self.acquaintances.standing(core, wish.envelope) is Standing.STALE:
            self.wishes.forget(core)
            return None
        # Those who may be dead come behind all others.
        if self._is_silent(wish, now) and self.wishes.put_off(core, name):
            return None
        suited = self._suited_late(wish, name)
        slot = None if suited is None else self._reserve(wish.core_identifier, name, *suited, now)
        self.wishes.set_aside(core, name)
        return slot

    def _suited_late(self, wish: Wish, operation_name: str) -> _Shape | None:
        """Do as :meth:`_suited`, for a core that the policy admits and that has no offer.

        If that gives nothing, it gives nothing until the offer has ended, or operation or policy have changed.
        """
        core, terms = wish.core_identifier, self._settings.operations.get(operation_name)
        if terms is None or not terms.policy.admits(core) or self.slots.get(core, operation_name) is not None:
            return None
        return self._suited(operation_name, wish.queries[operation_name])

    def _is_named(self, remote_identifier: str) -> bool:
        return any(remote_identifier in (terms.policy.allowlist or ()) for terms in self._settings.operations.values())

    def _is_silent(self, wish: Wish, now: float) -> bool:
        after = self._settings.consider_others_dead_after
        remote = self.acquaintances.get(wish.core_identifier)
        last_seen = wish.asked_at if remote is None else max(remote.last_seen, wish.asked_at)
        return after is not None and last_seen + after <= now

    # Offer

    def _suited(self, operation_name: str, query: DiscoverQuery) -> _Shape | None:
        """Return input and output of an operation in the words of a query, if they are what that asks for."""
        terms = self._settings.operations.get(operation_name)
        if terms is None:
            return None
        inputs = [Input.from_wire(record) for record in query.inputs]
        outputs = [Output.from_wire(record) for record in query.outputs]
        if not any(terms.input.accepts(theirs) for theirs in inputs):
            return None
        if not any(theirs.accepts(terms.output) for theirs in outputs):
            return None
        return terms.input.spelled_like(inputs), terms.output.spelled_like(outputs)

    def _reserve_for(self, core: str, operation_name: str, query: DiscoverQuery, now: float) -> Slot | None:
        """Take a slot for an offer that answers a query, if the operation suits it and can be lent.

        An offer that has gone unanswered may be given up for it.
        """
        if not (self._is_free(operation_name) and self._settings.operations[operation_name].policy.admits(core)):
            return None
        suited = self._suited(operation_name, query)
        if suited is None or not self._make_room_for_pending(core, now):
            return None
        return self._reserve(core, operation_name, *suited, now)

    def _reserve(
        self, core: str, operation_name: str, operation_input: Input, operation_output: Output, now: float
    ) -> Slot | None:
        """Take a slot for an offer, if the policy allows that and none is taken for the same."""
        if self.slots.get(core, operation_name) is not None or not self._can_lend(core, operation_name):
            return None
        slot = Slot(
            role=self.role,
            remote_identifier=core,
            operation_name=operation_name,
            input=operation_input,
            output=operation_output,
            created_at=now,
        )
        self._add_pending(slot, SlotTrigger.OFFER_SENT)
        return slot

    def _can_lend(self, core: str, operation_name: str) -> bool:
        return (
            self._is_free(operation_name)
            and self._settings.operations[operation_name].policy.admits(core)
            and self._has_room_for_pending()
            and self._has_room_for_connection(core)
        )

    def _is_free(self, operation_name: str) -> bool:
        """Return whether there is such an operation, and its policy has a slot left."""
        terms = self._settings.operations.get(operation_name)
        return terms is not None and terms.policy.has_room(self.slots.count(operation_name))

    def _send_offer(self, core: str, offer_topic: str, offered: list[Slot]) -> None:
        for begin in range(0, len(offered), limits.OPERATIONS_OF_MESSAGE):
            self._send_one_offer(core, offer_topic, offered[begin : begin + limits.OPERATIONS_OF_MESSAGE])

    def _send_one_offer(self, core: str, offer_topic: str, offered: list[Slot]) -> None:
        event_identifier = self._new_identifier()
        for slot in offered:
            slot.offer_identifiers = (*slot.offer_identifiers[-7:], event_identifier)
        message = OfferMessage(
            plugin_identifier=self._settings.identifier,
            offered_operations=[
                OfferedOperation(name=slot.operation_name, input=slot.input, output=slot.output) for slot in offered
            ],
            reply_topic=self._settings.topics.reply(core),
            considered_dead_after=self._considered_dead_after,
            plugin_keepalive_topic=self._settings.topics.keepalive(core),
            plugin_keepalive_request_topic=self._settings.topics.keepalive_request(core),
        )
        self._outbox.send(core, offer_topic, channels.OFFER, message, event_identifier=event_identifier)


def _rules(operation: OperationTerms) -> Hashable:
    policy = operation.policy
    lists = (None if names is None else tuple(names) for names in (policy.allowlist, policy.blocklist))
    return policy.maximum, *lists


def _schemas_of(query: DiscoverQuery) -> Iterable[str]:
    for inputs in query.inputs:
        yield from inputs.schemas
    for outputs in query.outputs:
        yield from outputs.schemas


def _admits(query: DiscoverQuery, identifier: str) -> bool:
    lists = AllowBlockList(
        allowlist=None if query.allowlist is None else list(query.allowlist),
        blocklist=None if query.blocklist is None or query.allowlist is not None else list(query.blocklist),
    )
    return lists.admits(identifier)
