"""What a core says of what it lacks."""

from __future__ import annotations

import asyncio

import pytest

from orbitalis import Output
from orbitalis.bus import LocalEventBus
from orbitalis.orbiter import Orbiter
from orbitalis.testing import run
from tests.support.orbiters import core_on, needs, plugin_on, running


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "not been compliant" in record.getMessage()]


def live(seconds: float, *orbiters: Orbiter) -> None:
    """Run orbiters for a time of the virtual clock."""

    async def main() -> None:
        async with running(*orbiters):
            await asyncio.sleep(seconds)

    run(main())


def test_a_core_says_once_what_it_lacks(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    live(60, core_on(bus, with_loop=True, operation_requirements=needs(minimum=2, mandatory=["lamp"])))
    assert said(caplog) == [
        "core has not been compliant for 10 seconds: operation 'text' has 0 of at least 2 plugins "
        "(mandatory plugins are not counted in the minimum), is without mandatory 'lamp': "
        "no plugin has offered it, and none that has it was heard of: one that has it and does not offer it says why "
        "in its log"
    ]
    assert caplog.records[0].__dict__["orbiter"] == "core"


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_it_says_that_no_bus_is_named(
    named: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORBITALIS_BUS", raising=False)
    if named:
        monkeypatch.setenv("ORBITALIS_BUS", "local://")
    live(60, core_on(LocalEventBus.named(), with_loop=True, operation_requirements=needs()))
    (line,) = said(caplog)
    assert line.endswith("set the environment variable ORBITALIS_BUS in each, such as to mqtt://localhost:1883") is (
        not named
    )


def test_it_does_not_say_so_where_others_are(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORBITALIS_BUS", raising=False)
    bus = LocalEventBus.named()
    live(60, plugin_on(bus), core_on(bus, with_loop=True, operation_requirements=needs(minimum=2)))
    (line,) = said(caplog)
    assert "ORBITALIS_BUS" not in line


def test_it_says_of_many_operations_only_how_many_there_are(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    requirements = {f"operation{number}": needs()["text"] for number in range(1000)}
    live(60, core_on(bus, with_loop=True, operation_requirements=requirements))
    (line,) = said(caplog)
    assert "operation 'operation9' has 0 of at least 1 plugins" in line
    assert line.endswith("; and 990 more operations are lacking")


def test_it_says_why_an_offer_was_refused(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    requirement = needs()
    core = core_on(bus, with_loop=True, operation_requirements=requirement)

    async def main() -> None:
        async with running(core):
            # The core changes its mind between what it asks for and what it takes.
            requirement["text"].constraint.outputs = [Output.no_output()]
            core.update_compliant()
            await plugin.start()
            await plugin.send_offer(core.offer_topic, "core", ["text"])
            await asyncio.sleep(30)
            await plugin.stop()

    plugin = plugin_on(bus)
    run(main())
    assert said(caplog)[0].endswith(
        "operation 'text' has 0 of at least 1 plugins: 'plugin': output: 'nothing' here and 'StringMessage' there"
    )


def test_a_core_that_has_what_it_needs_says_nothing(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    live(60, plugin_on(bus), core_on(bus, with_loop=True))
    assert said(caplog) == []


def test_what_is_lacking_again_is_said_again(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core = core_on(bus, with_loop=True)
    plugin = plugin_on(bus)

    async def main() -> None:
        async with running(core):
            await asyncio.sleep(20)
            async with plugin:
                await core.compliant_event.wait()
                await asyncio.sleep(2)
            await asyncio.sleep(20)

    run(main())
    assert len(said(caplog)) == 2
