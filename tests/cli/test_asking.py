"""Commands that ask: what they show, of whom, and how they end."""

from __future__ import annotations

import pytest

from orbitalis import Plugin, connect, operation
from tests.cli.command import orbitalis
from tests.cli.orbiters import Dimmer, Home, Lamp, running
from tests.support.broker import Broker, unused_port


def lamp(broker: Broker, identifier: str = "lamp") -> Lamp:
    return Lamp(identifier=identifier, eventbus_client=connect(broker.url))


def home(broker: Broker, minimum: int = 1) -> Home:
    core = Home(identifier="home", eventbus_client=connect(broker.url))
    return core.with_requirement(Lamp.light, minimum=minimum)


async def test_ls_lists_all_with_what_they_do(broker: Broker) -> None:
    core = home(broker)
    async with running(lamp(broker), core):
        await core.compliant_event.wait()
        shown = await orbitalis("ls", bus=broker.url)
        listed = await orbitalis("ls", "--json", bus=broker.url)

    assert (shown.status, shown.errors) == (0, "")
    title, first, second = (line.split() for line in shown.output.splitlines())
    assert title == ["ORBITER", "ROLE", "OPERATIONS", "CONNECTIONS", "SINCE", "VERSION"]
    assert first[:5] == ["home", "core", "needs", "light", "1"]
    assert second[:6] == ["lamp", "plugin", "light,", "name,", "secret", "1"]
    by_name = {one["identifier"]: one for one in listed.data}
    assert by_name["lamp"]["operations"] == ["light", "name", "secret"]
    assert by_name["lamp"]["connections"] == {"open": 1}
    assert by_name["home"]["requirements"] == ["light"]
    assert by_name["home"]["is_complete"]


async def test_info_shows_schemas_that_people_can_read(broker: Broker) -> None:
    async with running(lamp(broker)):
        shown = await orbitalis("info", "lamp", bus=broker.url)
        told = await orbitalis("info", "lamp", "--json", bus=broker.url)

    assert shown.status == 0
    assert '  takes  Light {level: double, colour: WARM | COLD = "WARM"}' in shown.output.splitlines()
    assert "  gives  text" in shown.output.splitlines()
    assert "  Shine." in shown.output.splitlines()
    assert "  lent to at most 0 cores" in shown.output.splitlines()
    assert told.data["operations"]["name"]["documentation"] == "Say what it is called."


async def test_info_counts_one_as_one(broker: Broker) -> None:
    core = home(broker)
    async with running(lamp(broker), core):
        await core.compliant_event.wait()
        of_core = await orbitalis("info", "home", bus=broker.url)
        of_lamp = await orbitalis("info", "lamp", bus=broker.url)

    assert "  from at least 1 plugin" in of_core.output.splitlines()
    assert "core 'home' is compliant; it knows 1 remote" in of_core.output.splitlines()
    assert "  operation 'light' is lent to 1 core" in of_lamp.output.splitlines()


async def test_ping_says_how_long_answers_take(broker: Broker) -> None:
    async with running(lamp(broker), lamp(broker, "other")):
        everybody = await orbitalis("ping", "--json", bus=broker.url)
        one = await orbitalis("ping", "lamp", "--count", "3", "--json", bus=broker.url)
        shown = await orbitalis("ping", bus=broker.url)

    assert [(each["identifier"], each["role"], each["lost"]) for each in everybody.data] == [
        ("lamp", "plugin", 0),
        ("other", "plugin", 0),
    ]
    assert len(one.data[0]["seconds"]) == 3
    assert all(0 < seconds < 2 for seconds in one.data[0]["seconds"])
    assert shown.output.splitlines()[1].startswith("lamp     plugin")


async def test_stats_count_executions_and_errors(broker: Broker) -> None:
    core = home(broker)
    async with running(lamp(broker), core):
        failed = await orbitalis("call", "light", '{"level": 2}', "--plugin", "lamp", bus=broker.url)
        stats = await orbitalis("stats", "lamp", bus=broker.url)
        everybody = await orbitalis("stats", "--json", bus=broker.url)

    assert failed.status == 5
    assert "no such level" in failed.errors
    line = next(line for line in stats.output.splitlines() if line.startswith("lamp"))
    assert line.split()[:5] == ["lamp", "light", "1", "1", "1"]
    assert "no such level: 2.0" in line
    assert "orbiter.refused" in stats.output
    assert [one["identifier"] for one in everybody.data] == ["home", "lamp"]


