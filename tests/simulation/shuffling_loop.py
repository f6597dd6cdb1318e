"""An event loop on a virtual clock that chooses which of the tasks that can go on goes on first.

What is shuffled, and what is not:

- A step of a task may be held back for as long as anything else can run: as if it had one more thing to wait for.
- Timers that have fired run in any order with each other and with tasks: no clock is exact, and a busy loop is late.
- Plain callbacks (those of a future that is done, and of `call_soon`) keep their order, and no step of a task that was
  ready later overtakes them, because asyncio promises so, and is itself built on it.
- The steps of one task keep their order: there is never more than one that is ready.

So every order that comes out is one of a real event loop with real delays; the one of asyncio is among them.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final
from unittest import mock

from orbitalis.testing import VirtualClockEventLoop

__all__ = ["STYLES", "LivelockError", "ShufflingEventLoop", "belongs_to", "knowing_all_tasks", "owner"]

owner: Final[ContextVar[object]] = ContextVar("owner", default=None)
"""To whom the tasks belong that are started from here on; for :func:`belongs_to`."""

STYLES: Final = ("in order", "at random", "by rank")
"""Ways to choose: as asyncio does; each time anew; or as ranks say that tasks keep for long, so that some starve."""

_CHANGE_OF_RANK: Final = 0.02
_MOST_AT_ONCE: Final = 100_000
"""Callbacks that may run without time passing."""


class LivelockError(Exception):
    """The event loop is busy, and will be for ever."""


class _Task(asyncio.Task[Any]):
    """A task that has the same place in sets whenever the same happens, and knows to whom it belongs."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        number: int,
        context: Context | None,
        **options: Any,
    ) -> None:
        self._number = number
        self.rank = 0.0
        self.owner = (copy_context() if context is None else context).get(owner)
        super().__init__(coroutine, context=context, **options)

    def __hash__(self) -> int:
        return self._number


def belongs_to(task: asyncio.Task[Any], whom: object) -> bool:
    """Return whether a task was started where `owner` was set to somebody, or by such a task."""
    return isinstance(task, _Task) and task.owner is whom


@contextmanager
def knowing_all_tasks() -> Generator[None]:
    """Have such an event loop make the tasks that the library makes without one, since it says when they start."""
    with mock.patch("orbitalis.bus.dispatch._new_task", _new_task):
        yield


def _new_task(
    coroutine: Coroutine[Any, Any, Any], *, loop: asyncio.AbstractEventLoop, **options: Any
) -> asyncio.Task[Any]:
    assert isinstance(loop, ShufflingEventLoop)
    return loop.make_task(coroutine, **options)


class ShufflingEventLoop(VirtualClockEventLoop):
    """An event loop in which chance, given by a seed, decides what comes first."""

    def __init__(self, seed: int, style: str = "at random", *, eagerness: float = 0.0) -> None:
        """Make a loop that is at its second 0.

        `eagerness` is how often a task begins at once: 0 for never, 1 for always, as with an eager task factory. Before
        Python 3.12 none can.
        """
        super().__init__()
        self._random = random.Random(seed)
        self._ready = _Ready(self._random, style)
        self._tasks_made = 0
        self.stalled = 0.0
        """Seconds for which it has stalled so far."""
        self._eagerness = eagerness
        self.set_task_factory(self._make_any_task)  # type: ignore[arg-type]  # stubs want a type variable in it
        self.before_time_passes: Callable[[], None] = _nothing
        """Called when nothing more can happen without time passing."""

    def stall(self, seconds: float) -> None:
        """Let time pass during which nothing can happen, as when a callback keeps the loop busy."""
        self._time += seconds
        self.stalled += seconds

    def timers(self) -> list[asyncio.TimerHandle]:
        """Return the timers that are set."""
        return [timer for timer in getattr(self, "_scheduled", ()) if not timer.cancelled()]

    def make_task(self, coroutine: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        """Make a task, which begins later unless the options say otherwise."""
        self._tasks_made += 1
        number, rank = self._tasks_made, self._random.random()
        task = _Task(coroutine, number, options.pop("context", None), loop=self, **options)
        task.rank = rank
        return task

    def _make_any_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        if self._eagerness and self._random.random() < self._eagerness:
            options["eager_start"] = True
        return self.make_task(coroutine, **options)

    def _nothing_ready(self, timeout: float | None) -> list[Any]:
        self._ready.at_once = 0
        self.before_time_passes()
        return super()._nothing_ready(timeout)


class _Ready(deque[asyncio.Handle]):
    """What can run, taken in an order of its own."""

    def __init__(self, chance: random.Random, style: str) -> None:
        super().__init__()
        self._random = chance
        self._is_in_order = style == "in order"
        self._is_by_rank = style == "by rank"
        self.at_once = 0
        """How many have run since time passed last."""

    def popleft(self) -> asyncio.Handle:
        self.at_once += 1
        if self.at_once > _MOST_AT_ONCE:
            self.at_once = 0
            raise LivelockError(f"{_MOST_AT_ONCE} callbacks have run without time passing, now {self[0]!r}")
        if self._is_in_order or len(self) == 1:
            return super().popleft()
        movable = 0
        for handle in self:
            if not _may_be_held_back(handle):
                break
            movable += 1
        count = min(movable + 1, len(self))
        if count == 1:
            return super().popleft()
        if self._is_by_rank and self._random.random() > _CHANGE_OF_RANK:
            index = max(range(count), key=lambda index: _rank(self[index]))
        else:
            index = int(self._random.random() * count)
            if isinstance(task := _task_of(self[index]), _Task):
                task.rank = self._random.random()
        chosen = self[index]
        del self[index]
        return chosen


def _task_of(handle: asyncio.Handle) -> object:
    return getattr(getattr(handle, "_callback", None), "__self__", None)


def _may_be_held_back(handle: asyncio.Handle) -> bool:
    return isinstance(handle, asyncio.TimerHandle) or isinstance(_task_of(handle), asyncio.Task)


def _rank(handle: asyncio.Handle) -> float:
    task = _task_of(handle)
    return task.rank if isinstance(task, _Task) else 0.5


def _nothing() -> None:
    """Do nothing."""
