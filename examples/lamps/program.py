"""What the programs share: options, a life from start to signal, commands from standard input, reports."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from examples.lamps.report import Report
from orbitalis import BusError, Orbiter

__all__ = ["QUICK", "add_options", "run", "writer"]

QUICK: dict[str, Any] = {
    "loop_interval": 0.2,
    "consider_others_dead_after": 3.0,
    "send_keepalive_before_timelimit": 2.0,
}
"""Settings of an orbiter that notices a death soon where there is no broker to tell it, as within one process."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all programs have."""
    # Not the bus within the process, on which nobody else would ever be.
    default = os.environ.get("ORBITALIS_BUS", "mqtt://localhost:1883")
    parser.add_argument(
        "--bus", metavar="URL", default=default, help="the event bus (default: $ORBITALIS_BUS or mqtt://localhost:1883)"
    )
    parser.add_argument("--json", action="store_true", help="report in JSON, and end when standard input does")


def writer(as_json: bool) -> Callable[[Report], None]:
    """Return what writes reports to standard output."""

    def write(report: Report) -> None:
        # Their reader may be gone.
        with contextlib.suppress(BrokenPipeError):
            print(report.to_line() if as_json else f"{report.orbiter} {report.sentence()}", flush=True)

    return write


def run(
    make: Callable[[], Orbiter], *, obey: Callable[[str], Awaitable[None]] | None = None, end_with_input: bool = False
) -> int:
    """Run an orbiter until SIGTERM, SIGINT, or with `end_with_input` the end of the input; return the exit status.

    `make` makes it, inside the event loop; `obey` takes the lines of standard input.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(_run(make, obey, end_with_input))
    except BusError as error:
        print(error, file=sys.stderr)
        return 1


async def _run(make: Callable[[], Orbiter], obey: Callable[[str], Awaitable[None]] | None, end_with_input: bool) -> int:
    life = asyncio.create_task(_live(make(), obey, end_with_input))
    for number in (signal.SIGINT, signal.SIGTERM):
        # The second signal ends it without waiting for anybody.
        asyncio.get_running_loop().add_signal_handler(number, life.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await life
    return 0


async def _live(orbiter: Orbiter, obey: Callable[[str], Awaitable[None]] | None, end_with_input: bool) -> None:
    async with orbiter:
        async for line in _input_lines():
            if obey is not None:
                await obey(line)
        if not end_with_input:
            await asyncio.Event().wait()


async def _input_lines() -> AsyncIterator[str]:
    """Yield the lines of standard input, whatever that is: a thread reads it, and nobody waits for the thread."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def put(line: str | None) -> None:
        # After the end of the loop there is nobody to read it.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        rest = b""
        # Not sys.stdin, which is locked while it is read, so that the interpreter could not end.
        with contextlib.suppress(OSError):
            while data := os.read(0, 4096):
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    put(line.decode(errors="replace"))
        put(rest.decode(errors="replace") if rest else None)
        put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
