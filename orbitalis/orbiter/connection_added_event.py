"""An event that counts."""

from __future__ import annotations

import asyncio

__all__ = ["ConnectionAddedEvent"]


class ConnectionAddedEvent:
    """Set once for each new connection; each `wait` takes one of them, so two waits await two connections."""

    def __init__(self) -> None:
        self._added = asyncio.Semaphore(0)

    def set(self) -> None:
        """Note one more connection."""
        self._added.release()

    def is_set(self) -> bool:
        """Return whether a wait would return at once."""
        return not self._added.locked()

    def clear(self) -> None:
        """Forget the connections that nobody has waited for."""
        if self.is_set():  # otherwise there is nothing to forget, and who waits would never be woken
            self._added = asyncio.Semaphore(0)

    async def wait(self) -> None:
        """Wait for a connection that no other wait has taken."""
        await self._added.acquire()
