"""The lamps and the home: as programs over a real broker, and what they do in process."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from examples.lamps.commands import obey
from examples.lamps.home import make_home
from examples.lamps.messages import BrightnessMessage
from examples.lamps.plugin import make_lamp
from examples.lamps.program import QUICK
from examples.lamps.report import Report, enumerate_words
from orbitalis import connect
from tests.examples.programs import Program, marked, processes_left
from tests.support.broker import Broker

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def test_two_programs_over_a_broker(broker: Broker, environment: dict[str, str]) -> None:
    home, lamp = f"home-{uuid.uuid4().hex}", f"lamp-{uuid.uuid4().hex}"
    bus = ("--bus", broker.url)
    with (
        Program("examples.lamps.plugin", "--kind", "y", "--identifier", lamp, *bus, environment=environment) as plugin,
        Program("examples.lamps.home", "--identifier", home, *bus, environment=environment) as core,
    ):
        plugin.expect(f"{lamp} has started")
        core.expect(f"{home} is compliant")
        core.write(f"turn_on {lamp} 0.5")
        plugin.expect(f"{lamp} is ON at 50% now")
        core.write(f"get_status {lamp}")
        core.expect(f"{home} learns from {lamp}: it is ON at 50%")
        core.write(f"get_energy {lamp}")
        core.expect(f"{home} learns from {lamp}: it has used")

        assert plugin.end(signal.SIGINT) == 0
        assert "has stopped" in plugin.output[-1]
        core.expect(f"{home} is no longer connected with {lamp}")
        core.expect(f"{home} is not compliant")
        core.write(f"get_status {lamp}")
        core.expect(f"{home} cannot execute get_status {lamp}")
        assert core.end(signal.SIGTERM) == 0
        assert [line for line in (*core.output, *plugin.output) if "Traceback" in line] == []


def test_a_supervised_lamp_ends_with_its_supervisor(broker: Broker, environment: dict[str, str]) -> None:
    arguments = ("--kind", "x", "--identifier", uuid.uuid4().hex, "--bus", broker.url, "--json")
    with Program("examples.lamps.plugin", *arguments, environment=environment) as lamp:
        assert Report.from_line(lamp.expect("started")).event == "started"
        assert lamp._process.stdin is not None
        lamp._process.stdin.close()

        assert lamp.wait() == 0
        assert Report.from_line(lamp.output[-1]).event == "stopped"


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--kind", "x", "--identifier", "lamp", "--bus", "mqtt://127.0.0.1:1"], 1, "cannot connect"),
        (["--kind", "x", "--identifier", "lamp", "--bus", "carrier-pigeon://home"], 2, "unknown scheme"),
        (["--kind", "x", "--identifier", "a/b", "--bus", "local://"], 2, "a/b"),
        (["--kind", "z", "--identifier", "lamp"], 2, "invalid choice"),
    ],
)
def test_what_cannot_work_is_said_without_a_traceback(
    arguments: list[str], status: int, complaint: str, environment: dict[str, str]
) -> None:
    with Program("examples.lamps.plugin", *arguments, environment=environment) as lamp:
        assert lamp.wait() == status

    assert complaint in lamp.output[-1]
    assert "Traceback" not in "\n".join(lamp.output)


class Household:
    """A home and two lamps in this process, and what they have reported."""

    def __init__(self) -> None:
        bus = f"local://{uuid.uuid4().hex}"
        self.reports: list[Report] = []
        self.home = make_home("home", connect(bus), self.reports.append, lamps=2, dimmable=1, **QUICK)
        self.plain = make_lamp("x", "plain", connect(bus), self.reports.append, **QUICK)
        self.dimmed = make_lamp("y", "dimmed", connect(bus), self.reports.append, **QUICK)

    async def tells(self, orbiter: str, event: str, times: int = 1, **values: Any) -> list[Report]:
        """Wait for reports."""
        async with asyncio.timeout(30):
            while True:
                found = [
                    one
                    for one in self.reports
                    if (one.orbiter, one.event) == (orbiter, event) and values.items() <= one.values.items()
                ]
                if len(found) >= times:
                    return found
                await asyncio.sleep(0)


async def test_an_operation_reaches_the_lamps_whose_input_fits() -> None:
    household = Household()
    async with household.plain, household.dimmed, household.home as home:
        await home.compliant_event.wait()

        assert sorted(await home.execute("turn_on", None, all=True)) == ["dimmed", "plain"]
        assert await home.execute("turn_on", BrightnessMessage(power=0.3), all=True) == ["dimmed"]
        await household.tells("dimmed", "changed", power=0.3)
        await home.execute("get_status", None, all=True)
        await household.tells("home", "status", times=2)
        await home.execute("turn_off", None, all=True)
        await household.tells("plain", "changed", is_on=False)
        await household.tells("dimmed", "changed", is_on=False)

        assert {name: (status.is_on, status.power) for name, status in home.lamp_status.items()} == {
            "plain": (True, 1.0),
            "dimmed": (True, 0.3),
        }


async def test_brightness_stays_within_what_a_lamp_can() -> None:
    household = Household()
    async with household.plain, household.dimmed, household.home as home:
        await home.compliant_event.wait()
        for power in (-5.0, 7.0):
            await home.execute("set_brightness", BrightnessMessage(power=power), any=True)

        assert [report.values["power"] for report in await household.tells("dimmed", "changed", times=2)] == [0.01, 1.0]


async def test_the_meter_counts_while_the_lamp_is_on() -> None:
    household = Household()
    async with household.plain, household.dimmed, household.home as home:
        await home.compliant_event.wait()
        for command in ("get_energy all", "turn_on all", "get_energy all", "turn_off all", "get_energy all"):
            await obey(home, command)
            await household.tells("home", "energy", times=1)
            if command.startswith("turn"):
                await household.tells("dimmed", "changed", is_on=command == "turn_on all")
        await obey(home, "get_energy all")
        readings = [report.values["kwh"] for report in await household.tells("home", "energy", times=4)]

        assert readings[0] == 0
        assert 0 < readings[1] <= readings[2] == readings[3]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("nonsense", "no such command"),
        ("get_status all 1 2", "no such command"),
        ("get_status distribute", "no such command"),
        ("get_status distribute many", "no such command"),
        ("set_brightness all bright", "bright is no number"),
        ("set_brightness all", "an empty event"),
        ("get_status nobody", "no connection"),
        ("sing all", "no connection"),
    ],
)
async def test_a_command_that_cannot_be_executed_is_reported(command: str, reason: str) -> None:
    household = Household()
    async with household.plain, household.dimmed, household.home as home:
        await home.compliant_event.wait()
        await obey(home, "")
        await obey(home, command)

        (report,) = await household.tells("home", "cannot execute")
        assert reason in report.sentence()


def test_a_report_survives_being_written() -> None:
    report = Report(orbiter="home", event="asks", remotes=("a",), operations=("b", "c"), values={"d": 1}, at=2.5)

    assert Report.from_line(report.to_line()) == report


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", '{"remotes": [], "operations": [], "surprise": 1}'])
def test_what_is_no_report_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no report|Expecting value"):
        Report.from_line(line)


@pytest.mark.parametrize(
    ("words", "text"),
    [([], "nothing"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "b"], "a, b (2 times) and c")],
)
def test_words_are_enumerated(words: list[str], text: str) -> None:
    assert enumerate_words(words) == text
