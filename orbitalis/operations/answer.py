"""Answers: how what the handler of an input publishes comes to answer that input, and for how long that is awaited."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from orbitalis.operations.connection import PublishHeaders
from orbitalis.operations.operation_statistics import OperationStatistics

__all__ = ["OVERLOADED", "Answer", "time_left"]

OVERLOADED: Final = "overloaded"
"""The `reason` of an error that says that the plugin has dropped the input, since too much waits."""


class Answer:
    """The one answer that is owed for an input, by the code that handles it and by every task which that starts.

    A task may go on for long after that; so only what is published first is the answer.
    """

    __slots__ = (
        "correlation_identifier",
        "expires_at",
        "headers",
        "is_given",
        "is_taken_back",
        "now",
        "statistics",
        "topic",
        "when_taken_back",
    )

    def __init__(
        self,
        topic: str,
        correlation_identifier: str,
        headers: PublishHeaders,
        now: Callable[[], float],
        expires_at: float | None = None,
    ) -> None:
        """Owe an answer on `topic`, with these headers, to the event with the identifier `correlation_identifier`.

        It is awaited until `expires_at` on the clock that `now` reads, or without limit.
        """
        self.topic = topic
        self.correlation_identifier = correlation_identifier
        self.headers = headers
        self.now = now
        self.expires_at = expires_at
        self.statistics: OperationStatistics | None = None
        """Where it is counted when it is given."""
        self.is_given = False
        """Whether it is published, or about to be."""
        self.is_taken_back = False
        """Whether the core waits for it no more: then it is not published."""
        self.when_taken_back: list[Callable[[], object]] = []
        """Called when the core takes the input back while it is handled."""

    def owe(self) -> None:
        """Let what the caller publishes be the answer, and what the tasks publish that it starts from now on."""
        _owed.set(self)

    def take_back(self) -> None:
        """Note that the core waits for it no more."""
        self.is_taken_back = True
        for call in self.when_taken_back:
            call()

    @staticmethod
    def owed() -> Answer | None:
        """Return the answer to the input that the caller handles, also if it is given already."""
        return _owed.get()

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


def time_left() -> float | None:
    """Return for how many seconds the answer to the input that is being handled is still awaited.

    Zero says that nobody waits any more: the time is over, or the core has taken the input back. `None` says that there
    is no limit, or no answer awaited; or that the caller is no handler, or is a CPU-bound operation in its process.
    Tasks, and what :func:`asyncio.to_thread` calls, know the time of the handler that has started them.
    """
    answer = _owed.get()
    if answer is None:
        return None
    if answer.is_taken_back:
        return 0.0
    return None if answer.expires_at is None else max(0.0, answer.expires_at - answer.now())
