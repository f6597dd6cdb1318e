"""The page in a browser: what it shows of orbiters that run, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orbitalis import Orbiter, connect
from tests.cli.orbiters import Colour, Dimmer, Home, Lamp, Light, running
from tests.dashboard.serving import Browser, needs_browser, opened, row, serving
from tests.support.broker import Broker
from tests.support.processes import OrbiterProcess

pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]


@asynccontextmanager
async def shown(
    browser: Browser, broker: Broker, *orbiters: Orbiter, arguments: tuple[str, ...] = ()
) -> AsyncIterator[None]:
    """Have a browser show the page, with some orbiters on the bus."""
    async with running(*orbiters), serving(broker.url, *arguments) as served:
        await opened(browser, served)
        yield


async def test_it_shows_who_is_there_and_what_a_core_misses(browser: Browser, broker: Broker) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=connect(broker.url))
    dimmer = Dimmer(identifier="dimmer", eventbus_client=connect(broker.url))
    home = Home(identifier="home", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=1)
    office = Home(identifier="office", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=2)
    async with shown(browser, broker, lamp, dimmer, home, office):
        await browser.wait_for(row("lamp", "present"))
        await browser.wait_for(row("home", "compliant"))
        await browser.wait_for(row("office", "not compliant"))
        attention = await browser.wait_for(".attention li:has-text('office')")
        await browser.ask("click", ".orbiters button:has-text('office')")
        why = await browser.wait_for(".why")
        # What passes is shown decoded.
        await home.request(Lamp.light, Light(level=0.25, colour=Colour.COLD))
        event = await browser.wait_for(".event.operationInput")
        drawn = await browser.ask("accessible", ".map svg")
        await browser.ask("fill", ".orbiters input", "dimmer")
        left = await browser.ask("count", ".orbiters tbody tr")
        has_call = await browser.ask("count", "button:has-text('Call')")
        faults = await browser.ask("faults")

    assert "light has 1 of at least 2" in attention
    assert "dimmer takes integer, and office sends Light {level: double" in why
    assert 'home → lamp light Light {"level": 0.25, "colour": "COLD"}' in " ".join(event.split())
    for name in ("core home, compliant", "core office, misses light", "plugin lamp, present", "plugin dimmer, present"):
        assert f'button "{name}"' in drawn
    assert left == 1
    # It only looks.
    assert has_call == 0
    # Neither has its policy stopped anything, nor has it loaded anything from elsewhere.
    assert faults == []


async def test_a_killed_plugin_is_marked_within_three_seconds(browser: Browser, broker: Broker) -> None:
    async with (
        OrbiterProcess("plugin", "victim", broker.url) as victim,
        OrbiterProcess("core", "keeper", broker.url),
        serving(broker.url) as served,
    ):
        await opened(browser, served)
        await browser.wait_for(row("keeper", "compliant"))
        killed = time.monotonic()
        await victim.kill()
        await browser.wait_for(row("victim", "its connection was cut"), within=3)
        marked = time.monotonic() - killed
        await browser.wait_for(row("victim", "died"), within=3)
        dead = time.monotonic() - killed
        attention = await browser.wait_for(".attention li:has-text('victim')")
        await browser.wait_for(row("keeper", "not compliant"))

        async with OrbiterProcess("plugin", "victim", broker.url):
            await browser.wait_for(row("victim", "present"))

    assert marked < dead < 3
    assert "its connection was cut, and it answers no more" in attention


async def test_an_operation_is_called_by_a_form(browser: Browser, broker: Broker) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=connect(broker.url))
    async with shown(browser, broker, lamp, arguments=("--allow-calls",)):
        await browser.ask("click", ".orbiters button:has-text('lamp')")
        await browser.ask("click", "button[aria-label='Call light']")
        form = await browser.ask("accessible", "form.call")
        await browser.ask("fill", "form.call .field input", "bright")
        await browser.ask("click", "form.call button[type=submit]")
        fault = await browser.wait_for("form.call .fault")
        await browser.ask("fill", "form.call .field input", "0.5")
        await browser.ask("choose", "form.call select", "COLD")
        # As with the keyboard alone.
        await browser.ask("press", "Enter")
        await browser.ask("click", "form.call button[type=submit]")
        answer = await browser.wait_for("form.call .answer")
        await browser.ask("fill", "form.call .field input", "2")
        await browser.ask("click", "form.call button[type=submit]")
        failure = await browser.wait_for("form.call .outcome .fault:has-text('level')")
        rows = await browser.ask("count", ".orbiters tbody tr")
        faults = await browser.ask("faults")

    assert 'textbox "level double"' in form
    assert 'combobox "colour Colour"' in form
    assert fault == 'expected a number such as 0.5, got "bright"'
    assert answer.split() == ["{", '"level":', "0.5,", '"colour":', '"COLD"', "}"]
    assert "ValueError: no such level: 2.0" in failure
    # The core that has called is none of those that are shown.
    assert rows == 1
    assert faults == []


async def test_the_keyboard_and_a_screen_reader_get_everywhere(browser: Browser, broker: Broker) -> None:
    lamps = [Lamp(identifier=f"lamp{number}", eventbus_client=connect(broker.url)) for number in range(3)]
    async with shown(browser, broker, *lamps):
        await browser.wait_for(row("lamp2", "present"))
        order: list[tuple[str, str]] = []
        for _ in range(4):
            await browser.ask("press", "Tab")
            order.append(tuple(await browser.ask("focused")))
        # On the map, arrows go from one to the next.
        await browser.ask("evaluate", "document.querySelector('.node[tabindex=\"0\"]').focus()")
        await browser.ask("press", "ArrowDown")
        await browser.ask("press", "Enter")
        title = await browser.wait_for("#one-title")
        tree = await browser.ask("accessible", "body")

    assert order[0] == ("button", "Go to the table of orbiters")
    assert order[1] == ("g", "plugin lamp0, present")
    assert order[2][0] == "input"
    assert title == "lamp1"
    for expected in (
        "- main:",
        'heading "Map" [level=2]',
        'group "Map of cores and plugins; the table of orbiters says the same"',
        'columnheader "How it is"',
        'rowheader "lamp1 plugin"',
        'region "Events, the newest first"',
        '- list "Summary"',
        "status: live",
    ):
        assert expected in tree, tree
