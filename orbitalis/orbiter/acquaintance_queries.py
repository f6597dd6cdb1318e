"""What an orbiter knows of its remotes, under the names that the user guide gives it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.remote import Remote

__all__ = ["AcquaintanceQueries"]


class AcquaintanceQueries(ABC):
    """Answers about remotes, by identifier. They are copies: what is known is changed by methods alone."""

    _protocol: OrbiterProtocol

    @abstractmethod
    def _now(self) -> float:
        """Return the time of the state machine's clock."""

    @property
    def _last_seen(self) -> Mapping[str, datetime]:
        """When each remote last gave a sign of life, in UTC."""
        return {remote.identifier: self._moment(remote.last_seen) for remote in self._known()}

    @property
    def _last_keepalive_sent(self) -> Mapping[str, datetime]:
        """When each remote was last sent a sign of life, in UTC."""
        return {
            remote.identifier: self._moment(remote.last_keepalive_sent)
            for remote in self._known()
            if remote.last_keepalive_sent is not None
        }

    @property
    def _others_considers_me_dead_after(self) -> Mapping[str, float]:
        """After how many seconds of silence each remote gives this orbiter up."""
        return {
            remote.identifier: remote.considers_me_dead_after
            for remote in self._known()
            if remote.considers_me_dead_after is not None
        }

    @property
    def _remote_keepalive_topics(self) -> Mapping[str, str]:
        """Where each remote takes keepalives."""
        return {
            remote.identifier: remote.keepalive_topic for remote in self._known() if remote.keepalive_topic is not None
        }

    @property
    def _remote_keepalive_request_topics(self) -> Mapping[str, str]:
        """Where each remote takes requests for a keepalive."""
        return {
            remote.identifier: remote.keepalive_request_topic
            for remote in self._known()
            if remote.keepalive_request_topic is not None
        }

    def _known(self) -> tuple[Remote, ...]:
        return self._protocol.acquaintances.all()

    def _moment(self, at: float) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self._now() - at)
