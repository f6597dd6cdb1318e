"""What users of state machines choose: plain data that tests edit, and the snapshots that machines are given of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orbitalis.message import Input, Output
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.policy import Policy
from orbitalis.protocol.config import CoreConfig, PluginConfig, TopicLayout
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.transitions import Role
from orbitalis_wire import channels, timings
from orbitalis_wire.topics import (
    DirectedDiscoverTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OfferTopic,
    ReplyTopic,
    ResponseTopic,
)

__all__ = ["Requirement", "Settings", "Terms", "filters_of", "text_constraint"]


def text_constraint(**rules: Any) -> Constraint:
    """Return a constraint for operations that take texts and give texts."""
    return Constraint(**{"inputs": [Input.string()], "outputs": [Output.string()], **rules})


@dataclass(kw_only=True)
class Terms:
    """An operation, as its user writes it down."""

    input: Input = field(default_factory=Input.string)
    output: Output = field(default_factory=Output.string)
    policy: Policy = field(default_factory=Policy)


@dataclass
class Requirement:
    """A requirement, as its user writes it down."""

    constraint: Constraint


@dataclass(kw_only=True)
class Settings:
    """What the user of a machine of either kind may edit at any time."""

    identifier: str
    topics: TopicLayout
    discover_topic: str = channels.DISCOVER.address
    announce_topic: str = channels.ANNOUNCE.address
    late_offers: bool = True
    operations: Mapping[str, Terms] = field(default_factory=dict)
    operation_requirements: Mapping[str, Requirement] = field(default_factory=dict)
    discovering_interval: float = timings.DISCOVERING_INTERVAL
    discovering_interval_when_compliant: float = timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT
    pending_requests_expire_after: float | None = timings.PENDING_REQUESTS_EXPIRE_AFTER
    consider_others_dead_after: float | None = timings.CONSIDERED_DEAD_AFTER
    suspicion_grace: float | None = timings.SUSPICION_GRACE
    send_keepalive_before_timelimit: float = timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT
    graceful_close_timeout: float | None = timings.GRACEFUL_CLOSE_TIMEOUT
    close_connection_if_unused_after: float | None = None
    limits: Limits = field(default=Limits())

    def core_config(self) -> CoreConfig:
        """Return what a core's machine is to know of it."""
        needs = self.operation_requirements.items()
        return CoreConfig(
            requirements={name: need.constraint.terms() for name, need in needs},
            **{name: getattr(self, name) for name in _OF_CORES},
        )

    def plugin_config(self) -> PluginConfig:
        """Return what a plugin's machine is to know of it."""
        operations = self.operations.items()
        return PluginConfig(
            operations={name: one.policy.terms(one.input, one.output) for name, one in operations},
            **{name: getattr(self, name) for name in _OF_PLUGINS},
        )


_OF_CORES = [name for name in CoreConfig.__dataclass_fields__ if name in Settings.__dataclass_fields__]
_OF_PLUGINS = [
    name for name in PluginConfig.__dataclass_fields__ if name in Settings.__dataclass_fields__ and name != "operations"
]


def filters_of(role: Role, identifier: str) -> list[str]:
    """Return what an orbiter is subscribed to all the time."""
    mine: dict[str, Any] = {"recipient_identifier": identifier}
    filters = [KeepaliveTopic.filter(**mine), KeepaliveRequestTopic.filter(**mine)]
    if role is Role.CORE:
        own = [OfferTopic.filter(core_identifier=identifier), ResponseTopic.filter(core_identifier=identifier)]
        return [*filters, *own, channels.ANNOUNCE.address]
    own = [ReplyTopic.filter(plugin_identifier=identifier), DirectedDiscoverTopic.filter(plugin_identifier=identifier)]
    return [*filters, *own, channels.DISCOVER.address]
