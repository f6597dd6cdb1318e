"""Programs that run as long as their orbiters: :func:`run` and :func:`serve`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

from orbitalis.arguments import check_seconds, shown
from orbitalis.bus.dispatch import start_task_later
from orbitalis.bus.event_loop import run_in_event_loop
from orbitalis.errors import BusError, OrbiterStateError
from orbitalis.orbiter.orbiter import Orbiter

__all__ = ["run", "serve"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(*orbiters: Orbiter, close_timeout: float = 5.0) -> None:
    """Run orbiters like :func:`serve`, in a new event loop. Call it as the main part of a program.

    Raises:
        SystemExit: The bus cannot be reached, or refuses. Python prints the reason to standard error.
        OrbiterStateError: An event loop is running here already.
    """
    _check(orbiters, close_timeout)
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        raise OrbiterStateError("run() makes an event loop of its own, and one is running here: write await serve(…)")
    try:
        run_in_event_loop(serve(*orbiters, close_timeout=close_timeout))
    except BusError as error:
        sys.exit(str(error))


async def serve(*orbiters: Orbiter, close_timeout: float = 5.0) -> None:
    """Start orbiters in the given order, and return when all of them have stopped, by themselves or at a signal.

    At the first SIGINT or SIGTERM, they close their connections gracefully, wait for the acknowledgements for at most
    `close_timeout` seconds, and stop. At the second one, they stop at once. Call it in the main thread, because only
    the main thread gets signals.

    Raises:
        BusError: The bus cannot be reached, or refuses. None of the orbiters keeps running.
        TypeError: An argument is not an orbiter, or there is no argument.
        ValueError: An orbiter is given twice, or `close_timeout` is negative.
    """
    _check(orbiters, close_timeout)
    started, ending = asyncio.Event(), asyncio.Event()
    life = start_task_later(_live(orbiters, started, ending, close_timeout), "life of orbiters")
    count = 0

    def end() -> None:
        nonlocal count
        count += 1
        if count > 1 or not started.is_set():
            life.cancel()
        ending.set()

    with _on_signals(end):
        try:
            await life
        except asyncio.CancelledError:
            if count == 0:
                raise
        finally:
            life.cancel()
            await asyncio.wait([life])


def _check(orbiters: tuple[object, ...], close_timeout: object) -> None:
    """Raise for what cannot be run."""
    check_seconds("close_timeout", close_timeout)
    if not orbiters:
        raise TypeError("there is no orbiter to run: give one, as in run(Plugin())")
    for one in orbiters:
        if not isinstance(one, Orbiter):
            advice = "write a * before it" if type(one) in (list, tuple) else "give objects of cores and plugins"
            advice = f"write {one.__name__}(…)" if isinstance(one, type) else advice
            raise TypeError(f"expected orbiters to run, got {shown(one)}: {advice}")
    if len(set(map(id, orbiters))) < len(orbiters):
        raise ValueError("one orbiter is to be run twice: give each once")


async def _live(
    orbiters: tuple[Orbiter, ...], started: asyncio.Event, ending: asyncio.Event, close_timeout: float
) -> None:
    async with AsyncExitStack() as stack:
        for orbiter in orbiters:
            await stack.enter_async_context(orbiter)
        started.set()
        await _first(ending.wait(), _all_stopped(orbiters))
        await asyncio.gather(*(orbiter.leave(close_timeout) for orbiter in orbiters))


async def _all_stopped(orbiters: tuple[Orbiter, ...]) -> None:
    for orbiter in orbiters:
        await orbiter.wait_stopped()


async def _first(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Wait until one of several things has happened, and for the others no longer."""
    tasks = [start_task_later(coroutine, "end of orbiters") for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@contextmanager
def _on_signals(call: Callable[[], None]) -> Generator[None]:
    """Have signals call something in the event loop, where others would end the program."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(call))
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            if handler is not None:
                signal.signal(number, handler)
