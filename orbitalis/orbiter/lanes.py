"""Work that is done in order for each remote, and side by side for different ones."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias

from orbitalis.log import FieldLogger
from orbitalis.orbiter.scope import Scope, outside

__all__ = ["Lanes", "Work", "is_being_cancelled"]

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

_END_TIMEOUT = 5.0
"""Seconds for which work that was cancelled is waited for."""
_LAST_TIMEOUT = 1.0
"""Seconds for which the work that waited for such work is waited for."""


def is_being_cancelled() -> bool:
    """Return whether a `CancelledError` is for the task that got it, and not from what that waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place in a queue: tells that all work before it is done, or given up."""

    reached: asyncio.Future[None]

    def tell(self) -> None:
        if not self.reached.done():
            self.reached.set_result(None)


class _Lane:
    """The work for one key that waits, and the task that does it."""

    def __init__(self) -> None:
        self.queue: deque[tuple[Work | _Mark, int]] = deque()
        """With the weight of each."""
        self.replaceable: dict[Hashable, tuple[Work, int]] = {}
        """By kind: the last work that a newer one of its kind may replace."""
        self.bytes = 0
        """The weight of all that waits."""
        self.task: asyncio.Task[None] | None = None
        self.is_interrupted = False


class Lanes:
    """One queue a key, each emptied by a task of its own that lives as long as there is work.

    Work that raises is logged. Where one piece hangs, its lane stands still and no other does.
    """

    def __init__(self, orbiter: str | None = None) -> None:
        """Make lanes without work, of the orbiter with this identifier."""
        self._logger = FieldLogger(logging.getLogger(__name__), orbiter=orbiter)
        self._lanes: dict[Hashable, _Lane] = {}
        self._context = outside()
        self._waiting = 0
        self.waiting_bytes = 0
        """How much memory is taken by what the work that waits was said to weigh."""

    def begin(self) -> None:
        """Do work from now on in the context (:mod:`contextvars`) of whoever calls this."""
        self._context = outside()

    def __len__(self) -> int:
        """Return how many pieces of work wait."""
        return self._waiting

    def length(self, key: Hashable) -> int:
        """Return how many pieces of work wait in a lane."""
        lane = self._lanes.get(key)
        return 0 if lane is None else len(lane.queue)

    def bytes(self, key: Hashable) -> int:
        """Return how much memory is taken by what waits in a lane."""
        lane = self._lanes.get(key)
        return 0 if lane is None else lane.bytes

    @property
    def is_around(self) -> bool:
        """Whether the caller is a piece of work, which must not wait for another one: that might wait for it."""
        return Scope.around(self) is not None

    def submit(self, key: Hashable, work: Work, weight: int = 0, *, instead_of: Hashable | None = None) -> None:
        """Queue a piece of work, which takes so many bytes while it waits.

        It takes the place of the one of the same kind, `instead_of`, if that still waits.
        """
        if instead_of is not None and (lane := self._lanes.get(key)) is not None:
            earlier = lane.replaceable.get(instead_of)
            if earlier is not None and earlier in lane.queue:
                lane.queue.remove(earlier)
                self._count(lane, -1, -earlier[1])
        self._append(key, work, weight)
        if instead_of is not None:
            self._lanes[key].replaceable[instead_of] = work, weight

    def reached(self, key: Hashable) -> asyncio.Future[None]:
        """Return what tells when all work that is queued in a lane is done, or given up."""
        mark = _Mark(asyncio.get_running_loop().create_future())
        if key in self._lanes:
            self._append(key, mark, 0)
        else:
            mark.tell()
        return mark.reached

    def end(self, key: Hashable) -> None:
        """Give up the work of a lane, and cancel what is under way unless that calls this."""
        lane = self._lanes.get(key)
        if lane is not None and lane is not self._own():
            self._abandon(lane)
            if lane.task is not None:
                lane.task.cancel()

    async def finish(self, timeout: float) -> bool:
        """Wait until no lane has work, work under way that takes longer being cancelled; return whether none was.

        Within a piece of work, the others of its lane are done at once.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._drain()
        except TimeoutError:
            pass
        else:
            return True
        own = self._own()
        for lane in self._lanes.values():
            if lane is not own and lane.task is not None:
                lane.is_interrupted = True
                lane.task.cancel()
        try:
            async with asyncio.timeout(min(timeout, _LAST_TIMEOUT)):
                await self._drain()
        except TimeoutError:
            pass
        return False

    async def cancel(self) -> None:
        """Abandon all work, but for what calls this."""
        own = self._own()
        tasks = [lane.task for lane in self._lanes.values() if lane is not own and lane.task is not None]
        for lane in self._lanes.values():
            self._abandon(lane)
        self._lanes.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            _, stubborn = await asyncio.wait(tasks, timeout=_END_TIMEOUT)
            for task in stubborn:
                self._logger.error("what %s does did not end when it was cancelled", task.get_name())

    def _append(self, key: Hashable, work: Work | _Mark, weight: int) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            name = f"orbitalis lane {key}"
            lane.task = asyncio.get_running_loop().create_task(
                self._run(key, lane), name=name, context=self._context.copy()
            )
            # Also one that is cancelled before it has begun ends its lane.
            lane.task.add_done_callback(lambda _: self._close(key, lane))
        lane.queue.append((work, weight))
        self._count(lane, 1, weight)

    def _count(self, lane: _Lane, pieces: int, weight: int) -> None:
        """Count what has come to the work that waits in a lane, or, below zero, what has gone."""
        self._waiting += pieces
        self.waiting_bytes += weight
        lane.bytes += weight

    def _own(self) -> _Lane | None:
        scope = Scope.around(self)
        return scope.part if scope is not None and isinstance(scope.part, _Lane) else None

    async def _drain(self) -> None:
        own = self._own()
        while True:
            while own is not None and own.queue:
                await self._do_next(own)
            tasks = [lane.task for lane in self._lanes.values() if lane is not own and lane.task is not None]
            if not tasks:
                return
            await asyncio.wait(tasks)

    async def _run(self, key: Hashable, lane: _Lane) -> None:
        try:
            while lane.queue:
                await self._do_next(lane)
        finally:
            self._close(key, lane)

    def _close(self, key: Hashable, lane: _Lane) -> None:
        self._abandon(lane)
        if self._lanes.get(key) is lane:
            del self._lanes[key]

    async def _do_next(self, lane: _Lane) -> None:
        work, weight = lane.queue.popleft()
        self._count(lane, -1, -weight)
        if isinstance(work, _Mark):
            work.tell()
            return
        try:
            with Scope(self, lane):
                await work()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task is lane.task and lane.is_interrupted:
                lane.is_interrupted = False
                task.uncancel()
            elif is_being_cancelled():
                raise
            else:
                self._logger.exception("a piece of work failed")
        except Exception:
            self._logger.exception("a piece of work failed")

    def _abandon(self, lane: _Lane) -> None:
        self._count(lane, -len(lane.queue), -lane.bytes)
        for work, _ in lane.queue:
            if isinstance(work, _Mark):
                work.tell()
        lane.queue.clear()
