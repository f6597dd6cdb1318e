"""The event loop to which an orbiter or a client of a bus belongs, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from orbitalis.errors import WrongEventLoopError

__all__ = ["HomeLoop"]


class HomeLoop:
    """Knows in which event loop its owner was started, and refuses what comes from another one.

    Objects of asyncio must not be used from another thread. If nobody checks this, a waiting task may never wake up.
    """

    __slots__ = ("_lock", "_lock_loop", "_owner", "clock", "loop")

    def __init__(self, owner: object) -> None:
        """Make one for an owner that is not started; errors show it."""
        self._owner = owner
        self.loop: asyncio.AbstractEventLoop | None = None
        """The event loop from the start to the end, else `None`. What is called often compares it by itself."""
        self.clock: Callable[[], float] = _no_time
        """Gives the time of the event loop, also after the end; before the first start, 0."""
        self._lock: asyncio.Lock | None = None
        self._lock_loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> None:
        """Belong to the running event loop from now on."""
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time

    def leave(self) -> None:
        """Belong to none any more."""
        self.loop = None

    @property
    def is_lost(self) -> bool:
        """Whether the event loop was closed before the owner's end: nothing of it that waited there will go on."""
        return self.loop is not None and self.loop.is_closed()

    def check(self) -> None:
        """Raise :class:`WrongEventLoopError` if the owner has a home and the caller is not in it."""
        if self.loop is not None:
            self._check_is_here(self.loop)

    def now(self) -> float:
        """Return the time of the event loop, for a caller who has to be in it if the owner has a home.

        Raises:
            WrongEventLoopError: The caller is not in it.
        """
        self.check()
        return self.clock()

    @property
    def is_changing(self) -> bool:
        """Whether the lock is held."""
        return self._lock is not None and self._lock.locked()

    def changing(self) -> asyncio.Lock:
        """Return the lock to hold while the owner starts or stops.

        A loop that was closed takes what it held with it.

        Raises:
            WrongEventLoopError: The owner belongs to another event loop, or starts there at the moment.
        """
        if not self.is_lost:
            self.check()
        here = asyncio.get_running_loop()
        if self._lock is None or self._lock_loop is not here:
            if self._lock_loop is not None and self.is_changing and not self._lock_loop.is_closed():
                self._check_is_here(self._lock_loop)
            self._lock, self._lock_loop = asyncio.Lock(), here
        return self._lock

    def _check_is_here(self, loop: asyncio.AbstractEventLoop) -> None:
        here = None
        with suppress(RuntimeError):  # there is none in this thread
            here = asyncio.get_running_loop()
        if here is loop:
            return
        where = "no event loop runs in this thread" if here is None else "this is another one"
        if loop.is_closed():
            raise WrongEventLoopError(
                f"{self._owner} belongs to the event loop in which it was started, and that is closed: "
                "stop or disconnect it here, then start it again"
            )
        raise WrongEventLoopError(
            f"{self._owner} belongs to the event loop in which it was started, and {where}: "
            "call it there; from another thread, by asyncio.run_coroutine_threadsafe(..., loop)"
        )


def _no_time() -> float:
    return 0.0
