"""Effects on their way from a machine to its caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from orbitalis.protocol.effects import Effect, ProtocolMessage, Send
from orbitalis.protocol.peers import Challenge, Peer, Peers
from orbitalis_wire.channels import CHANNELS, Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["Outbox"]


_CHANNEL_OF: Final[Mapping[type[object], Channel]] = {
    kind: channel for channel in CHANNELS.values() for kind in channel.messages
}
_CHALLENGES_OF_PEER: Final = 8
"""Events to one peer whose answers are known again; before those, it had time enough to answer."""
_CHALLENGES_TO_ALL: Final = 256
"""The same for discovers to everyone: those of `challenge_answered_within`, and more."""


@dataclass(slots=True, eq=False)
class Outbox:
    """Collects the effects of one call of a machine, and addresses its messages."""

    _peers: Peers
    new_identifier: Callable[[], str]
    """Gives an identifier that is new."""
    _new_challenge: Callable[[], str]
    """Gives one that nobody can guess, either."""
    challenges: dict[str, Challenge] = field(init=False, default_factory=dict[str, Challenge])
    """The last events to everyone whose answer proves an incarnation, the oldest first."""
    effects: list[Effect] = field(init=False, default_factory=list[Effect])
    """The effects, in order."""

    def add(self, effect: Effect) -> None:
        """Add an effect, after all others."""
        self.effects.append(effect)

    def send(
        self,
        remote_identifier: str | None,
        topic: str,
        message: ProtocolMessage,
        *,
        channel: Channel | None = None,
        event_identifier: str | None = None,
        correlation_identifier: str | None = None,
        connection_identifier: str | None = None,
        open_connections: tuple[str, ...] | None = None,
        late_offers: bool | None = None,
        replaces_earlier: bool = False,
        encoding: Encoding | None = None,
    ) -> None:
        """Add a message to publish. The defaults are its own channel, and an encoding that the remote reads."""
        if encoding is None:
            peer = None if remote_identifier is None else self._peers.get(remote_identifier)
            encoding = Encoding.JSON if peer is None or peer.claim is not None else peer.told_encoding
        self.effects.append(
            Send(
                remote_identifier=remote_identifier,
                topic=topic,
                channel=channel or _CHANNEL_OF[type(message)],
                message=message,
                event_identifier=event_identifier or self.new_identifier(),
                encoding=encoding,
                correlation_identifier=correlation_identifier,
                connection_identifier=connection_identifier or None,
                open_connections=open_connections,
                late_offers=late_offers,
                replaces_earlier=replaces_earlier,
            )
        )

    def challenge(self, peer: Peer | None, kind: type[object], now: float) -> str:
        """Return an identifier that cannot be guessed, for an event to a peer whose answer proves its incarnation.

        For an unknown remote, no proof is needed.
        """
        identifier = self._new_challenge()
        if peer is not None:
            peer.challenges = (*peer.challenges[1 - _CHALLENGES_OF_PEER :], (identifier, kind, now))
        return identifier

    def challenge_all(self, kind: type[object], now: float) -> str:
        """Do as :meth:`challenge` for an event to everyone."""
        identifier = self._new_challenge()
        self.challenges[identifier] = identifier, kind, now
        if len(self.challenges) > _CHALLENGES_TO_ALL:
            del self.challenges[next(iter(self.challenges))]
        return identifier

    def take(self) -> list[Effect]:
        """Return all effects, in order, and forget them."""
        taken, self.effects = self.effects, []
        return taken
