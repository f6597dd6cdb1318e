"""How users find the connections and handshakes of an orbiter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orbitalis.errors import NoConnectionError
from orbitalis.message.schema import Input, Output
from orbitalis.orbiter.carrier import Carrier
from orbitalis.orbiter.connection import Connection, PendingRequest
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.slot import Slot

__all__ = ["ConnectionQueries"]


class ConnectionQueries:
    """What an orbiter answers about its connections."""

    identifier: str
    _protocol: OrbiterProtocol
    _carrier: Carrier

    @property
    def remote_identifiers(self) -> set[str]:
        """Identifiers of all remotes with which there is a connection."""
        return {connection.remote_identifier for connection in self._carrier.connections.values()}

    @property
    def _connections(self) -> Mapping[str, Mapping[str, Connection]]:
        """The open connections by remote identifier and operation name; a copy."""
        found: dict[str, dict[str, Connection]] = {}
        for connection in self.retrieve_connections():
            found.setdefault(connection.remote_identifier, {})[connection.operation_name] = connection
        return found

    def retrieve_connections(
        self,
        *,
        remote_identifier: str | None = None,
        input_topic: str | None = None,
        output_topic: str | None = None,
        operation_name: str | None = None,
        input: Input | None = None,
        output: Output | None = None,
    ) -> list[Connection]:
        """Return the open connections that are as all given arguments say, oldest first."""
        return [
            self._carrier.connections[slot]
            for slot in self._slots(remote_identifier, input_topic or output_topic, operation_name)
            if slot.is_answerable
            and remote_identifier in (None, slot.remote_identifier)
            and operation_name in (None, slot.operation_name)
            and input_topic in (None, slot.input_topic)
            and output_topic in (None, slot.output_topic)
            and (input is None or slot.input.is_compatible(input))
            and (output is None or slot.output.is_compatible(output))
        ]

    def _slots(self, remote_identifier: str | None, topic: str | None, operation_name: str | None) -> Sequence[Slot]:
        """Return no more slots than have to be looked at."""
        slots = self._protocol.slots
        if topic is not None:
            return slots.of_topic(topic)
        if remote_identifier is not None:
            return slots.of_remote(remote_identifier)
        if operation_name is not None:
            return slots.answerable_of_operation(operation_name)
        return tuple(slots)

    async def retrieve_and_touch_connections(
        self, operation_name: str, *, input_topic: str | None = None
    ) -> list[Connection]:
        """Return the open connections of an operation, all noted to be used now."""
        connections = self.retrieve_connections(operation_name=operation_name, input_topic=input_topic)
        for connection in connections:
            async with connection.lock:
                connection.touch()
        return connections

    def _find_connection_or_fail(self, input_topic: str, operation_name: str) -> Connection:
        """Return the one open connection of an input topic and an operation.

        Raises:
            NoConnectionError: There is none, or more than one.
        """
        found = self.retrieve_connections(input_topic=input_topic, operation_name=operation_name)
        if len(found) != 1:
            raise NoConnectionError(
                f"'{self.identifier}' has {len(found)} connections for operation '{operation_name}' on input topic "
                f"'{input_topic}', expected one"
            )
        return found[0]

    def _connections_by_remote_identifier(self, remote_identifier: str) -> dict[str, Connection]:
        """Return the open connections with a remote, by operation name."""
        found = self.retrieve_connections(remote_identifier=remote_identifier)
        return {connection.operation_name: connection for connection in found}

    def _pending_requests_by_remote_identifier(self, remote_identifier: str) -> dict[str, PendingRequest]:
        """Return the handshakes under way with a remote, by operation name."""
        slots = self._protocol.slots.of_remote(remote_identifier)
        return {slot.operation_name: self._carrier.pending_request(slot) for slot in slots if not slot.is_connection}

    def _is_pending(self, remote_identifier: str, operation_name: str) -> bool:
        """Return whether a handshake with a remote for an operation is under way."""
        slot = self._protocol.slots.get(remote_identifier, operation_name)
        return slot is not None and not slot.is_connection
