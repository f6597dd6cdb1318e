"""What a plugin says that is alone on the bus of its process."""

from __future__ import annotations

import asyncio

import pytest

from orbitalis.bus import LocalEventBus
from orbitalis.orbiter import Orbiter
from orbitalis.testing import run
from tests.support.orbiters import core_on, needs, plugin_on, running


@pytest.fixture(autouse=True)
def _no_bus_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORBITALIS_BUS", raising=False)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "has heard of no core" in record.getMessage()]


def live(seconds: float, *orbiters: Orbiter) -> None:
    """Run orbiters for a time of the virtual clock."""

    async def main() -> None:
        async with running(*orbiters):
            await asyncio.sleep(seconds)

    run(main())


def test_a_plugin_says_once_that_no_bus_is_named(caplog: pytest.LogCaptureFixture) -> None:
    plugin = plugin_on(LocalEventBus.named(), with_loop=True)
    live(9, plugin)
    assert said(caplog) == []
    live(60, plugin)
    assert said(caplog) == [
        "plugin has heard of no core for 10 seconds: it is on the bus within this process, and no other is there: for "
        "cores in other processes, set the environment variable ORBITALIS_BUS in each, such as to mqtt://localhost:1883"
    ]
    assert caplog.records[-1].__dict__["orbiter"] == "plugin"
    live(60, plugin)
    assert len(said(caplog)) == 2


def test_it_does_not_say_so_where_a_bus_is_named(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(60, plugin_on(bus, with_loop=True))
    monkeypatch.setenv("ORBITALIS_BUS", "local://")
    live(60, plugin_on(LocalEventBus.named(), with_loop=True))
    assert said(caplog) == []


def test_it_does_not_say_so_where_a_core_is_or_was(caplog: pytest.LogCaptureFixture) -> None:
    bus = LocalEventBus.named()
    live(60, plugin_on(bus, with_loop=True), core_on(bus, with_loop=True, operation_requirements=needs()))

    async def alone_after_a_core() -> None:
        async with running(plugin_on(bus, with_loop=True)):
            async with running(core_on(bus, with_loop=True, operation_requirements=needs())):
                await asyncio.sleep(20)
            await asyncio.sleep(600)

    run(alone_after_a_core())
    assert said(caplog) == []
