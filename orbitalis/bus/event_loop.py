"""Event loops that a client of an MQTT broker can work in: those that watch sockets.

The event loop that asyncio makes on Windows by itself, `ProactorEventLoop`, does not, and aiomqtt needs that.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from orbitalis.errors import WrongEventLoopError

__all__ = ["check_event_loop", "run_in_event_loop"]

T = TypeVar("T")


def run_in_event_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine as :func:`asyncio.run` does, on Windows in an event loop that watches sockets."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop if sys.platform == "win32" else None) as runner:
        return runner.run(main)


def check_event_loop(bus: object) -> None:
    """Check that the running event loop watches sockets, as a client of `bus` needs.

    Raises:
        WrongEventLoopError: It does not.
    """
    loop = asyncio.get_running_loop()
    if type(loop).add_reader is asyncio.AbstractEventLoop.add_reader:
        raise WrongEventLoopError(
            f"a client of {bus} needs an event loop that watches sockets, and a {type(loop).__name__} does not; "
            "on Windows, run your program by orbitalis.run(...), or by "
            "asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)"
        )
