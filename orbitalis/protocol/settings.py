"""What the machines read of the orbiter that they serve.

They read it anew each time, so every attribute may be changed while the orbiter runs. Durations are seconds; `None`
switches a duration's consequence off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.policy import Policy

__all__ = ["CoreSettings", "OperationTerms", "OrbiterSettings", "PluginSettings", "RequirementTerms", "TopicLayout"]


class TopicLayout(Protocol):
    """Builds the topics on which an orbiter listens; the place to change them."""

    def keepalive(self, remote_identifier: str | None) -> str:
        """Where keepalives of a remote arrive, or of anybody."""
        ...

    def keepalive_request(self, remote_identifier: str | None) -> str:
        """Where keepalive requests of a remote arrive, or of anybody."""
        ...

    def directed_discover(self, core_identifier: str | None) -> str:
        """Plugin: where discovers of a core, or of anybody, that are meant for it alone arrive."""
        ...

    def offer(self) -> str:
        """Core: where offers arrive."""
        ...

    def response(self, plugin_identifier: str) -> str:
        """Core: where confirms of a plugin arrive."""
        ...

    def reply(self, core_identifier: str) -> str:
        """Plugin: where requests of a core arrive."""
        ...

    def data(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where outputs (core) or inputs (plugin) of one connection arrive."""
        ...

    def close(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where closes of one connection arrive."""
        ...

    def close_ack(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where the acknowledgement of a graceful close arrives."""
        ...


class OrbiterSettings(Protocol):
    """What every orbiter has."""

    @property
    def identifier(self) -> str:
        """Unique among all orbiters of the context."""
        ...

    @property
    def discover_topic(self) -> str:
        """Where discovers are published."""
        ...

    @property
    def announce_topic(self) -> str:
        """Where announcements are published."""
        ...

    @property
    def topics(self) -> TopicLayout:
        """Where this orbiter listens."""
        ...

    @property
    def pending_requests_expire_after(self) -> float | None:
        """How long an unanswered offer or request is kept."""
        ...

    @property
    def consider_others_dead_after(self) -> float | None:
        """After which silence a remote is dead."""
        ...

    @property
    def send_keepalive_before_timelimit(self) -> float:
        """How long before a remote would consider this orbiter dead a keepalive is sent."""
        ...

    @property
    def graceful_close_timeout(self) -> float | None:
        """How long a graceful close waits for its acknowledgement."""
        ...

    @property
    def close_connection_if_unused_after(self) -> float | None:
        """How long a connection may be unused."""
        ...

    @property
    def maximum_pending_requests(self) -> int:
        """How many handshakes may be under way at a time."""
        ...

    @property
    def maximum_pending_bytes(self) -> int:
        """How much memory may be taken by what remotes have told in them."""
        ...

    @property
    def maximum_connection_bytes(self) -> int:
        """How much memory may be taken by what remotes have told of connections."""
        ...

    @property
    def maximum_known_remotes(self) -> int:
        """How many remotes may be known at a time."""
        ...

    @property
    def maximum_remote_events_per_second(self) -> float:
        """How many messages of one remote are looked at, with which something is shared."""
        ...

    @property
    def maximum_stranger_events_per_second(self) -> float:
        """How many messages of all others are looked at."""
        ...

    @property
    def maximum_unfamiliar_schema_bytes_per_second(self) -> float:
        """How much text of schemas is read that are spelled as none was lately."""
        ...


class OperationTerms(Protocol):
    """What a plugin's machine reads of an operation."""

    @property
    def input(self) -> Input:
        """What it accepts."""
        ...

    @property
    def output(self) -> Output:
        """What it sends."""
        ...

    @property
    def policy(self) -> Policy:
        """Whom it is lent to."""
        ...


class PluginSettings(OrbiterSettings, Protocol):
    """What every plugin has."""

    @property
    def operations(self) -> Mapping[str, OperationTerms]:
        """Operations by name."""
        ...


class RequirementTerms(Protocol):
    """What a core's machine reads of a requirement."""

    @property
    def constraint(self) -> Constraint:
        """The rules for its connections."""
        ...


class CoreSettings(OrbiterSettings, Protocol):
    """What every core has."""

    @property
    def operation_requirements(self) -> Mapping[str, RequirementTerms]:
        """Requirements by operation name."""
        ...

    @property
    def late_offers(self) -> bool:
        """Whether it wants offers also later, for what could not be offered at once."""
        ...

    @property
    def discovering_interval(self) -> float:
        """Time between two discovers while the core is not compliant."""
        ...

    @property
    def discovering_interval_when_compliant(self) -> float:
        """Time between two discovers while the core is compliant and could take more plugins."""
        ...
