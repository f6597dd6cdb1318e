"""What users subclass to use operations: :class:`Core`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orbitalis.core.request import OperationRequester
from orbitalis.core.requirement import OperationRequirement, RequirementsProviderMixin
from orbitalis.core.shortfall import Shortfall
from orbitalis.core.sink import SinksProviderMixin
from orbitalis.message.event import Event
from orbitalis.message.schema import SchemaSpec
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.handlers import GivenHandler, deliver
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.core import CoreProtocol
from orbitalis.protocol.effects import ComplianceChanged, MessageReceived, Send
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import CoreState, LifeTrigger, next_core_state
from orbitalis_wire import channels, timings
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
)
from orbitalis_wire.topics import OfferTopic, OperationOutputTopic, ReplyTopic, ResponseTopic

__all__ = ["Core"]


@dataclass(kw_only=True, eq=False)
class Core(SinksProviderMixin, RequirementsProviderMixin, OperationRequester, Orbiter):
    """Needs operations, and executes them; subclasses are dataclasses whose methods are sinks.

    A subclass with a `__post_init__` of its own calls that of this class.
    """

    operation_requirements: dict[str, OperationRequirement] = field(
        default_factory=dict[str, OperationRequirement], repr=False
    )
    """What it needs to be compliant, by operation name; may be edited while the core runs."""
    operation_sinks: dict[str, GivenHandler] = field(default_factory=dict[str, GivenHandler], repr=False)
    """What takes the outputs, by operation name: decorated methods and those given here."""
    late_offers: bool = field(default=True, repr=False)
    """Whether it wants offers also later, for what a plugin cannot offer when it is asked."""
    discovering_interval: float = field(default=timings.DISCOVERING_INTERVAL, repr=False)
    """Seconds between two discovers while it is not compliant."""
    discovering_interval_when_compliant: float = field(default=timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT, repr=False)
    """Seconds between two discovers while it is compliant and could take more plugins."""

    def __post_init__(self) -> None:
        """Collect the sinks."""
        OperationRequester.__init__(self)
        Orbiter.__post_init__(self)
        self.state = CoreState.CREATED
        """What it is doing."""
        self.compliant_event = asyncio.Event()
        """Set while it is compliant."""
        self.not_compliant_event = asyncio.Event()
        """Set while it runs and is not compliant."""
        self._shortfall = Shortfall(self.identifier, self._logger)
        self.operation_sinks = {**self._declared_sinks(), **self.operation_sinks}

    # Life cycle

    @property
    def is_running(self) -> bool:
        """Whether it has started and not stopped."""
        return self.state in (CoreState.COMPLIANT, CoreState.NOT_COMPLIANT)

    def _build_protocol(self) -> CoreProtocol:
        self._machine = CoreProtocol(self, new_identifier=lambda: uuid.uuid4().hex)
        return self._machine

    def _protocol_filters(self) -> dict[str, channels.Channel]:
        return {
            self._build_keepalive_filter(): channels.KEEPALIVE,
            self._build_keepalive_request_filter(): channels.KEEPALIVE_REQUEST,
            self._build_offer_filter(): channels.OFFER,
            self._build_response_filter(): channels.RESPONSE,
            self.announce_topic: channels.ANNOUNCE,
        }

    def _topic_to_itself(self) -> str:
        return ReplyTopic.build(plugin_identifier=self.identifier, core_identifier=self.identifier)

    def _check_can_start(self) -> None:
        if self.is_running:
            raise self._already_running()

    def _switch_to_stopped(self) -> None:
        self.state = next_core_state(self.state, LifeTrigger.STOPPED)
        self._cancel_executions()
        self.compliant_event.clear()
        self.not_compliant_event.clear()

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        await super()._internal_start(*args, **kwargs)
        self._carrier.submit(self._machine.discover_if_due(self._now()))

    async def _shut_down(self) -> None:
        try:
            await super()._shut_down()
        finally:
            await self._end_executions()

    def _do_own_work(self) -> None:
        self._carrier.submit(self._machine.update_compliant(self._now()))
        self._shortfall.look(self._machine, self.operation_requirements, self._now())
        self._do_what_is_due_for_the_role()

    def _do_what_is_due_for_the_role(self) -> None:
        self._carrier.submit(self._machine.discover_if_due(self._now()))

    # Topics

    @property
    def offer_topic(self) -> str:
        """Topic on which offers arrive from plugins that are not known yet."""
        return self._build_offer_topic(None)

    @property
    def response_topic(self) -> str:
        """Filter of the topics on which plugins answer requests."""
        return self._build_response_filter()

    def _build_offer_topic(self, plugin_identifier: str | None) -> str:
        """Build the topic on which offers of a plugin, or of anybody, arrive."""
        return OfferTopic.build(core_identifier=self.identifier, plugin_identifier=plugin_identifier)

    def _build_offer_filter(self) -> str:
        """Build the filter that matches all topics on which offers arrive."""
        return OfferTopic.filter(core_identifier=self.identifier)

    def _build_response_topic(self, plugin_identifier: str) -> str:
        """Build the topic on which a plugin answers requests."""
        return ResponseTopic.build(core_identifier=self.identifier, plugin_identifier=plugin_identifier)

    def _build_response_filter(self) -> str:
        """Build the filter that matches all topics on which plugins answer requests."""
        return ResponseTopic.filter(core_identifier=self.identifier)

    def _build_operation_output_topic(
        self, plugin_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which the outputs of one connection arrive."""
        return OperationOutputTopic.build(
            core_identifier=self.identifier,
            plugin_identifier=plugin_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def _build_data_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        return self._build_operation_output_topic(remote_identifier, operation_name, connection_identifier)

    # Hooks

    async def _on_compliant(self) -> None:
        """Called when the core has become compliant."""

    async def _on_not_compliant(self) -> None:
        """Called when the core is not compliant any more."""

    async def _on_new_announcement(self, announce_message: AnnounceMessage) -> None:
        """Called when a plugin has announced itself, or somebody has in its name."""

    async def _on_send_discover(self, discover_message: DiscoverMessage) -> None:
        """Called before a discover is sent, to everybody or to one plugin; one without queries takes others back."""

    async def _get_setup_data(self, plugin_identifier: str, offered_operation: OfferedOperation) -> bytes | None:
        """Return what a plugin gets to set an operation up; raising gives the connection up."""
        requirement = self.operation_requirements.get(offered_operation.name)
        return None if requirement is None else requirement.default_setup_data

    async def _on_new_offer(self, offer_message: OfferMessage) -> None:
        """Called when a plugin has sent an offer."""

    async def _on_response(self, message: ConfirmConnectionMessage | OperationNoLongerAvailableMessage) -> None:
        """Called when a plugin has answered a request, before the hook for the kind of answer."""

    async def _on_confirm_connection(self, confirm_connection_message: ConfirmConnectionMessage) -> None:
        """Called when a plugin has confirmed a connection."""

    async def _on_operation_no_longer_available(self, message: OperationNoLongerAvailableMessage) -> None:
        """Called when a plugin cannot lend an operation any more."""

    async def _prepare(self, slot: Slot) -> bytes | None:
        offered = OfferedOperation(name=slot.operation_name, input=slot.input, output=slot.output)
        return await self._get_setup_data(slot.remote_identifier, offered)

    async def _on_message(self, effect: MessageReceived) -> None:
        match effect.message:
            case AnnounceMessage() as announcement:
                await self._call(self._on_new_announcement, announcement)
            case OfferMessage() as offer:
                await self._call(self._on_new_offer, offer)
            case ConfirmConnectionMessage() as confirm:
                await self._call(self._on_response, confirm)
                await self._call(self._on_confirm_connection, confirm)
            case OperationNoLongerAvailableMessage() as message:
                await self._call(self._on_response, message)
                await self._call(self._on_operation_no_longer_available, message)
            case _:
                await super()._on_message(effect)

    async def _before_send(self, effect: Send) -> None:
        if isinstance(message := effect.message, DiscoverMessage):
            await self._call(self._on_send_discover, message)
        else:
            await super()._before_send(effect)

    # Compliance

    def current_constraint_for_operation(self, operation_name: str) -> Constraint | None:
        """Return what is still wanted of an operation, given its connections and requests; `None` for nothing."""
        return self._machine.current_constraint(operation_name)

    def is_compliant_for_operation(self, operation_name: str) -> bool:
        """Return whether the open connections of a required operation meet its constraint.

        Raises:
            KeyError: The operation is not required.
        """
        return self._machine.is_compliant_for(operation_name)

    def is_compliant(self) -> bool:
        """Return whether all needs are met now."""
        return self._machine.is_compliant()

    def update_compliant(self) -> None:
        """Bring the state up to date, after requirements have been edited."""
        self._carrier.submit(self._machine.update_compliant(self._now()))

    def _operation_to_discover(self) -> Mapping[str, Constraint]:
        """Return what is still wanted, by operation name."""
        return self._machine.operations_to_discover()

    def _on_compliance_changed(self, effect: ComplianceChanged) -> None:
        if self.is_running:
            trigger = LifeTrigger.NEEDS_MET if effect.compliant else LifeTrigger.NEEDS_NOT_MET
        else:
            trigger = LifeTrigger.STARTED_COMPLIANT if effect.compliant else LifeTrigger.STARTED
        self.state = next_core_state(self.state, trigger)
        reached, left = self.compliant_event, self.not_compliant_event
        if not effect.compliant:
            reached, left = left, reached
        left.clear()
        reached.set()

    async def _after_compliance_changed(self, effect: ComplianceChanged) -> None:
        if effect.compliant:
            await self._call(self._on_compliant)
        else:
            await self._call(self._on_not_compliant)

    # Discover

    async def send_discover_for_operations(self, operation_requirements: Mapping[str, Constraint]) -> None:
        """Ask all plugins for operations."""
        await self._carrier.carry_out(self._machine.discover(dict(operation_requirements), self._now()))

    async def send_discover_based_on_requirements(self) -> None:
        """Ask all plugins for what is still wanted; nothing is sent if nothing is."""
        await self.send_discover_for_operations(self._operation_to_discover())

    # Outputs

    def _open_slots(self, operation_name: str) -> Sequence[Slot]:
        return self._machine.slots.open_of_operation(operation_name)

    def _open_slot(self, operation_name: str, plugin_identifier: str) -> Slot | None:
        slot = self._machine.slots.get(plugin_identifier, operation_name)
        return slot if slot is not None and slot.is_open else None

    def _connection(self, slot: Slot) -> Connection:
        return self._carrier.connections[slot]

    def _data_of(self, slot: Slot) -> SchemaSpec:
        return slot.output

    async def _on_data(self, slot: Slot, topic: str, event: Event[Any]) -> None:
        requirement = self.operation_requirements.get(slot.operation_name)
        handler = None if requirement is None else requirement.override_sink
        if handler is None:
            handler = self.operation_sinks.get(slot.operation_name)
        if handler is not None:
            await deliver(handler, self._carrier.connections[slot], topic, event)
