"""The page while the broker or the command is gone, and what is too large for an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from orbitalis import connect
from orbitalis_wire.limits import EVENT_BYTES
from orbitalis_wire.topics import OfferTopic
from tests.cli.orbiters import Home, Lamp, running
from tests.dashboard.mqtt import connect_packet, publish_packet
from tests.dashboard.serving import Browser, needs_browser, opened, row, serving
from tests.support.broker import Broker

pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]

BANNER = ".banner"
UP = ".link-state.good:has-text('live')"


async def test_it_says_that_the_broker_is_gone_and_goes_on_when_it_is_back(
    browser: Browser, new_broker: Callable[..., Broker]
) -> None:
    broker = new_broker()
    lamp = Lamp(identifier="lamp", eventbus_client=connect(broker.url))
    home = Home(identifier="home", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=1)
    async with running(lamp, home), serving(broker.url) as served:
        await opened(browser, served)
        await browser.wait_for(row("home", "compliant"))
        await asyncio.to_thread(broker.stop)
        gone = await browser.wait_for(f"{BANNER}:has-text('cannot connect')")
        attention = await browser.wait_for(".attention li")
        summary = await browser.ask("count", ".summary .good")
        status = await browser.wait_for(".link-state")
        await asyncio.to_thread(broker.start)
        await browser.wait_for(UP)
        banners = await browser.ask("count", BANNER)
        # It hears and asks again, of the same and of new ones.
        await browser.wait_for(".attention li:has-text('Nothing')")
        async with running(Lamp(identifier="another", eventbus_client=connect(broker.url))):
            await browser.wait_for(row("another", "present"))

    assert f"Not connected with {broker.url} since " in gone
    assert "Start the broker" in gone
    assert "as it was then" in gone
    assert attention == "Not known while the page is not connected with the bus."
    assert (summary, status, banners) == (0, "not connected", 0)


async def test_it_says_so_when_the_broker_is_gone_before_the_page_is_opened(
    browser: Browser, new_broker: Callable[..., Broker]
) -> None:
    broker = new_broker()
    async with serving(broker.url) as served:
        await asyncio.to_thread(broker.stop)
        await browser.ask("open", served.url)
        gone = await browser.wait_for(f"{BANNER}:has-text('cannot connect')", within=5)
        await asyncio.to_thread(broker.start)
        await browser.wait_for(UP)
        attention = await browser.wait_for(".attention li")

    assert f"Not connected with {broker.url} since " in gone
    assert attention == "Nothing: no orbiter has answered yet."


async def test_it_says_that_the_command_is_gone_and_that_it_was_started_anew(browser: Browser, broker: Broker) -> None:
    async with serving(broker.url) as served, running(Lamp(identifier="lamp", eventbus_client=connect(broker.url))):
        await opened(browser, served)
        port = served.origin.rpartition(":")[2]
        await served.kill()
        gone = await browser.wait_for(f"{BANNER}:has-text('does not answer')")
        async with serving(broker.url, "--port", port):
            anew = await browser.wait_for(f"{BANNER}:has-text('started anew')")

    assert f"Not connected with {broker.url} since " in gone
    assert "Start it again, and open the URL that it prints" in gone
    assert "Open the URL that it has printed" in anew


async def test_an_event_that_is_too_large_is_one_line_among_others(browser: Browser, broker: Broker) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=connect(broker.url))
    topic = OfferTopic.build(core_identifier="home", plugin_identifier="stranger")
    async with serving(broker.url) as served, running(lamp):
        await opened(browser, served)
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
        writer.write(connect_packet("stranger"))
        await reader.read(1)
        for size in (EVENT_BYTES, EVENT_BYTES + 1, 12 * EVENT_BYTES):
            writer.write(publish_packet(topic, bytes(size)))
            await writer.drain()
        await browser.wait_for(f".event.offer:has-text('too large'):has-text('{12 * EVENT_BYTES} bytes')")
        large = await browser.ask("count", ".event.offer:has-text('too large')")
        unreadable = await browser.ask("count", ".event.offer:has-text('unreadable')")
        home = Home(identifier="home", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=1)
        async with running(home):
            await browser.wait_for(row("home", "compliant"))
            await browser.wait_for(".event.offer:has-text('lamp → home')")
        status = await browser.wait_for(".link-state")
        writer.close()
        faults = await browser.ask("faults")

    assert (large, unreadable) == (2, 1)
    assert status == "live"
    assert faults == []
