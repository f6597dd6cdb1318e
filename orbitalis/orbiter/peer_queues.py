"""Queues of work: in order for each peer, and concurrent for different peers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeAlias

from orbitalis.bus.dispatch import start_task_later
from orbitalis.log import FieldLogger
from orbitalis.orbiter.scope import Scope, outside
from orbitalis.orbiter.slot_work import SlotWork

__all__ = ["PeerQueues", "Work", "is_being_cancelled"]

Work: TypeAlias = Callable[[], Awaitable[object] | None]
"""Is called in its turn, and returns what to wait for, or `None` if it is done."""

_END_TIMEOUT = 5.0
"""Seconds for which work that was cancelled is waited for."""
_LAST_TIMEOUT = 1.0
"""Seconds for which the work that waited for such work is waited for."""


def is_being_cancelled() -> bool:
    """Return whether a `CancelledError` is for the task that got it, and not from what that waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Mark:
    """A place in a queue: tells that all work before it is done, or given up."""

    __slots__ = ("reached",)

    def __init__(self, reached: asyncio.Future[None]) -> None:
        self.reached = reached

    def tell(self) -> None:
        if not self.reached.done():
            self.reached.set_result(None)


class _Queue:
    """The work for one key that waits, and the task that does it."""

    __slots__ = ("is_interrupted", "key", "replaceable", "size", "task", "waiting")

    task: asyncio.Task[None]

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.waiting: deque[tuple[Work | _Mark, int]] = deque()
        """With the size of each."""
        self.replaceable: dict[Hashable, tuple[Work, int]] = {}
        """By kind: the last work that a newer one of its kind may replace."""
        self.size = 0
        """Bytes of all that waits."""
        self.is_interrupted = False
        """Whether what is under way was cancelled, and the rest is still to be done."""


