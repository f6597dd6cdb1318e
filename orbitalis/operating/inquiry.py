"""What comes of one question of an operator: the pages of each orbiter that answers, and what is still to be asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from orbitalis.introspection.subjects import AnswerMessage, Subject
from orbitalis.message.event import Event
from orbitalis_wire import limits
from orbitalis_wire.messages import PongMessage

__all__ = ["Inquiry", "Pages"]

M = TypeVar("M", bound=AnswerMessage)

_ASK_AGAIN_AFTER: Final = 1.0
"""Seconds after which a page is asked for again: requests and answers can be lost, and are when there are too many."""
_MOST_PAGES: Final = 1000
"""Pages of one orbiter; who names ever more cursors is not followed any longer."""
_MOST_NAMESAKES: Final = 100
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
_MOST_ORBITERS: Final = limits.KNOWN_REMOTES


@dataclass(slots=True, kw_only=True)
class Pages(Generic[M]):
    """What one orbiter has answered."""

    messages: list[M] = field(default_factory=list[M])
    incarnation: str | None = None
    protocol_version: int | None = None
    seconds: float = 0.0
    """Time from the request to the first page."""
    cursor: str | None = None
    """Where the page begins that is awaited."""
    asked_at: float | None = None
    """When that was asked for; `None` if it was not."""
    is_complete: bool = False
    answered_at: datetime = _LONG_AGO
    """When the first page was sent, on the clock of the orbiter."""
    namesakes: set[str] = field(default_factory=set[str])
    """Other incarnations that have answered the same request under the same identifier."""


class Inquiry(Generic[M]):
    """Collects the answers to one question. Times are seconds on the clock of the event loop."""

    def __init__(
        self, subject: Subject, message_class: type[M], now: float, orbiter: str | None, quiet: float | None = None
    ) -> None:
        """Ask `orbiter`, or all; a question to all ends after `quiet` seconds without an answer, if that is given."""
        self.subject = subject
        self.orbiter = orbiter
        self._message_class = message_class
        self._begun_at = now
        self._quiet = quiet
        self._quiet_at: float | None = None
        """When it ends unless there is another answer; `None` before the first."""
        self.found: dict[str, Pages[M]] = {}
        """By orbiter: all that have answered."""
        self.awaited: dict[str, Pages[M]] = {}
        """By orbiter: those of whom a page is still to come."""
        if orbiter is not None:
            self.awaited[orbiter] = Pages()
        self.changed = asyncio.Event()
        """Set when there may be more to ask, or all has come."""
        self.is_ended = False
        """Whether no answer is awaited any more, whatever has come."""

    @property
    def is_done(self) -> bool:
        """Whether all has come; of a question to all orbiters that is not known."""
        return self.is_ended or (self.orbiter is not None and not self.awaited)

    def end(self) -> None:
        """Await nothing more."""
        self.is_ended = True
        self.changed.set()

    def due(self, now: float) -> list[tuple[str, Pages[M]]]:
        """Return the orbiters that are to be asked for a page now; the caller does it, and they count as asked."""
        due = [
            (orbiter, pages)
            for orbiter, pages in self.awaited.items()
            if pages.asked_at is None or pages.asked_at + _ASK_AGAIN_AFTER <= now
        ]
        for _, pages in due:
            pages.asked_at = now
        return due

    def next_due(self) -> float | None:
        """Return when an orbiter is to be asked again, or it is quiet; `None` if neither is to come."""
        times = [pages.asked_at + _ASK_AGAIN_AFTER for pages in self.awaited.values() if pages.asked_at is not None]
        if self._quiet_at is not None and not self.awaited:
            times.append(self._quiet_at)
        return min(times, default=None)

    def is_quiet(self, now: float) -> bool:
        """Return whether all that have begun to answer are done, and the last answer was long ago."""
        return self._quiet_at is not None and not self.awaited and now >= self._quiet_at

    def take(self, cursor: str | None, message: object, event: Event[Any], now: float) -> bool:
        """Take an answer to a request with a cursor; return whether it is one that was awaited."""
        if type(message) is not self._message_class:
            return False
        orbiter = message.from_identifier
        pages = self.awaited.get(orbiter)
        if pages is None:
            # The first answer to a request to all.
            if self.orbiter is not None or cursor is not None:
                return False
            if orbiter in self.found:
                self._note_namesake(self.found[orbiter], event)
                return False
            if len(self.found) >= _MOST_ORBITERS:
                return False
            pages = Pages[M]()
        elif pages.cursor != cursor:
            return False
        self._append(orbiter, pages, message, event, now)
        return True

    def _note_namesake(self, pages: Pages[M], event: Event[Any]) -> None:
        if event.incarnation not in (None, pages.incarnation) and len(pages.namesakes) < _MOST_NAMESAKES:
            pages.namesakes.add(event.incarnation)

    def _append(self, orbiter: str, pages: Pages[M], message: M, event: Event[Any], now: float) -> None:
        self.changed.set()
        if self._quiet is not None and self.orbiter is None:
            self._quiet_at = now + self._quiet
        self.found[orbiter] = pages
        if pages.messages and event.incarnation != pages.incarnation:
            # It has started anew: what it told before is of the past, and what comes now is not from the beginning.
            self.awaited[orbiter] = self.found[orbiter] = Pages()
            return
        if not pages.messages:
            pages.incarnation, pages.protocol_version = event.incarnation, event.protocol_version
            pages.seconds = now - self._begun_at
            pages.answered_at = event.timestamp
        pages.messages.append(message)
        before, pages.cursor = pages.cursor, _next_cursor(message)
        pages.asked_at = None
        pages.is_complete = pages.cursor is None
        if pages.is_complete or pages.cursor == before or len(pages.messages) >= _MOST_PAGES:
            self.awaited.pop(orbiter, None)
        else:
            self.awaited[orbiter] = pages


def _next_cursor(message: AnswerMessage) -> str | None:
    return None if isinstance(message, PongMessage) else message.next_cursor
