"""Requests that end by their timeout: each at its time, by one timer for all of a core."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Core, Event, Plugin, StringMessage
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.errors import ConnectionClosedError, RequestTimeoutError
from orbitalis.testing import Harness
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, running


@dataclass
class SlowPlugin(EchoPlugin):
    """Answers a text that is a number after so many seconds, and no other text."""

    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["text"].handler = self._take

    async def _take(self, topic: str, event: Event[StringMessage]) -> None:
        self.received.append(event.payload.value)
        if event.payload.value.isdecimal():
            self.tasks.append(asyncio.create_task(self._answer(topic, event.payload.value)))

    async def _answer(self, topic: str, text: str) -> None:
        await asyncio.sleep(int(text))
        await self.send_result_to_all(self.retrieve_connections(input_topic=topic), text)


async def pair(harness: Harness, client: LocalEventBusClient | None = None) -> tuple[TextCore, SlowPlugin]:
    """Return a core and a plugin that are connected, without keepalives and loops."""
    options: dict[str, Any] = {"with_loop": False, "consider_others_dead_after": None}
    core = TextCore(
        identifier="core", eventbus_client=client or harness.client(), operation_requirements=needs(), **options
    )
    plugin = SlowPlugin(identifier="plugin", eventbus_client=harness.client(), **options)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    return core, plugin


def timers_of(core: Core) -> list[asyncio.TimerHandle]:
    """Return the timers of a core's requests that have not rung."""
    timers: list[asyncio.TimerHandle] = getattr(asyncio.get_running_loop(), "_scheduled")  # noqa: B009
    callbacks = ((timer, getattr(timer, "_callback", None)) for timer in timers if not timer.cancelled())
    return [timer for timer, callback in callbacks if callback == core._end_expired]


async def timed_out_at(harness: Harness, core: Core, timeout: float, text: str = "never") -> float:
    """Request, and return how many virtual seconds it took to fail."""
    begun = harness.time
    with pytest.raises(RequestTimeoutError, match=rf"no answer within {timeout} s$"):
        await core.request("text", text, timeout=timeout)
    return harness.time - begun


async def test_with_a_timeout_of_zero_the_input_is_sent_and_no_answer_awaited(harness: Harness) -> None:
    core, plugin = await pair(harness)
    assert await timed_out_at(harness, core, 0, "0") == 0
    await harness.idle()
    assert plugin.received == ["0"]
    assert core.dropped_answers == 1
    assert timers_of(core) == []


async def test_without_a_timeout_there_is_no_timer(harness: Harness) -> None:
    core, _ = await pair(harness)
    request = asyncio.create_task(core.request("text", "100000", timeout=None))
    await harness.idle()
    assert timers_of(core) == []
    await harness.advance(99_999)
    assert not request.done()
    assert await request == StringMessage(value="100000")


async def test_a_long_timeout_is_not_taken_for_being_stuck(harness: Harness) -> None:
    core, _ = await pair(harness)
    shorter = asyncio.create_task(timed_out_at(harness, core, 50_000.0))
    plugin = Plugin(identifier="other", eventbus_client=harness.client())  # time passes for its loop
    await harness.start(plugin)
    assert await timed_out_at(harness, core, 100_000.0) == pytest.approx(100_000)
    assert await shorter == pytest.approx(50_000)


async def test_each_of_many_ends_at_its_time_with_one_timer_for_all(harness: Harness) -> None:
    core, plugin = await pair(harness)
    timeouts = [number / 10 for number in range(1000)] * 2
    random.Random(7).shuffle(timeouts)
    requests = [asyncio.create_task(timed_out_at(harness, core, timeout)) for timeout in timeouts]
    for _ in range(50):
        await harness.advance(1)
        assert len(timers_of(core)) == 1
    assert await asyncio.gather(*requests) == pytest.approx(timeouts)
    assert len(plugin.received) == 2000
    assert len(core._awaited) == 0
    assert timers_of(core) == []


async def test_a_shorter_timeout_overtakes_a_longer_one(harness: Harness) -> None:
    core, _ = await pair(harness)
    longer = asyncio.create_task(timed_out_at(harness, core, 10.0))
    await harness.advance(1)
    assert await timed_out_at(harness, core, 2.0) == pytest.approx(2)
    assert not longer.done()
    assert await longer == pytest.approx(10)


@pytest.mark.parametrize("ends_by", ["answer", "cancellation"])
async def test_a_request_that_has_ended_leaves_the_timeouts_of_others(harness: Harness, ends_by: str) -> None:
    core, _ = await pair(harness)
    first = asyncio.create_task(core.request("text", "1", timeout=5))
    second = asyncio.create_task(timed_out_at(harness, core, 7.0))
    await harness.idle()
    if ends_by == "answer":
        assert await first == StringMessage(value="1")
    else:
        first.cancel()
        await asyncio.wait([first])
    assert len(core._awaited) == 1
    assert await second == pytest.approx(7)
    assert timers_of(core) == []


async def test_after_the_last_request_no_timer_outlives_its_timeout(harness: Harness) -> None:
    core, _ = await pair(harness)
    for _ in range(100):
        await core.request("text", "0", timeout=5)
    assert len(timers_of(core)) <= 1
    await harness.advance(6)
    assert timers_of(core) == []
    assert len(core._awaited.deadlines) == 0


async def test_a_stop_ends_all_requests_and_their_timer(harness: Harness) -> None:
    core, plugin = await pair(harness)
    requests = [asyncio.create_task(core.request("text", "x", timeout=number)) for number in range(1, 20)]
    await harness.idle()
    await core.stop()
    assert timers_of(core) == []
    for request in requests:
        with pytest.raises(ConnectionClosedError):
            await request
    await core.start()
    await harness.connected(core, plugin)
    assert await timed_out_at(harness, core, 3.0) == pytest.approx(3)


class SlowClient(LocalEventBusClient):
    """Takes a second to publish a text."""

    def _start_publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> Any:
        if isinstance(event.payload, StringMessage):
            return self._later(topic, event, channel, encoding)
        super()._start_publish(topic, event, channel, encoding)
        return None

    async def _later(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        await asyncio.sleep(1)
        super()._start_publish(topic, event, channel, encoding)


async def test_the_time_that_the_bus_takes_counts(harness: Harness) -> None:
    client = SlowClient(harness.client().bus)
    core, plugin = await pair(harness, client)
    assert await timed_out_at(harness, core, 0.5) == pytest.approx(0.5)
    await harness.advance(2)
    assert plugin.received == []  # it was not even sent
    assert await timed_out_at(harness, core, 2.5, "2") == pytest.approx(2.5)
    assert plugin.received == ["2"]
    assert await core.request("text", "2", timeout=3.5) == StringMessage(value="2")


def test_a_core_that_is_started_in_another_event_loop_has_its_timer_there() -> None:
    async def live() -> None:
        async with running(plugin, core):
            await all_connected(core, [plugin])
            with pytest.raises(RequestTimeoutError):
                await core.request("text", "never", timeout=0.01)
            waiting = asyncio.create_task(core.request("text", "never", timeout=1000))
            await until(lambda: len(core._awaited) == 1)
            assert len(timers_of(core)) == 1
            waiting.cancel()
            await asyncio.wait([waiting])

    bus = LocalEventBus()
    core, plugin = core_on(bus), SlowPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    for _ in range(2):
        asyncio.run(live())
