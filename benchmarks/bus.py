"""How many events a second the buses carry, from one publisher to one subscriber in the same process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.broker import running_broker
from benchmarks.measuring import Settings, show
from orbitalis import Event, EventBusClient, connect
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["main"]

_EVENTS = 5_000
_ROUND_TRIPS = 1_000
_TASKS = 20
_TOPIC = "orbitalis/core/plugin/operations/lowercase/output/0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured on one bus."""

    name: str
    url: str
    channel: Channel
    encoding: Encoding


def main(settings: Settings) -> None:
    """Measure and print."""
    events, round_trips = settings.pick((_EVENTS, _ROUND_TRIPS), (_TASKS, 10))
    with running_broker() as broker:
        rows = [
            Row("local", "local://", channels.OPERATION_OUTPUT, Encoding.JSON),
            Row("mqtt, QoS 0, json", broker.url, channels.DISCOVER, Encoding.JSON),
            Row("mqtt, QoS 0, avro", broker.url, channels.DISCOVER, Encoding.AVRO),
            Row("mqtt, QoS 1, json", broker.url, channels.OPERATION_OUTPUT, Encoding.JSON),
            Row("mqtt, QoS 1, avro", broker.url, channels.OPERATION_OUTPUT, Encoding.AVRO),
        ]
        numbers = [asyncio.run(_measure(row, events, round_trips)) for row in rows]
    show(
        ("events a second", "one by one", f"{_TASKS} tasks", "round trips"),
        [(row.name, *(f"{rate:,.0f}" for rate in rates)) for row, rates in zip(rows, numbers, strict=True)],
    )


async def _measure(row: Row, events: int, round_trips: int) -> tuple[float, float, float]:
    publisher, subscriber = connect(row.url), connect(row.url)
    await publisher.connect()
    await subscriber.connect()

    async def publish(count: int) -> None:
        for _ in range(count):
            await publisher.publish(_TOPIC, "text", channel=row.channel, encoding=row.encoding)

    async def publish_from_tasks() -> None:
        await asyncio.gather(*(publish(events // _TASKS) for _ in range(_TASKS)))

    rates = (
        await _rate(subscriber, row, events, lambda: publish(events)),
        await _rate(subscriber, row, events, publish_from_tasks),
        await _round_trips(publisher, subscriber, row, round_trips),
    )
    await publisher.disconnect()
    await subscriber.disconnect()
    return rates


async def _rate(subscriber: EventBusClient, row: Row, count: int, publish: Callable[[], Awaitable[None]]) -> float:
    """Return the events a second, from the first that is published to the last that is handled."""
    done = asyncio.Event()
    handled = 0

    def handle(topic: str, event: Event[Any]) -> None:
        nonlocal handled
        handled += 1
        if handled == count:
            done.set()

    await subscriber.subscribe(_TOPIC, handle, channel=row.channel)
    start = time.perf_counter()
    await publish()
    async with asyncio.timeout(60):
        await done.wait()
    return count / (time.perf_counter() - start)


async def _round_trips(publisher: EventBusClient, subscriber: EventBusClient, row: Row, count: int) -> float:
    """Return the questions a second that are answered by a handler, each after the answer to the one before."""
    answered = asyncio.Event()

    async def answer(topic: str, event: Event[Any]) -> None:
        await subscriber.publish(f"{_TOPIC}/answer", event.payload, channel=row.channel, encoding=row.encoding)

    await subscriber.subscribe(_TOPIC, answer, channel=row.channel)
    await publisher.subscribe(f"{_TOPIC}/answer", lambda topic, event: answered.set(), channel=row.channel)
    start = time.perf_counter()
    for _ in range(count):
        answered.clear()
        await publisher.publish(_TOPIC, "question", channel=row.channel, encoding=row.encoding)
        await answered.wait()
    return count / (time.perf_counter() - start)
