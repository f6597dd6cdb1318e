"""Answers: how what the handler of an input publishes comes to answer that input."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from orbitalis.bus.stamp import NO_STAMP, TopicStamp

__all__ = ["Answer"]


class Answer:
    """The one answer that is owed for an input, by the code that handles it and by every task which that starts.

    A task may go on for long after that; so only what is published first is the answer.
    """

    __slots__ = ("correlation_identifier", "is_given", "stamp", "topic")

    def __init__(self, topic: str, correlation_identifier: str, stamp: TopicStamp = NO_STAMP) -> None:
        """Owe an answer on `topic`, with this stamp, to the event with the identifier `correlation_identifier`."""
        self.topic = topic
        self.correlation_identifier = correlation_identifier
        self.stamp = stamp
        self.is_given = False
        """Whether it is published, or about to be."""

    @contextmanager
    def owed(self) -> Generator[None, None, None]:
        """Let what is published within be the answer, also by tasks that are started within."""
        token = _owed.set(self)
        try:
            yield
        finally:
            _owed.reset(token)

    @staticmethod
    def is_owed(topic: str | None, connection_identifier: str | None) -> bool:
        """Return whether an answer is owed on `topic`, and on this connection, by the caller."""
        return _find(topic, connection_identifier) is not None

    @staticmethod
    def stamp_on(topic: str) -> TopicStamp | None:
        """Return the stamp of the answer that is owed on `topic` by the caller, on whatever connection."""
        answer = _find_on(topic)
        return None if answer is None else answer.stamp

    @staticmethod
    @contextmanager
    def giving(topic: str, connection_identifier: str | None) -> Generator[str | None, None, None]:
        """Give what is published within as the answer, if one is owed there; it stays owed if that fails.

        Yields the identifier of the event that is answered, or `None`.
        """
        answer = _find(topic, connection_identifier)
        if answer is None:
            yield None
            return
        answer.is_given = True
        try:
            yield answer.correlation_identifier
        except BaseException:
            answer.is_given = False
            raise


_owed: Final[ContextVar[Answer | None]] = ContextVar("orbitalis_owed_answer", default=None)


def _find_on(topic: str | None) -> Answer | None:
    """Return the answer that is owed on a topic."""
    answer = _owed.get()
    return answer if answer is not None and answer.topic == topic and not answer.is_given else None


def _find(topic: str | None, connection_identifier: str | None) -> Answer | None:
    """Return the answer that is owed on a topic, which other connections may have too, and on this connection."""
    answer = _find_on(topic)
    return answer if answer is not None and answer.stamp.connection_identifier == connection_identifier else None
