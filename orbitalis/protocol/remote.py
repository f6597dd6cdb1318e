"""What an orbiter knows of its remotes: where they listen, which life they are in, when they were last heard of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from orbitalis.protocol.pace import Pace
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import EventEnvelope

__all__ = ["Claim", "Remote", "Standing", "Told"]


class Standing(Enum):
    """How an event stands to what is known of its sender."""

    CURRENT = auto()
    """It is from the life that is known, or the sender does not say which life it is in."""
    NEWER = auto()
    """The sender has started anew since."""
    STALE = auto()
    """It is from an earlier life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a remote says of itself in a handshake; the topics are checked, and ready to publish to."""

    keepalive_topic: str
    keepalive_request_topic: str
    considers_me_dead_after: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a discover said of its sender: anybody may publish one in its name."""

    incarnation: str | None
    told: Told


@dataclass(slots=True, kw_only=True, eq=False)
class Remote:
    """One remote orbiter. Times are seconds on the clock of the machine's caller."""

    identifier: str
    first_seen: float
    last_seen: float
    incarnation: str | None = None
    """Which life it is in; `None` for an older peer."""
    is_life_certain: bool = False
    """Whether it was heard of in this life on a topic that is for it alone to publish to."""
    claim: Claim | None = None
    """What a discover in the name of a newer life has told, until that life is certain."""
    told_encoding: Encoding = Encoding.JSON
    """What it is known to read in that life."""
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
    pace: Pace = field(default_factory=Pace)
    """Of what comes on topics that are for it to publish to."""
    pace_in_its_name: Pace = field(default_factory=Pace)
    """Of what comes on topics that are for everybody to publish to, such as that of discovers."""

    @property
    def sends_headers(self) -> bool:
        """Whether it puts headers on its events, as every peer does but an older one."""
        return self.incarnation is not None

    @property
    def encoding(self) -> Encoding:
        """What to write to it: what its next life reads, too, if there may be one."""
        return self.told_encoding if self.claim is None else Encoding.JSON

    def standing(self, envelope: EventEnvelope) -> Standing:
        """Return how an event of this remote stands to what is known of it."""
        if self.is_dead or not self.is_life_certain or envelope.incarnation == self.incarnation:
            return Standing.CURRENT
        if self.incarnation is None:
            return Standing.NEWER
        if envelope.incarnation is None or envelope.incarnation < self.incarnation:
            return Standing.STALE
        return Standing.NEWER

    def learn(self, envelope: EventEnvelope, *, is_certain: bool) -> None:
        """Take over what an event's headers say about its sender, who is certain unless anybody may be."""
        if envelope.incarnation != self.incarnation:
            self.incarnation = envelope.incarnation
            self.told_encoding = Encoding.JSON
            self.is_life_certain = False
        if self.is_life_certain and not is_certain:
            return
        self.is_life_certain = is_certain
        if envelope.readable_encodings is not None and Encoding.AVRO.value in envelope.readable_encodings:
            self.told_encoding = Encoding.AVRO
