"""A plugin that sends on its own, and its cores, as processes over a real broker: killed, started anew and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.broker import Broker
from tests.support.processes import OrbiterProcess

pytestmark = pytest.mark.timeout(180)

#: Seconds; short, so that the tests need not wait long, and long enough for a busy machine.
QUICK: dict[str, Any] = {
    "loop_interval": 0.1,
    "consider_others_dead_after": 3.0,
    "send_keepalive_before_timelimit": 2.0,
}
CORE = {**QUICK, "discovering_interval": 0.2}


def counts(process: OrbiterProcess, event: str) -> list[int]:
    """Return the numbers that a process has reported."""
    return [report["count"] for report in process.reports if report["event"] == event]


async def is_quiet(sensor: OrbiterProcess) -> bool:
    """Return whether a sensor is called no more, with ten periods between two looks."""
    before = counts(sensor, "called")
    for _ in range(10):
        await sensor.ask("nap")
    return counts(sensor, "called") == before


async def test_cores_get_what_is_sent_and_a_killed_one_is_replaced(new_broker: Callable[..., Broker]) -> None:
    bus = new_broker().url
    async with (
        OrbiterProcess("sensor", "sensor", bus, **QUICK) as sensor,
        OrbiterProcess("sensor core", "core", bus, **CORE) as core,
        OrbiterProcess("sensor core", "other", bus, **CORE) as other,
    ):
        for one in (core, other):
            await one.expect("compliant")
            for _ in range(3):
                await one.expect("counted")
        assert await sensor.ask("send", "hello") == 2
        for one in (core, other):
            await one.expect("spoken", text="hello")

        await core.kill()
        # The other one goes on, and the dead one is no taker any more.
        while await sensor.ask("send", "still there?") != 1:
            await other.expect("counted")
        latest = counts(other, "counted")[-1]
        await other.expect("counted", count=latest + 5)

        # The killed one comes back under its name.
        async with OrbiterProcess("sensor core", "core", bus, **CORE) as again:
            await again.expect("compliant")
            assert await sensor.ask("send", "welcome back") == 2
            await again.expect("spoken", text="welcome back")
            first = (await again.expect("counted"))["count"]
            assert first > latest
            await again.expect("counted", count=first + 5)
        assert counts(other, "counted") == list(range(counts(other, "counted")[0], counts(other, "counted")[-1] + 1))


async def test_it_rests_without_a_core_and_goes_on_when_one_is_started_anew(new_broker: Callable[..., Broker]) -> None:
    bus = new_broker().url
    async with OrbiterProcess("sensor", "sensor", bus, **QUICK) as sensor:
        assert await is_quiet(sensor)
        assert await sensor.ask("send", "nobody hears") == 0
        async with OrbiterProcess("sensor core", "core", bus, **CORE) as core:
            await core.expect("counted", count=1)
            assert await core.stop() == 0
        while not await is_quiet(sensor):
            pass
        called = counts(sensor, "called")[-1]
        async with OrbiterProcess("sensor core", "core", bus, **CORE) as core:
            await core.expect("counted", count=called + 1)


async def test_a_stop_in_mid_period_leaves_nothing_running_and_the_core_notices(
    new_broker: Callable[..., Broker],
) -> None:
    bus = new_broker().url
    async with OrbiterProcess("sensor core", "core", bus, **CORE) as core:
        async with OrbiterProcess("sensor", "sensor", bus, **QUICK) as sensor:
            await core.expect("compliant")
            await core.expect("counted", count=3)
            assert await sensor.stop() == 0
            await sensor.expect("stopped", tasks=0)
        await core.expect("not compliant")
        async with OrbiterProcess("sensor", "sensor", bus, **QUICK):
            await core.expect("compliant")
            await core.expect("counted", count=1)
