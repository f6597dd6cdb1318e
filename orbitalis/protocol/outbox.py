"""Effects on their way from a machine to its caller."""

from __future__ import annotations

from collections.abc import Callable

from orbitalis.protocol.acquaintances import Acquaintances
from orbitalis.protocol.effects import Effect, ProtocolMessage, Send
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["Outbox"]


class Outbox:
    """Collects the effects of one call, and addresses messages."""

    def __init__(self, acquaintances: Acquaintances, new_identifier: Callable[[], str]) -> None:
        self._acquaintances = acquaintances
        self._new_identifier = new_identifier
        self._effects: list[Effect] = []

    def add(self, effect: Effect) -> None:
        """Want one more thing done, after all others."""
        self._effects.append(effect)

    def send(
        self,
        remote_identifier: str | None,
        topic: str,
        channel: Channel,
        message: ProtocolMessage,
        *,
        event_identifier: str | None = None,
        correlation_identifier: str | None = None,
        connection_identifier: str | None = None,
        open_connections: tuple[str, ...] | None = None,
        late_offers: bool | None = None,
        replaces_earlier: bool = False,
        encoding: Encoding | None = None,
    ) -> None:
        """Want a message published, in an encoding that the remote reads if none is given."""
        remote = self._acquaintances.get(remote_identifier) if remote_identifier is not None else None
        self.add(
            Send(
                remote_identifier=remote_identifier,
                topic=topic,
                channel=channel,
                message=message,
                event_identifier=event_identifier or self._new_identifier(),
                encoding=encoding or (remote.encoding if remote is not None else Encoding.JSON),
                correlation_identifier=correlation_identifier,
                connection_identifier=connection_identifier or None,
                open_connections=open_connections,
                late_offers=late_offers,
                replaces_earlier=replaces_earlier,
            )
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted."""
        return not self._effects

    def take(self) -> list[Effect]:
        """Return all effects, in order, and start anew."""
        taken, self._effects = self._effects, []
        return taken
