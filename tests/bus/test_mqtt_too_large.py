"""Events that are larger than the broker takes, of which it has not said how much that is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from orbitalis.bus import MqttEventBusClient
from orbitalis.errors import BusRefusedError, BusUnavailableError, EventTooLargeError
from orbitalis_wire import channels
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker
from tests.support.events import Collector, until

LARGE = "x" * 700_000
REFUSAL = r"cannot publish 9\d{5} bytes to 'large': .*mqtt://127\.0\.0\.1:\d+ allows.*send less .*message_size_limit"


def _client(broker: ScriptedBroker) -> MqttEventBusClient:
    return MqttEventBusClient(broker.host, broker.port, reconnect_delay=0.05)


async def test_what_mosquitto_refuses_costs_its_sender_an_error_and_nobody_else_anything(
    new_broker: Callable[..., Broker], new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client, collector = new_mqtt_client(new_broker(message_size_limit=20_000)), Collector()
    await client.connect()
    await client.subscribe(topic, collector)

    outcomes = await asyncio.gather(
        client.publish(topic, "before"),
        client.publish("large", LARGE),
        client.publish(topic, "after"),
        return_exceptions=True,
    )

    assert [outcomes[0], outcomes[2]] == [None, None]
    with pytest.raises(EventTooLargeError, match=REFUSAL):
        raise outcomes[1] or AssertionError
    await collector.wait_for(2)
    assert client.statistics.reconnections == 0


@pytest.mark.parametrize(("reason", "text"), [(0x95, None), (0x9A, "Retain not supported"), (0xEE, "reason 0xee")])
async def test_an_acknowledgement_with_a_reason_that_is_not_foreseen_ends_nothing(
    reason: int, text: str | None
) -> None:
    async with ScriptedBroker(publish_reason=reason) as broker:
        client = _client(broker)
        await client.connect()
        with pytest.raises(BusRefusedError if text else EventTooLargeError, match=text or "allows"):
            await client.publish("topic", "text")
        broker.publish_reason = 0x42  # whatever it means, it is no failure
        await client.publish("topic", "text")
        assert client.statistics.reconnections == 0
        await client.disconnect()


@pytest.mark.parametrize("is_hasty", [False, True])
async def test_what_a_broker_ends_the_connection_for_is_not_sent_again_and_all_else_is(is_hasty: bool) -> None:
    async with ScriptedBroker(most_bytes=50_000, is_hasty=is_hasty, is_silent=True) as broker:
        client = _client(broker)
        await client.connect()
        others = [asyncio.create_task(client.publish("others", f"before {number}")) for number in range(3)]
        large = asyncio.create_task(client.publish("large", LARGE))
        others += [asyncio.create_task(client.publish("others", f"after {number}")) for number in range(3)]

        with pytest.raises(EventTooLargeError, match=REFUSAL):
            await large
        broker.speak()
        async with asyncio.timeout(5):
            await asyncio.gather(*others)

        assert client.statistics.reconnections == 1
        assert sum(len(payload) > 50_000 for payload in broker.published) == 0
        await client.disconnect()


@pytest.mark.parametrize("is_hasty", [False, True])
async def test_what_a_broker_ends_connections_for_without_a_word_takes_nothing_with_it(is_hasty: bool) -> None:
    async with ScriptedBroker(most_bytes=50_000, is_curt=True, is_hasty=is_hasty) as broker:
        client = _client(broker)
        await client.connect()
        texts = [f"text {number}" for number in range(30)]
        outcomes = await asyncio.gather(
            *(client.publish("topic", LARGE if number == 10 else text) for number, text in enumerate(texts)),
            return_exceptions=True,
        )

        assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [10]
        with pytest.raises(BusUnavailableError, match=r"cannot publish to 'topic': 3 connections .* were lost over it"):
            raise outcomes[10] or AssertionError
        assert client.statistics.reconnections == 3
        await client.disconnect()


async def test_several_that_are_too_large_cost_a_connection_for_each_size_and_the_others_nothing() -> None:
    async with ScriptedBroker(most_bytes=50_000) as broker:
        client = _client(broker)
        await client.connect()
        sizes = [10, 100_000, 20, 150_000, 200_000, 200_000, 120_000, 130_000, 30]

        outcomes = await asyncio.gather(
            *(client.publish("topic", "x" * size) for size in sizes), return_exceptions=True
        )

        assert [isinstance(outcome, EventTooLargeError) for outcome in outcomes] == [size > 50_000 for size in sizes]
        assert [outcome for outcome in outcomes if not isinstance(outcome, EventTooLargeError)] == [None] * 3
        assert client.statistics.reconnections <= 5
        await client.disconnect()


async def test_one_without_acknowledgement_is_reported_and_takes_no_other_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with ScriptedBroker(most_bytes=50_000, is_silent=True) as broker:
        client = _client(broker)
        await client.connect()
        others = [asyncio.create_task(client.publish("others", "x" * size)) for size in (10, 30_000)]
        await until(lambda: broker.count(3) == 2)

        def has_come_back(times: int) -> bool:
            return client.statistics.reconnections == times

        for times in range(1, 5):
            await client.publish("large", LARGE, channel=channels.DISCOVER)
            await until(partial(has_come_back, times))
        broker.speak()
        async with asyncio.timeout(5):
            await asyncio.gather(*others)

        told = [record.getMessage() for record in caplog.records if "cannot publish" in record.getMessage()]
        assert [text[:16] for text in told] == ["cannot publish 9"] * 4
        await client.disconnect()


async def test_what_was_acknowledged_later_clears_one_without_acknowledgement() -> None:
    async with ScriptedBroker() as broker:
        client = _client(broker)
        await client.connect()
        # That was taken, as the acknowledgement of what followed it shows.
        await client.publish("topic", "x" * 60_000, channel=channels.DISCOVER)
        await client.publish("topic", "text")

        broker.most_bytes = 40_000
        with pytest.raises(EventTooLargeError):
            await client.publish("topic", "x" * 50_000)
        await until(lambda: client.is_connected)
        assert client.statistics.reconnections == 1
        await client.disconnect()
