"""Answers: how what the handler of an input publishes comes to answer that input."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["Answer"]


class Answer:
    """The one answer that is owed for an input, by the code that handles it and by every task which that starts.

    A task may go on for long after that; so only what is published first is the answer.
    """

    __slots__ = ("correlation_identifier", "is_given", "topic")

    def __init__(self, topic: str, correlation_identifier: str) -> None:
        """Owe an answer on `topic` to the event with the identifier `correlation_identifier`."""
        self.topic = topic
        self.correlation_identifier = correlation_identifier
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
    def is_owed(topic: str | None) -> bool:
        """Return whether an answer is owed on `topic` by the caller."""
        return _find(topic) is not None

    @staticmethod
    @contextmanager
    def giving(topic: str) -> Generator[str | None, None, None]:
        """Give what is published to `topic` within as the answer, if one is owed there; it stays owed if that fails.

        Yields the identifier of the event that is answered, or `None`.
        """
        answer = _find(topic)
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


def _find(topic: str | None) -> Answer | None:
    """Return the answer that is owed on `topic`."""
    answer = _owed.get()
    return answer if answer is not None and answer.topic == topic and not answer.is_given else None
