"""What an operator learns of one orbiter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orbitalis_wire.messages import ConnectionInfo, OperationInfo, OperationStatistics, RemoteInfo, RequirementInfo

__all__ = ["ConnectionsAnswer", "InfoAnswer", "OrbiterAnswer", "PongAnswer", "StatisticsAnswer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbiterAnswer:
    """What every answer says."""

    identifier: str
    """Of the orbiter."""
    incarnation: str | None
    """Changes each time that it is started."""
    protocol_version: int | None
    """First number of the specification's version; only orbiters with the same one work together."""
    seconds: float
    """Time from the request to the first answer, the random delay of `spread` included."""
    is_complete: bool
    """Whether all that it tells has come in time; otherwise the rest is missing."""
    answered_at: datetime
    """When it answered, on its own clock."""
    namesakes: int
    """How many other incarnations have answered the same question under this identifier, which one alone may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PongAnswer(OrbiterAnswer):
    """An orbiter is there."""

    role: str
    """What it is: core or plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAnswer(OrbiterAnswer):
    """What an orbiter is, lends and requires."""

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
    """What it lends, by name: schemas, policy and documentation."""
    requirements: Mapping[str, RequirementInfo]
    """What it requires, by operation name."""
    explanation: str
    """For people: what is connected, what is not, and why; and what was too large to be told."""
    remotes: tuple[RemoteInfo, ...]
    """What the explanation says of remotes; nothing of an orbiter of version 1.1 or older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsAnswer(OrbiterAnswer):
    """The connections of an orbiter, also those that are under way or closing."""

    connections: tuple[ConnectionInfo, ...]
    """In the order of remote and operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsAnswer(OrbiterAnswer):
    """What an orbiter has counted since it was made."""

    operations: Mapping[str, OperationStatistics]
    """By operation name."""
    counters: Mapping[str, int]
    """All other counts by name, such as `orbiter.refused` and `bus.published`."""
