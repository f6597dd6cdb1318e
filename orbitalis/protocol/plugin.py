"""The plugin's machine: offers what is free, lends it, and takes it back."""

from __future__ import annotations

from collections.abc import Callable

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.effects import CloseReason, Effect, MessageReceived, ProtocolMessage
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.policy import AllowBlockList
from orbitalis.protocol.settings import OperationTerms, PluginSettings
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    DiscoverQuery,
    EventEnvelope,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import (
    CloseTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OfferTopic,
    OperationOutputTopic,
    ResponseTopic,
)

__all__ = ["PluginProtocol"]


class PluginProtocol(OrbiterProtocol):
    """What a plugin does beyond what every orbiter does."""

    role = Role.PLUGIN
    _settings: PluginSettings

    def __init__(self, settings: PluginSettings, *, new_identifier: Callable[[], str]) -> None:
        super().__init__(settings, new_identifier=new_identifier)

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

    def _dispatch(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        match message:
            case DiscoverMessage():
                self._on_discover(message, envelope, now)
            case RequestOperationMessage():
                self._on_request(message, envelope, now)
            case RejectOperationMessage():
                self._on_reject(message, envelope, now)
            case _:
                self._dispatch_shared(topic, message, envelope, now)

    def _settle(self, now: float) -> None:
        # A plugin has no needs that connections could meet.
        pass

    # Discover and offer

    def _on_discover(self, message: DiscoverMessage, envelope: EventEnvelope, now: float) -> None:
        core = message.core_identifier
        if not self._admit(core, envelope, now):
            return
        offer_topic = self._told.resolve(OfferTopic, core, message.offer_topic)
        keepalive_topic = self._told.resolve(KeepaliveTopic, core, message.core_keepalive_topic)
        request_topic = self._told.resolve(KeepaliveRequestTopic, core, message.core_keepalive_request_topic)
        self._outbox.add(MessageReceived(remote_identifier=core, message=message))
        offered = [
            slot
            for name, query in message.queries.items()
            if (slot := self._answer(core, name, query, envelope, now)) is not None
        ]
        if not offered and self.acquaintances.get(core) is None:
            return
        self.acquaintances.told(
            self.acquaintances.meet(core, envelope, now),
            keepalive_topic=keepalive_topic,
            keepalive_request_topic=request_topic,
            considers_me_dead_after=message.considered_dead_after,
        )
        self._send_offer(core, offer_topic, offered)

    def _answer(
        self, core: str, operation_name: str, query: DiscoverQuery, envelope: EventEnvelope, now: float
    ) -> Slot | None:
        """Return the slot to offer in answer to one query, if there is any."""
        terms = self._settings.operations.get(operation_name)
        if terms is None or not _admits(query, self._settings.identifier):
            return None
        inputs = [Input.from_wire(record) for record in query.inputs]
        outputs = [Output.from_wire(record) for record in query.outputs]
        if not any(terms.input.accepts(theirs) for theirs in inputs):
            return None
        if not any(theirs.accepts(terms.output) for theirs in outputs):
            return None
        slot = self.slots.get(core, operation_name)
        if slot is None:
            return self._reserve(
                core, operation_name, terms.input.spelled_like(inputs), terms.output.spelled_like(outputs), now
            )
        # An older peer that has restarted cannot say so, and gets its operation offered again.
        if slot.state is SlotState.OFFERED or (slot.is_open and envelope.incarnation is None):
            return slot
        return None

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
        terms = self._settings.operations.get(operation_name)
        return (
            terms is not None
            and terms.policy.admits(core)
            and terms.policy.has_room(self.slots.count(operation_name))
            and self._has_room_for_pending()
        )

    def _send_offer(self, core: str, offer_topic: str, offered: list[Slot]) -> None:
        if not offered:
            return
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

    # Request and reject

    def _on_request(self, message: RequestOperationMessage, envelope: EventEnvelope, now: float) -> None:
        core, name = message.core_identifier, message.operation_name
        if not self._admit(core, envelope, now):
            return
        response_topic = self._told.resolve(ResponseTopic, core, message.response_topic)
        close_topic = self._told.resolve(CloseTopic, core, message.core_side_close_operation_connection_topic)
        output_topic = (
            self._told.resolve(OperationOutputTopic, core, message.output_topic) if message.output_topic else None
        )
        self._outbox.add(MessageReceived(remote_identifier=core, message=message))
        slot = self.slots.get(core, name)
        if slot is not None and slot.state is not SlotState.OFFERED:
            if self._repeats(slot, envelope):
                if slot.is_open:
                    self._send_confirm(slot)
                return
            if envelope.connection_identifier is None:
                self._release(slot, SlotTrigger.REPLACED, CloseReason.REMOTE_FORGOT)
                slot = None
        terms = self._settings.operations.get(name)
        if slot is not None and slot.state is SlotState.OFFERED and not self._still_lends(slot, terms):
            self._release(slot, SlotTrigger.WITHDRAWN, CloseReason.LOCAL)
            slot = None
        if terms is None or not self._answers_offer(slot, core, name, envelope):
            self._send_no_longer_available(core, name, response_topic, envelope)
            return
        is_new = slot is None
        if slot is None:
            slot = Slot(
                role=self.role,
                remote_identifier=core,
                operation_name=name,
                input=terms.input,
                output=terms.output,
                created_at=now,
            )
        self._build_topics(slot, envelope.connection_identifier or self._new_identifier())
        slot.request_identifier = envelope.identifier
        slot.response_topic = response_topic
        slot.output_topic = output_topic if slot.output.has_output else None
        slot.remote_close_topic = close_topic
        slot.setup_data = message.setup_data
        if is_new:
            self._add_pending(slot, SlotTrigger.REQUEST_RECEIVED)
        else:
            self.slots.advance(slot, SlotTrigger.REQUEST_RECEIVED)
        self.acquaintances.meet(core, envelope, now)
        self.slots.index_topics(slot)
        self._prepare(slot)

    def _repeats(self, slot: Slot, envelope: EventEnvelope) -> bool:
        """Return whether a request is the one that made this slot what it is, sent again."""
        if envelope.connection_identifier is None:
            return slot.request_identifier == envelope.identifier
        return slot.connection_identifier == envelope.connection_identifier

    def _still_lends(self, slot: Slot, terms: OperationTerms | None) -> bool:
        """Return whether the policy, which may have changed since the offer, still allows this slot."""
        return (
            terms is not None
            and terms.policy.admits(slot.remote_identifier)
            and terms.policy.has_room(self.slots.count(slot.operation_name) - 1)
        )

    def _answers_offer(self, slot: Slot | None, core: str, operation_name: str, envelope: EventEnvelope) -> bool:
        if slot is None:
            # Only an older peer, which cannot say which offer it answers, gets a slot that is not reserved for it.
            return envelope.connection_identifier is None and self._can_lend(core, operation_name)
        return slot.state is SlotState.OFFERED and (
            envelope.correlation_identifier is None or envelope.correlation_identifier in slot.offer_identifiers
        )

    def _on_prepared(self, slot: Slot, now: float) -> None:
        self._open(slot, SlotTrigger.PREPARED, now)
        self._send_confirm(slot)

    def _send_confirm(self, slot: Slot) -> None:
        message = ConfirmConnectionMessage(
            plugin_identifier=self._settings.identifier,
            operation_name=slot.operation_name,
            operation_input_topic=slot.input_topic,
            plugin_side_close_operation_connection_topic=slot.incoming_close_topic,
        )
        self._outbox.send(
            slot.remote_identifier,
            slot.response_topic,
            channels.RESPONSE,
            message,
            correlation_identifier=slot.request_identifier,
            connection_identifier=slot.connection_identifier,
        )

    def _give_up(self, slot: Slot) -> None:
        if slot.state is SlotState.PREPARING:
            self._outbox.send(
                slot.remote_identifier,
                slot.response_topic,
                channels.RESPONSE,
                self._no_longer_available(slot.operation_name),
                correlation_identifier=slot.request_identifier,
                connection_identifier=slot.connection_identifier,
            )

    def _send_no_longer_available(self, core: str, name: str, topic: str, envelope: EventEnvelope) -> None:
        self._outbox.send(
            core,
            topic,
            channels.RESPONSE,
            self._no_longer_available(name),
            correlation_identifier=envelope.identifier,
            connection_identifier=envelope.connection_identifier,
        )

    def _no_longer_available(self, operation_name: str) -> OperationNoLongerAvailableMessage:
        return OperationNoLongerAvailableMessage(
            plugin_identifier=self._settings.identifier, operation_name=operation_name
        )

    def _on_reject(self, message: RejectOperationMessage, envelope: EventEnvelope, now: float) -> None:
        if not self._admit(message.core_identifier, envelope, now):
            return
        slot = self.slots.get(message.core_identifier, message.operation_name)
        if slot is None:
            return
        if slot.state is SlotState.OFFERED:
            meant = envelope.correlation_identifier in (None, *slot.offer_identifiers[-1:])
        else:
            meant = envelope.connection_identifier == slot.connection_identifier
        if meant:
            self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
            self._release(slot, SlotTrigger.REJECT_RECEIVED, CloseReason.REMOTE)


def _admits(query: DiscoverQuery, identifier: str) -> bool:
    lists = AllowBlockList(
        allowlist=None if query.allowlist is None else list(query.allowlist),
        blocklist=None if query.blocklist is None or query.allowlist is not None else list(query.blocklist),
    )
    return lists.admits(identifier)
