"""What one side tells the other about data of a connection beside that data, and does not wait for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from orbitalis.errors import BusError
from orbitalis.log import FieldLogger
from orbitalis.operations.connection import Connection, fields_of
from orbitalis.orbiter.connection_publisher import ConnectionPublisher
from orbitalis.orbiter.peer_queues import PeerQueues

__all__ = ["Asides"]

_logger = FieldLogger(logging.getLogger(__name__))

_UNDER_WAY: Final = 1_000
"""How much may be on its way to one remote. Beyond, nothing is told: it spares work, and nothing depends on it."""


@dataclass(slots=True, eq=False)
class Asides:
    """Publishes messages that have no number, and lets nobody wait for that."""

    _publisher: ConnectionPublisher
    _queues: PeerQueues
    """Where that waits which cannot be published at once; they end with the orbiter."""

    def tell(self, connection: Connection, message: object, correlation_identifier: str | None = None) -> bool:
        """Publish a message on a connection; return whether that has begun."""
        slot = connection.slot
        topic, key = slot.outgoing_data_topic, ("asides", slot.remote_identifier)
        if topic is None or not self._publisher.client.is_connected or self._queues.length(key) >= _UNDER_WAY:
            return False
        try:
            waiting = self._publisher.send(
                topic, message, connection.headers, correlation_identifier=correlation_identifier, is_data=False
            )
        except BusError as error:
            self._note_failure(connection, message, error)
            return False
        if waiting is not None:
            under_way = waiting
            self._queues.submit(key, lambda: self._published(under_way, connection, message))
        return True

    async def _published(self, waiting: Awaitable[None], connection: Connection, message: object) -> None:
        try:
            await waiting
        except BusError as error:
            self._note_failure(connection, message, error)

    def _note_failure(self, connection: Connection, message: object, error: BusError) -> None:
        _logger.debug(
            "could not send a %s to %s: %s",
            type(message).__name__,
            connection.remote_identifier,
            error,
            extra={"orbiter": self._publisher.orbiter, **fields_of(connection.slot)},
        )
