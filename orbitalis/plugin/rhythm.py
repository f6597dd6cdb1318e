"""How a plugin calls the methods of its periodic operations, and sends what they return."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any, Final

from orbitalis.bus.dispatch import start_task_later
from orbitalis.errors import BusUnavailableError
from orbitalis.log import FieldLogger
from orbitalis.operations.declared_method import declarations_of
from orbitalis.operations.without_input import PeriodicOperation, is_periodic
from orbitalis.orbiter.peer_queues import is_being_cancelled
from orbitalis.orbiter.scope import Scope, outside
from orbitalis.plugin.output_sender import OutputSender
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics

__all__ = ["Rhythm", "Rhythms"]

_logger = FieldLogger(logging.getLogger(__name__))

_END_TIMEOUT: Final = 5.0
"""Seconds for which a call that was cancelled is waited for."""
_PUBLISHING_TIMEOUT: Final = 1.0
"""Seconds for which publishing may take at least; it may go on until the next call is due."""
_SLACK: Final = 0.1
"""The part of a period by which a call may be late: one that is later is left out."""
_QUIET: Final = 60.0
"""Seconds between two lines about failures of one operation, at least."""


class Rhythm:
    """Calls the method of one periodic operation while a core takes its outputs.

    The first call is made when a core connects. The others are due at fixed times after it, so they do not drift. Calls
    that become due during another call are left out. If no core is connected when a call is due, the rhythm rests. It
    begins again when a core connects.
    """

    def __init__(
        self,
        plugin: object,
        identifier: str,
        declared: PeriodicOperation[Any, Any, Any, Any],
        outputs: OutputSender,
        statistics: OrbiterStatistics,
    ) -> None:
        """Prepare the rhythm of an operation of a plugin; failures are counted in `statistics`."""
        self._plugin_identifier = identifier
        self._declared = declared
        self._method: Callable[[], Awaitable[object]] = declared.bound_to(plugin)
        self._outputs = outputs
        self._statistics = statistics
        self._event_loop: asyncio.AbstractEventLoop
        self._context: Context
        self._is_running = False
        self._timer: asyncio.TimerHandle | None = None
        """Makes the next call; there is none while one lasts, or the rhythm rests."""
        self._call: asyncio.Task[None] | None = None
        """The call under way."""
        self._began_at = 0.0
        """When the first call was due, on the clock of the event loop."""
        self._count = 0
        """How many times have been due since then, those that were left out too."""
        self._unlogged = 0
        """Failures since the last line about them."""
        self._logs_from = -math.inf

    def start(self) -> None:
        """Begin, in the running event loop, to take note of :meth:`wake`."""
        self._event_loop = asyncio.get_running_loop()
        self._context = outside()
        self._logs_from = -math.inf
        self._is_running = True

    def wake(self) -> None:
        """Begin anew if the rhythm rests: there may be a core that takes outputs."""
        if not self._is_running or self._timer is not None or self._call is not None:
            return
        self._began_at, self._count = self._event_loop.time(), 0
        self._set_timer()

    async def end(self) -> None:
        """Make no more calls, and cancel the one under way, except where that is what calls this.

        Returns when it has ended, or has resisted for some seconds, which is logged.
        """
        self._is_running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        scope = Scope.around(self)
        call = self._call
        if call is None or (scope is not None and scope.part is call):
            return
        call.cancel()
        _, late = await asyncio.wait([call], timeout=_END_TIMEOUT)
        if late:
            _logger.warning(
                "%s: a call of the periodic operation '%s' goes on though it was cancelled %g s ago",
                self._plugin_identifier,
                self._declared.name,
                _END_TIMEOUT,
                extra=self._fields,
            )

    def let_go(self) -> None:
        """Make no more calls, in an event loop that is closed: the one under way there does not go on."""
        self._is_running = False
        self._timer = self._call = None

    @property
    def _fields(self) -> dict[str, str | None]:
        return {"orbiter": self._plugin_identifier, "operation": self._declared.name}

    @property
    def _due(self) -> float:
        return self._began_at + self._count * self._declared.seconds

    def _set_timer(self) -> None:
        self._timer = self._event_loop.call_at(self._due, self._begin_call, context=self._context)

    def _begin_call(self) -> None:
        self._timer = None
        if not self._outputs.has_takers(self._declared.name):
            return
        self._count += 1
        name = f"output of {self._plugin_identifier}: {self._declared.name}"
        self._call = start_task_later(self._run(), name, self._context.copy())
        self._call.add_done_callback(self._end_call)

    def _end_call(self, call: asyncio.Task[None]) -> None:
        self._call = None
        if self._is_running:
            self._leave_out_missed()
            self._set_timer()

    def _leave_out_missed(self) -> None:
        """Count the calls that were due while one lasted."""
        passed = (self._event_loop.time() - self._began_at) / self._declared.seconds
        self._count = max(self._count, math.ceil(passed - _SLACK))

    async def _run(self) -> None:
        try:
            with Scope(self, asyncio.current_task()):
                result = await self._method()
            if not self._declared.omits(result):
                await self._send(self._declared.output_message(result))
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            self._failed(error)  # it has awaited something that was cancelled
        except Exception as error:
            self._failed(error)

    async def _send(self, message: object | None) -> None:
        """Publish an output, and give up where that takes so long that others would miss the next one."""
        self._leave_out_missed()
        limit = asyncio.timeout_at(max(self._due, self._event_loop.time() + _PUBLISHING_TIMEOUT))
        try:
            async with limit:
                await self._outputs.send(self._declared.name, message)
        except TimeoutError:
            if not limit.expired():
                raise
            raise BusUnavailableError(
                f"an output of operation '{self._declared.name}' could not be published to every core until the next "
                "one was due"
            ) from None

    def _failed(self, error: BaseException) -> None:
        self._statistics.failed_periodic_calls += 1
        now = self._event_loop.time()
        if now < self._logs_from:
            self._unlogged += 1
            return
        _logger.error(
            "the periodic operation '%s' of %s failed, and is called again%s",
            self._declared.name,
            self._plugin_identifier,
            f"; {self._unlogged} earlier failures were not logged" if self._unlogged else "",
            exc_info=error,
            extra=self._fields,
        )
        self._unlogged = 0
        self._logs_from = now + _QUIET


class Rhythms:
    """The rhythms of all periodic operations of a plugin."""

    __slots__ = "_rhythms"

    def __init__(self, plugin: object, identifier: str, outputs: OutputSender, statistics: OrbiterStatistics) -> None:
        """Prepare a rhythm for each periodic operation that the plugin's class declares."""
        self._rhythms: Sequence[Rhythm] = [
            Rhythm(plugin, identifier, declared, outputs, statistics)
            for declared in declarations_of(type(plugin), is_periodic)
        ]

    def __len__(self) -> int:
        return len(self._rhythms)

    def start(self) -> None:
        """Begin to take note of :meth:`wake`."""
        for rhythm in self._rhythms:
            rhythm.start()

    def wake(self) -> None:
        """Have each rhythm begin anew that rests, now that there is one more connection."""
        for rhythm in self._rhythms:
            rhythm.wake()

    def let_go(self) -> None:
        """Make no more calls, in an event loop that is closed."""
        for rhythm in self._rhythms:
            rhythm.let_go()

    async def end(self) -> None:
        """Make no more calls, and end those under way, within some seconds."""
        if self._rhythms:
            await asyncio.gather(*(rhythm.end() for rhythm in self._rhythms))
