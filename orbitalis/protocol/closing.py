"""How connections end: gracefully, when the other side has acknowledged, or gracelessly, at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sys import getsizeof
from typing import Final

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.effects import CloseReason, Drain, MessageReceived, Subscribe
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.slots import RemoteClose, Slot, SlotTable
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.transitions import SlotState, SlotTrigger
from orbitalis_wire import messages
from orbitalis_wire.topics import CloseAckTopic

__all__ = ["Closing", "never"]

_LOOK_AGAIN_AFTER: Final = 1.0
"""Seconds after which a connection that is in use is looked at again, at least."""


def never(slot: Slot) -> bool:
    """Say of no connection that it is in use."""
    return False


@dataclass(slots=True, eq=False)
class Closing:
    """Closes connections, and takes the closes of remotes."""

    _config: OrbiterConfig
    _slots: SlotTable
    _lifecycle: Lifecycle
    _liveness: Liveness
    _resolver: TopicResolver
    _outbox: Outbox

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    # What the user wants

    def close_gracelessly(self, slot: Slot, data: bytes | None, now: float) -> None:
        """Close a connection at once."""
        self._lifecycle.send_graceless_close(slot, data)
        self._lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.LOCAL)
        self._liveness.older_peers.closed(slot.remote_identifier, now)

    def close_gracefully(self, slot: Slot, data: bytes | None, now: float) -> None:
        """Ask the remote to close a connection, unless it is closing already."""
        if not slot.is_open:
            return
        slot.ack_topic = self._config.topics.close_ack(*slot.key, slot.connection_identifier)
        slot.close_data = data
        self._lifecycle.begin_closing(slot, SlotTrigger.GRACEFUL_CLOSE_SENT, now)
        self._outbox.add(Subscribe(remote_identifier=slot.remote_identifier, topic=slot.ack_topic))
        message = messages.GracefulCloseConnectionMessage(
            from_identifier=self._config.identifier,
            operation_name=slot.operation_name,
            ack_topic=slot.ack_topic,
            data=data,
        )
        self._outbox.send(
            slot.remote_identifier, slot.remote_close_topic, message, connection_identifier=slot.connection_identifier
        )

    def drained(self, slot: Slot) -> None:
        """Close a connection whose remote has asked for it, now that all its data is handled."""
        if slot.state is SlotState.DRAINING and slot.remote_close is not None:
            close = slot.remote_close
            self._lifecycle.release(slot, SlotTrigger.DRAINED, CloseReason.REMOTE, close.data)
            self._acknowledge(slot, close)

    # What time brings

    def unused_connections(self, now: float, is_in_use: Callable[[Slot], bool]) -> list[Slot]:
        """Return the open connections that were not used for `close_connection_if_unused_after` seconds."""
        return [slot for slot in self._lifecycle.pop_perhaps_unused(now) if self.is_unused(slot, now, is_in_use)]

    def is_unused(self, slot: Slot, now: float, is_in_use: Callable[[Slot], bool]) -> bool:
        """Return whether an open connection was not used for long enough; if it was, have it looked at in time."""
        after = self._config.close_connection_if_unused_after
        if after is None or not slot.is_open:
            return False
        if slot.last_used + after > now:
            self._lifecycle.look_at(slot, slot.last_used + after)
            return False
        if is_in_use(slot):
            slot.last_used = max(slot.last_used, now)
            self._lifecycle.look_at(slot, now + max(after, _LOOK_AGAIN_AFTER))
            return False
        return True

    # What arrives

    def _slot_of(self, remote_identifier: str, operation_name: str, headers: Headers, now: float) -> Slot | None:
        """Return the slot that a close or its acknowledgement is about, if it is about one."""
        self._liveness.hear(remote_identifier, headers, now)
        slot = self._slots.get(remote_identifier, operation_name)
        if slot is None or headers.connection_identifier not in (None, slot.connection_identifier):
            return None
        return slot

    def on_close(
        self,
        topic: str,
        message: messages.GracefulCloseConnectionMessage | messages.GracelessCloseConnectionMessage,
        headers: Headers,
        now: float,
    ) -> None:
        """End a connection, or a request whose confirm is to come."""
        slot = self._slot_of(message.from_identifier, message.operation_name, headers, now)
        if slot is None or topic != slot.incoming_close_topic:
            return
        if not slot.is_connection and slot.state is not SlotState.REQUESTED:
            return
        received = MessageReceived(remote_identifier=slot.remote_identifier, message=message)
        if isinstance(message, messages.GracelessCloseConnectionMessage):
            self._outbox.add(received)
            self._lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_RECEIVED, CloseReason.REMOTE, message.data)
        elif slot.state is not SlotState.DRAINING:
            ack_topic = self._resolver.resolve(
                CloseAckTopic,
                slot.remote_identifier,
                message.ack_topic,
                (slot.operation_name, slot.connection_identifier),
            )
            self._outbox.add(received)
            close = RemoteClose(event_identifier=headers.identifier, ack_topic=ack_topic, data=message.data)
            if slot.is_open:
                slot.remote_close = close
                self._slots.grow(slot, getsizeof(close.ack_topic) + getsizeof(close.data))
                self._lifecycle.begin_closing(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED, now)
                self._outbox.add(Drain(remote_identifier=slot.remote_identifier, slot=slot))
            else:
                self._lifecycle.release(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED, CloseReason.REMOTE, close.data)
                self._acknowledge(slot, close)

    def on_close_ack(
        self, topic: str, message: messages.CloseConnectionAckMessage, headers: Headers, now: float
    ) -> None:
        """End a connection whose graceful close of this side is acknowledged."""
        slot = self._slot_of(message.from_identifier, message.operation_name, headers, now)
        if slot is None or slot.state is not SlotState.CLOSING or topic != slot.ack_topic:
            return
        self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
        self._lifecycle.release(slot, SlotTrigger.CLOSE_ACK_RECEIVED, CloseReason.LOCAL)

    def _acknowledge(self, slot: Slot, close: RemoteClose) -> None:
        self._outbox.send(
            slot.remote_identifier,
            close.ack_topic,
            messages.CloseConnectionAckMessage(
                from_identifier=self._config.identifier, operation_name=slot.operation_name
            ),
            correlation_identifier=close.event_identifier,
            connection_identifier=slot.connection_identifier,
        )
