"""Work that is done in order for each remote, and side by side for different ones."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

__all__ = ["Lanes"]

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

_current: Final[ContextVar[tuple[object, Hashable] | None]] = ContextVar("orbitalis_lane", default=None)


class Lanes:
    """One queue a key, each emptied by a task of its own that lives as long as there is work.

    Work must not raise. Where one piece hangs, its lane stands still and no other does.
    """

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[tuple[Work, asyncio.Future[None]]]] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def length(self, key: Hashable) -> int:
        """Return how many pieces of work wait in a lane."""
        queue = self._queues.get(key)
        return len(queue) if queue is not None else 0

    def submit(self, key: Hashable, work: Work) -> Awaitable[None]:
        """Queue a piece of work; what is returned can be awaited for its end.

        Awaited from within the same lane it returns at once, since that lane could not go on otherwise.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append((work, done))
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._run(key), name=f"orbitalis lane {key}")
        return _nothing() if _current.get() == (self, key) else asyncio.shield(done)

    async def drain(self) -> None:
        """Wait until no lane has work, but for the one that this is called from."""
        here = _current.get()
        while tasks := [task for key, task in self._tasks.items() if here != (self, key)]:
            await asyncio.wait(tasks)

    async def cancel(self) -> None:
        """Abandon all work, but for what calls this."""
        here = _current.get()
        tasks = [task for key, task in self._tasks.items() if here != (self, key)]
        self._queues.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, key: Hashable) -> None:
        _current.set((self, key))
        queue = self._queues[key]
        try:
            while queue:
                work, done = queue[0]
                try:
                    await work()
                finally:
                    if queue:
                        queue.popleft()
                    if not done.done():
                        done.set_result(None)
        finally:
            for _, done in queue:
                done.cancel()
            if self._queues.get(key) is queue:
                del self._queues[key]
            self._tasks.pop(key, None)


async def _nothing() -> None:
    return None
