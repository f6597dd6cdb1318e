"""Cancels a call at an await of one's choosing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Cancelling"]

T = TypeVar("T")


class Cancelling(Generic[T]):
    """Awaits a coroutine, and cancels the task that does so at some of its awaits, which count from 1."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], at: Collection[int], *, when_done: bool = False) -> None:
        """Cancel `at` these awaits; with `when_done` at the moment at which what is awaited has come."""
        self._coroutine = coroutine
        self._at = at
        self._when_done = when_done
        self.awaits = 0
        """How often it has waited so far."""

    @property
    def was_cancelled(self) -> bool:
        """Whether it has come to an await at which it was to be cancelled."""
        return any(number <= self.awaits for number in self._at)

    def __await__(self) -> Generator[Any, None, T]:
        raised: BaseException | None = None
        while True:
            try:
                awaited = self._coroutine.send(None) if raised is None else self._coroutine.throw(raised)
            except StopIteration as end:
                result: T = end.value
                return result
            raised = None
            self.awaits += 1
            if self.awaits in self._at:
                self._cancel(awaited)
            try:
                yield awaited
            except BaseException as error:
                raised = error

    def _cancel(self, awaited: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._when_done and isinstance(awaited, asyncio.Future):
            # The task waits for it after this, and so is cancelled before it is woken.
            awaited.add_done_callback(lambda _: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(lambda: task.cancel())
