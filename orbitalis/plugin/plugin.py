"""What users subclass to provide operations: :class:`Plugin`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from orbitalis.bus.answer import Answer
from orbitalis.errors import OrbiterStateError
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable, kind_of, wrap
from orbitalis.message.schema import SchemaSpec
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.handlers import deliver
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.plugin.answering import answering
from orbitalis.plugin.operations import Operation, OperationsProviderMixin
from orbitalis.plugin.process_pool import ProcessPool, default_size
from orbitalis.protocol.effects import Effect, MessageReceived, Send
from orbitalis.protocol.plugin import PluginProtocol
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import LifeTrigger, PluginState, next_plugin_state
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import DirectedDiscoverTopic, OperationInputTopic, ReplyTopic, ResponseTopic

__all__ = ["Plugin"]

_ANNOUNCING_TIMEOUT = 1.0
"""Seconds for which a start waits for the announcement to be sent."""


@dataclass(kw_only=True, eq=False)
class Plugin(OperationsProviderMixin, Orbiter):
    """Provides operations to cores; subclasses are dataclasses whose methods are operations.

    A subclass with a `__post_init__` of its own calls that of this class.
    """

    operations: dict[str, Operation] = field(default_factory=dict[str, Operation], repr=False)
    """By name: those of decorated methods and those given here; may be edited while the plugin runs."""

    process_pool_size: int = field(default_factory=default_size, repr=False)
    """How many processes CPU-bound operations may have; by default as many as there are CPUs. Counts when the first
    one is started."""

    def __post_init__(self) -> None:
        """Collect the operations.

        Raises:
            ValueError: `process_pool_size` is less than 1, or what :class:`Orbiter` does not admit.
            TypeError: The annotations of an operation cannot be read.
        """
        super().__post_init__()
        if self.process_pool_size < 1:
            raise ValueError(f"process_pool_size must be at least 1, got {self.process_pool_size}")
        self.process_pool = ProcessPool(lambda: self.process_pool_size)
        """Where CPU-bound operations run; has no process before one is needed, and none after a stop."""
        self.state = PluginState.CREATED
        """What it is doing."""
        self.operations = {**self._declared_operations(), **self.operations}

    # Life cycle

    @property
    def is_running(self) -> bool:
        """Whether it has started and not stopped."""
        return self.state is PluginState.RUNNING

    def _build_protocol(self) -> PluginProtocol:
        self._machine = PluginProtocol(self, new_identifier=lambda: uuid.uuid4().hex)
        return self._machine

    def _protocol_filters(self) -> dict[str, channels.Channel]:
        return {
            self._build_keepalive_filter(): channels.KEEPALIVE,
            self._build_keepalive_request_filter(): channels.KEEPALIVE_REQUEST,
            self._build_reply_filter(): channels.REPLY,
            self.discover_topic: channels.DISCOVER,
            self._build_directed_discover_filter(): channels.DIRECTED_DISCOVER,
        }

    def _topic_to_itself(self) -> str:
        return ResponseTopic.build(plugin_identifier=self.identifier, core_identifier=self.identifier)

    def _check_can_start(self) -> None:
        if self.is_running:
            raise self._already_running()

    def _switch_to_started(self) -> None:
        self.state = next_plugin_state(self.state, LifeTrigger.STARTED)

    def _switch_to_stopped(self) -> None:
        self.state = next_plugin_state(self.state, LifeTrigger.STOPPED)

    async def _shut_down(self) -> None:
        try:
            await super()._shut_down()
        finally:
            await self.process_pool.close()

    async def _begin(self, effects: list[Effect]) -> None:
        # Whoever is started after this plugin finds it by a discover, and need not hear the announcement as well. But
        # the hook of that may hang, or stop the plugin, for which the start has to end.
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANNOUNCING_TIMEOUT):
                await self._carrier.carry_out(effects)

    def _do_own_work(self) -> None:
        self.update_operations()

    # Topics

    @property
    def reply_topic(self) -> str:
        """Filter of the topics on which requests and rejects arrive."""
        return self._build_reply_filter()

    def _build_reply_topic(self, core_identifier: str) -> str:
        """Build the topic on which requests and rejects of a core arrive."""
        return ReplyTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def _build_reply_filter(self) -> str:
        """Build the filter that matches all topics on which requests and rejects arrive."""
        return ReplyTopic.filter(plugin_identifier=self.identifier)

    def _build_directed_discover_topic(self, core_identifier: str | None) -> str:
        """Build the topic on which discovers of a core, or of anybody, that are meant for this plugin alone arrive."""
        return DirectedDiscoverTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def _build_directed_discover_filter(self) -> str:
        """Build the filter that matches all topics on which discovers for this plugin alone arrive."""
        return DirectedDiscoverTopic.filter(plugin_identifier=self.identifier)

    def _build_operation_input_topic_for_core(
        self, core_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which the inputs of one connection arrive."""
        return OperationInputTopic.build(
            plugin_identifier=self.identifier,
            core_identifier=core_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def _build_data_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        return self._build_operation_input_topic_for_core(remote_identifier, operation_name, connection_identifier)

    # Hooks

    async def _on_send_announcement(self, announce_message: AnnounceMessage) -> None:
        """Called before the plugin announces itself."""

    async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:
        """Called when a core has sent a discover."""

    async def _on_send_offer(self, offer_message: OfferMessage) -> None:
        """Called before an offer is sent."""

    async def _on_reply(self, message: RequestOperationMessage | RejectOperationMessage) -> None:
        """Called when a core has answered an offered operation, before the hook for the kind of answer."""

    async def _on_request(self, message: RequestOperationMessage) -> None:
        """Called when a core has requested an operation."""

    async def _on_reject(self, message: RejectOperationMessage) -> None:
        """Called when a core has rejected an operation."""

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        """Called to set an operation up for a core before the connection is confirmed; raising refuses it."""

    async def _prepare(self, slot: Slot) -> bytes | None:
        await self._setup_operation(slot.remote_identifier, slot.operation_name, slot.setup_data)
        return None

    async def _on_message(self, effect: MessageReceived) -> None:
        match effect.message:
            case DiscoverMessage() as discover:
                await self._call(self._on_new_discover, discover)
            case RequestOperationMessage() as request:
                await self._call(self._on_reply, request)
                await self._call(self._on_request, request)
            case RejectOperationMessage() as reject:
                await self._call(self._on_reply, reject)
                await self._call(self._on_reject, reject)
            case _:
                await super()._on_message(effect)

    async def _before_send(self, effect: Send) -> None:
        match effect.message:
            case AnnounceMessage() as announcement:
                await self._call(self._on_send_announcement, announcement)
            case OfferMessage() as offer:
                await self._call(self._on_send_offer, offer)
            case _:
                await super()._before_send(effect)

    # Work

    def _data_of(self, slot: Slot) -> SchemaSpec:
        return slot.input

    async def _on_data(self, slot: Slot, topic: str, event: Event[Any]) -> None:
        connection = self._carrier.connections[slot]
        async with answering(connection, event.envelope, self.eventbus_client):
            provided = self.operations.get(slot.operation_name)
            if provided is not None and provided.handler is not None:
                await deliver(provided.handler, connection, topic, event)
            elif event.envelope.answer_requested:
                raise OrbiterStateError(f"{self} does not handle operation '{slot.operation_name}' any more")

    async def _send_result(self, connection: Connection, event: Event[Any], message: object | None) -> None:
        connection.touch()
        # Without a result nothing is sent, but to whom waits for an answer still.
        if message is None and not Answer.is_owed(connection.output_topic, connection.connection_identifier):
            return
        # The core of a connection that is being closed still takes what comes; of a closed one nobody does.
        if connection.can_answer:
            await self.send_result_to_all([connection], cast(Publishable, message))

    def update_operations(self) -> None:
        """Offer and announce what has changed, after operations or policies have been edited; the loop does it, too."""
        self._carrier.submit(self._machine.update_operations(self._now()))

    async def send_offer(self, offer_topic: str, core_identifier: str, offerable_operations: list[str]) -> None:
        """Offer operations to a core without being asked; those that cannot be lent to it now are left out.

        Raises:
            RemoteProtocolError: Nothing can be published to `offer_topic`.
        """
        effects = self._machine.send_offer(core_identifier, offer_topic, offerable_operations, self._now())
        await self._carrier.carry_out(effects)

    async def send_result_to_all(self, connections: Iterable[Connection], data: Publishable) -> None:
        """Publish a result to those of the connections that take one, and have not been closed meanwhile.

        Raises:
            TypeError: `data` is no message, or not one that the operation of one of them is declared to send.
            BusError: It could not be published to one of them.
        """
        connections, payload = list(connections), wrap(data)
        for one in connections:
            # Nothing at all can be sent by any operation: it answers whoever waits that there is no result.
            if payload is not None and one.has_output and not one.output.accepts_payload(payload):
                raise TypeError(
                    f"operation '{one.operation_name}' of '{self.identifier}' is declared to send {one.output}, "
                    f"not {kind_of(payload)}"
                )
        outputs = [
            self.eventbus_client.publish(one.output_topic, data, stamp=one.stamp)
            for one in connections
            if one.output_topic is not None and one.can_answer
        ]
        await asyncio.gather(*outputs)
