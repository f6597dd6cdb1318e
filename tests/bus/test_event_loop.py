"""Event loops that do not watch sockets, as that of Windows: clients of MQTT brokers alone refuse them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orbitalis import WrongEventLoopError, connect
from orbitalis.bus.event_loop import run_in_event_loop


class WatchlessEventLoop(asyncio.SelectorEventLoop):
    """Has what `ProactorEventLoop` has."""

    add_reader: Any = asyncio.AbstractEventLoop.add_reader
    add_writer: Any = asyncio.AbstractEventLoop.add_writer


async def connected(url: str) -> bool:
    """Connect once."""
    client = connect(url)
    await client.connect()
    try:
        return client.is_connected
    finally:
        await client.disconnect()


def test_a_loop_that_watches_no_sockets_is_refused_with_what_to_do(broker: Any) -> None:
    with asyncio.Runner(loop_factory=WatchlessEventLoop) as runner, pytest.raises(WrongEventLoopError) as refusal:
        runner.run(connected(broker.url))

    assert str(refusal.value).startswith(
        f"a client of {broker.url} needs an event loop that watches sockets, and a Watch"
    )
    assert "orbitalis.run(...)" in str(refusal.value)
    assert "asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)" in str(refusal.value)


def test_a_loop_that_watches_no_sockets_does_for_the_bus_within_a_process() -> None:
    with asyncio.Runner(loop_factory=WatchlessEventLoop) as runner:
        assert runner.run(connected("local://"))


def test_the_loop_that_programs_are_run_in_watches_sockets(broker: Any) -> None:
    assert run_in_event_loop(connected(broker.url))
