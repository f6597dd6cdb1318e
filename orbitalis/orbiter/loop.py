"""The loop for an orbiter's periodic work. It uses timers, and a task only for hooks that wait."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

from orbitalis.bus.dispatch import start_task_later
from orbitalis.bus.home_loop import HomeLoop
from orbitalis.log import FieldLogger
from orbitalis.orbiter.scope import Scope, outside

__all__ = ["LoopWork", "OrbiterLoop"]

T = TypeVar("T")

_logger = FieldLogger(logging.getLogger(__name__))

_END_TIMEOUT = 5.0
"""Seconds for which an iteration that was cancelled is waited for."""
_TELL_AGAIN = 60.0
"""Seconds after which a failure that lasts is logged again."""
_SHORTEST = 0.05
"""Seconds between two times at which what is due is done, at least: remotes have a say in how often something is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopWork:
    """The functions that a loop calls. Each gets the owner of the loop, so all owners of a class share them."""

    interval: Callable[[Any], float]
    """Gives the seconds between two iterations, and is asked each time."""
    on_start: Callable[[Any], Awaitable[object] | None]
    """Called when the loop starts; returns what has to be awaited, or `None` if all is done."""
    iteration: Callable[[Any], Awaitable[object] | None]
    """Called in each iteration; returns the same."""
    meanwhile: Callable[[Any], None]
    """Called once in an interval while an iteration lasts longer."""
    when_due: Callable[[Any], None]
    """Called at the time that `next_due` gives, on the clock of the event loop."""
    next_due: Callable[[Any], float | None]


class OrbiterLoop:
    """Calls one function in each iteration until it is stopped, and another one when something is due.

    Iterations never overlap, even if one takes long. Work that is due in between does not wait for the next iteration.
    Failures are logged, and the loop goes on.
    """

    __slots__ = (
        "_alarm",
        "_context",
        "_current",
        "_event_loop",
        "_home",
        "_name",
        "_owner",
        "_rang_at",
        "_tasks",
        "_timer",
        "_told",
        "_told_at",
        "_work",
        "is_paused",
        "is_running",
    )

    _event_loop: asyncio.AbstractEventLoop
    _context: Context

    def __init__(self, owner: object, work: LoopWork, *, name: str, home: HomeLoop) -> None:
        """Prepare a loop that does an owner's work; it is to be called in the event loop that is the `home`."""
        self._owner = owner
        self._work = work
        self._name = name
        self._home = home
        self.is_running = False
        """Whether it has been started and not stopped; it may pause."""
        self.is_paused = False
        """Whether iterations are left out."""
        self._timer: asyncio.TimerHandle | None = None
        """Begins the next iteration, or looks after one that lasts long; there is none while one is left out."""
        self._alarm: asyncio.TimerHandle | None = None
        """Rings when something is due."""
        self._rang_at = 0.0
        self._told = ""
        """The failure that was logged last."""
        self._told_at = 0.0
        self._current: asyncio.Task[None] | None = None
        """The iteration under way, if it has to wait for anything."""
        self._tasks: set[asyncio.Task[None]] | None = None
        """That one, and those from before a stop that have not ended; made for the first one."""

    @property
    def is_around(self) -> bool:
        """Whether the caller is part of an iteration."""
        return Scope.around(self) is not None

    def start(self) -> None:
        """Begin; does nothing if it is running."""
        self._home.check()
        if not self.is_running:
            self.is_running = True
            self._event_loop = asyncio.get_running_loop()
            self._context = outside()
            self._rang_at = self._event_loop.time()
            self._call_in(0, self._begin)
            self.look_again()

    def stop(self) -> None:
        """End after the iteration under way."""
        self._home.check()
        self.is_running = self.is_paused = False
        self._current = None
        self._silence()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause(self) -> None:
        """Leave iterations out until :meth:`resume`."""
        self._home.check()
        self.is_paused = self.is_running
        self._silence()

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self._home.check()
        self.is_paused = False
        if self.is_running and self._timer is None:
            self._call_in(0, self._iterate)
        self.look_again()

    def look_again(self) -> None:
        """Take the report that something may be due earlier than was thought."""
        if not self.is_running or self.is_paused:
            return
        due = self._work.next_due(self._owner)
        if due is None or due == math.inf:
            return
        at = max(due, self._rang_at + _SHORTEST)
        if self._alarm is not None:
            if self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = self._event_loop.call_at(at, self._ring, context=self._context)

    async def end(self, timeout: float) -> None:
        """Stop, and cancel the iteration under way if it takes longer than `timeout` seconds.

        Called from within an iteration it does not wait for that.
        """
        self.stop()
        scope = Scope.around(self)
        tasks = (self._tasks or set()) - {None if scope is None else scope.part}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_END_TIMEOUT)

    def let_go(self) -> None:
        """Stop, in an event loop that is closed: what is under way there does not go on."""
        self.is_running = self.is_paused = False
        self._timer = self._alarm = self._current = self._tasks = None

    def _begin(self) -> None:
        self._attend(self._work.on_start, lambda _: 0)

    def _iterate(self) -> None:
        self._timer = None
        if not self.is_paused:
            self._attend(self._work.iteration, self._work.interval)

    def _attend(self, work: Callable[[Any], Awaitable[object] | None], pause: Callable[[Any], float]) -> None:
        """Do some work, and have an iteration follow it after a pause."""
        waiting = self._attempt(work, self._owner)
        if waiting is None:
            if self.is_running:  # the work may have ended that
                self._call_in(pause(self._owner), self._iterate)
            return
        task = start_task_later(self._within(waiting), f"iteration of {self._name}", self._context.copy())
        self._current = task
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda task: self._ended(task, pause))
        self._call_in(self._work.interval(self._owner), self._look_meanwhile)

    async def _within(self, waiting: Awaitable[object]) -> None:
        with Scope(self, asyncio.current_task()):
            await waiting

    def _ended(self, task: asyncio.Task[None], pause: Callable[[Any], float]) -> None:
        if not task.cancelled():
            self._attempt(task.result)
        if self._current is task:
            self._current = None
            self._call_in(pause(self._owner), self._iterate)
            self.look_again()

    def _look_meanwhile(self) -> None:
        """Do what cannot wait for an iteration that lasts long."""
        self._call_in(self._work.interval(self._owner), self._look_meanwhile)
        if not self.is_paused:
            self._attempt(self._work.meanwhile, self._owner)

    def _ring(self) -> None:
        self._alarm = None
        self._rang_at = self._event_loop.time()
        self._attempt(self._work.when_due, self._owner)
        self.look_again()

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _call_in(self, pause: float, call: Callable[[], None]) -> None:
        """Have something called after a pause, instead of what was to be called next."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._event_loop.call_later(pause, call, context=self._context)

    def _attempt(self, work: Callable[..., T], *arguments: object) -> T | None:
        try:
            return work(*arguments)
        except Exception as error:
            now = self._event_loop.time()
            # An iteration that fails, fails again and again.
            if repr(error) != self._told or now >= self._told_at + _TELL_AGAIN:
                self._told, self._told_at = repr(error), now
                _logger.exception("the loop of '%s' failed", self._name, extra={"orbiter": self._name})
            return None
