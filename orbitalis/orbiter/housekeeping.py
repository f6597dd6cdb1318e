"""Closes and keepalives, on the user's demand and as time brings them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec

from orbitalis.errors import NoConnectionError
from orbitalis.orbiter.acquaintance_queries import AcquaintanceQueries
from orbitalis.orbiter.connection_queries import ConnectionQueries
from orbitalis.orbiter.hooks import OrbiterHooks
from orbitalis.protocol.effects import Effect
from orbitalis.protocol.slot import Slot

__all__ = ["Housekeeping"]

P = ParamSpec("P")


class Housekeeping(ConnectionQueries, AcquaintanceQueries, OrbiterHooks, ABC):
    """The part of an orbiter that closes connections and keeps remotes informed.

    Called from a hook or the loop, none of these methods waits until what it asks for is done.
    """

    @abstractmethod
    async def _call(self, hook: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs) -> object:
        """Call a hook; one that fails is logged, and gives `None`."""

    def _do_what_is_due(self) -> None:
        """Have everything done that time has brought, and wait for none of it."""
        now = self._now()
        self._close_unused()
        self._carrier.submit(self._protocol.discard_expired(now))
        self._force_overdue_closes()
        self._carrier.submit(self._protocol.lose_dead_remotes(now))
        self._carrier.submit(self._protocol.send_due_keepalives(now))
        self._do_what_is_due_for_the_role()

    def _do_what_cannot_wait(self) -> None:
        """Have done what an iteration of the loop does, while one hangs."""
        self._do_what_is_due()
        self._do_own_work()

    def _do_what_is_due_for_the_role(self) -> None:
        """Have done what time has brought for the role alone."""

    def _do_own_work(self) -> None:
        """Have done what each iteration of the loop does for the role alone."""

    def _is_awaiting(self, slot: Slot) -> bool:
        """Return whether something is awaited on a connection."""
        return False

    # Closing

    async def send_graceless_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Close a connection at once; `data` arrives at the remote's hook, by default that of `_get_on_close_data`.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self._protocol.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._close_data(slot)
        if slot.is_connection:  # it may have ended while the hook was busy
            effects = self._protocol.close_gracelessly(remote_identifier, operation_name, data, self._now())
            await self._carrier.carry_out(effects)

    async def send_graceful_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None = None
    ) -> None:
        """Ask a remote to close a connection; it is not used from now on, and closed once that is acknowledged.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self._protocol.connection(remote_identifier, operation_name)
        if data is None:
            data = await self._close_data(slot)
        if slot.is_connection:
            effects = self._protocol.close_gracefully(remote_identifier, operation_name, data, self._now())
            await self._carrier.carry_out(effects)

    async def leave(self, timeout: float) -> bool:
        """Close all connections gracefully and begin no new ones, as is polite before a stop.

        What has come on a connection is handled, and answered, before it is closed; where there is no end of that, it
        is closed after half of the time. Returns whether all closes were acknowledged within `timeout` seconds. What
        then is left, `stop` closes gracelessly.
        """
        self._carrier.submit(self._protocol.leave())
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(
                    *(self._finish(slot, timeout / 2) for slot in list(self._protocol.slots) if slot.is_open)
                )
                await self._carrier.all_disconnected()
        except TimeoutError:
            return False
        return True

    async def _finish(self, slot: Slot, patience: float) -> None:
        """Close a connection gracefully once what has come on it is handled, or after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._carrier.data.handled(slot)
        await self._close_with_data(slot)

    async def _close_self_side_connection(self, remote_identifier: str, operation_name: str) -> None:
        """Close a connection on this side alone; the remote is told nothing, and finds out by the next keepalives.

        Raises:
            NoConnectionError: There is none.
        """
        await self._carrier.carry_out(self._protocol.close_here(remote_identifier, operation_name, self._now()))

    async def _close_data(self, slot: Slot) -> bytes | None:
        data = await self._call(self._get_on_close_data, slot.remote_identifier, slot.operation_name)
        return data if isinstance(data, bytes) else None

    async def close_unused_connections(self) -> int:
        """Close gracefully what was unused for `close_connection_if_unused_after`; return how many that were.

        A connection is in use while data of it waits or is being handled, and while an answer is awaited on it.
        """
        remotes = self._close_unused()
        for _ in range(2):  # first for the data that goes along, then for the closes
            await self._carrier.settle(remotes)
        return len(remotes)

    def _close_unused(self) -> list[str]:
        """Begin to close what is unused; return the remote of each connection."""
        unused = self._protocol.unused_connections(self._now(), self._is_in_use)
        for slot in unused:
            self._carrier.lanes.submit(slot.remote_identifier, partial(self._close_if_still_unused, slot))
        return [slot.remote_identifier for slot in unused]

    async def _close_if_still_unused(self, slot: Slot) -> None:
        data = await self._close_data(slot)  # meanwhile, the connection may be used
        self._carrier.submit(self._protocol.close_unused(slot, data, self._now(), self._is_in_use))

    def _is_in_use(self, slot: Slot) -> bool:
        return self._carrier.data.is_busy(slot) or self._is_awaiting(slot)

    async def _close_with_data(self, slot: Slot) -> None:
        data = await self._close_data(slot)
        if slot.is_open:
            self._carrier.submit(self._protocol.close_gracefully(*slot.key, data, self._now()))

    async def force_close_connection_for_out_to_timeout_pending_graceful_close_connection(self) -> int:
        """Close gracelessly what was not acknowledged within `graceful_close_timeout`; return how many that were."""
        remotes = self._force_overdue_closes()
        await self._carrier.settle(remotes)
        return len(remotes)

    def _force_overdue_closes(self) -> list[str]:
        """Close gracelessly what is overdue; return the remote of each connection."""
        overdue = self._protocol.overdue_closes(self._now())
        for slot in overdue:
            self._carrier.submit(self._protocol.close_gracelessly(*slot.key, slot.close_data, self._now()))
        return [slot.remote_identifier for slot in overdue]

    async def discard_expired_pending_requests(self) -> int:
        """Discard handshakes that were not answered in time; return how many that were."""
        before = self._protocol.slots.pending_count
        effects = self._protocol.discard_expired(self._now())
        discarded = before - self._protocol.slots.pending_count
        await self._carrier.carry_out(effects)
        return discarded

    # Keepalive

    @property
    def dead_remote_identifiers(self) -> list[str]:
        """Identifiers of remotes that have been silent for too long, and were not heard of since."""
        known = self._protocol.acquaintances
        return [remote.identifier for remote in known.all() if known.is_silent(remote, self._now())]

    async def send_keepalive(self, remote_identifier: str) -> None:
        """Give a remote a sign of life.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._carrier.carry_out(self._protocol.send_keepalive(remote_identifier, self._now()))

    async def send_keepalive_request(self, remote_identifier: str) -> None:
        """Ask a remote for a sign of life.

        Raises:
            NoConnectionError: The remote is not known.
        """
        await self._carrier.carry_out(self._protocol.send_keepalive_request(remote_identifier))

    async def send_all_keepalive_based_on_connections(self) -> None:
        """Give every remote with a connection a sign of life."""
        effects: list[Effect] = []
        for identifier in self.remote_identifiers:
            with suppress(NoConnectionError):  # an older peer may not have told where
                effects += self._protocol.send_keepalive(identifier, self._now())
        await self._carrier.carry_out(effects)

    async def send_keepalive_based_on_connections_and_threshold(self) -> None:
        """Give each remote with a connection the sign of life that it is owed, and ask those that owe one."""
        await self._carrier.carry_out(self._protocol.send_due_keepalives(self._now()))

    async def lose_dead_remotes(self) -> None:
        """Close the connections with remotes that have been silent for `consider_others_dead_after`."""
        await self._carrier.carry_out(self._protocol.lose_dead_remotes(self._now()))

    def have_seen(self, remote_identifier: str) -> None:
        """Note a sign of life of a remote that is known."""
        remote = self._protocol.acquaintances.get(remote_identifier)
        if remote is not None:
            self._protocol.acquaintances.seen(remote, self._now())

    def update_acquaintances(
        self,
        remote_identifier: str,
        *,
        keepalive_topic: str,
        keepalive_request_topic: str,
        consider_me_dead_after: float,
    ) -> None:
        """Change what is known of a remote.

        Raises:
            NoConnectionError: The remote is not known.
            RemoteProtocolError: Nothing can be published to one of the topics.
        """
        self._protocol.update_acquaintance(
            remote_identifier,
            keepalive_topic=keepalive_topic,
            keepalive_request_topic=keepalive_request_topic,
            considers_me_dead_after=consider_me_dead_after,
        )
