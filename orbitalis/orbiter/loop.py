"""The loop that does an orbiter's periodic work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Final

__all__ = ["OrbiterLoop"]

_inside: Final[ContextVar[object]] = ContextVar("orbitalis_loop", default=None)
"""The loop that runs the code that asks."""


class OrbiterLoop:
    """Calls one coroutine function again and again, until it is stopped."""

    def __init__(
        self,
        *,
        interval: Callable[[], float],
        on_start: Callable[[], Awaitable[object]],
        iteration: Callable[[], Awaitable[object]],
        name: str,
    ) -> None:
        """Prepare a loop; `interval` gives the seconds between two iterations, read anew each time."""
        self._interval = interval
        self._on_start = on_start
        self._iteration = iteration
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._resumed = asyncio.Event()
        self._resumed.set()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped, be it that it pauses."""
        return self._task is not None and not self._task.done() and not self._stopping.is_set()

    @property
    def is_paused(self) -> bool:
        """Whether iterations are left out."""
        return not self._resumed.is_set()

    def start(self) -> None:
        """Begin; does nothing if it is running."""
        if self.is_running:
            return
        self._stopping = asyncio.Event()
        self._resumed.set()
        self._task = asyncio.create_task(self._run(self._stopping), name=f"loop of {self._name}")

    def stop(self) -> None:
        """End after the iteration under way."""
        self._stopping.set()
        self._resumed.set()

    def pause(self) -> None:
        """Leave iterations out until :meth:`resume`."""
        self._resumed.clear()

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self._resumed.set()

    async def end(self, timeout: float) -> None:
        """Stop, and cancel the iteration under way if it takes longer than `timeout` seconds.

        Called from within an iteration it does not wait.
        """
        self.stop()
        task, self._task = self._task, None
        if task is None or _inside.get() is self:
            return
        await asyncio.wait([task], timeout=timeout)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=timeout)

    async def _run(self, stopping: asyncio.Event) -> None:
        _inside.set(self)
        await self._on_start()
        while not stopping.is_set():
            await self._resumed.wait()
            if stopping.is_set():
                return
            await self._iteration()
            try:
                async with asyncio.timeout(self._interval()):
                    await stopping.wait()
            except TimeoutError:
                continue
