"""What a machine reads of an event beside its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Headers", "SenderHeaders", "incarnation_of"]


class SenderHeaders(Protocol):
    """What an event says of its sender."""

    @property
    def incarnation(self) -> str | None:
        """Incarnation of its sender."""

    @property
    def publisher_identifier(self) -> str:
        """Identifier of the bus client that published it."""
        raise NotImplementedError

    @property
    def readable_encodings(self) -> Sequence[str] | None:
        """Encodings that its sender reads."""


class Headers(SenderHeaders, Protocol):
    """What a machine reads of an event beside its message: an event or an envelope has it."""

    @property
    def identifier(self) -> str:
        """Identifier of the event."""
        raise NotImplementedError

    @property
    def correlation_identifier(self) -> str | None:
        """Identifier of the event that it answers."""

    @property
    def connection_identifier(self) -> str | None:
        """The connection that it belongs to."""

    @property
    def open_connections(self) -> Sequence[str] | None:
        """The connections that its sender believes in."""

    @property
    def late_offers(self) -> bool | None:
        """Whether its sender wants late offers."""


def incarnation_of(headers: SenderHeaders) -> str:
    """Return the incarnation of an event; for an older peer, which sends none, its bus client stands for it."""
    return headers.publisher_identifier if headers.incarnation is None else headers.incarnation
