"""Delivery: from the moment an event has arrived for a subscription until its handler is done with it.

Every subscription has a queue of its own and, while that is not empty, a task that hands one event after the other to
the handler. So the order is kept, a handler that raises, is slow or hangs delays nobody but itself, and nothing is
kept that has been handled. The queue is bounded: when it is full, what arrives is dropped, counted and warned about.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any

from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.statistics import BusStatistics
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis_wire import limits

__all__ = ["QueueBounds", "Subscription", "end_workers"]

_logger = FieldLogger(logging.getLogger(__name__))

_END_TIMEOUT = 5.0
"""Seconds for which a cancelled handler is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBounds:
    """How much one subscription keeps while its handler is busy."""

    events: int = limits.QUEUED_EVENTS
    bytes: int = limits.QUEUED_BYTES
    """Sum of the lengths in which the events were received; in process, where nothing is encoded, not counted."""


class Subscription:
    """One topic filter with its handler; belongs to the event loop it is made in."""

    def __init__(
        self,
        topic_filter: str,
        handler: EventHandler,
        *,
        quality_of_service: int,
        bounds: QueueBounds,
        statistics: BusStatistics,
    ) -> None:
        """Deliver to `handler`, in the context (:mod:`contextvars`) of whoever makes this."""
        self.topic_filter = topic_filter
        self.handler = handler
        """Can be replaced; the events that are queued go to the new one."""
        self.quality_of_service = quality_of_service
        self.buses: set[str | None] = set()
        """For a client that is on several: the names of those on which it listens; `None` stands for all."""
        self.is_established = False
        """Whether the bus delivers to it, or will do so as soon as it is connected again."""
        self.loop = asyncio.get_running_loop()
        self._bounds = bounds
        self._statistics = statistics
        self._queue: deque[tuple[str, Event[Any], int]] = deque()
        self._queued_bytes = 0
        self._worker: asyncio.Task[None] | None = None
        self._context = contextvars.copy_context()
        self._overflowing = False
        self._closed = False

    def offer(self, topic: str, event: Event[Any], length: int = 0) -> None:
        """Deliver an event, soon; `length` is the number of bytes in which it came. Never raises."""
        if self._closed:
            return
        self._statistics.received += 1
        if self._taken_at_once(topic, event):
            return
        if len(self._queue) >= self._bounds.events or self._queued_bytes + length > self._bounds.bytes:
            self._drop(topic)
            return
        self._queue.append((topic, event, length))
        self._queued_bytes += length
        if self._worker is None:
            self._start_worker()

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether messages of a class are of any use to the handler. Never raises."""
        try:
            return self.handler.takes(topic, message_class)
        except Exception:  # whoever publishes must not be told; the handler gets what it does not deny
            self._statistics.handler_errors += 1
            _logger.exception(
                "handler %r does not say whether it takes a %s on topic %r",
                self.handler,
                message_class.__name__,
                topic,
                extra={"topic": topic},
            )
            return True

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def worker(self) -> asyncio.Task[None] | None:
        """What hands events to the handler, while there are any."""
        return self._worker

    def close(self) -> None:
        """Deliver nothing from now on; a handler that is busy may finish."""
        self._closed = True
        self._queue.clear()
        self._queued_bytes = 0

    def _start_worker(self) -> None:
        name = f"events of {self.topic_filter}"
        self._worker = self.loop.create_task(self._work(), name=name, context=self._context)
        # Also one that is cancelled before it has begun is no worker any more.
        self._worker.add_done_callback(self._has_ended)

    def _has_ended(self, worker: asyncio.Task[None]) -> None:
        if self._worker is worker:
            self._worker = None
            self._overflowing = False

    async def _work(self) -> None:
        try:
            while self._queue:
                topic, event, length = self._queue.popleft()
                self._queued_bytes -= length
                await self._handle(topic, event)
                if self._queue:
                    # A handler that never waits for anything must not keep everybody else waiting.
                    await asyncio.sleep(0)
        finally:
            self._worker = None
            self._overflowing = False

    async def _handle(self, topic: str, event: Event[Any]) -> None:
        try:
            await self.handler.handle(topic, event)
        except asyncio.CancelledError:
            # It may come from what the handler waited for, and then it is the handler's failure.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._report_failure(topic, event)
        except Exception:  # whatever it raises is logged, and the next event is delivered
            self._report_failure(topic, event)

    def _taken_at_once(self, topic: str, event: Event[Any]) -> bool:
        try:
            return self.handler.take_at_once(topic, event)
        except Exception:  # whoever publishes must not be told; the event is handled in its turn
            self._report_failure(topic, event)
            return False

    def _report_failure(self, topic: str, event: Event[Any]) -> None:
        self._statistics.handler_errors += 1
        _logger.exception(
            "handler %r failed on event %r of %r on topic %r",
            self.handler,
            event.identifier,
            event.publisher_identifier,
            topic,
            extra={"topic": topic, "event": event.identifier},
        )

    def _drop(self, topic: str) -> None:
        self._statistics.dropped += 1
        if not self._overflowing:
            self._overflowing = True
            _logger.warning(
                "%d events wait for the handler of %r, which is all that is kept: "
                "events (now one on topic %r) are dropped until it has caught up; see statistics.dropped",
                len(self._queue),
                self.topic_filter,
                topic,
                extra={"topic": topic},
            )


async def end_workers(workers: set[asyncio.Task[None]]) -> None:
    """Cancel handlers that are busy and wait for their end, but for the one that calls this."""
    others = workers - {asyncio.current_task()}
    if not others:
        return
    for worker in others:
        worker.cancel()
    _, stubborn = await asyncio.wait(others, timeout=_END_TIMEOUT)
    for worker in stubborn:
        _logger.error("the handler of %s did not end when it was cancelled", worker.get_name())
