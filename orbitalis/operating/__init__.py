"""For those who run cores and plugins: an :class:`Operator` asks them what they are, and what they are doing."""

from __future__ import annotations

from orbitalis.operating.answers import (
    ConnectionsAnswer,
    InfoAnswer,
    OrbiterAnswer,
    PongAnswer,
    StatisticsAnswer,
)
from orbitalis.operating.operator import Operator

__all__ = ["ConnectionsAnswer", "InfoAnswer", "Operator", "OrbiterAnswer", "PongAnswer", "StatisticsAnswer"]
