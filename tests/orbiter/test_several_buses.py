"""Orbiters on several buses: each remote is answered where it is, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from orbitalis.bus import LocalEventBus, LocalEventBusClient, MqttEventBusClient, SeveralEventBusClient
from orbitalis.message import Event
from orbitalis.orbiter.bus_locator import BusLocator
from orbitalis.protocol.machine import CoreMachine
from orbitalis.testing import RecordingBus
from orbitalis_wire.messages import (
    DiscoverMessage,
    GracefulCloseConnectionMessage,
    KeepaliveMessage,
    OfferMessage,
    RequestOperationMessage,
    StringMessage,
)
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs, plugin_on, running

QUICK: dict[str, Any] = {
    "loop_interval": 0.05,
    "consider_others_dead_after": 1.0,
    "send_keepalive_before_timelimit": 0.7,
}


@pytest.fixture
def left() -> RecordingBus:
    """Give a bus of which all that is sent is recorded."""
    return RecordingBus()


@pytest.fixture
def right() -> RecordingBus:
    """Give another one."""
    return RecordingBus()


def on_both(left: LocalEventBus, right: LocalEventBus) -> SeveralEventBusClient:
    """Return a client of two buses."""
    return SeveralEventBusClient({"left": LocalEventBusClient(left), "right": LocalEventBusClient(right)})


def core_of(client: SeveralEventBusClient, **options: Any) -> TextCore:
    """Return a core that needs operation `text` of two plugins, unless it is told otherwise."""
    options = {"operation_requirements": needs(minimum=2), "with_loop": False, **options}
    return TextCore(identifier="core", eventbus_client=client, **options)


def about(bus: RecordingBus, identifier: str) -> list[str]:
    """Return the topics of all that was sent on a bus to or by one orbiter alone."""
    return [sent.topic for sent in bus.recording if f"/{identifier}/" in sent.topic]


async def test_a_core_finds_plugins_on_each_bus_and_speaks_to_each_where_it_is(
    left: RecordingBus, right: RecordingBus
) -> None:
    core, one, other = core_of(on_both(left, right)), plugin_on(left, "one"), plugin_on(right, "other")
    async with running(one, other, core):
        await asyncio.wait_for(core.compliant_event.wait(), 20)
        assert sorted(await core.execute("text", "both", all=True)) == ["one", "other"]
        await core.execute("text", "right", plugin_identifier="other")
        await core.execute("text", "left", plugin_identifier="one", fire_and_forget=True)
        await until(lambda: len(core.texts) == 4)
        # The topics of a connection are listened to where it is.
        for bus, absent in ((left, "other"), (right, "one")):
            assert [one.topic_filter for one in bus.subscriptions if f"/{absent}/" in one.topic_filter] == []
        await core.send_keepalive("one")
        await core.send_graceful_close_connection("other", "text")
        await until(lambda: len(core.retrieve_connections()) == 1)
        assert (one.received, other.received) == (["both", "left"], ["both", "right"])
        assert sorted(core.texts) == ["both", "both", "left", "right"]

    assert about(left, "one")
    assert about(right, "other")
    assert about(left, "other") == about(right, "one") == []
    # Nobody is known when it asks: that goes to all.
    assert len(left.recording.of(DiscoverMessage)) == len(right.recording.of(DiscoverMessage)) > 0
    assert len(left.recording.of(KeepaliveMessage)) == 1
    assert len(right.recording.of(GracefulCloseConnectionMessage)) == 1
    for bus, texts in ((left, 4), (right, 4)):
        assert len(bus.recording.of(RequestOperationMessage)) == 1
        assert len(bus.recording.of(StringMessage)) == texts


async def test_a_plugin_lends_to_cores_on_each_bus(left: RecordingBus, right: RecordingBus) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=on_both(left, right), with_loop=False)
    cores = [
        TextCore(
            identifier=name,
            eventbus_client=LocalEventBusClient(bus),
            operation_requirements=needs(),
            with_loop=False,
        )
        for name, bus in (("one", left), ("other", right))
    ]
    async with running(plugin, *cores):
        for core in cores:
            await asyncio.wait_for(core.compliant_event.wait(), 20)
        await until(lambda: len(plugin.retrieve_connections()) == 2)
        await cores[0].execute("text", "mine", any=True)
        await until(lambda: cores[0].texts == ["mine"])
        await plugin.send_result_to_all(plugin.retrieve_connections(), "everybody's")
        await until(lambda: [core.texts for core in cores] == [["mine", "everybody's"], ["everybody's"]])

    assert len(left.recording.of(StringMessage)) == 3
    assert len(right.recording.of(StringMessage)) == 1
    assert about(left, "other") == about(right, "one") == []


async def test_two_that_share_both_buses_have_one_connection(left: RecordingBus, right: RecordingBus) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=on_both(right, left), with_loop=False)
    core = core_of(on_both(left, right), operation_requirements=needs(minimum=2))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        # It lacks a plugin and asks again, on both buses.
        await core.send_discover_based_on_requirements()
        await core.execute("text", "once", any=True)
        await until(lambda: core.texts == ["once"])
        assert plugin.received == ["once"]

    sent = [len(bus.recording.of(StringMessage)) for bus in (left, right)]
    assert sorted(sent) == [0, 2]
    assert sum(len(bus.recording.of(OfferMessage)) for bus in (left, right)) == 1


async def test_of_two_with_one_identifier_the_first_counts(
    left: RecordingBus, right: RecordingBus, caplog: pytest.LogCaptureFixture
) -> None:
    core = core_of(on_both(left, right), operation_requirements=needs(minimum=1))
    genuine, double = plugin_on(left, "twin"), plugin_on(right, "twin")
    async with running(core):
        async with genuine:
            await all_connected(core, [genuine])
            async with double:
                core.operation_requirements = needs(minimum=2)
                await core.send_discover_based_on_requirements()
                await until(lambda: len(right.recording.of(OfferMessage)) == 1)
                await until(lambda: "a second 'twin', on bus right" in caplog.text)
                # It cannot speak for the other: not on the topics of the protocol, nor on those of the connection.
                connection = core.retrieve_connections()[0]
                assert connection.output_topic is not None
                stranger = double.eventbus_client
                await stranger.publish(connection.output_topic, "forged")
                await stranger.publish(connection.incoming_close_connection_topic, "forged")
                await core.execute("text", "genuine", plugin_identifier="twin")
                await until(lambda: core.texts == ["genuine"])
                assert (genuine.received, double.received) == (["genuine"], [])
                assert double.retrieve_connections() == []
                assert len(right.recording.of(RequestOperationMessage)) == 0
        # The first is gone, and the second is as good as anybody.
        async with double:
            await core.send_discover_based_on_requirements()
            await all_connected(core, [double])
            await core.execute("text", "from the other", any=True)
            await until(lambda: double.received == ["from the other"])


async def test_forged_data_on_a_topic_that_both_buses_deliver_is_ignored(
    left: RecordingBus, right: RecordingBus
) -> None:
    core, plugin = core_of(on_both(left, right), operation_requirements=needs()), plugin_on(left)
    async with running(core, plugin):
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin])
        topic = core.retrieve_connections()[0].output_topic
        assert topic is not None
        # A layout of the user's own may have one topic for several connections.
        await core.eventbus_client.subscribe(topic, core._runtime.delivery)
        stranger = LocalEventBusClient(right)
        await stranger.connect()
        await stranger.publish(topic, "forged")
        await core.execute("text", "genuine", any=True)
        await until(lambda: "genuine" in core.texts)
        assert core.texts == ["genuine"]
        await stranger.disconnect()


def _discover(incarnation: str | None, origin: str) -> tuple[DiscoverMessage, Event[Any]]:
    message = DiscoverMessage(
        core_identifier="core",
        offer_topic="offers",
        core_keepalive_topic="keepalives",
        core_keepalive_request_topic="requests",
        considered_dead_after=120.0,
        queries={},
    )
    event = Event.create(message, publisher_identifier="somebody", incarnation=incarnation)
    return message, Event(payload=event.payload, envelope=event.envelope, origin=origin)


def _keepalive(identifier: str, origin: str) -> tuple[KeepaliveMessage, Event[Any]]:
    message = KeepaliveMessage(from_identifier=identifier)
    event = Event.create(message, publisher_identifier=identifier, incarnation="1")
    return message, Event(payload=message, envelope=event.envelope, origin=origin)


async def test_a_core_that_asks_on_two_buses_is_one_as_long_as_it_is_in_the_same_life(
    left: RecordingBus, right: RecordingBus
) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=on_both(left, right), with_loop=False)
    core = core_of(on_both(left, right), operation_requirements=needs())
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        locator = plugin._runtime.locator
        here = locator.bus_of("core")
        elsewhere = "right" if here == "left" else "left"
        assert locator.admits(*_discover(core._incarnation, elsewhere))
        assert not locator.admits(*_discover(core._incarnation + "0", elsewhere))
        assert not locator.admits(*_discover(None, elsewhere))
        assert not locator.admits(*_keepalive("core", elsewhere))
        assert locator.admits(*_keepalive("core", str(here)))
        assert locator.bus_of("core") == here


async def test_only_so_many_buses_of_remotes_are_remembered(left: RecordingBus, right: RecordingBus) -> None:
    core = core_of(on_both(left, right), operation_requirements=needs())
    plugin = plugin_on(left)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        assert isinstance(core._machine, CoreMachine)
        locator: BusLocator = core._runtime.locator
        for number in range(5000):
            assert locator.admits(*_keepalive(f"stranger{number}", "right"))
            assert locator.bus_of(f"stranger{number}") == "right"
        assert len(locator.buses) <= 1000
        assert locator.bus_of("plugin") == "left"


async def test_a_broker_that_is_killed_takes_its_plugin_along_and_no_other(
    new_broker: Callable[..., Broker], left: RecordingBus
) -> None:
    broker = new_broker()
    client = SeveralEventBusClient(
        {"local": LocalEventBusClient(left), "broker": MqttEventBusClient(broker.host, broker.port)}
    )
    core = core_of(client, with_loop=True, discovering_interval=0.2, **QUICK)
    near = plugin_on(left, "near", **QUICK | {"with_loop": True})
    far = EchoPlugin(identifier="far", eventbus_client=MqttEventBusClient(broker.host, broker.port), **QUICK)
    async with running(near, far, core):
        async with asyncio.timeout(20):
            await core.compliant_event.wait()
        broker.kill()

        async with asyncio.timeout(20):
            await core.not_compliant_event.wait()
        assert core.dead_remote_identifiers == ["far"]
        assert [one.remote_identifier for one in core.retrieve_connections()] == ["near"]
        async with asyncio.timeout(5):
            await core.execute("text", "still here", all=True)
            await until(lambda: core.texts == ["still here"])
        # Newcomers are found as well, though the broker is away.
        async with asyncio.timeout(5), plugin_on(left, "new", **QUICK | {"with_loop": True}):
            await core.compliant_event.wait()
        async with asyncio.timeout(20):
            await core.not_compliant_event.wait()

        broker.start()
        async with asyncio.timeout(30):
            await core.compliant_event.wait()
        assert sorted(await core.execute("text", "both", all=True)) == ["far", "near"]
        await until(lambda: core.texts == ["still here", "both", "both"])
        assert [remote for remote, _ in core.closed].count("near") == 0


async def test_a_conversation_over_a_broker_is_not_heard_in_process_and_the_other_way_round(
    broker: Broker, left: RecordingBus
) -> None:
    client = SeveralEventBusClient(
        {"local": LocalEventBusClient(left), "broker": MqttEventBusClient(broker.host, broker.port)}
    )
    core = TextCore(
        identifier="two-buses-core", eventbus_client=client, operation_requirements=needs(minimum=2), with_loop=False
    )
    near = plugin_on(left, "two-buses-near")
    far = EchoPlugin(
        identifier="two-buses-far", eventbus_client=MqttEventBusClient(broker.host, broker.port), with_loop=False
    )
    tap, heard = MqttEventBusClient(broker.host, broker.port), Collector()
    await tap.connect()
    await tap.subscribe("#", heard)
    try:
        async with near, far, core:
            async with asyncio.timeout(20):
                await core.compliant_event.wait()
            await core.execute("text", "HELLO", all=True)
            await until(lambda: core.texts == ["HELLO", "HELLO"])
    finally:
        await tap.disconnect()

    far_topics = [topic for topic in heard.topics if "/two-buses-far/" in topic]
    assert len([value for topic, value in zip(heard.topics, heard.values, strict=True) if value == "HELLO"]) == 2
    assert far_topics
    assert [topic for topic in heard.topics if "/two-buses-near/" in topic] == []
    assert about(left, "two-buses-near")
    assert about(left, "two-buses-far") == []


async def test_data_has_numbers_on_whichever_bus_the_other_side_is(left: RecordingBus, right: RecordingBus) -> None:
    core = core_of(on_both(left, right))
    plugins = [plugin_on(left, "plugin1"), plugin_on(right, "plugin2")]
    async with running(*plugins, core):
        await all_connected(core, plugins)
        for _ in range(3):
            await core.execute("text", "x", all=True)
        await until(lambda: len(core.texts) == 6)
        for bus in (left, right):
            for direction in ("input", "output"):
                sent = [one for one in bus.recording if f"/{direction}/" in one.topic]
                assert [one.event.sequence_number for one in sent] == [1, 2, 3]
                for one in sent:
                    bus.publish(one.topic, one.event)
        await until(lambda: core.statistics.duplicates == 6)
        assert [plugin.received for plugin in plugins] == [["x"] * 3] * 2
        assert len(core.texts) == 6
        assert core.statistics.missing == 0
