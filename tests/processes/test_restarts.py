"""Cores and plugins that start anew over a real broker, where nobody is ever taken for dead: they work again soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.broker import Broker
from tests.support.processes import OrbiterProcess

pytestmark = pytest.mark.timeout(180)

NEVER: dict[str, Any] = {"consider_others_dead_after": None}
SOON = 2.0
"""Seconds within which who starts anew has to work again, counted from when it says that it has started."""


@asynccontextmanager
async def connected(bus: str) -> AsyncIterator[dict[str, OrbiterProcess]]:
    """Start a core and a plugin, and wait until they work."""
    async with (
        OrbiterProcess("plugin", "plugin", bus, **NEVER) as plugin,
        OrbiterProcess("core", "core", bus, maximum=1, **NEVER) as core,
    ):
        await core.expect("compliant")
        assert await core.ask("request", "FIRST") == ["first"]
        yield {"core": core, "plugin": plugin}


async def works(core: OrbiterProcess, plugin: OrbiterProcess) -> None:
    """Wait until a request is answered, and both have one connection."""
    while not (await core.ask("connections") == ["plugin"] and await plugin.ask("connections") == ["core"]):
        await core.ask("nap")
    assert await core.ask("request", "AGAIN") == ["again"]


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("roles", [["core"], ["plugin"], ["core", "plugin"]], ids=" and ".join)
async def test_who_starts_anew_works_again_within_two_seconds(
    new_broker: Callable[..., Broker],
    record_property: Callable[[str, object], None],
    roles: list[str],
    *,
    is_killed: bool,
) -> None:
    bus = new_broker().url
    async with connected(bus) as orbiters:
        for role in roles:
            if is_killed:
                await orbiters[role].kill()
            else:
                assert await orbiters[role].stop() == 0
                await orbiters[role].kill()
        limits = {"core": {"maximum": 1}, "plugin": {}}
        again = [OrbiterProcess(role, role, bus, **limits[role], **NEVER) for role in roles]
        try:
            await asyncio.gather(*(one.launch() for one in again))
            await asyncio.gather(*(one.expect("started") for one in again))
            begin = time.monotonic()
            orbiters.update(zip(roles, again, strict=True))
            await works(orbiters["core"], orbiters["plugin"])
            took = time.monotonic() - begin
        finally:
            for one in again:
                await one.kill()
    record_property("seconds", took)
    print(f"{' and '.join(roles)}: works again after {took:.3f} s")
    assert took < SOON


@pytest.mark.parametrize("role", ["core", "plugin"])
async def test_who_is_killed_and_started_again_and_again_works_within_two_seconds_each_time(
    new_broker: Callable[..., Broker], record_property: Callable[[str, object], None], role: str
) -> None:
    bus = new_broker().url
    limits = {"core": {"maximum": 1}, "plugin": {}}[role]
    longest = 0.0
    async with connected(bus) as orbiters:
        for _ in range(10):
            await orbiters[role].kill()
            async with OrbiterProcess(role, role, bus, **limits, **NEVER) as again:
                begin = time.monotonic()
                await works(**(orbiters | {role: again}))
                longest = max(longest, time.monotonic() - begin)
    record_property("seconds", longest)
    print(f"{role}: works again after {longest:.3f} s at most")
    assert longest < SOON
