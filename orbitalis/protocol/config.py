"""The settings that a machine reads: a frozen snapshot, handed in by `Machine.configure`.

Durations are seconds. A duration of `None` switches its feature off. The limits are explained in
`docs/reference/limits.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role
from orbitalis_wire import channels, timings
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

__all__ = ["CoreConfig", "OperationTerms", "OrbiterConfig", "PluginConfig", "RequirementTerms", "TopicLayout"]

_NOBODY: Final = frozenset[str]()


class TopicLayout:
    """The topics on which an orbiter listens: by default those of the specification.

    A function of the user for one of them replaces the method. All take the identifier of the remote. Those for a
    connection also take the operation and the connection's identifier. All arguments are valid levels of a topic.
    """

    def __init__(self, role: Role, identifier: str, **others: Any) -> None:
        """Lay out the topics of an orbiter; `others` are functions and texts that take the place of ours, by name."""
        self.role = role
        self.identifier = identifier
        self.keepalive_of_anybody = KeepaliveTopic.build(recipient_identifier=identifier, sender_identifier=None)
        self.keepalive_request_of_anybody = KeepaliveRequestTopic.build(
            recipient_identifier=identifier, sender_identifier=None
        )
        if role is Role.CORE:
            self.offer_of_anybody = OfferTopic.build(core_identifier=identifier, plugin_identifier=None)
            """Core: where offers arrive."""
        else:
            self.discover_of_anybody = DirectedDiscoverTopic.build(plugin_identifier=identifier, core_identifier=None)
            """Plugin: where discovers arrive that are meant for it alone."""
        vars(self).update(others)

    def keepalive(self, remote_identifier: str) -> str:
        """Where keepalives of a remote arrive."""
        return KeepaliveTopic.join(self.identifier, remote_identifier)

    def keepalive_request(self, remote_identifier: str) -> str:
        """Where keepalive requests of a remote arrive."""
        return KeepaliveRequestTopic.join(self.identifier, remote_identifier)

    def reply(self, core_identifier: str) -> str:
        """Plugin: where requests and rejects of a core arrive."""
        return ReplyTopic.join(self.identifier, core_identifier)

    def response(self, plugin_identifier: str) -> str:
        """Core: where confirms of a plugin arrive."""
        return ResponseTopic.join(self.identifier, plugin_identifier)

    def close(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where closes of one connection arrive."""
        return CloseTopic.join(self.identifier, remote_identifier, operation_name, connection_identifier)

    def close_ack(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where the acknowledgement of a graceful close arrives."""
        return CloseAckTopic.join(self.identifier, remote_identifier, operation_name, connection_identifier)

    def data(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where inputs (plugin) or outputs (core) of one connection arrive."""
        join = OperationOutputTopic.join if self.role is Role.CORE else OperationInputTopic.join
        return join(self.identifier, remote_identifier, operation_name, connection_identifier)


@dataclass(frozen=True, kw_only=True)
class OrbiterConfig:
    """Settings of every orbiter."""

    identifier: str
    """Unique among all orbiters of the context."""
    topics: TopicLayout
    """The topics on which this orbiter listens."""
    discover_topic: str = channels.DISCOVER.address
    """Where discovers are published."""
    announce_topic: str = channels.ANNOUNCE.address
    """Where announcements are published."""
    pending_requests_expire_after: float | None = timings.PENDING_REQUESTS_EXPIRE_AFTER
    """How long an unanswered offer or request is kept."""
    consider_others_dead_after: float | None = timings.CONSIDERED_DEAD_AFTER
    """The silence after which a remote is dead."""
    suspicion_grace: float | None = timings.SUSPICION_GRACE
    """How long a remote may stay silent after its will. `None` if this orbiter does not listen for wills."""
    send_keepalive_before_timelimit: float = timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT
    """How much earlier than a remote would consider this orbiter dead a keepalive is sent."""
    graceful_close_timeout: float | None = timings.GRACEFUL_CLOSE_TIMEOUT
    """How long a graceful close waits for its acknowledgement."""
    close_connection_if_unused_after: float | None = None
    """How long a connection may be unused."""
    limits: Limits = field(default=Limits())
    """Limits on what others can use up."""

    @cached_property
    def named(self) -> frozenset[str]:
        """The remotes that the user has named, as those that must or may be connected."""
        return _NOBODY

    @property
    def operation_names(self) -> Iterable[str]:
        """The operations that are lent or required."""
        return ()

    @property
    def slot_durations(self) -> tuple[float | None, float | None, float | None]:
        """How long a handshake, a graceful close and an unused connection may last."""
        return (self.pending_requests_expire_after, self.graceful_close_timeout, self.close_connection_if_unused_after)

    @property
    def peer_durations(self) -> tuple[float | None, float]:
        """The durations that decide when a peer is dead, is asked for a keepalive, or gets one."""
        return self.consider_others_dead_after, self.send_keepalive_before_timelimit


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTerms:
    """An operation of a plugin: its input, its output, and the rules for lending it."""

    input: Input
    output: Output
    maximum: int | None = None
    allowlist: frozenset[str] | None = None
    blocklist: frozenset[str] = frozenset()
    exact: tuple[str, ...] = ()
    """Fingerprints of the schemas that match the same schema alone."""

    def admits(self, core_identifier: str) -> bool:
        """Return whether the policy's lists admit a core."""
        return core_identifier not in self.blocklist and (self.allowlist is None or core_identifier in self.allowlist)

    def has_room(self, taken: int) -> bool:
        """Return whether one more slot may be given away while `taken` are."""
        return self.maximum is None or taken < self.maximum

    def disallowed(self, slots: Iterable[Slot]) -> list[Slot]:
        """Return the slots of the operation that the policy does not allow, newest first.

        Slots that are about to end do not count. Handshakes count as newer than connections.
        """
        going_on = [slot for slot in slots if not slot.is_ending]
        going_on.sort(key=lambda slot: (not slot.is_connection, slot.opened_at or slot.created_at))
        kept = set([slot for slot in going_on if self.admits(slot.remote_identifier)][: self.maximum])
        return [slot for slot in reversed(going_on) if slot not in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementTerms:
    """The requirement of a core for one operation: its constraint as it is now."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    minimum: int = 0
    maximum: int | None = None
    mandatory: tuple[str, ...] = ()
    """Each identifier once."""
    allowlist: tuple[str, ...] | None = None
    blocklist: tuple[str, ...] | None = None
    exact: tuple[str, ...] = ()
    """Fingerprints of the schemas that match the same schema alone."""

    def admits(self, plugin_identifier: str) -> bool:
        """Return whether a plugin may be connected at all."""
        if plugin_identifier in self.mandatory:
            return True
        if self.blocklist is not None and plugin_identifier in self.blocklist:
            return False
        return self.allowlist is None or plugin_identifier in self.allowlist

    def has_room(self, taken: int) -> bool:
        """Return whether one more plugin that is not mandatory may be taken while `taken` are."""
        return self.maximum is None or taken < self.maximum


@dataclass(frozen=True, kw_only=True)
class PluginConfig(OrbiterConfig):
    """Settings of a plugin."""

    operations: Mapping[str, OperationTerms] = field(default_factory=dict[str, OperationTerms])
    """Operations by name."""

    @cached_property
    def named(self) -> frozenset[str]:
        """The cores on an allowlist."""
        return frozenset(name for terms in self.operations.values() for name in terms.allowlist or ()) or _NOBODY

    @property
    def operation_names(self) -> Iterable[str]:
        """The operations that are lent."""
        return self.operations


@dataclass(frozen=True, kw_only=True)
class CoreConfig(OrbiterConfig):
    """Settings of a core."""

    requirements: Mapping[str, RequirementTerms] = field(default_factory=dict[str, RequirementTerms])
    """Requirements by operation name."""
    late_offers: bool = True
    """Whether it also wants late offers, for operations that could not be offered at once."""
    discovering_interval: float = timings.DISCOVERING_INTERVAL
    """Time between two discovers while the core is not compliant."""
    discovering_interval_when_compliant: float = timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT
    """Time between two discovers while the core is compliant and could take more plugins."""

    @cached_property
    def named(self) -> frozenset[str]:
        """The plugins that are mandatory or on an allowlist."""
        return frozenset(
            name for terms in self.requirements.values() for name in (*terms.mandatory, *(terms.allowlist or ()))
        )

    @property
    def operation_names(self) -> Iterable[str]:
        """The operations that are required."""
        return self.requirements
