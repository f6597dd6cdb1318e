"""The topics on which an orbiter listens, made by methods that a subclass may override."""

from __future__ import annotations

from abc import ABC, abstractmethod

from orbitalis_wire.topics import CloseAckTopic, CloseTopic, KeepaliveRequestTopic, KeepaliveTopic

__all__ = ["BuiltTopics", "OrbiterTopics"]

# pyright: reportPrivateUsage=false
# The methods of OrbiterTopics are private to users, who override but do not call them. BuiltTopics does.


class OrbiterTopics(ABC):
    """The place to change topics.

    Every topic but those of discovers and announcements is told to the other side, so any layout is understood. Whoever
    overrides the topics of keepalives also overrides the filters under which they arrive here.
    """

    identifier: str

    @property
    def keepalive_topic(self) -> str:
        """Topic on which keepalives arrive from remotes that are not known yet."""
        return self._build_keepalive_topic(None)

    @property
    def keepalive_request_topic(self) -> str:
        """Topic on which keepalive requests arrive from remotes that are not known yet."""
        return self._build_keepalive_request_topic(None)

    def _build_keepalive_topic(self, remote_identifier: str | None) -> str:
        """Build the topic on which keepalives of a remote, or of anybody, arrive."""
        return KeepaliveTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def _build_keepalive_filter(self) -> str:
        """Build the filter that matches all topics on which keepalives arrive."""
        return KeepaliveTopic.filter(recipient_identifier=self.identifier)

    def _build_keepalive_request_topic(self, remote_identifier: str | None) -> str:
        """Build the topic on which keepalive requests of a remote, or of anybody, arrive."""
        return KeepaliveRequestTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def _build_keepalive_request_filter(self) -> str:
        """Build the filter that matches all topics on which keepalive requests arrive."""
        return KeepaliveRequestTopic.filter(recipient_identifier=self.identifier)

    def _build_incoming_close_connection_topic(
        self, remote_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which closes of one connection arrive."""
        return CloseTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    def _build_ack_close_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Build the topic on which a close of one connection is acknowledged."""
        return CloseAckTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    @abstractmethod
    def _build_data_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Build the topic on which inputs (plugin) or outputs (core) of one connection arrive."""

    def _build_directed_discover_topic(self, core_identifier: str | None) -> str:
        """Build the topic on which a plugin gets discovers that are meant for it alone."""
        raise NotImplementedError

    def _build_offer_topic(self, plugin_identifier: str | None) -> str:
        """Build the topic on which a core gets offers."""
        raise NotImplementedError

    def _build_response_topic(self, plugin_identifier: str) -> str:
        """Build the topic on which a core gets the answers to its requests."""
        raise NotImplementedError

    def _build_reply_topic(self, core_identifier: str) -> str:
        """Build the topic on which a plugin gets requests and rejects."""
        raise NotImplementedError


class BuiltTopics:
    """The topics of an orbiter as its state machine asks for them (a `TopicLayout`)."""

    def __init__(self, orbiter: OrbiterTopics) -> None:
        self._orbiter = orbiter

    def keepalive(self, remote_identifier: str | None) -> str:
        """Where keepalives of a remote arrive, or of anybody."""
        return self._orbiter._build_keepalive_topic(remote_identifier)

    def keepalive_request(self, remote_identifier: str | None) -> str:
        """Where keepalive requests of a remote arrive, or of anybody."""
        return self._orbiter._build_keepalive_request_topic(remote_identifier)

    def directed_discover(self, core_identifier: str | None) -> str:
        """Plugin: where discovers of a core, or of anybody, that are meant for it alone arrive."""
        return self._orbiter._build_directed_discover_topic(core_identifier)

    def offer(self) -> str:
        """Core: where offers arrive."""
        return self._orbiter._build_offer_topic(None)

    def response(self, plugin_identifier: str) -> str:
        """Core: where confirms of a plugin arrive."""
        return self._orbiter._build_response_topic(plugin_identifier)

    def reply(self, core_identifier: str) -> str:
        """Plugin: where requests of a core arrive."""
        return self._orbiter._build_reply_topic(core_identifier)

    def data(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where outputs (core) or inputs (plugin) of one connection arrive."""
        return self._orbiter._build_data_topic(remote_identifier, operation_name, connection_identifier)

    def close(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where closes of one connection arrive."""
        return self._orbiter._build_incoming_close_connection_topic(
            remote_identifier, operation_name, connection_identifier
        )

    def close_ack(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Where the acknowledgement of a graceful close arrives."""
        return self._orbiter._build_ack_close_topic(remote_identifier, operation_name, connection_identifier)
