"""Wills over a real broker: what they leave, what is listened for, and what stays open whatever a broker says."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import MqttEventBusClient
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient, SeveralEventBusClient
from orbitalis.errors import BusUnavailableError
from orbitalis.orbiter import Orbiter
from orbitalis_wire.channels import WILL
from orbitalis_wire.messages import StringMessage, WillMessage
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs, running

GRACE = 0.8


def client_of(broker: Broker, **options: Any) -> MqttEventBusClient:
    return MqttEventBusClient(broker.host, broker.port, **{"publish_timeout": 1.0, **options})


def core_of(broker: Broker, *, client: EventBusClient | None = None, **options: Any) -> TextCore:
    options = {"operation_requirements": needs(), "suspicion_grace": GRACE, **options}
    return TextCore(identifier="core", eventbus_client=client or client_of(broker), **options)


def plugin_of(broker: Broker, *, client: EventBusClient | None = None, **options: Any) -> EchoPlugin:
    options = {"identifier": "plugin", "suspicion_grace": GRACE, **options}
    return EchoPlugin(eventbus_client=client or client_of(broker), **options)


def mqtt(orbiter: Orbiter) -> MqttEventBusClient:
    client = orbiter.eventbus_client
    assert isinstance(client, MqttEventBusClient)
    return client


def cut(orbiter: Orbiter) -> None:
    """Cut the connection of an orbiter that lives; it connects again."""
    connection = mqtt(orbiter)._connection
    assert connection is not None
    sock = connection._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)


def kill(orbiter: Orbiter) -> None:
    """Cut the connection of an orbiter for good: what others see of it is what they see of a process that is killed."""

    async def fail() -> Any:
        raise BusUnavailableError("it is dead")

    mqtt(orbiter)._open = fail  # type: ignore[method-assign]
    cut(orbiter)


def listens(one: Orbiter, other: Orbiter) -> bool:
    subscription = one.eventbus_client._subscriptions.get(f"orbitalis/{other.identifier}/will")
    return subscription is not None and subscription.is_established


async def listening(core: TextCore, *plugins: EchoPlugin) -> None:
    """Wait until all are connected, and listen for each other's will."""
    await all_connected(core, plugins)
    for plugin in plugins:
        await until(lambda plugin=plugin: listens(core, plugin) and listens(plugin, core))  # type: ignore[misc]


