"""What state machines read of their orbiter: plain data instead of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orbitalis.message import Input, Output
from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.policy import Policy
from orbitalis_wire import channels, limits, timings
from orbitalis_wire.topics import (
    CloseAckTopic,
    CloseTopic,
    DirectedDiscoverTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OfferTopic,
    OperationInputTopic,
    OperationOutputTopic,
    ReplyTopic,
    ResponseTopic,
)

__all__ = ["Layout", "Requirement", "Settings", "Terms", "text_constraint"]


def text_constraint(**rules: Any) -> Constraint:
    """Return a constraint for operations that take texts and give texts."""
    return Constraint(**{"inputs": [Input.string()], "outputs": [Output.string()], **rules})


@dataclass(kw_only=True)
class Terms:
    """An operation, as far as a machine reads it."""

    input: Input = field(default_factory=Input.string)
    output: Output = field(default_factory=Output.string)
    policy: Policy = field(default_factory=Policy)


@dataclass
class Requirement:
    """A requirement, as far as a machine reads it."""

    constraint: Constraint


@dataclass
class Layout:
    """The topics of the specification."""

    identifier: str
    is_core: bool

    def keepalive(self, remote_identifier: str | None) -> str:
        return KeepaliveTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def keepalive_request(self, remote_identifier: str | None) -> str:
        return KeepaliveRequestTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def directed_discover(self, core_identifier: str | None) -> str:
        return DirectedDiscoverTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def offer(self) -> str:
        return OfferTopic.build(core_identifier=self.identifier, plugin_identifier=None)

    def response(self, plugin_identifier: str) -> str:
        return ResponseTopic.build(core_identifier=self.identifier, plugin_identifier=plugin_identifier)

    def reply(self, core_identifier: str) -> str:
        return ReplyTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def data(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        if self.is_core:
            return OperationOutputTopic.build(
                core_identifier=self.identifier,
                plugin_identifier=remote_identifier,
                operation_name=operation_name,
                connection_identifier=connection_identifier,
            )
        return OperationInputTopic.build(
            plugin_identifier=self.identifier,
            core_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def close(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        return CloseTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def close_ack(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        return CloseAckTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def filters(self) -> list[str]:
        """Return what the orbiter is subscribed to all the time."""
        mine: dict[str, Any] = {"recipient_identifier": self.identifier}
        filters = [KeepaliveTopic.filter(**mine), KeepaliveRequestTopic.filter(**mine)]
        if self.is_core:
            own = [OfferTopic.filter(core_identifier=self.identifier)]
            return [*filters, *own, ResponseTopic.filter(core_identifier=self.identifier), channels.ANNOUNCE.address]
        own = [ReplyTopic.filter(plugin_identifier=self.identifier), channels.DISCOVER.address]
        return [*filters, *own, DirectedDiscoverTopic.filter(plugin_identifier=self.identifier)]


@dataclass(kw_only=True)
class Settings:
    """What both kinds of machine read of their orbiter."""

    identifier: str
    topics: Layout
    discover_topic: str = channels.DISCOVER.address
    announce_topic: str = channels.ANNOUNCE.address
    late_offers: bool = True
    operations: Mapping[str, Terms] = field(default_factory=dict)
    operation_requirements: Mapping[str, Requirement] = field(default_factory=dict)
    discovering_interval: float = timings.DISCOVERING_INTERVAL
    discovering_interval_when_compliant: float = timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT
    pending_requests_expire_after: float | None = timings.PENDING_REQUESTS_EXPIRE_AFTER
    consider_others_dead_after: float | None = timings.CONSIDERED_DEAD_AFTER
    send_keepalive_before_timelimit: float = timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT
    graceful_close_timeout: float | None = timings.GRACEFUL_CLOSE_TIMEOUT
    close_connection_if_unused_after: float | None = None
    maximum_pending_requests: int = limits.PENDING_REQUESTS
    maximum_pending_bytes: int = limits.PENDING_BYTES
    maximum_connection_bytes: int = limits.CONNECTION_BYTES
    maximum_known_remotes: int = limits.KNOWN_REMOTES
    maximum_remote_events_per_second: float = limits.REMOTE_EVENTS_PER_SECOND
    maximum_stranger_events_per_second: float = limits.STRANGER_EVENTS_PER_SECOND
    maximum_unfamiliar_schema_bytes_per_second: float = limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND
