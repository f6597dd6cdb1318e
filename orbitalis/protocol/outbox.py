"""Effects on their way from a machine to its caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from orbitalis.protocol.effects import Effect, ProtocolMessage, Send
from orbitalis.protocol.peers import Peers
from orbitalis_wire.channels import CHANNELS, Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["Outbox"]


_CHANNEL_OF: Final[Mapping[type[object], Channel]] = {
    kind: channel for channel in CHANNELS.values() for kind in channel.messages
}


class Outbox:
    """Collects the effects of one call of a machine, and addresses its messages."""

    def __init__(self, peers: Peers, new_identifier: Callable[[], str]) -> None:
        self._peers = peers
        self.new_identifier = new_identifier
        """Gives an identifier that is new."""
        self.effects: list[Effect] = []
        """What is wanted, in order."""

    def add(self, effect: Effect) -> None:
        """Want one more thing done, after all others."""
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
        """Want a message published; by default on the channel that carries it, in an encoding that the remote reads."""
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

    def take(self) -> list[Effect]:
        """Return all effects, in order, and start anew."""
        taken, self.effects = self.effects, []
        return taken
