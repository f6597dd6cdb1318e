"""The core's machine: requests what fits of what it is offered, and takes confirms."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from orbitalis.errors import RemoteProtocolError
from orbitalis.message.schema import Input, Output
from orbitalis.protocol.discovering import Discovering
from orbitalis.protocol.effects import CloseReason, MessageReceived, ProtocolMessage
from orbitalis.protocol.remote import Remote, Told
from orbitalis.protocol.settings import CoreSettings
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    EventEnvelope,
    GracelessCloseConnectionMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import CloseTopic, KeepaliveRequestTopic, KeepaliveTopic, OperationInputTopic, ReplyTopic

__all__ = ["CoreProtocol", "Refusal"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An offer that the core did not take."""

    plugin_identifier: str
    reason: str
    """For people."""


class CoreProtocol(Discovering):
    """What a core does beyond what every orbiter does."""

    role = Role.CORE

    def __init__(self, settings: CoreSettings, *, new_identifier: Callable[[], str]) -> None:
        super().__init__(settings, new_identifier=new_identifier)
        self.last_refusals: dict[str, Refusal] = {}
        """By operation name, the last offer that was refused since the operation was last connected."""

    def _on_start(self, now: float) -> None:
        super()._on_start(now)
        self.last_refusals.clear()

    def _dispatch(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        match message:
            case AnnounceMessage():
                self._on_announcement(message, envelope, now)
            case OfferMessage():
                self._on_offer(message, envelope, now)
            case ConfirmConnectionMessage():
                self._on_confirm(message, envelope, now)
            case OperationNoLongerAvailableMessage():
                self._on_no_longer_available(message, envelope, now)
            case _:
                self._dispatch_shared(topic, message, envelope, now)

    # Offer

    def _on_offer(self, message: OfferMessage, envelope: EventEnvelope, now: float) -> None:
        plugin = message.plugin_identifier
        self._check_operations(plugin, len(message.offered_operations))
        if not self._admit(plugin, envelope, now):
            return
        reply_topic = self._told.resolve(ReplyTopic, plugin, message.reply_topic)
        told = Told(
            keepalive_topic=self._told.resolve(KeepaliveTopic, plugin, message.plugin_keepalive_topic),
            keepalive_request_topic=self._told.resolve(
                KeepaliveRequestTopic, plugin, message.plugin_keepalive_request_topic
            ),
            considers_me_dead_after=message.considered_dead_after,
        )
        self._outbox.add(MessageReceived(remote_identifier=plugin, message=message))
        by_name: dict[str, OfferedOperation] = {}
        for offered in message.offered_operations:
            by_name.setdefault(offered.name, offered)
        for offered in by_name.values():
            self._on_offered(plugin, offered, reply_topic, envelope, now)
        if not self.slots.has_remote(plugin) and self.acquaintances.get(plugin) is None:
            return
        self.acquaintances.told(self.acquaintances.meet(plugin, envelope, now), told)

    def _on_offered(
        self, plugin: str, offered: OfferedOperation, reply_topic: str, envelope: EventEnvelope, now: float
    ) -> None:
        slot = self.slots.get(plugin, offered.name)
        if slot is not None and not slot.is_connection:
            # The offer crossed the request, or the request was lost. An older peer would take a second one for another.
            if envelope.incarnation is not None:
                slot.offer_identifiers = (envelope.identifier,)
                if slot.state is SlotState.REQUESTED:
                    self._send_request(slot)
            return
        if slot is not None and envelope.incarnation is None:
            # An older peer offers nothing that is lent to this core: it has started anew, and cannot say so.
            self._release(slot, SlotTrigger.REPLACED, CloseReason.REMOTE_FORGOT)
        reason = self._reason_against(plugin, offered, now)
        if reason is None:
            try:
                self._request(plugin, offered, reply_topic, envelope, now)
            except RemoteProtocolError as error:
                reason = str(error)
        if reason is not None:
            if offered.name in self._settings.operation_requirements:
                self.last_refusals[offered.name] = Refusal(plugin, reason)
            self._send_reject(plugin, offered.name, reply_topic, reason, correlation_identifier=envelope.identifier)

    def _reason_against(self, plugin: str, offered: OfferedOperation, now: float) -> str | None:
        """Return why an offered operation is not requested, for people."""
        requirement = self._settings.operation_requirements.get(offered.name)
        if requirement is None:
            return "the operation is not required"
        constraint = requirement.constraint
        if self.slots.get(plugin, offered.name) is not None:
            return "connected already"
        if not constraint.admits(plugin):
            return "the plugin is excluded"
        if not self._can_compare((*offered.input.schemas, *offered.output.schemas), True, now):
            return "the schemas are too large, or too many new ones came at a time"
        if not constraint.suits(Input.from_wire(offered.input), Output.from_wire(offered.output)):
            return "input or output does not fit"
        if plugin not in constraint.mandatory and not constraint.has_room(self._taken(offered.name, constraint)):
            return "not needed anymore"
        if not self._make_room_for_pending(plugin, now):
            return "the core is leaving" if self.leaving else "too many requests are under way"
        return None

    # Request and reject

    def _request(
        self, plugin: str, offered: OfferedOperation, reply_topic: str, envelope: EventEnvelope, now: float
    ) -> None:
        slot = Slot(
            role=self.role,
            remote_identifier=plugin,
            operation_name=offered.name,
            input=Input.from_wire(offered.input),
            output=Output.from_wire(offered.output),
            created_at=now,
            offer_identifiers=(envelope.identifier,),
            reply_topic=reply_topic,
        )
        self._build_topics(slot, self._new_identifier())
        self._add_pending(slot, SlotTrigger.OFFER_ACCEPTED)
        self.slots.index_topics(slot)
        self._prepare(slot)

    def _on_prepared(self, slot: Slot, now: float) -> None:
        self.slots.advance(slot, SlotTrigger.PREPARED)
        self._begin_waiting(slot, now)
        self._send_request(slot)

    def _send_request(self, slot: Slot) -> None:
        slot.request_identifier = self._new_identifier()
        message = RequestOperationMessage(
            core_identifier=self._settings.identifier,
            operation_name=slot.operation_name,
            response_topic=self._settings.topics.response(slot.remote_identifier),
            output_topic=slot.output_topic,
            core_side_close_operation_connection_topic=slot.incoming_close_topic,
            setup_data=slot.setup_data,
        )
        self._outbox.send(
            slot.remote_identifier,
            slot.reply_topic,
            channels.REPLY,
            message,
            event_identifier=slot.request_identifier,
            correlation_identifier=slot.offer_identifiers[-1],
            connection_identifier=slot.connection_identifier,
        )

    def _repeat_unanswered(self, remote: Remote, connection_identifiers: Container[str] | None = None) -> None:
        """Send requests anew that a remote has not answered, or whose answer was lost; it answers each as the first.

        With `connection_identifiers`, those for these alone.
        """
        if not remote.sends_headers:
            return  # an older peer would take it for another one
        for slot in self.slots.of_remote(remote.identifier):
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
        message = RejectOperationMessage(
            core_identifier=self._settings.identifier, operation_name=operation_name, description=description
        )
        self._outbox.send(
            plugin,
            topic,
            channels.REPLY,
            message,
            correlation_identifier=correlation_identifier,
            connection_identifier=connection_identifier,
        )

    def _give_up(self, slot: Slot) -> None:
        self._send_reject(
            slot.remote_identifier,
            slot.operation_name,
            slot.reply_topic,
            "the request is taken back",
            correlation_identifier=slot.offer_identifiers[-1],
            connection_identifier=slot.connection_identifier,
        )

    # Confirm and no longer available

    def _on_confirm(self, message: ConfirmConnectionMessage, envelope: EventEnvelope, now: float) -> None:
        plugin, name = message.plugin_identifier, message.operation_name
        if not self._admit(plugin, envelope, now):
            return
        close_topic = self._told.resolve(CloseTopic, plugin, message.plugin_side_close_operation_connection_topic)
        slot = self.slots.get(plugin, name)
        if slot is not None and envelope.connection_identifier in (None, slot.connection_identifier):
            if slot.is_connection:
                return
            if slot.state is SlotState.REQUESTED:
                self._connect(slot, message, close_topic, now)
                return
        # Nobody here waits for it, so the plugin must not go on to believe in it.
        refusal = GracelessCloseConnectionMessage(
            from_identifier=self._settings.identifier, operation_name=name, data=None
        )
        self._outbox.send(
            plugin,
            close_topic,
            channels.CLOSE,
            refusal,
            correlation_identifier=envelope.identifier,
            connection_identifier=envelope.connection_identifier,
        )

    def _connect(self, slot: Slot, message: ConfirmConnectionMessage, close_topic: str, now: float) -> None:
        if message.operation_input_topic is not None:
            slot.input_topic = self._told.resolve(
                OperationInputTopic, slot.remote_identifier, message.operation_input_topic
            )
        slot.remote_close_topic = close_topic
        self.last_refusals.pop(slot.operation_name, None)
        self.slots.index_topics(slot)
        self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
        self._open(slot, SlotTrigger.CONFIRM_RECEIVED, now)

    def _on_no_longer_available(
        self, message: OperationNoLongerAvailableMessage, envelope: EventEnvelope, now: float
    ) -> None:
        if not self._admit(message.plugin_identifier, envelope, now):
            return
        slot = self.slots.get(message.plugin_identifier, message.operation_name)
        if slot is None or slot.state is not SlotState.REQUESTED:
            return
        if envelope.connection_identifier in (None, slot.connection_identifier) and (
            envelope.correlation_identifier in (None, slot.request_identifier)
        ):
            self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
            self._release(slot, SlotTrigger.NO_LONGER_AVAILABLE_RECEIVED, CloseReason.REMOTE)
