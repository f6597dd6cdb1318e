"""What a core in the chaos does all the time: it requests and executes, and each ends somehow."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from orbitalis import BusError, Core, NoConnectionError, RequestError
from orbitalis.operations.typed_operation import TypedOperation
from tests.chaos.reporting import report

__all__ = ["REQUEST_TIMEOUT", "Traffic"]

REQUEST_TIMEOUT = 2.0
_PROBE_TIMEOUT = 0.5
"""Seconds for the first that looks whether it is healed: one that is lost must not hold up the next."""
_PAUSE = 0.04
"""Seconds between two requests of the same kind, so that there is time for something else."""


class Traffic:
    """The inputs that one core sends."""

    def __init__(self, core: Core, plugins: Sequence[str], echo: TypedOperation[Any, str, str]) -> None:
        """Prepare to send to `plugins`, which answer `echo` with what they get in capitals."""
        self._core = core
        self._plugins = plugins
        self._turns = itertools.cycle(plugins)
        self._echo = echo
        self._tasks: list[asyncio.Task[None]] = []
        self._healing: asyncio.Task[None] | None = None
        self._number = 0
        self._going_on = asyncio.Event()
        self.outcomes: Counter[str] = Counter()
        """How requests and executions ended."""
        self.waiting = 0
        """How many have not ended."""
        self.longest = 0.0
        """Seconds that the longest took."""

    def begin(self) -> None:
        """Begin to request one plugin after the other, and to execute on all at once."""
        self._going_on.set()
        self._tasks = [
            asyncio.create_task(self._repeat(self._request_next)),
            asyncio.create_task(self._repeat(self._execute_on_all)),
        ]

    async def pause(self) -> None:
        """Begin nothing new, and wait until all has ended that has begun."""
        self._going_on.clear()
        while self.waiting:  # noqa: ASYNC110 - nothing tells of the last one
            await asyncio.sleep(_PAUSE)

    def resume(self) -> None:
        """Go on."""
        self._going_on.set()

    async def end(self) -> None:
        """End all that goes on."""
        tasks = [*self._tasks, *([self._healing] if self._healing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look_for_healing(self, number: str) -> None:
        """Report when the core has all that it needs and every plugin has answered a request that is made from now on.

        The latest call alone counts.
        """
        if self._healing is not None:
            self._healing.cancel()
        self._healing = asyncio.create_task(self._until_healed(number))

    async def _until_healed(self, number: str) -> None:
        while True:
            await self._core.compliant_event.wait()
            await asyncio.gather(*(self._until_answered(plugin) for plugin in self._plugins))
            if self._core.is_compliant():
                report("healed", number=number)
                return

    async def _until_answered(self, plugin: str) -> None:
        timeout = _PROBE_TIMEOUT
        while not await self._counted("request", self._request(plugin, timeout)):
            await asyncio.sleep(_PAUSE)
            # Where everything is slow, it must not become slower by this.
            timeout = min(2 * timeout, REQUEST_TIMEOUT)

    async def _repeat(self, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._going_on.wait()
            await action()
            await asyncio.sleep(_PAUSE)

    async def _request_next(self) -> None:
        await self._counted("request", self._request(next(self._turns), REQUEST_TIMEOUT))

    async def _request(self, plugin: str, timeout: float) -> None:
        self._number += 1
        text = f"text {self._number}"
        answer = await self._core.request(self._echo, text, plugin_identifier=plugin, timeout=timeout)
        if answer != text.upper():
            report("error", text=f"{plugin} answers {text!r} with {answer!r}", kind=None, trace="")

    async def _execute_on_all(self) -> None:
        await self._counted("execute", self._core.execute(self._echo, "to all", all=True))

    async def _counted(self, kind: str, action: Awaitable[object]) -> bool:
        """Wait for something that goes to plugins, and return whether it succeeded."""
        began = time.monotonic()
        self.waiting += 1
        try:
            await action
            outcome = "done"
        except (RequestError, NoConnectionError, BusError) as error:
            outcome = type(error).__name__
        finally:
            self.waiting -= 1
            self.longest = max(self.longest, time.monotonic() - began)
        self.outcomes[f"{kind}: {outcome}"] += 1
        return outcome == "done"