async def test_why_gives_the_reasons_of_both_sides(broker: Broker) -> None:
    core = home(broker, minimum=2)
    core.with_requirement(Lamp.secret, minimum=1).with_requirement(Lamp.name, mandatory=["nobody"])
    dimmer = Dimmer(identifier="dimmer", eventbus_client=connect(broker.url))
    async with running(lamp(broker), dimmer, core):
        told = await orbitalis("why", "home", "--json", bus=broker.url)
        shown = await orbitalis("why", "home", bus=broker.url)

    assert told.status == shown.status == 1
    assert told.data["is_compliant"] is False
    missing = {one["operation"]: one for one in told.data["missing"]}
    (candidate,) = missing["light"]["plugins"]
    assert candidate["plugin"] == "dimmer"
    assert "Light" in candidate["reasons"][0]
    assert "'home'" in candidate["plugin_says"]
    assert missing["secret"]["plugins"][0]["reasons"] == ["lamp lends it to at most 0, and nobody has it"]
    assert missing["name"]["silent"] == ["nobody"]
    assert "  nobody does not answer: is it running?" in shown.output.splitlines()
    assert "    dimmer says: 'home'" in shown.output


async def test_why_says_that_a_plugin_was_lost(broker: Broker) -> None:
    core = home(broker)
    async with running(core):
        async with running(lamp(broker)):
            await core.compliant_event.wait()
        await core.not_compliant_event.wait()
        told = await orbitalis("why", "home", "--json", bus=broker.url)
        shown = await orbitalis("why", "home", bus=broker.url)

    says = "'lamp': the plugin has closed the connection"
    assert told.data["missing"][0]["core_says"] == [says]
    assert shown.output.splitlines()[-2:] == ["  no other plugin that answers has it", f"  home says: {says}"]


async def test_why_says_that_a_core_has_what_it_needs(broker: Broker) -> None:
    core = home(broker)
    async with running(lamp(broker), core):
        await core.compliant_event.wait()
        told = await orbitalis("why", "home", bus=broker.url)
        plugin = await orbitalis("why", "lamp", bus=broker.url)

    assert (told.status, told.output) == (0, "home is compliant: it has what it needs\n")
    assert (plugin.status, "'lamp' is a plugin" in plugin.errors) == (2, True)


async def test_who_does_not_answer_is_named_with_one_that_does(broker: Broker) -> None:
    async with running(lamp(broker, "kitchen")):
        outcome = await orbitalis("info", "kitchne", "--within", "0.5", bus=broker.url)

    assert (outcome.status, outcome.output) == (4, "")
    assert outcome.errors == "orbitalis: no orbiter 'kitchne' answers within 0.5 s; did you mean 'kitchen'?\n"


@pytest.mark.parametrize("command", [("ls", "--within", "0.5"), ("info", "lamp", "--within", "0.5"), ("call", "light")])
async def test_nobody_answers(command: tuple[str, ...], broker: Broker) -> None:
    outcome = await orbitalis(*command, bus=broker.url)

    assert (outcome.status, outcome.output) == (4, "")
    assert "introspection=False" in outcome.errors


@pytest.mark.parametrize(
    ("bus", "status", "reason"),
    [
        (None, 2, "which bus? Write --bus mqtt://HOST:1883"),
        ("local://", 2, "within one process"),
        ("http://host", 2, "unknown scheme 'http'"),
        ("mqtt://127.0.0.1:{port}", 3, "cannot connect to mqtt://127.0.0.1"),
    ],
)
async def test_a_bus_that_is_of_no_use(bus: str | None, status: int, reason: str) -> None:
    outcome = await orbitalis("ls", bus=None if bus is None else bus.format(port=unused_port()))

    assert (outcome.status, outcome.output) == (status, "")
    assert reason in outcome.errors
    assert outcome.errors.startswith("orbitalis: ")


async def test_what_others_have_written_does_not_steer_the_terminal(broker: Broker) -> None:
    class Odd(Plugin):
        """A lamp."""

        @operation
        async def light(self) -> None:
            """Shine."""

    odd = Odd(identifier="odd", eventbus_client=connect(broker.url))
    odd.operations["light"].documentation = "Shine \x1b[31m red."
    async with running(odd):
        outcome = await orbitalis("info", "odd", bus=broker.url)

    assert "  Shine \\x1b[31m red." in outcome.output.splitlines()
    assert "\x1b" not in outcome.output
