"""The core's machine: discovers what is missing, requests what fits, and knows whether its needs are met."""

from __future__ import annotations

from collections.abc import Callable

from orbitalis.errors import RemoteProtocolError
from orbitalis.message.schema import Input, Output
from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.effects import CloseReason, ComplianceChanged, Effect, MessageReceived, ProtocolMessage
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.settings import CoreSettings
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    DiscoverQuery,
    EventEnvelope,
    GracelessCloseConnectionMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import CloseTopic, KeepaliveRequestTopic, KeepaliveTopic, OperationInputTopic, ReplyTopic

__all__ = ["CoreProtocol"]


class CoreProtocol(OrbiterProtocol):
    """What a core does beyond what every orbiter does."""

    role = Role.CORE
    _settings: CoreSettings

    def __init__(self, settings: CoreSettings, *, new_identifier: Callable[[], str]) -> None:
        super().__init__(settings, new_identifier=new_identifier)
        self.compliant = False
        """Whether all needs were met when that was last evaluated."""
        self._discovered_at: float | None = None
        """When it was last time to discover, be it that nothing was wanted."""

    # Needs

    def current_constraint(self, operation_name: str) -> Constraint | None:
        """Return what is still wanted of an operation: its constraint less what is connected or requested.

        `None` if nothing more is wanted. Where only mandatory plugins are missing, they are the allowlist.
        """
        requirement = self._settings.operation_requirements.get(operation_name)
        if requirement is None:
            return None
        constraint = requirement.constraint
        missing = [plugin for plugin in constraint.mandatory if self.slots.get(plugin, operation_name) is None]
        taken = self._taken(operation_name, constraint)
        if not constraint.has_room(taken):
            if not missing:
                return None
            return Constraint(
                minimum=0,
                maximum=0,
                mandatory=missing,
                allowlist=missing,
                inputs=constraint.inputs,
                outputs=constraint.outputs,
            )
        return Constraint(
            minimum=max(constraint.minimum - taken, 0),
            maximum=None if constraint.maximum is None else constraint.maximum - taken,
            mandatory=missing,
            allowlist=None
            if constraint.allowlist is None
            else [*constraint.allowlist, *(plugin for plugin in missing if plugin not in constraint.allowlist)],
            blocklist=constraint.blocklist,
            inputs=constraint.inputs,
            outputs=constraint.outputs,
        )

    def is_compliant_for(self, operation_name: str) -> bool:
        """Return whether the open connections of an operation meet its constraint."""
        constraint = self._settings.operation_requirements[operation_name].constraint
        mandatory = sum(self.slots.has_open(operation_name, plugin) for plugin in set(constraint.mandatory))
        others = len(self.slots.open_of_operation(operation_name)) - mandatory
        return mandatory == len(set(constraint.mandatory)) and others >= constraint.minimum

    def is_compliant(self) -> bool:
        """Return whether all needs are met."""
        return all(self.is_compliant_for(name) for name in self._settings.operation_requirements)

    def update_compliant(self, now: float) -> list[Effect]:
        """Evaluate anew whether all needs are met."""
        if self.running:
            self._settle(now)
        return self._outbox.take()

    def operations_to_discover(self) -> dict[str, Constraint]:
        """Return what is still wanted, by operation name."""
        wanted = ((name, self.current_constraint(name)) for name in self._settings.operation_requirements)
        return {name: constraint for name, constraint in wanted if constraint is not None}

    def _taken(self, operation_name: str, constraint: Constraint) -> int:
        """Count the slots of an operation that the maximum bounds."""
        mandatory = sum(self.slots.get(plugin, operation_name) is not None for plugin in set(constraint.mandatory))
        return self.slots.count(operation_name) - mandatory

    def _settle(self, now: float) -> None:
        if not self.running or (compliant := self.is_compliant()) == self.compliant:
            return
        self.compliant = compliant
        self._outbox.add(ComplianceChanged(compliant=compliant))
        if not compliant:
            self._discover_if_due(now)

    # Discover

    def discover(self, constraints: dict[str, Constraint], now: float) -> list[Effect]:
        """Ask all plugins for operations; without any, nothing is sent."""
        if self.running:
            self._discover(constraints, now)
        return self._outbox.take()

    def discover_if_due(self, now: float) -> list[Effect]:
        """Ask for what is still wanted, if it is time to: soon again while needs are not met, later while they are."""
        self._discover_if_due(now)
        return self._outbox.take()

    def _discover_if_due(self, now: float) -> None:
        at = self._next_own_deadline()
        if at is not None and at <= now:
            self._discover(self.operations_to_discover(), now)

    def _discover(self, constraints: dict[str, Constraint], now: float) -> None:
        self._discovered_at = now
        if constraints:
            topics = self._settings.topics
            message = DiscoverMessage(
                core_identifier=self._settings.identifier,
                offer_topic=topics.offer(),
                core_keepalive_topic=topics.keepalive(None),
                core_keepalive_request_topic=topics.keepalive_request(None),
                considered_dead_after=self._considered_dead_after,
                queries={name: _query(name, constraint) for name, constraint in constraints.items()},
            )
            self._outbox.send(None, self._settings.discover_topic, channels.DISCOVER, message)

    def _next_own_deadline(self) -> float | None:
        if not self.running or self.leaving:
            return None
        if self._discovered_at is None:
            return float("-inf")
        settings = self._settings
        interval = settings.discovering_interval_when_compliant if self.compliant else settings.discovering_interval
        return self._discovered_at + interval

    def _on_start(self, now: float) -> None:
        self._discovered_at = None
        self.compliant = self.is_compliant()
        self._outbox.add(ComplianceChanged(compliant=self.compliant))

    def _on_stop(self) -> None:
        self.compliant = False

    def _on_reconnected(self, now: float) -> None:
        self._discovered_at = None

    # Offer

    def _dispatch(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        match message:
            case OfferMessage():
                self._on_offer(message, envelope, now)
            case ConfirmConnectionMessage():
                self._on_confirm(message, envelope, now)
            case OperationNoLongerAvailableMessage():
                self._on_no_longer_available(message, envelope, now)
            case _:
                self._dispatch_shared(topic, message, envelope, now)

    def _on_offer(self, message: OfferMessage, envelope: EventEnvelope, now: float) -> None:
        plugin = message.plugin_identifier
        if not self._admit(plugin, envelope, now):
            return
        reply_topic = self._told.resolve(ReplyTopic, plugin, message.reply_topic)
        keepalive_topic = self._told.resolve(KeepaliveTopic, plugin, message.plugin_keepalive_topic)
        request_topic = self._told.resolve(KeepaliveRequestTopic, plugin, message.plugin_keepalive_request_topic)
        self._outbox.add(MessageReceived(remote_identifier=plugin, message=message))
        for offered in message.offered_operations:
            self._on_offered(plugin, offered, reply_topic, envelope, now)
        if not self.slots.has_remote(plugin) and self.acquaintances.get(plugin) is None:
            return
        self.acquaintances.told(
            self.acquaintances.meet(plugin, envelope, now),
            keepalive_topic=keepalive_topic,
            keepalive_request_topic=request_topic,
            considers_me_dead_after=message.considered_dead_after,
        )

    def _on_offered(
        self, plugin: str, offered: OfferedOperation, reply_topic: str, envelope: EventEnvelope, now: float
    ) -> None:
        slot = self.slots.get(plugin, offered.name)
        if slot is not None and not slot.is_connection:
            # The offer crossed the request, or the request was lost. An older peer would take a second one for another.
            if slot.state is SlotState.REQUESTED and envelope.incarnation is not None:
                slot.offer_identifiers = (envelope.identifier,)
                self._send_request(slot)
            return
        if slot is not None and envelope.incarnation is None:
            # An older peer offers nothing that is lent to this core: it has started anew, and cannot say so.
            self._release(slot, SlotTrigger.REPLACED, CloseReason.REMOTE_FORGOT)
        reason = self._reason_against(plugin, offered)
        if reason is None:
            try:
                self._request(plugin, offered, reply_topic, envelope, now)
            except RemoteProtocolError as error:
                reason = str(error)
        if reason is not None:
            self._send_reject(plugin, offered.name, reply_topic, reason, correlation_identifier=envelope.identifier)

    def _reason_against(self, plugin: str, offered: OfferedOperation) -> str | None:
        """Return why an offered operation is not requested, for people."""
        requirement = self._settings.operation_requirements.get(offered.name)
        if requirement is None:
            return "the operation is not required"
        constraint = requirement.constraint
        if self.slots.get(plugin, offered.name) is not None:
            return "connected already"
        if not constraint.admits(plugin):
            return "the plugin is excluded"
        if not constraint.suits(Input.from_wire(offered.input), Output.from_wire(offered.output)):
            return "input or output does not fit"
        if plugin not in constraint.mandatory and not constraint.has_room(self._taken(offered.name, constraint)):
            return "not needed anymore"
        if not self._has_room_for_pending():
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


def _query(operation_name: str, constraint: Constraint) -> DiscoverQuery:
    return DiscoverQuery(
        operation_name=operation_name,
        inputs=constraint.inputs,
        outputs=constraint.outputs,
        allowlist=constraint.allowlist,
        blocklist=None if constraint.allowlist is not None else constraint.blocklist,
    )
