"""A client is called after its orbiter, and yet no two clients are called the same."""

from __future__ import annotations

import re

import pytest

from orbitalis import Plugin, SeveralEventBusClient, connect
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient
from tests.support.broker import Broker
from tests.support.events import Collector, until


def owned(client: EventBusClient, *orbiters: str) -> str:
    for orbiter in orbiters:
        client.belong_to(orbiter)
    return client.identifier


def local(identifier: str | None = None) -> LocalEventBusClient:
    return LocalEventBusClient(LocalEventBus(), identifier=identifier)


def test_a_client_is_called_after_its_orbiter_with_something_of_its_own() -> None:
    names = {owned(local(), "lamp") for _ in range(20)}
    assert all(re.fullmatch("lamp-[0-9a-f]{6}", name) for name in names)
    assert len(names) == 20


def test_it_is_called_the_same_whenever_it_is_asked() -> None:
    client = local()
    assert owned(client, "lamp") == owned(client, "lamp")


def test_what_a_broker_may_not_take_is_left_out() -> None:
    assert re.fullmatch("caf__1_2-[0-9a-f]{6}", owned(local(), "café 1:2"))
    assert len(owned(local(), "ä" * 200)) == 71


def test_an_identifier_that_was_given_stays() -> None:
    assert owned(local("mine"), "lamp") == "mine"


def test_a_client_that_several_share_keeps_one_that_it_has_made_up() -> None:
    assert re.fullmatch("[0-9a-f]{32}", owned(local(), "lamp", "bulb"))
    assert re.fullmatch("[0-9a-f]{32}", owned(local(), "lamp", "bulb", "lamp"))


async def test_a_client_that_is_in_use_keeps_the_one_that_it_has() -> None:
    client = local()
    before = client.identifier
    await client.connect()
    assert owned(client, "lamp") == before
    await client.disconnect()


def test_the_clients_of_several_buses_are_called_after_the_orbiter_and_differ() -> None:
    client = connect("local://", "local://kitchen", "mqtt://localhost")
    assert isinstance(client, SeveralEventBusClient)
    names = [owned(client, "lamp"), *(member.identifier for member in client.members.values())]
    assert all(name.startswith("lamp-") for name in names)
    assert len(set(names)) == 4


def test_an_orbiter_names_its_client() -> None:
    plugin = Plugin(identifier="lamp", eventbus_client=local())
    assert plugin.eventbus_client.identifier.startswith("lamp-")


async def test_a_client_that_is_assigned_later_is_named_at_the_start() -> None:
    plugin = Plugin(identifier="lamp", eventbus_client=local())
    plugin.eventbus_client = local()
    async with plugin:
        assert plugin.eventbus_client.identifier.startswith("lamp-")


async def test_the_broker_knows_a_client_by_that_name(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    url = f"mqtt://{broker.host}:{broker.port}"
    # Of one identifier by mistake: neither throws the other out.
    one, other = (Plugin(identifier="lamp", eventbus_client=connect(url)) for _ in range(2))
    stranger, collector = connect(url), Collector()
    await stranger.connect()
    await stranger.subscribe(one.announce_topic, collector)
    async with one, other:
        await until(lambda: len(collector.received) == 2)
        publishers = {event.publisher_identifier for _, event in collector.received}
        assert publishers == {one.eventbus_client.identifier, other.eventbus_client.identifier}
        assert one.eventbus_client.is_connected
        assert other.eventbus_client.is_connected
    await stranger.disconnect()
    assert "has lost its connection" not in caplog.text
