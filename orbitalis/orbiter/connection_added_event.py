"""The event that counts new connections."""

from __future__ import annotations

import asyncio

__all__ = ["ConnectionAddedEvent"]


class ConnectionAddedEvent:
    """Set once for each new connection. Each `wait` takes one of them, so two waits await two connections.

    It works in one event loop after another. Events and semaphores of asyncio do not.
    """

    def __init__(self) -> None:
        self._count = 0
        """Number of connections that no `wait` has taken."""
        self._waiters: list[asyncio.Future[None]] = []

    def set(self) -> None:
        """Note one more connection."""
        while self._waiters:
            waiter = self._waiters.pop(0)
            # It may have been cancelled a moment ago, or have been left behind in an event loop that is closed.
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(None)
                return
        self._count += 1

    def is_set(self) -> bool:
        """Return whether `wait` would return at once."""
        return self._count > 0

    def clear(self) -> None:
        """Forget the connections that nobody has waited for."""
        self._count = 0

    async def wait(self) -> None:
        """Wait for a connection that no other `wait` has taken."""
        if self._count:
            self._count -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # It was given a connection in the moment in which it was cancelled: that is for the next one.
                self.set()
            raise
