"""The loop that does an orbiter's periodic work."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from orbitalis.orbiter.scope import Scope, outside

__all__ = ["OrbiterLoop"]

_END_TIMEOUT = 5.0
"""Seconds for which an iteration that was cancelled is waited for."""
_SHORTEST = 0.05
"""Seconds between two times at which what is due is done, at least: remotes have a say in how often something is."""


class OrbiterLoop:
    """Calls one coroutine function again and again, until it is stopped.

    Iterations follow each other, however long one takes; what is due before the next one is done all the same.
    """

    def __init__(
        self,
        *,
        interval: Callable[[], float],
        on_start: Callable[[], Awaitable[object]],
        iteration: Callable[[], Awaitable[object]],
        meanwhile: Callable[[], None],
        when_due: Callable[[], None],
        next_due: Callable[[], float | None],
        name: str,
    ) -> None:
        """Prepare a loop.

        `interval` gives the seconds between two iterations, read anew each time; `meanwhile` is called once in that
        time while an iteration lasts longer, and `when_due` at the time that `next_due` gives, on the clock of the
        event loop.
        """
        self._interval = interval
        self._on_start = on_start
        self._iteration = iteration
        self._meanwhile = meanwhile
        self._when_due = when_due
        self._next_due = next_due
        self._alarm: asyncio.TimerHandle | None = None
        self._rang_at = -math.inf
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._stopping.set()
        self._resumed = asyncio.Event()
        self._resumed.set()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped, be it that it pauses."""
        return not self._stopping.is_set()

    @property
    def is_paused(self) -> bool:
        """Whether iterations are left out."""
        return not self._resumed.is_set()

    @property
    def is_around(self) -> bool:
        """Whether the caller is part of an iteration."""
        return Scope.around(self) is not None

    def start(self) -> None:
        """Begin; does nothing if it is running."""
        if self.is_running:
            return
        self._stopping = asyncio.Event()
        self._resumed.set()
        task = asyncio.get_running_loop().create_task(
            self._run(self._stopping), name=f"loop of {self._name}", context=outside()
        )
        self._rang_at = asyncio.get_running_loop().time()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.look_again()

    def stop(self) -> None:
        """End after the iteration under way."""
        self._stopping.set()
        self._resumed.set()
        self._silence()

    def pause(self) -> None:
        """Leave iterations out until :meth:`resume`."""
        self._resumed.clear()
        self._silence()

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self._resumed.set()
        self.look_again()

    def look_again(self) -> None:
        """Take the report that something may be due earlier than was thought."""
        due = self._next_due() if self.is_running and not self.is_paused else None
        if due is None or due == math.inf:
            return
        at = max(due, self._rang_at + _SHORTEST)
        if self._alarm is not None:
            if self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(at, self._ring, context=outside())

    def _ring(self) -> None:
        self._alarm = None
        self._rang_at = asyncio.get_running_loop().time()
        try:
            self._when_due()
        finally:
            self.look_again()

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def end(self, timeout: float) -> None:
        """Stop, and cancel the iteration under way if it takes longer than `timeout` seconds.

        Called from within an iteration it does not wait for that.
        """
        self.stop()
        scope = Scope.around(self)
        tasks = self._tasks - {None if scope is None else scope.part}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_END_TIMEOUT + 1)

    async def _run(self, stopping: asyncio.Event) -> None:
        await self._attend(self._on_start, stopping)
        while not stopping.is_set():
            await self._resumed.wait()
            if stopping.is_set():
                return
            await self._attend(self._iteration, stopping)
            self.look_again()
            try:
                async with asyncio.timeout(self._interval()):
                    await stopping.wait()
            except TimeoutError:
                continue

    async def _attend(self, work: Callable[[], Awaitable[object]], stopping: asyncio.Event) -> None:
        """Wait for the end of some work, and do what cannot wait for it."""
        here = asyncio.current_task()

        async def within() -> None:
            with Scope(self, here):
                await work()

        task = asyncio.create_task(within(), name=f"iteration of {self._name}")
        try:
            while not task.done():
                _, late = await asyncio.wait([task], timeout=self._interval())
                if late and self._resumed.is_set() and not stopping.is_set():
                    self._meanwhile()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_END_TIMEOUT)