@pytest.mark.parametrize("who", ["core", "plugin"])
async def test_a_killed_remote_is_suspected_and_after_the_grace_dead(
    broker: Broker, who: str, caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = core_of(broker), plugin_of(broker)
    stays, dies = (plugin, core) if who == "core" else (core, plugin)
    with caplog.at_level(logging.INFO, "orbitalis"):
        async with running(plugin, core):
            await listening(core, plugin)
            kill(dies)
            await until(lambda: stays.suspected_remote_identifiers == [dies.identifier])
            assert stays.remote_identifiers == {dies.identifier}
            await until(lambda: stays.remote_identifiers == set())
            assert stays.dead_remote_identifiers == [dies.identifier]
            await until(lambda: not listens(stays, dies))
    told = [one.getMessage() for one in caplog.records if getattr(one, "orbiter", "") == stays.identifier]
    assert any("suspects that" in text for text in told)
    assert any(text.endswith("has ended: the remote is dead") for text in told)


async def test_explanations_name_who_is_suspected(broker: Broker) -> None:
    core, plugin = core_of(broker, suspicion_grace=60.0), plugin_of(broker)
    async with running(plugin, core):
        await listening(core, plugin)
        kill(plugin)
        await until(lambda: bool(core.suspected_remote_identifiers))
        (remote,) = core.explain().requirements[0].remotes
        assert remote.is_suspected
        assert "suspected to be dead" in str(remote)


@pytest.mark.parametrize("who", ["core", "plugin"])
async def test_a_link_that_flaps_closes_nothing(broker: Broker, who: str) -> None:
    core, plugin = core_of(broker), plugin_of(broker)
    stays, flaps = (plugin, core) if who == "core" else (core, plugin)
    async with running(plugin, core):
        await listening(core, plugin)
        (connection,) = core.retrieve_connections()
        for number in range(1, 4):
            cut(flaps)
            await until(lambda: bool(stays.suspected_remote_identifiers))
            await until(lambda: not stays.suspected_remote_identifiers)
            assert mqtt(flaps).statistics.reconnections == number
        assert core.retrieve_connections() == [connection]
        await until(lambda: listens(flaps, stays))


async def test_a_broker_that_is_stopped_and_started_again_closes_nothing(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    core, plugins = core_of(broker), [plugin_of(broker, identifier=f"plugin{number}") for number in range(3)]
    async with running(*plugins, core):
        await listening(core, *plugins)
        connections = core.retrieve_connections()
        assert broker._process is not None
        broker.stop()
        await until(lambda: not any(mqtt(one).is_connected for one in (core, *plugins)))
        assert core.suspected_remote_identifiers == []
        broker.start()
        await until(lambda: all(mqtt(one).is_connected for one in (core, *plugins)))
        assert core.retrieve_connections() == connections
        assert core.closed == []


async def test_a_takeover_closes_nothing(broker: Broker) -> None:
    core, plugin = core_of(broker), plugin_of(broker, client=client_of(broker, identifier="the-plugins-client"))
    async with running(plugin, core):
        await listening(core, plugin)
        (connection,) = core.retrieve_connections()
        other = client_of(broker, identifier="the-plugins-client")
        await other.connect()
        await until(lambda: bool(core.suspected_remote_identifiers))
        await other.disconnect()
        await until(lambda: not core.suspected_remote_identifiers)
        assert core.retrieve_connections() == [connection]


async def test_who_loses_its_own_connection_suspects_nobody_any_more(broker: Broker) -> None:
    core, plugin = core_of(broker, suspicion_grace=60.0), plugin_of(broker)
    async with running(plugin, core):
        await listening(core, plugin)
        kill(plugin)
        await until(lambda: bool(core.suspected_remote_identifiers))
        cut(core)
        await until(lambda: not core.suspected_remote_identifiers)
        assert core.remote_identifiers == {"plugin"}


async def test_a_will_is_left_in_a_crash_and_taken_back_in_a_stop(broker: Broker) -> None:
    collector, listener, plugin = Collector(), client_of(broker), plugin_of(broker)
    await listener.connect()
    await listener.subscribe("orbitalis/plugin/will", collector, channel=WILL)
    try:
        await plugin.start()
        await plugin.stop()
        await plugin.start()
        kill(plugin)
        await collector.wait_for(1)
        ((_, event),) = collector.received
        assert event.payload == WillMessage(from_identifier="plugin")
        assert event.incarnation == plugin._incarnation
        assert event.protocol_version == 1
    finally:
        await plugin.stop()
        await listener.disconnect()


async def test_without_a_grace_no_will_is_left_and_none_is_listened_for(broker: Broker) -> None:
    core, plugin = core_of(broker, suspicion_grace=None), plugin_of(broker)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: listens(plugin, core))
        assert "orbitalis/plugin/will" not in core.eventbus_client._subscriptions
        assert core.eventbus_client.make_will is not None
        assert core.eventbus_client.make_will() is None
        core.suspicion_grace = GRACE
        await until(lambda: listens(core, plugin))
        core.suspicion_grace = None
        await until(lambda: "orbitalis/plugin/will" not in core.eventbus_client._subscriptions)


async def test_a_client_that_was_connected_before_leaves_no_will_until_it_connects_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(broker)
    await client.connect()
    core, plugin = core_of(broker), plugin_of(broker, client=client)
    with caplog.at_level(logging.INFO, "orbitalis"):
        async with running(plugin, core):
            told = [one.getMessage() for one in caplog.records if "leaves no will" in one.getMessage()]
            assert [text.split()[0] for text in told] == ["plugin"]
            await listening(core, plugin)
            cut(plugin)
            await until(lambda: mqtt(plugin).statistics.reconnections == 1)
            cut(plugin)
            await until(lambda: bool(core.suspected_remote_identifiers))
            await until(lambda: not core.suspected_remote_identifiers)


async def test_on_a_bus_without_wills_nothing_is_listened_for() -> None:
    bus = LocalEventBus()
    core = TextCore(
        identifier="core", eventbus_client=LocalEventBusClient(bus), operation_requirements=needs(), with_loop=False
    )
    plugin = EchoPlugin(identifier="plugin", eventbus_client=LocalEventBusClient(bus), with_loop=False)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for one in (core, plugin):
            assert not [topic for topic in one.eventbus_client._subscriptions if topic.endswith("/will")]
            assert one._machine._suspicions._watched == {}


async def test_a_will_counts_on_the_bus_where_the_remote_is_alone(broker: Broker, new_broker: Any) -> None:
    other = new_broker()
    several = SeveralEventBusClient({"one": client_of(broker), "two": client_of(other)})
    core, plugin = core_of(broker, client=several), plugin_of(broker)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: listens(core, plugin))
        assert core.eventbus_client._subscriptions["orbitalis/plugin/will"].buses == {"one"}
        will = plugin.eventbus_client.make_will and plugin.eventbus_client.make_will()
        assert will is not None
        receiver = core._runtime._wills._receiver
        receiver.begin("orbitalis/plugin/will", will.event.coming_from("two"))
        assert core.suspected_remote_identifiers == []
        kill(plugin)
        await until(lambda: core.suspected_remote_identifiers == ["plugin"])
        # A bus that is lost leaves suspicions of the others alone.
        several._report_loss("two", None)
        assert core.suspected_remote_identifiers == ["plugin"]
        several._report_loss("one", None)
        assert core.suspected_remote_identifiers == []


