"""What a machine reads of an event beside its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from orbitalis_wire.envelope import Encoding

__all__ = ["SINCE_1_1", "Headers", "Reader", "SenderHeaders", "is_of_version_1_1", "may_answer"]

SINCE_1_1: Final = frozenset(Encoding) - {Encoding.JSON, Encoding.AVRO_1_0}
"""Encodings of which a peer reads one if and only if it is of version 1.1 or a later one."""


class Reader(Protocol):
    """A remote, as far as it has said what it reads."""

    @property
    def readable_encodings(self) -> Sequence[str] | None:
        """Encodings of the envelope that it reads."""


class SenderHeaders(Reader, Protocol):
    """What an event says of its sender."""

    @property
    def incarnation(self) -> str | None:
        """Incarnation of its sender."""


class Headers(SenderHeaders, Protocol):
    """What a machine reads of an event beside its message: an event or an envelope has it."""

    @property
    def identifier(self) -> str:
        """Identifier of the event."""
        raise NotImplementedError

    @property
    def publisher_identifier(self) -> str:
        """Identifier of the bus client that published it."""
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


def is_of_version_1_1(remote: Reader) -> bool:
    """Return whether a remote is of version 1.1 or a later one."""
    return remote.readable_encodings is not None and not SINCE_1_1.isdisjoint(remote.readable_encodings)


def may_answer(headers: Headers, *identifiers: str | None) -> bool:
    """Return whether an event answers one of these, or is of an older peer, which cannot say what it answers."""
    return headers.correlation_identifier in identifiers or (
        headers.correlation_identifier is None and headers.incarnation is None
    )
