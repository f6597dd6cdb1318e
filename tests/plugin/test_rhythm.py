"""Periodic operations: when the method is called, what is sent, and how the rhythm goes on and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import pytest

from orbitalis import Event, Float64Message, periodic
from orbitalis.bus.client import Later
from orbitalis.testing import Harness
from tests.support.sensors import Home, Sensor, connected, sensor_on


def timers() -> list[str]:
    """Return the timers of rhythms that are set."""
    scheduled = getattr(asyncio.get_running_loop(), "_scheduled", ())
    return [repr(timer) for timer in scheduled if not timer.cancelled() and "Rhythm" in repr(timer)]


async def test_it_begins_when_a_core_connects_and_sends_what_the_method_returns(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    await harness.advance(100.3)
    assert sensor.calls == []

    home = await connected(harness)
    began = harness.time
    await harness.advance(3.5)

    assert sensor.calls == pytest.approx([began, began + 1, began + 2, began + 3], abs=0.11)
    assert home.taken == [1.0, 2.0, 3.0, 4.0]
    assert harness.recording.of(Float64Message).payloads == [Float64Message(value=float(n)) for n in (1, 2, 3, 4)]
    event: Event[Any] = await harness.output(home, "temperature")
    assert event.payload == Float64Message(value=1.0)


async def test_it_does_not_drift(harness: Harness) -> None:
    class Quick(Sensor):
        @periodic(0.1)
        async def temperature(self) -> float | None:
            self.calls.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.03)
            return 1.0

    sensor = Quick(identifier="sensor", eventbus_client=harness.client())
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(1000)

    assert len(sensor.calls) >= 9999
    began = sensor.calls[0]
    assert max(abs(at - began - 0.1 * number) for number, at in enumerate(sensor.calls)) < 1e-6


async def test_every_core_gets_it_at_the_same_time(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    first = await connected(harness, "first")
    await harness.advance(1.5)
    second = await connected(harness, "second")
    assert second.taken == []

    await harness.advance(2)

    assert second.taken == [3.0, 4.0]
    assert first.taken == [1.0, 2.0, 3.0, 4.0]
    assert len(sensor.calls) == 4


async def test_it_rests_while_nobody_is_connected_and_goes_on_at_once(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(2.5)
    await home.stop()
    await harness.advance(1000)
    assert len(sensor.calls) == 3

    await home.start()
    await harness.compliant(home)
    came_back = harness.time
    await harness.advance(1.5)

    assert sensor.calls[3:] == pytest.approx([came_back, came_back + 1], abs=0.11)
    assert home.taken == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_a_core_that_comes_and_goes_does_not_have_it_called_more_often(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    began = harness.time
    for number in range(50):
        home = await connected(harness, f"home{number}")
        await home.stop()
        await harness.advance(0.01)
    assert len(sensor.calls) <= harness.time - began + 2
    assert all(later - earlier > 0.999 for earlier, later in zip(sensor.calls, sensor.calls[1:], strict=False))


async def test_a_slow_call_leaves_out_what_it_misses_and_does_not_overlap_with_the_next(harness: Harness) -> None:
    sensor = sensor_on(harness, takes=2.4)
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(9)
    began = sensor.calls[0]
    assert sensor.calls == pytest.approx([began, began + 3, began + 6, began + 9], abs=1e-6)

    sensor.takes = 0.0
    await harness.advance(4.5)

    assert sensor.calls[4:] == pytest.approx([began + 12, began + 13], abs=1e-6)
    assert home.taken == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


async def test_a_core_that_cannot_be_published_to_keeps_the_others_from_nothing(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    sensor = sensor_on(harness, takes=0.3)
    await harness.start(sensor)
    gone, home = await connected(harness, "gone"), await connected(harness)
    await harness.advance(0.5)
    client = sensor.eventbus_client
    start_publish = client.start_publish

    def start(topic: str, *arguments: Any, **options: Any) -> Awaitable[None] | None:
        if "/gone/" in topic:
            return Later(asyncio.Event().wait)  # type: ignore[arg-type]
        return start_publish(topic, *arguments, **options)

    setattr(client, "start_publish", start)  # noqa: B010
    before, calls = len(home.taken), len(sensor.calls)
    await harness.advance(60)
    setattr(client, "start_publish", start_publish)  # noqa: B010

    # Publishing may take a second, with which each call reaches into the next period.
    assert len(home.taken) - before >= 29
    assert len(sensor.calls) - calls >= 29
    assert sensor.statistics.failed_periodic_calls >= 29
    assert "could not be published to every core until the next one was due" in caplog.text
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) <= 2
    await harness.advance(3)
    assert gone.taken[-1] == home.taken[-1]


async def test_publishing_may_take_longer_than_a_short_period(harness: Harness) -> None:
    class Quick(Sensor):
        @periodic(0.1)
        async def temperature(self) -> float | None:
            return 1.0

    sensor = Quick(identifier="sensor", eventbus_client=harness.client())
    await harness.start(sensor)
    home = await connected(harness)
    client = sensor.eventbus_client
    start_publish = client.start_publish

    async def publish_slowly(*arguments: Any) -> None:
        await asyncio.sleep(0.55)
        start_publish(*arguments)

    def start(*arguments: Any, **options: Any) -> Awaitable[None] | None:
        return Later(publish_slowly, *arguments)

    setattr(client, "start_publish", start)  # noqa: B010
    before = len(home.taken)
    await harness.advance(6)
    setattr(client, "start_publish", start_publish)  # noqa: B010

    assert len(home.taken) - before >= 9
    assert sensor.statistics.failed_periodic_calls == 0


async def test_a_call_that_is_hardly_late_is_made(harness: Harness) -> None:
    sensor = sensor_on(harness, takes=1.05)
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(2.3)
    began = sensor.calls[0]
    assert sensor.calls == pytest.approx([began, began + 1.05, began + 2.1], abs=1e-6)
    sensor.takes = 0.0
    await harness.advance(3)
    assert sensor.calls[3:] == pytest.approx([began + 4, began + 5], abs=1e-6)


async def test_none_is_not_sent(harness: Harness) -> None:
    sensor = sensor_on(harness)
    home = Home(eventbus_client=harness.client()).with_requirement(Sensor.nothing, minimum=1)
    await harness.start(sensor, home)
    await harness.compliant(home)
    await harness.advance(35)

    assert not [one for one in harness.recording if one.topic.startswith("orbitalis/") and "/output" in one.topic]
    assert sensor.statistics.failed_periodic_calls == 0


async def test_failures_are_logged_once_and_counted_and_the_rhythm_goes_on(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    sensor = sensor_on(harness, error=RuntimeError("no bus to the chip"))
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(20)
    (line,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.getMessage() == "the periodic operation 'temperature' of sensor failed, and is called again"
    assert line.exc_info is not None
    assert str(line.exc_info[1]) == "no bus to the chip"
    assert (line.orbiter, line.operation) == ("sensor", "temperature")  # type: ignore[attr-defined]
    failed = sensor.statistics.failed_periodic_calls
    assert failed == len(sensor.calls) >= 20

    await harness.advance(50)
    (_, line) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.getMessage().endswith("is called again; 59 earlier failures were not logged")
    sensor.error = None
    await harness.advance(2)

    assert len(home.taken) == 2


async def test_a_result_of_another_type_is_a_failure_that_says_what_was_expected(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    sensor = sensor_on(harness, result="warm")
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(1)
    (line,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.exc_info is not None
    assert str(line.exc_info[1]) == "operation 'temperature': expected float | None, got a str"
    assert home.taken == []


async def test_awaiting_something_that_was_cancelled_is_a_failure(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    class Cancelled(Sensor):
        async def temperature(self) -> float | None:
            self.calls.append(0.0)
            task = asyncio.create_task(asyncio.sleep(1))
            task.cancel()
            await task
            return 1.0

    sensor = Cancelled(identifier="sensor", eventbus_client=harness.client())
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(2.5)
    assert sensor.statistics.failed_periodic_calls == len(sensor.calls) >= 2


async def test_a_stop_cancels_the_call_under_way_and_a_start_begins_anew(harness: Harness) -> None:
    sensor = sensor_on(harness, takes=0.5)
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(1.2)
    assert sensor.running == 1
    before, calls = harness.time, len(sensor.calls)

    await sensor.stop()

    assert harness.time == before
    assert sensor.running == 0
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("output of")]
    assert timers() == []
    await harness.advance(10)
    assert len(sensor.calls) == calls
    taken = len(home.taken)
    await sensor.start()
    await harness.compliant(home)
    await harness.advance(1.8)
    assert len(sensor.calls) == calls + 2
    assert len(home.taken) == taken + 2


async def test_a_stop_in_mid_period_ends_the_rhythm(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(0.5)
    calls = len(sensor.calls)
    await sensor.stop()
    assert timers() == []
    await harness.advance(10)
    assert len(sensor.calls) == calls


async def test_a_graceful_end_needs_no_more_time_for_a_call_under_way(harness: Harness) -> None:
    sensor = sensor_on(harness, takes=1000.0)
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(0.5)
    assert sensor.running == 1
    before = harness.time
    assert await sensor.leave(5.0)
    await sensor.stop()
    assert harness.time - before < 5.0
    assert sensor.running == 0


async def test_a_call_that_resists_holds_a_stop_up_for_some_seconds_alone(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    sensor = sensor_on(harness, takes=1000.0, resists=True)
    await harness.start(sensor)
    await connected(harness)
    await harness.advance(0.5)
    before = harness.time

    await sensor.stop()

    assert 4.9 < harness.time - before < 11
    assert "a call of the periodic operation 'temperature' goes on though it was cancelled 5 s ago" in caplog.text
    # A start does not overlap with what goes on.
    sensor.takes = 0.0
    calls = len(sensor.calls)
    await sensor.start()
    await harness.advance(100)
    assert len(sensor.calls) == calls
    await harness.advance(1000)
    assert len(sensor.calls) > calls + 90


async def test_the_method_may_stop_its_plugin(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    await connected(harness)
    sensor.stops = True
    await harness.advance(5)
    assert not sensor.is_running
    assert sensor.stopped
    assert len(sensor.calls) <= 2
    assert sensor.statistics.failed_periodic_calls == 0
    assert sensor.running == 0


async def test_it_does_not_depend_on_the_loop_of_the_plugin(harness: Harness) -> None:
    sensor = sensor_on(harness, with_loop=False)
    await harness.start(sensor)
    home = await connected(harness)
    await harness.advance(2.5)
    assert len(home.taken) >= 3


async def test_a_subclass_whose_method_has_no_decorator_keeps_the_rhythm(harness: Harness) -> None:
    class Warm(Sensor):
        async def temperature(self) -> float | None:
            return 99.0

    await harness.start(Warm(identifier="sensor", eventbus_client=harness.client()))
    home = await connected(harness)
    await harness.advance(2.5)
    assert home.taken == [99.0] * 3


async def test_nothing_is_called_of_an_operation_that_was_taken_away(harness: Harness) -> None:
    class Without(Sensor):
        temperature = None  # type: ignore[assignment]

    sensor = sensor_on(harness)
    await harness.start(sensor, Without(identifier="without", eventbus_client=harness.client()))
    home = await connected(harness)
    del sensor.operations["temperature"]
    sensor.update_operations()
    await home.stop()
    await home.start()
    await harness.advance(100)
    assert not home.is_compliant()
    assert len(sensor.calls) <= 1


async def test_while_nobody_is_connected_no_timer_is_set(harness: Harness) -> None:
    await harness.start(sensor_on(harness))
    home = await connected(harness)
    assert len(timers()) == 1
    await home.stop()
    await harness.advance(1.5)
    assert timers() == []


async def test_the_harness_waits_for_a_call_under_way(harness: Harness) -> None:
    sensor = sensor_on(harness, takes=0.5)
    await harness.start(sensor)
    home = await connected(harness)
    await harness.idle()
    assert (sensor.running, home.taken) == (0, [1.0])


async def test_a_connection_is_told_of_as_without_a_rhythm(harness: Harness) -> None:
    sensor = sensor_on(harness)
    await harness.start(sensor)
    await connected(harness, "one")
    await connected(harness, "two")
    for _ in range(2):
        await sensor.new_connection_added_event.wait()
    assert not sensor.new_connection_added_event.is_set()