class PeerQueues:
    """One queue for each key. A queue exists only while its work waits or is under way.

    Work never begins before the caller returns, so a hook never runs in the middle of other code. If work raises, the
    exception is logged. If a piece of work hangs, only its queue waits.
    """

    __slots__ = ("_orbiter", "context", "under_way", "waiting", "waiting_bytes")

    def __init__(self, orbiter: str | None = None) -> None:
        """Make queues without work, of the orbiter with this identifier."""
        self._orbiter = orbiter
        self.under_way: dict[Hashable, _Queue] = {}
        """The queues by key. A key that is not in here has nothing under way."""
        self.context = outside()
        """In copies of which work is done."""
        self.waiting = 0
        """How many pieces of work wait."""
        self.waiting_bytes = 0
        """How much memory is taken by what the work that waits was said to take."""

    @property
    def _logger(self) -> FieldLogger:
        return FieldLogger(logging.getLogger(__name__), orbiter=self._orbiter)

    def begin(self) -> None:
        """Do work from now on in the context (:mod:`contextvars`) of the caller."""
        self.context = outside()

    def length(self, key: Hashable) -> int:
        """Return how many pieces of work wait for a key."""
        queue = self.under_way.get(key)
        return 0 if queue is None else len(queue.waiting)

    def bytes(self, key: Hashable) -> int:
        """Return how much memory is taken by what waits for a key."""
        queue = self.under_way.get(key)
        return 0 if queue is None else queue.size

    @property
    def is_around(self) -> bool:
        """Whether the caller is a piece of work. It must not wait for other work, which might wait for it."""
        return Scope.around(self) is not None

    def submit(self, key: Hashable, work: Work, size: int = 0, *, instead_of: Hashable | None = None) -> None:
        """Queue a piece of work, and count `size` bytes while it waits.

        It replaces work of the same kind, `instead_of`, that still waits.
        """
        queue = self.under_way.get(key)
        if queue is None:
            queue = self._open(key)
        if instead_of is not None:
            earlier = queue.replaceable.get(instead_of)
            if earlier is not None and earlier in queue.waiting:
                queue.waiting.remove(earlier)
                self._count(queue, -1, -earlier[1])
            queue.replaceable[instead_of] = work, size
        self._append(queue, work, size)

    def reached(self, key: Hashable) -> asyncio.Future[None]:
        """Return what tells when all work that is queued for a key is done, or given up."""
        mark = _Mark(asyncio.get_running_loop().create_future())
        queue = self.under_way.get(key)
        if queue is None:
            mark.tell()
        else:
            self._append(queue, mark, 0)
        return mark.reached

    def end(self, key: Hashable) -> None:
        """Give up the work for a key, and cancel what is under way unless that calls this."""
        queue = self.under_way.get(key)
        if queue is not None and queue is not self._own():
            self._abandon(queue)
            queue.task.cancel()

    async def finish(self, timeout: float) -> bool:
        """Wait until there is no work, work under way that takes longer being cancelled; return whether none was.

        Within a piece of work, the others of its queue are done at once.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._drain()
        except TimeoutError:
            pass
        else:
            return True
        own = self._own()
        for queue in self.under_way.values():
            if queue is not own:
                queue.is_interrupted = True
                queue.task.cancel()
        try:
            async with asyncio.timeout(min(timeout, _LAST_TIMEOUT)):
                await self._drain()
        except TimeoutError:
            pass
        return False

    async def cancel(self) -> None:
        """Abandon all work, without the one that calls this."""
        own = self._own()
        tasks = [queue.task for queue in self.under_way.values() if queue is not own]
        for queue in self.under_way.values():
            self._abandon(queue)
        self.under_way.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            _, stubborn = await asyncio.wait(tasks, timeout=_END_TIMEOUT)
            for task in stubborn:
                self._logger.error("%s did not end when it was cancelled", task.get_name())

    def let_go(self) -> None:
        """Drop all work of a closed event loop. Work that is under way there does not go on."""
        self.under_way.clear()
        self.waiting = self.waiting_bytes = 0

    def _open(self, key: Hashable) -> _Queue:
        queue = self.under_way[key] = _Queue(key)
        queue.task = start_task_later(self._run(key, queue), f"orbitalis work for {key}", self.context.copy())
        # Also one that is cancelled before it has begun ends its queue.
        queue.task.add_done_callback(lambda _: self._close(key, queue))
        return queue

    def _append(self, queue: _Queue, work: Work | _Mark, size: int) -> None:
        queue.waiting.append((work, size))
        self._count(queue, 1, size)

    def _count(self, queue: _Queue, pieces: int, size: int) -> None:
        """Count what has come to the work that waits, or, below zero, what has gone."""
        self.waiting += pieces
        self.waiting_bytes += size
        queue.size += size

    def _own(self) -> _Queue | None:
        scope = Scope.around(self)
        return scope.part if scope is not None and isinstance(scope.part, _Queue) else None

    async def _drain(self) -> None:
        own = self._own()
        while True:
            while own is not None and own.waiting:
                await self._do_next(own)
            tasks = [queue.task for queue in self.under_way.values() if queue is not own]
            if not tasks:
                return
            await asyncio.wait(tasks)

    async def _run(self, key: Hashable, queue: _Queue) -> None:
        try:
            while queue.waiting:
                await self._do_next(queue)
        finally:
            self._close(key, queue)

    def _close(self, key: Hashable, queue: _Queue) -> None:
        self._abandon(queue)
        if self.under_way.get(key) is queue:
            del self.under_way[key]

    async def _do_next(self, queue: _Queue) -> None:
        work, size = queue.waiting.popleft()
        self._count(queue, -1, -size)
        if isinstance(work, _Mark):
            work.tell()
            return
        try:
            with Scope(self, queue):
                waiting = work()
                if waiting is not None:
                    await waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is queue.task and queue.is_interrupted:
                queue.is_interrupted = False
                queue.task.uncancel()
            elif is_being_cancelled():
                raise
            else:
                self._log_failure(queue)
        except Exception:
            self._log_failure(queue)

    def _log_failure(self, queue: _Queue) -> None:
        key = queue.key
        fields = {"remote": key} if isinstance(key, str) else key.log_fields if isinstance(key, SlotWork) else {}
        self._logger.exception("a piece of work failed", extra=fields)

    def _abandon(self, queue: _Queue) -> None:
        self._count(queue, -len(queue.waiting), -queue.size)
        for work, _ in queue.waiting:
            if isinstance(work, _Mark):
                work.tell()
        queue.waiting.clear()
