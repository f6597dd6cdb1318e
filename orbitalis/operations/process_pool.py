"""The processes in which a plugin runs operations that keep a CPU busy."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from orbitalis.errors import NobodyWaitsError
from orbitalis.operations.answer import Answer, time_left

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

__all__ = ["ProcessPool", "default_size"]

T = TypeVar("T")

_NEVER_WORKED: Final = (
    "the process for it ended before any call did; standard error says why, such as that the program starts without "
    'the line `if __name__ == "__main__":`'
)


def default_size() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ProcessPool:
    """Starts processes when there is work for them, at most `size()` of them.

    Each process imports the program again, as with the start method "spawn".
    """

    def __init__(self, size: Callable[[], int]) -> None:
        """Make a pool that has no process yet."""
        self._size = size
        self._executor: ProcessPoolExecutor | None = None
        self._has_worked = False
        """Whether a call has ended in one of the processes."""

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function in one of the processes, and return its result.

        Function, arguments and result have to be picklable.

        Raises:
            NobodyWaitsError: No process became free while somebody waited for the answer to the input that is being
                handled.
            BrokenProcessPool: The process ended during the call. The next call gets a new process.
            Exception: The exception of the function.
        """
        # Few programs need processes, and these modules take long to import.
        import multiprocessing
        from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._size(), mp_context=multiprocessing.get_context("spawn"), initializer=_prepare_process
            )
        executor = self._executor
        call: Future[T] | None = None
        try:
            call = executor.submit(function, *arguments)
            return await _result_of(call)
        except BrokenProcessPool:
            if self._executor is executor:
                await self.close()
            if self._has_worked:
                raise
            raise BrokenProcessPool(_NEVER_WORKED) from None
        finally:
            if call is not None and call.done() and not call.cancelled():
                self._has_worked = self._has_worked or not isinstance(call.exception(), BrokenProcessPool)

    async def close(self) -> None:
        """End the processes, also those that are busy. The next call of :meth:`run` starts new ones."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        # An executor waits for work that has begun. Only the processes themselves can be ended.
        processes = list((executor._processes or {}).values())
        for process in processes:
            process.kill()
        await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)


async def _result_of(call: Future[T]) -> T:
    """Return the result of a call in another process. Give it up if nobody waits any more and it has not begun."""
    answer = Answer.owed()
    if answer is None:
        return await asyncio.wrap_future(call)
    loop, left = asyncio.get_running_loop(), time_left()
    cancel = call.cancel
    answer.when_taken_back.append(cancel)
    timer = None if left is None else loop.call_later(left, cancel)
    try:
        return await asyncio.wrap_future(call)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if time_left() == 0 and task is not None and not task.cancelling():
            raise NobodyWaitsError from None
        raise
    finally:
        answer.when_taken_back.remove(cancel)
        if timer is not None:
            timer.cancel()


def _prepare_process() -> None:
    """Leave Ctrl-C to the parent, and end with the parent, also if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="watch of the parent", daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