async def test_wills_of_many_remotes_are_subscribed_to_together(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    client, collector = client_of(broker), Collector()
    await client.connect()
    try:
        topics = [f"orbitalis/plugin{number}/will" for number in range(120)]
        assert await client.subscribe_each(topics, collector, WILL) == {}
        await client.publish(topics[77], "text")
        await collector.wait_for(1)
        assert await client.subscribe_each(topics, collector, WILL) == {}
        await client.subscribe("something/else", collector)
        # The log is read beside the test.
        await until(lambda: any("something/else" in line for line in broker.log))
        assert sum("Received SUBSCRIBE" in line for line in broker.log) == 4
    finally:
        await client.disconnect()


async def test_what_cannot_be_listened_for_while_the_bus_is_away_is_later(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    core, plugin = core_of(broker), plugin_of(broker)
    async with running(plugin, core):
        await listening(core, plugin)
        core.suspicion_grace = None
        await until(lambda: not listens(core, plugin))
        broker.kill()
        await until(lambda: not mqtt(core).is_connected)
        core.suspicion_grace = GRACE
        broker.start()
        await until(lambda: listens(core, plugin))


@pytest.mark.parametrize("bad", [-1.0, 0, "soon"])
def test_a_grace_is_a_positive_time_or_none(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="suspicion_grace must"):
        EchoPlugin(eventbus_client=LocalEventBusClient(LocalEventBus()), suspicion_grace=bad)


async def test_any_distribute_and_requests_prefer_who_is_not_suspected() -> None:
    bus = LocalEventBus()
    core = TextCore(
        identifier="core",
        eventbus_client=LocalEventBusClient(bus),
        operation_requirements=needs(minimum=3),
        with_loop=False,
    )
    plugins = [
        EchoPlugin(identifier=f"plugin{number}", eventbus_client=LocalEventBusClient(bus), with_loop=False)
        for number in range(3)
    ]
    async with running(*plugins, core):
        await all_connected(core, plugins)
        suspected: Any = core._machine.peers.suspected
        suspected["plugin0"] = suspected["plugin1"] = None
        for _ in range(10):
            assert await core.execute_sending_any("text", "x") == "plugin2"
        assert await core.execute_distributed("text", ["x"] * 5) == ["plugin2"] * 5
        suspected["plugin2"] = None
        chosen = {await core.execute_sending_any("text", "x") for _ in range(100)}
        assert chosen == {"plugin0", "plugin1", "plugin2"}
        assert set(await core.execute_distributed("text", ["x"] * 6)) == chosen
        assert set(await core.execute_sending_all("text", "x")) == chosen
        del suspected["plugin1"]
        for _ in range(10):
            assert core._choose_for_answer("text", StringMessage(value="x"), None).remote_identifier == "plugin1"
        suspected.clear()
