"""Delivery: from the moment an event has arrived for a subscription until its handler is done with it.

An idle handler is started at once. While it is busy, events wait in a bounded queue of its subscription. When the
queue is full, further events are dropped and counted, with a warning. So the order is kept, and a handler that raises,
is slow or hangs delays only its own events.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.other_versions import OtherVersions
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis.message.payload import UndecodedPayload
from orbitalis_wire import PROTOCOL_VERSION, limits

__all__ = ["DEFAULT_BOUNDS", "Intake", "QueueBounds", "Subscription", "end_handlers", "start_task", "start_task_later"]

T = TypeVar("T")

_logger = FieldLogger(logging.getLogger(__name__))

_END_TIMEOUT = 5.0
"""Seconds for which a cancelled handler is waited for."""
_IN_A_ROW = 64
"""Events that wait for one handler and are handed over before everything else in the event loop has its turn."""
_ALL_BUSES: Final[frozenset[str | None]] = frozenset((None,))


_new_task: Final = asyncio.Task
"""Makes tasks, and asks no task factory of the event loop: one that the user has set may start them at any time, or not
know the arguments that these need."""


if sys.version_info >= (3, 12):

    def start_task(
        coroutine: Coroutine[Any, Any, object], loop: asyncio.AbstractEventLoop, name: str, context: contextvars.Context
    ) -> asyncio.Task[object]:
        """Run a coroutine as a task, up to where it first waits; one that never does is done when this returns."""
        return _new_task(coroutine, loop=loop, name=name, context=context, eager_start=True)

else:

    def start_task(
        coroutine: Coroutine[Any, Any, object], loop: asyncio.AbstractEventLoop, name: str, context: contextvars.Context
    ) -> asyncio.Task[object]:
        """Run a coroutine as a task, soon."""
        return _new_task(coroutine, loop=loop, name=name, context=context)


def start_task_later(
    coroutine: Coroutine[Any, Any, T], name: str, context: contextvars.Context | None = None
) -> asyncio.Task[T]:
    """Run a coroutine as a task of the running event loop that begins after the caller has returned to that.

    It does so also where the event loop has :func:`asyncio.eager_task_factory`, with which other tasks begin at once.
    Without `context`, the task has a copy of the caller's.
    """
    return _new_task(coroutine, loop=asyncio.get_running_loop(), name=name, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBounds:
    """How much one subscription keeps while its handler is busy."""

    events: int = limits.QUEUED_EVENTS
    bytes: int = limits.QUEUED_BYTES
    """Sum of the lengths in which the events were received; in process, where nothing is encoded, not counted."""


DEFAULT_BOUNDS: Final = QueueBounds()


@dataclass(slots=True, eq=False)
class Intake:
    """What the subscriptions of one client have in common."""

    statistics: BusStatistics
    other_versions: OtherVersions
    bounds: QueueBounds = DEFAULT_BOUNDS
    """How much each of them keeps while its handler is busy."""
    tasks: dict[asyncio.Task[object], None] = field(default_factory=dict[asyncio.Task[object], None])
    """Handlers that are busy, also those whose subscription has ended."""


class Subscription:
    """One topic filter with its handler. It belongs to the event loop in which it was made."""

    __slots__ = (
        "_closed",
        "_context",
        "_idle",
        "_intake",
        "_overflowing",
        "_queue",
        "_queued_bytes",
        "_running",
        "buses",
        "concurrency",
        "handler",
        "is_established",
        "loop",
        "quality_of_service",
        "topic_filter",
    )

    def __init__(
        self,
        topic_filter: str,
        handler: EventHandler,
        intake: Intake,
        quality_of_service: int,
        concurrency: int = 1,
        context: contextvars.Context | None = None,
    ) -> None:
        """Deliver to `handler`, each event in a copy of `context` (:mod:`contextvars`), by default that of the caller.

        Up to `concurrency` events are handled side by side; their tasks are in `intake.tasks` meanwhile.
        """
        self.topic_filter = topic_filter
        self.handler = handler
        """The handler. It can be replaced, and queued events go to the new one."""
        self.quality_of_service = quality_of_service
        self.concurrency = concurrency
        self.buses = _ALL_BUSES
        """For a client that is on several: the names of those on which it listens; `None` stands for all."""
        self.is_established = False
        """Whether the bus delivers to it, or will do so as soon as it is connected again."""
        self.loop = asyncio.get_running_loop()
        self._intake = intake
        self._running = 0
        self._queue: deque[tuple[str, Event[Any], int]] | None = None
        """What waits; there is none while nothing does."""
        self._queued_bytes = 0
        self._context = contextvars.copy_context() if context is None else context
        self._idle: asyncio.Event | None = None
        """Set when nothing is being handled; made for the first one who waits for that."""
        self._overflowing = False
        self._closed = False

    def offer(self, topic: str, event: Event[Any], length: int = 0) -> None:
        """Deliver an event; `length` is the number of bytes in which it came. Never raises an :class:`Exception`."""
        if self._closed:
            return
        self._intake.statistics.received += 1
        version = event.protocol_version
        if version is not None and version != PROTOCOL_VERSION:
            self._intake.other_versions.refuse(topic, event)
            return
        if self.handler.is_urgent:
            try:
                if self.handler.take_at_once(topic, event):
                    return
            except Exception as error:  # the sender must not be told; the event is handled in its turn
                self._report_failure(topic, event, error)
        if self._running < self.concurrency and self._queue is None:
            self._deliver(topic, event)
        else:
            self._enqueue(topic, event, length)
        if self._queue is not None or self._idle is not None:
            self._go_on()

    def hand_over_to(self, handler: EventHandler, concurrency: int) -> None:
        """Deliver to another handler from now on, also what waits."""
        self.handler = handler
        self.concurrency = concurrency
        if self._queue is not None:
            self.loop.call_soon(self._go_on)

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether the handler wants messages of a class. Never raises."""
        try:
            return self.handler.takes(topic, message_class)
        except Exception:  # the sender must not be told; the handler gets what it does not deny
            self._intake.statistics.handler_errors += 1
            _logger.exception(
                "handler %r%s does not say whether it takes a %s on topic %r",
                self.handler,
                self._whose(topic),
                message_class.__name__,
                topic,
                extra=self._fields(topic),
            )
            return True

    def tell_dropped(self, topic: str, event: Event[Any]) -> None:
        """Tell the handler that an event was dropped. Never raises an :class:`Exception`."""
        try:
            self.handler.dropped(topic, event)
        except Exception as error:  # the sender must not be told
            self._report_failure(topic, event, error)

    def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
        """Return what reads a payload that was not decoded, if the handler knows. Never raises."""
        try:
            return self.handler.reader(topic, payload)
        except Exception:  # the sender must not be told; the handler gets the payload as it is
            self._intake.statistics.handler_errors += 1
            _logger.exception(
                "handler %r%s does not say what reads a payload on topic %r",
                self.handler,
                self._whose(topic),
                topic,
                extra=self._fields(topic),
            )
            return None

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def is_busy(self) -> bool:
        """Whether an event is being handled. Others wait only then, unless a handler was cancelled from outside."""
        return self._running > 0

    async def drained(self) -> None:
        """Wait until no event is being handled, and none waits for that."""
        while self.is_busy:
            if self._idle is None:
                self._idle = asyncio.Event()
            await self._idle.wait()

    def close(self) -> None:
        """Deliver nothing from now on; a handler that is busy may finish."""
        self._closed = True
        self._queue = None

    def _enqueue(self, topic: str, event: Event[Any], length: int) -> None:
        queue = self._queue
        waiting = 0 if queue is None else len(queue)
        bounds = self._intake.bounds
        if waiting >= bounds.events or self._queued_bytes + length > bounds.bytes:
            self._drop(topic, event, waiting)
            return
        if queue is None:
            queue = self._queue = deque()
        queue.append((topic, event, length))
        self._queued_bytes += length

    def _deliver(self, topic: str, event: Event[Any]) -> None:
        try:
            work = self.handler.begin(topic, event)
        except Exception as error:  # it is logged, and the next event is delivered
            self._report_failure(topic, event, error)
            return
        if work is None:
            return
        self._running += 1
        try:
            task = start_task(
                self._handle(work, topic, event), self.loop, f"events of {self.topic_filter}", self._context.copy()
            )
        except BaseException:
            # The handler ends the event loop, which runs once more to clean up.
            self._running -= 1
            raise
        if task.done():
            self._running -= 1
        else:
            self._intake.tasks[task] = None
            task.add_done_callback(lambda task: self._interrupted(task, work))

    async def _handle(self, work: Coroutine[Any, Any, object], topic: str, event: Event[Any]) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await work
        except asyncio.CancelledError as error:
            if task.cancelling():
                raise
            # It comes from what the handler waited for.
            self._report_failure(topic, event, error)
        except Exception as error:  # it is logged, and the next event is delivered
            self._report_failure(topic, event, error)
        if task in self._intake.tasks:
            del self._intake.tasks[task]
            self._running -= 1
            self._go_on()

    def _interrupted(self, task: asyncio.Task[object], work: Coroutine[Any, Any, object]) -> None:
        """Note the end of a handler that was cancelled from outside, maybe before it began.

        That may be the end of the event loop: what waits goes on with the next event.
        """
        if task in self._intake.tasks:
            work.close()
            del self._intake.tasks[task]
            self._running -= 1
            self._note_progress()

    def _go_on(self) -> None:
        """Hand over what waits, as far as the handler can take it now."""
        for _ in range(_IN_A_ROW):
            if self._queue is None or self._running >= self.concurrency:
                break
            topic, event, length = self._queue.popleft()
            self._queued_bytes -= length
            if not self._queue:
                self._queue = None
            self._deliver(topic, event)
        else:
            if self._queue is not None and self._running < self.concurrency:
                # A handler that never waits for anything must not keep everybody else waiting.
                self._running += 1
                self.loop.call_soon(self._resume)
        self._note_progress()

    def _resume(self) -> None:
        self._running -= 1
        self._go_on()

    def _note_progress(self) -> None:
        """Note that nothing waits any more, and tell those who wait until nothing is busy, if that is so."""
        if self._queue is None:
            self._overflowing = False
        if self._idle is not None and not self._running:
            self._idle.set()
            self._idle = None

    def _report_failure(self, topic: str, event: Event[Any], error: BaseException) -> None:
        self._intake.statistics.handler_errors += 1
        _logger.error(
            "handler %r%s failed on event %r of %r on topic %r",
            self.handler,
            self._whose(topic),
            event.identifier,
            event.publisher_identifier,
            topic,
            exc_info=error,
            extra={**self._fields(topic), "event": event.identifier},
        )

    def _drop(self, topic: str, event: Event[Any], waiting: int) -> None:
        self._intake.statistics.dropped += 1
        if self.handler.is_urgent:
            self.tell_dropped(topic, event)
        if not self._overflowing:
            self._overflowing = True
            _logger.warning(
                "%d events wait for the handler of %r%s, and no more are kept: "
                "events (now one on topic %r) are dropped until it has caught up; see statistics.dropped",
                waiting,
                self.topic_filter,
                self._whose(topic),
                topic,
                extra=self._fields(topic),
            )

    def _fields(self, topic: str) -> dict[str, str]:
        """Return what a line of the log about an event on a topic has as fields."""
        return {**self.handler.log_fields(topic), "topic": topic}

    def _whose(self, topic: str) -> str:
        """Return of which operation the handler is, as it stands in a line of the log."""
        operation = self.handler.log_fields(topic).get("operation")
        return "" if operation is None else f" of operation {operation!r}"


async def end_handlers(tasks: dict[asyncio.Task[object], None], orbiter: str | None = None) -> None:
    """Cancel handlers of an orbiter that are busy and wait for their end, without the one that calls this."""
    others = tasks.keys() - {asyncio.current_task()}
    if not others:
        return
    for task in others:
        task.cancel()
    _, stubborn = await asyncio.wait(others, timeout=_END_TIMEOUT)
    for task in stubborn:
        fields = {"orbiter": orbiter}
        _logger.error("the handler of %s did not end when it was cancelled", task.get_name(), extra=fields)
