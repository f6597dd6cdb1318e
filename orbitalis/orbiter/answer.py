"""Answers: how what the handler of an input publishes comes to answer that input."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from orbitalis.operations.connection import PublishHeaders

__all__ = ["Answer"]


class Answer:
    """The one answer that is owed for an input, by the code that handles it and by every task which that starts.

    A task may go on for long after that; so only what is published first is the answer.
    """

    __slots__ = ("correlation_identifier", "headers", "is_given", "topic")

    def __init__(self, topic: str, correlation_identifier: str, headers: PublishHeaders) -> None:
        """Owe an answer on `topic`, with these headers, to the event with the identifier `correlation_identifier`."""
        self.topic = topic
        self.correlation_identifier = correlation_identifier
        self.headers = headers
        self.is_given = False
        """Whether it is published, or about to be."""

    def owe(self) -> None:
        """Let what the caller publishes be the answer, and what the tasks publish that it starts from now on."""
        _owed.set(self)

    @staticmethod
    def owed_on(topic: str | None) -> Answer | None:
        """Return the answer that the caller owes on a topic, on any connection."""
        answer = _owed.get()
        return answer if answer is not None and answer.topic == topic and not answer.is_given else None

    @staticmethod
    def owed_by(topic: str | None, connection_identifier: str | None) -> Answer | None:
        """Return the answer that the caller owes on a connection; others may have the same topic."""
        answer = _owed.get()
        if answer is None or answer.topic != topic or answer.is_given:
            return None
        return answer if answer.headers.connection_identifier == connection_identifier else None


_owed: Final[ContextVar[Answer | None]] = ContextVar("orbitalis_owed_answer", default=None)
