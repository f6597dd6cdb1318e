"""An event loop whose time passes only when there is nothing else to do, and then at once.

Timers of the loop (`asyncio.sleep`, `asyncio.timeout`, `loop.call_later`) do not really wait: when nothing can happen
before the next timer, the clock jumps to it. Real things, such as work in a thread or a socket, take real time, and
meanwhile the clock runs at its real speed.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar, TypeVarTuple, Unpack, cast

from orbitalis.testing.pending_tasks import describe_tasks

__all__ = ["DeadlockError", "VirtualClockEventLoop", "run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_Ready: TypeAlias = list[tuple[selectors.SelectorKey, int]]

_PATIENCE: Final = 3600.0


class DeadlockError(Exception):
    """The test waits for something that can never happen."""


class VirtualClockEventLoop(asyncio.SelectorEventLoop):
    """An event loop with a virtual clock, which begins at 0.

    If nothing can ever happen again, `run_until_complete` (and so a test) fails with a :class:`DeadlockError`. It names
    all tasks, and the places where they wait.
    """

    def __init__(self) -> None:
        """Make a loop that is at its second 0."""
        self._time = 0.0
        self._working = 0
        self._settling: list[asyncio.Future[None]] = []
        self._main: asyncio.Future[Any] | None = None
        self._error: DeadlockError | None = None
        self._waiter: object = None
        self._waits_since = 0.0
        self.patience: float = _PATIENCE
        """Seconds for which what is run may wait for others, without a timer of its own, before it is stuck."""
        self._files = _Selector(self._nothing_ready)
        super().__init__(self._files)
        self._own_files = len(self._files.get_map())

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._time

    async def settle(self) -> None:
        """Wait until everything has happened that needs no time to pass."""
        settled = self.create_future()
        self._settling.append(settled)
        await settled

    @contextmanager
    def real_work(self) -> Generator[None]:
        """Let time run at its real speed meanwhile, for waits that this loop does not see.

        It sees sockets, pipes and `run_in_executor` (and so `asyncio.to_thread`), but not threads of your own.
        """
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    # The loop's own

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Run until a future is done; raises :class:`DeadlockError` if it never will be."""
        main: asyncio.Future[T] = asyncio.ensure_future(cast("Awaitable[T]", future), loop=self)
        self._main, self._error = main, None
        try:
            outcome = super().run_until_complete(main)
        except asyncio.CancelledError as cancelled:
            if self._error is None:
                raise
            # The traceback leads to where it waited.
            raise self._error.with_traceback(cancelled.__traceback__) from None
        except Exception as error:
            if self._error in (None, error):
                raise
            raise self._error from error
        finally:
            self._main = self._waiter = None
        if self._error is not None:
            raise self._error
        return outcome

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function in a thread; time does not jump until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._working += 1
        future.add_done_callback(self._work_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait until the threads have ended, for as long as it takes."""
        with self.real_work():
            await super().shutdown_default_executor()

    def _work_done(self, _: object) -> None:
        self._working -= 1

    def _nothing_ready(self, timeout: float | None) -> _Ready:
        """Have time pass until the next timer, which is `timeout` seconds away; `None` if there is none."""
        if self._settling and not self._working:
            settling, self._settling = self._settling, []
            for settled in settling:
                if not settled.done():
                    settled.set_result(None)
            return []
        if self._working or len(self._files.get_map()) > self._own_files:
            return self._really_wait(timeout)
        if timeout is None:
            self._give_up(
                "nothing can happen any more: no timer is set, and no thread or socket is waited for. What waits:"
            )
            return []
        self._check_patience()
        self._time += timeout
        return []

    def _really_wait(self, timeout: float | None) -> _Ready:
        began = time.monotonic()
        ready = self._files.wait(timeout)
        elapsed = time.monotonic() - began
        self._time += elapsed if timeout is None else timeout if not ready else min(elapsed, timeout)
        return ready

    # Getting stuck

    def _check_patience(self) -> None:
        """Give up if only others' timers go on and on while what is run makes no step."""
        waiter = getattr(self._main, "_fut_waiter", None)
        if waiter is None or waiter is not self._waiter:
            self._waiter, self._waits_since = waiter, self._time
        elif self._time - self._waits_since > self.patience:
            self._waits_since = self._time
            if not self._has_timer(self._main):
                self._give_up(
                    f"{self.patience:g} virtual seconds have passed without what is waited for (more of them: "
                    "`patience` of the event loop). What waits:"
                )

    def _has_timer(self, waiting: object) -> bool:
        """Return whether a timer will wake what waits, or what that waits for."""
        chain: list[object] = []
        while waiting is not None and all(waiting is not other for other in chain):
            chain.append(waiting)
            waiting = getattr(waiting, "_fut_waiter", None)
        for timer in getattr(self, "_scheduled", ()):
            if timer.cancelled():
                continue
            # asyncio.sleep and asyncio.wait hand the future to the callback, asyncio.timeout has the task.
            owner = getattr(timer._callback, "__self__", None)
            woken = (*timer._args, getattr(owner, "_task", None))
            if any(one is other for one in woken for other in chain):
                return True
            # A core has one timer for the timeouts of all its requests.
            awaited = getattr(owner, "_awaited", None)
            if awaited is not None and any(awaited.has_timeout(one) for one in chain):
                return True
        return False

    def _give_up(self, reason: str) -> None:
        error = DeadlockError(f"{reason}\n{describe_tasks(asyncio.all_tasks(self))}")
        if self._error is None and isinstance(self._main, asyncio.Task) and not self._main.done():
            # What is run gets the chance to clean up, and the error its traceback.
            self._error = error
            self._main.cancel()
        else:
            raise self._error or error


class _Selector(selectors.BaseSelector):
    """Looks for files that are ready, and asks what to do where one would wait for them."""

    def __init__(self, nothing_ready: Callable[[float | None], _Ready]) -> None:
        self._real = selectors.DefaultSelector()
        self._nothing_ready = nothing_ready

    def select(self, timeout: float | None = None) -> _Ready:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        return self._nothing_ready(timeout)

    def wait(self, timeout: float | None) -> _Ready:
        """Wait, as every other selector does."""
        return self._real.select(timeout)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new virtual clock, like :func:`asyncio.run` on the real one."""
    with asyncio.Runner(loop_factory=VirtualClockEventLoop) as runner:
        return runner.run(main)
