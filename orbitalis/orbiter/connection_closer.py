"""How an orbiter closes its connections, because of its user, of a time limit, or of its own end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from orbitalis.arguments import check_seconds
from orbitalis.bus.dispatch import start_task_later
from orbitalis.orbiter.hooks import HookCaller
from orbitalis.orbiter.runtime import Runtime
from orbitalis.protocol.effects import Effect
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.slots import Slot

__all__ = ["ConnectionCloser"]


@dataclass(slots=True, eq=False)
class ConnectionCloser:
    """Closes connections, with the data that the user has go along. Times are in seconds."""

    _identifier: str
    """Of the orbiter."""
    _machine: Machine
    _runtime: Runtime
    _hooks: HookCaller
    _is_awaiting: Callable[[Slot], bool]
    """Says whether an answer is awaited on a connection."""

    async def data_for(self, slot: Slot) -> bytes | None:
        """Return what the user has go along with the close of a connection."""
        hook = self._hooks.start("_get_on_close_data", slot.remote_identifier, slot.operation_name)
        data = None if hook is None else await hook
        return data if isinstance(data, bytes) else None

    async def all_data(self, patience: float) -> dict[Slot, bytes | None]:
        """Ask the user for the data of every close; a hook that takes longer than `patience` gives none."""
        if not self._hooks.has("_get_on_close_data"):
            return {}
        asked = {
            start_task_later(self.data_for(slot), f"close data of {self._identifier}"): slot
            for slot in self._machine.slots
            if slot.is_connection
        }
        if not asked:
            return {}
        try:
            done, _ = await asyncio.wait(asked, timeout=patience)
        finally:
            late = [task for task in asked if not task.done()]
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=patience)
        return {asked[task]: task.result() for task in done}

    async def leave(self, timeout: float) -> bool:
        """Close all gracefully, each when its data is handled; return whether that was done in time.

        Raises:
            ValueError, TypeError: `timeout` is no number of seconds.
        """
        check_seconds("timeout", timeout)
        self._runtime.submit(self._machine.leave())
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(
                    *(self._finish(slot, timeout / 2) for slot in list(self._machine.slots) if slot.is_open)
                )
                await self._runtime.all_disconnected()
        except TimeoutError:
            return False
        return True

    async def _finish(self, slot: Slot, patience: float) -> None:
        """Close a connection gracefully once what has come on it is handled, or after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._runtime.delivery.handled(slot)
        data = await self.data_for(slot)
        if slot.is_open:
            self._runtime.submit(self._machine.close_gracefully(*slot.key, data, self._runtime.now()))

    def close_unused(self) -> list[str]:
        """Begin to close gracefully what is unused; return the remote of each connection."""
        unused = self._machine.unused_connections(self._runtime.now(), self._is_in_use)
        for slot in unused:
            self._runtime.queues.submit(slot.remote_identifier, partial(self._close_if_still_unused, slot))
        return [slot.remote_identifier for slot in unused]

    async def _close_if_still_unused(self, slot: Slot) -> None:
        data = await self.data_for(slot)  # meanwhile, the connection may be used
        self._runtime.submit(self._machine.close_unused(slot, data, self._runtime.now(), self._is_in_use))

    def close(self, slots: list[Slot], close: Callable[[Slot, bytes | None, float], list[Effect]]) -> None:
        """Begin to close connections in this order, each with the data that the user has go along.

        `close` is given a connection, its data and the time, and says what is to be done.
        """
        asks = self._hooks.has("_get_on_close_data")
        for slot in slots:
            if asks:
                self._runtime.queues.submit(slot.remote_identifier, partial(self._close_with_data, slot, close))
            else:
                self._runtime.submit(close(slot, None, self._runtime.now()))

    async def _close_with_data(self, slot: Slot, close: Callable[[Slot, bytes | None, float], list[Effect]]) -> None:
        data = await self.data_for(slot)
        self._runtime.submit(close(slot, data, self._runtime.now()))

    def _is_in_use(self, slot: Slot) -> bool:
        return self._runtime.delivery.is_busy(slot) or self._is_awaiting(slot)

    def force_overdue(self) -> list[str]:
        """Close gracelessly what was not acknowledged in time; return the remote of each connection."""
        now = self._runtime.now()
        overdue = self._machine.overdue_closes(now)
        for slot in overdue:
            self._runtime.submit(self._machine.close_gracelessly(*slot.key, slot.close_data, now))
        return [slot.remote_identifier for slot in overdue]
