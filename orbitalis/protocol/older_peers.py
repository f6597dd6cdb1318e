"""Support for older peers. They send no headers, so they name neither an incarnation nor a connection.

They keep their connections with an orbiter that was restarted, because they do not notice the restart. Their topics do
not depend on a handshake, so an orbiter can reach them on the topics of py-orbitalis at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Peers
from orbitalis.protocol.quotas import RateLimiter
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis_wire import timings
from orbitalis_wire.messages import GracelessCloseConnectionMessage, KeepaliveRequestMessage

__all__ = ["OlderPeers", "repeats_request"]


def repeats_request(slot: Slot, headers: Headers, told: tuple[str, str | None, str]) -> bool:
    """Return whether an older core repeats a request for a connection that it has, or is about to get.

    It does as long as it takes any number of plugins, and where it has not got the confirm. After a restart its bus
    client has another identifier. `told` are the topics that the request names: for the response, outputs and closes.
    """
    if slot.request_identifier == headers.identifier:
        return True
    response_topic, output_topic, close_topic = told
    return (
        not slot.is_ending
        and slot.request_publisher == headers.publisher_identifier
        and slot.peer_topic == response_topic
        and slot.output_topic == (output_topic if slot.output.has_output else None)
        and slot.remote_close_topic == close_topic
    )


@dataclass(slots=True, eq=False)
class OlderPeers:
    """Makes older peers give up connections with a past incarnation of this orbiter."""

    _config: OrbiterConfig
    _peers: Peers
    _slots: SlotTable
    _outbox: Outbox
    _closes: RateLimiter = field(init=False, default_factory=RateLimiter)

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    def ask(self, identifiers: Iterable[str]) -> None:
        """Ask unknown remotes for a keepalive. An older peer answers."""
        topic = self._config.topics.keepalive_of_anybody
        for identifier in sorted(identifiers):
            if self._peers.get(identifier) is None:
                message = KeepaliveRequestMessage(from_identifier=self._config.identifier, keepalive_topic=topic)
                self._outbox.send(identifier, f"$keepalive.{identifier}.request", message, replaces_earlier=True)

    def closed(self, remote_identifier: str, now: float) -> None:
        """Note a graceless close, because a keepalive that is on its way may have crossed it."""
        peer = self._peers.get(remote_identifier)
        if peer is not None and not peer.sends_headers:
            peer.reconciled_at = now

    def close_unshared(self, remote_identifier: str, now: float) -> None:
        """Tell an older peer that has sent a keepalive to close connections that this side does not have.

        Its keepalive does not list connections, so it gets a close for every operation. It listens only where it has a
        connection.
        """
        peer = self._peers.get(remote_identifier)
        if peer is not None:
            if peer.reconciled_at is not None and now < peer.reconciled_at + timings.RECONCILIATION_DELAY:
                return
            peer.reconciled_at = now
        shared = self._slots.with_remote(remote_identifier)
        unshared = [name for name in self._config.operation_names if name not in shared]
        per_second = self._config.limits.stranger_events_per_second
        if not unshared or not self._closes.admits(now, per_second, len(unshared)):
            return
        for name in unshared:
            message = GracelessCloseConnectionMessage(
                from_identifier=self._config.identifier, operation_name=name, data=None
            )
            topic = f"{name}.{remote_identifier}.{self._config.identifier}.close"
            self._outbox.send(remote_identifier, topic, message, replaces_earlier=True)
