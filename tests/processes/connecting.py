"""A program that connects to a broker which does not answer: `python -m tests.processes.connecting WAY CAUSE PORT`."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import threading
from typing import Any

from orbitalis import BusUnavailableError, Core, MqttEventBusClient, run


class Connecting(Core):
    """Says when it connects."""

    async def _on_starting(self, *args: Any, **kwargs: Any) -> None:
        report("connecting")


def report(text: str) -> None:
    print(text, flush=True)


def hang(*arguments: Any, **options: Any) -> Any:
    report("looking up")
    threading.Event().wait()


async def give_up(core: Core) -> None:
    try:
        async with asyncio.timeout(0.2):
            await core.start()
    except TimeoutError:
        report("given up")


async def go_on(core: Core) -> None:
    """Do something else beside it that ends the program."""
    starting = asyncio.create_task(core.start())
    await asyncio.wait([starting], timeout=0.2)
    report("going on")


def main() -> None:
    way, cause, port = sys.argv[1:]
    if cause == "no name server":
        setattr(socket, "getaddrinfo", hang)  # noqa: B010 - type checkers do not like it otherwise
    tls = ssl.create_default_context() if cause == "no handshake" else None
    core = Connecting(eventbus_client=MqttEventBusClient("127.0.0.1", int(port), tls=tls, connect_timeout=60))
    try:
        match way:
            case "run":
                run(core)
            case "start":
                asyncio.run(core.start())
            case "give up":
                asyncio.run(give_up(core))
            case "go on":
                asyncio.run(go_on(core))
            case _:
                raise AssertionError(way)
    except BusUnavailableError as error:
        report(str(error))


if __name__ == "__main__":
    main()
