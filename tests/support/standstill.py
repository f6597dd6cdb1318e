"""How long an event loop stands still: the longest time between two turns of a task that does nothing."""

from __future__ import annotations

import asyncio
import gc
import time
from types import TracebackType
from typing import Self

__all__ = ["Standstill"]


class Standstill:
    """Measures within `async with`, in CPU time of the process: a busy machine must not look like a busy loop.

    While another thread holds the interpreter the loop stands still, too, and that takes CPU time as well. What
    earlier tests have left in memory is kept out of garbage collection: that takes longer than what is measured.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.longest = 0.0
        """Seconds."""

    async def __aenter__(self) -> Self:
        """Begin."""
        gc.collect()
        gc.freeze()
        self._watching = asyncio.create_task(self._watch())
        # From its first turn on.
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._watching.cancel()
        await asyncio.wait([self._watching])
        gc.unfreeze()

    async def _watch(self) -> None:
        last = time.process_time()
        try:
            while True:
                await asyncio.sleep(0.001)
                now = time.process_time()
                self.longest = max(self.longest, now - last)
                last = now
        finally:
            self.longest = max(self.longest, time.process_time() - last)
