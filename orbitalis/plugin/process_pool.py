"""Processes of a plugin's own, in which it runs what would keep its event loop busy for long."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

__all__ = ["ProcessPool", "default_size"]

T = TypeVar("T")

_logger = logging.getLogger(__name__)


def default_size() -> int:
    """Return how many CPUs there are for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ProcessPool:
    """Starts processes when there is work for them, `size()` at most; each imports the program anew ("spawn")."""

    def __init__(self, size: Callable[[], int]) -> None:
        """Make a pool that has no process yet."""
        self._size = size
        self._executor: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function in one of the processes, and return what it returns; both have to be picklable.

        Raises:
            BrokenProcessPool: The process has ended meanwhile; the next call gets a new one.
            Exception: What the function raises.
        """
        # These take long to import, and few plugins have CPU-bound operations.
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._size(), mp_context=multiprocessing.get_context("spawn"), initializer=_prepare_process
            )
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
        except BrokenProcessPool:
            if self._executor is executor:
                await self.close()
            raise

    async def close(self) -> None:
        """End the processes, whatever they do. The next call makes new ones."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        # An executor waits for work that has begun; only the processes themselves can be ended.
        processes = list((executor._processes or {}).values())
        for process in processes:
            process.kill()
        await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)


def _prepare_process() -> None:
    """Leave Ctrl-C to the parent, and end with it, also where that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="watch of the parent", daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
