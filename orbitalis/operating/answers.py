"""The answers of one orbiter to an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orbitalis_wire.messages import ConnectionInfo, OperationInfo, OperationStatistics, RemoteInfo, RequirementInfo

__all__ = ["ConnectionsAnswer", "InfoAnswer", "OrbiterAnswer", "PongAnswer", "StatisticsAnswer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbiterAnswer:
    """The base of all answers."""

    identifier: str
    """Identifier of the orbiter."""
    incarnation: str | None
    """Incarnation of the orbiter. It changes at each start."""
    protocol_version: int | None
    """First number of the specification's version. Only orbiters with the same number work together."""
    seconds: float
    """Seconds from the request to the first answer, including the random delay of `spread`."""
    is_complete: bool
    """Whether all parts of the answer arrived in time."""
    answered_at: datetime
    """When it answered, on its own clock."""
    namesakes: int
    """Number of other incarnations that answered the same question under this identifier. It should be 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PongAnswer(OrbiterAnswer):
    """The answer that an orbiter is there."""

    role: str
    """What it is: core or plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAnswer(OrbiterAnswer):
    """The answer that describes an orbiter: its role, operations and requirements."""

    role: str
    """What it is: core or plugin."""
    implementation: str
    """Name of its software, such as orbitalis-python."""
    implementation_version: str
    specification_version: str
    """Version of the specification that it implements, such as 1.1.0."""
    started_at: datetime
    """When the incarnation began, on its own clock."""
    operations: Mapping[str, OperationInfo]
    """Operations that it lends, by name, with schemas, policy and documentation."""
    requirements: Mapping[str, RequirementInfo]
    """Requirements, by operation name."""
    explanation: str
    """Text for people: what is connected, what is not connected, and why. Also names parts that were too large."""
    remotes: tuple[RemoteInfo, ...]
    """What the explanation says of remotes, as data; empty for an orbiter of version 1.1 or older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsAnswer(OrbiterAnswer):
    """The answer with the connections of an orbiter, also those that are under way or closing."""

    connections: tuple[ConnectionInfo, ...]
    """The connections, in the order of remote and operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsAnswer(OrbiterAnswer):
    """The answer with the counters of an orbiter, since it was made."""

    operations: Mapping[str, OperationStatistics]
    """Counters of operations, by name."""
    counters: Mapping[str, int]
    """All other counts by name, such as `orbiter.refused` and `bus.published`."""
