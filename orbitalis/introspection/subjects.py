"""What can be asked for, and on which channel it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.messages import ConnectionsMessage, InfoMessage, PongMessage, StatisticsMessage
from orbitalis_wire.topics import ConnectionsTopic, InfoTopic, PongTopic, StatisticsTopic

__all__ = ["FORMS", "AnswerForm", "AnswerMessage", "AnswerTopic", "Subject"]

AnswerMessage: TypeAlias = PongMessage | InfoMessage | ConnectionsMessage | StatisticsMessage
"""What an orbiter answers with."""
AnswerTopic: TypeAlias = PongTopic | InfoTopic | ConnectionsTopic | StatisticsTopic
"""A topic to which it answers."""


class Subject(StrEnum):
    """What an operator asks for."""

    PING = "ping"
    """Whether an orbiter is there."""
    INFO = "info"
    """What it is, lends and requires."""
    CONNECTIONS = "connections"
    """Its connections."""
    STATISTICS = "statistics"
    """What it has counted."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How a subject is answered."""

    topic: type[AnswerTopic]
    channel: Channel


FORMS: Final[Mapping[Subject, AnswerForm]] = {
    Subject.PING: AnswerForm(PongTopic, channels.PONG),
    Subject.INFO: AnswerForm(InfoTopic, channels.INFO),
    Subject.CONNECTIONS: AnswerForm(ConnectionsTopic, channels.CONNECTIONS),
    Subject.STATISTICS: AnswerForm(StatisticsTopic, channels.STATISTICS),
}
"""How each subject is answered."""
