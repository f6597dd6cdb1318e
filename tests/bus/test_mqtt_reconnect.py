"""Losing the broker and finding it again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable

import pytest

from orbitalis.bus import MqttEventBusClient
from orbitalis.bus.mqtt_connection import MqttConnection
from orbitalis.errors import BusNotConnectedError, BusUnavailableError
from orbitalis_wire import channels
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker
from tests.support.events import Collector, until

NewBroker = Callable[..., Broker]


class Reconnection:
    """Waits until a client is connected again."""

    def __init__(self, client: MqttEventBusClient) -> None:
        """Watch `client`."""
        self._happened = asyncio.Event()
        client.on_reconnected = self._happened.set

    async def wait(self) -> None:
        """Wait for the next time."""
        async with asyncio.timeout(20):
            await self._happened.wait()
        self._happened.clear()


async def disconnected(client: MqttEventBusClient) -> None:
    """Wait until a client has noticed that its broker is gone."""
    await until(lambda: not client.is_connected)


@pytest.mark.parametrize("end", [Broker.kill, Broker.stop])
async def test_everything_is_subscribed_again(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, end: Callable[[Broker], None]
) -> None:
    broker = new_broker()
    client, publisher = new_mqtt_client(broker), new_mqtt_client(broker)
    await client.connect()
    await publisher.connect()
    exact, wild, hidden, dropped = Collector(), Collector(), Collector(), Collector()
    for number in range(120):
        await client.subscribe(f"exact/{number}", exact)
    await client.subscribe("wild/+/here", wild)
    await client.subscribe("wild/a/#", wild)
    await client.subscribe("$handshake.discover", hidden, channel=channels.DISCOVER)
    await client.subscribe("dropped", dropped)
    await client.unsubscribe("dropped")

    for life in range(1, 4):
        back, publisher_back = Reconnection(client), Reconnection(publisher)
        end(broker)
        broker.start()
        await back.wait()
        await publisher_back.wait()
        assert client.is_connected
        assert client.statistics.reconnections == life
        await publisher.publish("dropped", life)
        await publisher.publish("$handshake.discover", life, channel=channels.DISCOVER)
        await publisher.publish("wild/a/here", life)
        for number in range(120):
            await publisher.publish(f"exact/{number}", life)
        await exact.wait_for(120 * life)
        await wild.wait_for(2 * life)
        await hidden.wait_for(life)
    assert exact.values == [1] * 120 + [2] * 120 + [3] * 120
    assert dropped.values == []


async def test_publishing_waits_for_the_broker_to_come_back(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    broker.kill()
    await disconnected(client)
    publishing = [
        asyncio.create_task(client.publish("topic", number, channel=channel))
        for number, channel in enumerate([channels.OFFER, channels.DISCOVER] * 20)
    ]
    subscribing = asyncio.create_task(client.subscribe("another", collector))
    await asyncio.sleep(0)
    broker.start()
    await asyncio.gather(*publishing, subscribing)
    await collector.wait_for(40)
    assert collector.values == list(range(40))
    await client.publish("another", "subscribed as well")
    await collector.wait_for(41)


async def test_publishing_gives_up_in_time(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, publish_timeout=0.3)
    await client.connect()
    kept = Collector()
    await client.subscribe("kept", kept)
    broker.kill()
    await disconnected(client)
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(BusUnavailableError, match=rf"publish to 'topic'.*no connection.*0\.3 s.*{broker.port}"):
        await client.publish("topic")
    with pytest.raises(BusUnavailableError, match="subscribe to 'topic'"):
        await client.subscribe("topic", Collector())
    assert 0.5 < loop.time() - start < 2.0
    await client.unsubscribe("kept")
    assert client.statistics.published == 0

    # What failed is not made up for later.
    back = Reconnection(client)
    broker.start()
    await back.wait()
    await client.publish("topic")
    broker.stop()
    assert not [line for line in broker.log if "Sending PUBLISH" in line]


async def test_an_event_on_its_way_survives_the_broker(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    broker.freeze()
    publishing = [asyncio.create_task(client.publish("topic", number)) for number in range(10)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in publishing)
    broker.restart()
    await asyncio.gather(*publishing)
    await collector.wait_for(10)
    assert collector.values == list(range(10))


async def test_a_subscription_on_its_way_survives_the_broker(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, publish_timeout=60.0)
    await client.connect()
    collector = Collector()
    broker.freeze()
    subscribing = [asyncio.create_task(client.subscribe(f"topic/{number}", collector)) for number in range(30)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in subscribing)
    broker.restart()
    async with asyncio.timeout(20):
        await asyncio.gather(*subscribing)
    for number in range(30):
        await client.publish(f"topic/{number}", number)
    await collector.wait_for(30)


async def test_a_publish_that_timed_out_may_still_be_delivered(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, publish_timeout=0.2)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    broker.freeze()
    with pytest.raises(BusUnavailableError, match="did not answer"):
        await client.publish("topic", "late")
    broker.thaw()
    await collector.wait_for(1)
    await client.publish("topic", "next")
    await collector.wait_for(2)
    assert client.statistics.published == 1
    assert client.statistics.reconnections == 0


async def test_publishing_can_be_cancelled(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    broker.freeze()
    waiting = [asyncio.create_task(client.publish("topic", "cancelled")) for _ in range(100)]
    await asyncio.sleep(0.05)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    broker.thaw()
    for number in range(50):
        await client.publish("topic", number)
    await client.unsubscribe()
    assert [value for value in collector.values if value != "cancelled"] == list(range(50))


async def test_disconnecting_ends_the_wait(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, reconnect_delay=60.0)
    await client.connect()
    broker.kill()
    await disconnected(client)
    publishing = asyncio.create_task(client.publish("topic"))
    await asyncio.sleep(0.3)
    await client.disconnect()
    with pytest.raises(BusNotConnectedError):
        await publishing


async def test_handlers_can_be_changed_while_the_broker_is_away(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    old, new = Collector(), Collector()
    await client.subscribe("replaced", old)
    await client.subscribe("ended", old)
    await client.subscribe("ended/+", old)
    broker.kill()
    await disconnected(client)
    await client.subscribe("replaced", new)
    await client.unsubscribe("ended")
    await client.unsubscribe("ended/+")
    back = Reconnection(client)
    broker.start()
    await back.wait()
    for topic in ("ended", "ended/a", "replaced"):
        await client.publish(topic, topic)
    await new.wait_for(1)
    assert (old.values, new.values) == ([], ["replaced"])
    broker.stop()
    assert sum("Sending PUBLISH" in line for line in broker.log) == 1


async def test_a_broker_that_stays_away_is_told_of_once(
    new_broker: NewBroker,
    new_mqtt_client: NewMqttClient,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, reconnect_delay=0.2)
    await client.connect()
    back = Reconnection(client)
    attempts: list[object] = []
    real = client._open

    async def counted() -> MqttConnection:
        attempts.append(None)
        return await real()

    monkeypatch.setattr(client, "_open", counted)
    broker.kill()
    await until(lambda: len(attempts) > 4)
    assert sum("could not connect again, and goes on trying" in record.getMessage() for record in caplog.records) == 1

    broker.start()
    await back.wait()


async def test_refusals_while_connecting_again_are_logged_and_tried_again(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, caplog: pytest.LogCaptureFixture
) -> None:
    broker = new_broker(users={"core": "secret"})
    client = new_mqtt_client(broker, username="core", password="secret")
    await client.connect()
    back = Reconnection(client)
    broker.kill()
    broker.users = {"core": "another"}
    broker.start()
    await until(lambda: "could not connect again" in caplog.text and "ot authorized" in caplog.text)
    assert "secret" not in caplog.text
    broker.kill()
    broker.users = {"core": "secret"}
    broker.start()
    await back.wait()
    assert client.is_connected


async def test_a_subscription_that_is_refused_later_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port, identifier="someone")
        await client.connect()
        await client.subscribe("topic", Collector())
        back = Reconnection(client)
        broker.subscribe_reason = 0x87
        broker.hang_up()
        await back.wait()
        errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert [message for message in errors if "'someone' to 'topic': Not authorized" in message]

        # Asking for it once more is not taken for settled.
        broker.subscribe_reason = 1
        await client.subscribe("topic", Collector())
        assert broker.count(8) == 3
        await client.disconnect()


async def test_the_brokers_reason_for_ending_a_connection_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        back = Reconnection(client)
        for reason, text in ((0x8E, "same identifier"), (0x8B, "Server shutting down")):
            broker.disconnect(reason)
            await back.wait()
            assert text in caplog.text
        await client.disconnect()


async def test_what_is_no_mqtt_ends_the_connection_only() -> None:
    open_files = len(os.listdir("/proc/self/fd"))
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        back = Reconnection(client)
        collector = Collector()
        await client.subscribe("topic", collector)
        for garbage in (b"\x30\x05\x00\x02\xff\xfe\x00", b"\x30\xff\xff\xff\xff\xff", b"\xf0\x00", b"\x30\x02\x00\x09"):
            broker.send(garbage)
            await back.wait()
        await client.publish("topic")
        await client.disconnect()
    await until(lambda: len(os.listdir("/proc/self/fd")) == open_files)


async def test_a_connection_is_lost_the_moment_something_is_published(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What is still to be done with the socket's number must not befall the next socket that gets that."""
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    # Meanwhile, the event loop does not see that the connection has ended.
    broker.restart()
    await asyncio.create_task(client.publish("topic"))
    assert client.statistics.reconnections == 1
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_a_second_client_with_the_same_identifier(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    first, second = new_mqtt_client(broker, identifier="twin"), new_mqtt_client(broker, identifier="twin")
    await first.connect()
    collector = Collector()
    await first.subscribe("topic", collector)
    back = Reconnection(first)
    await second.connect()
    await back.wait()
    await second.disconnect()
    # The one that is left is there for good.
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(BusUnavailableError):
                await first.publish("topic", "alone")
                break
    await collector.wait_for(len(collector.received) or 1)
    assert first.is_connected


async def test_a_takeover_is_told_once_and_tried_against_ever_more_seldom(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the other client is silent for long in between, so that each connection seems to be good."""
    delays: list[float] = []

    def no_delay(shortest: float, longest: float) -> float:
        delays.append(longest)
        return 0.0

    monkeypatch.setattr("orbitalis.bus.mqtt._STABLE_AFTER", 0.0)
    monkeypatch.setattr("random.uniform", no_delay)
    caplog.set_level(logging.INFO, "orbitalis.bus")
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port, identifier="twin", reconnect_delay=1.0)
        await client.connect()
        back = Reconnection(client)
        for _ in range(5):
            broker.disconnect(0x8E)
            await back.wait()
        (told,) = caplog.records
        assert "another client has connected with the same identifier" in told.message
        assert "Give each client an identifier of its own: connect(identifier=…)" in told.message
        assert delays == [0.2, 0.4, 0.8, 1.0, 1.0]
        broker.hang_up()
        await back.wait()
        assert delays[-1] == 0.2
        assert len(caplog.records) == 3
        await client.disconnect()


async def test_an_event_that_the_broker_ends_connections_for_is_given_up(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    back = Reconnection(client)
    with pytest.raises(BusUnavailableError, match=r"3 connections .* were lost"):
        # More levels than mosquitto accepts.
        await client.publish("/".join("x" * 300))
    await back.wait()
    await client.publish("topic", "still here")
    await collector.wait_for(1)
    assert client.statistics.reconnections <= 3


async def test_a_failing_callback_does_not_matter(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, caplog: pytest.LogCaptureFixture
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)

    def fail() -> None:
        raise RuntimeError("callback")

    for life in range(1, 3):
        client.on_reconnected = fail
        broker.restart()
        await disconnected(client)
        await client.publish("topic", life)
        await collector.wait_for(life)
    assert caplog.text.count("RuntimeError: callback") == 2


async def test_a_silent_broker_is_noticed(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, keepalive=1.0)
    await client.connect()
    broker.freeze()
    await disconnected(client)
    back = Reconnection(client)
    broker.thaw()
    await back.wait()
