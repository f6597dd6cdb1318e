"""The plugin's machine: lends what it has offered, and takes it back."""

from __future__ import annotations

from orbitalis.protocol.effects import CloseReason, MessageReceived, ProtocolMessage
from orbitalis.protocol.offering import Offering
from orbitalis.protocol.settings import OperationTerms
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import SlotState, SlotTrigger
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    EventEnvelope,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import (
    CloseTopic,
    OperationOutputTopic,
    ResponseTopic,
)

__all__ = ["PluginProtocol"]


class PluginProtocol(Offering):
    """What a plugin does beyond what every orbiter does."""

    def _dispatch(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        match message:
            case DiscoverMessage():
                self._on_discover(topic, message, envelope, now)
            case RequestOperationMessage():
                self._on_request(message, envelope, now)
            case RejectOperationMessage():
                self._on_reject(message, envelope, now)
            case _:
                self._dispatch_shared(topic, message, envelope, now)

    # Request and reject

    def _on_request(self, message: RequestOperationMessage, envelope: EventEnvelope, now: float) -> None:
        core, name = message.core_identifier, message.operation_name
        before = self.slots.get(core, name)
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
                slot.request_identifier = envelope.identifier
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
        if slot is None and before is not None and envelope.correlation_identifier in before.offer_identifiers:
            # Offered to a life of the core that is certain only now, which ended what was shared with the one before.
            is_expected = self._can_lend(core, name)
        else:
            is_expected = self._answers_offer(slot, core, name, envelope, now)
        if terms is None or not is_expected:
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
            self._begin_waiting(slot, now)
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

    def _answers_offer(
        self, slot: Slot | None, core: str, operation_name: str, envelope: EventEnvelope, now: float
    ) -> bool:
        if slot is None:
            # Only an older peer, which cannot say which offer it answers, gets a slot that is not reserved for it.
            return (
                envelope.connection_identifier is None
                and self._make_room_for_pending(core, now)
                and self._can_lend(core, operation_name)
            )
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
