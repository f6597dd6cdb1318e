"""What an orbiter knows of its remotes: where they listen, which life they are in, when they were last heard of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import EventEnvelope

__all__ = ["Remote", "Standing"]


class Standing(Enum):
    """How an event stands to what is known of its sender."""

    CURRENT = auto()
    """It is from the life that is known, or the sender does not say which life it is in."""
    NEWER = auto()
    """The sender has started anew since."""
    STALE = auto()
    """It is from an earlier life."""


@dataclass(slots=True, kw_only=True, eq=False)
class Remote:
    """One remote orbiter. Times are seconds on the clock of the machine's caller."""

    identifier: str
    first_seen: float
    last_seen: float
    incarnation: str | None = None
    """Which life it is in; `None` for an older peer."""
    encoding: Encoding = Encoding.JSON
    """What it is known to read."""
    keepalive_topic: str | None = None
    keepalive_request_topic: str | None = None
    considers_me_dead_after: float | None = None
    """Seconds of silence after which it gives this orbiter up."""
    is_owed_keepalives: bool = False
    """Whether there is a connection with it."""
    is_dead: bool = False
    """Whether it has been silent for too long, and was not heard of since. Nothing is agreed with it then."""
    last_keepalive_sent: float | None = None
    probed_at: float | None = None
    """When it was asked for a keepalive, if it has been silent since."""
    reconciled_at: float | None = None
    """When it was last told that it believes in a connection which this orbiter does not know."""

    @property
    def sends_headers(self) -> bool:
        """Whether it puts headers on its events, as every peer does but an older one."""
        return self.incarnation is not None

    def standing(self, envelope: EventEnvelope) -> Standing:
        """Return how an event of this remote stands to what is known of it."""
        if self.is_dead or envelope.incarnation == self.incarnation:
            return Standing.CURRENT
        if self.incarnation is None:
            return Standing.NEWER
        if envelope.incarnation is None or envelope.incarnation < self.incarnation:
            return Standing.STALE
        return Standing.NEWER

    def learn(self, envelope: EventEnvelope) -> None:
        """Take over what an event's headers say about its sender."""
        if envelope.incarnation != self.incarnation:
            self.incarnation = envelope.incarnation
            self.encoding = Encoding.JSON
        if envelope.readable_encodings is not None and Encoding.AVRO.value in envelope.readable_encodings:
            self.encoding = Encoding.AVRO
