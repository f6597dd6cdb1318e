"""The answer that is owed for an input: what becomes it, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.bus.answer import Answer
from orbitalis.bus.stamp import TopicStamp
from orbitalis.message import Event
from orbitalis_wire.errors import EncodeError
from tests.support.events import Collector


@pytest.fixture
async def client() -> AsyncIterator[LocalEventBusClient]:
    client = LocalEventBusClient(LocalEventBus())
    await client.connect()
    yield client
    await client.disconnect()


async def published(client: LocalEventBusClient, collector: Collector, count: int) -> list[str | None]:
    """Return what so many events answer."""
    await collector.wait_for(count)
    return [event.envelope.correlation_identifier for _, event in collector.received]


async def test_the_first_event_on_the_topic_is_the_answer(client: LocalEventBusClient) -> None:
    collector = Collector()
    await client.subscribe("+", collector)
    answer = Answer("output", "question")

    await client.publish("output", "before")
    with answer.owed():
        await client.publish("other", "elsewhere")
        assert not answer.is_given
        await client.publish("output", "answer")
        await client.publish("output", "more")
    await client.publish("output", "after")

    assert await published(client, collector, 5) == [None, None, "question", None, None]
    assert answer.is_given


async def test_an_event_is_published_as_it_is(client: LocalEventBusClient) -> None:
    collector = Collector()
    await client.subscribe("output", collector)

    with Answer("output", "question").owed():
        await client.publish("output", Event.create(None, publisher_identifier="me"))
        await client.publish("output", "answer")

    assert await published(client, collector, 2) == [None, "question"]


async def test_tasks_owe_it_together_and_after_the_handler_has_returned(client: LocalEventBusClient) -> None:
    collector = Collector()
    await client.subscribe("output", collector)

    with Answer("output", "question").owed():
        tasks = [asyncio.create_task(client.publish("output", text)) for text in "ab"]
    await asyncio.gather(*tasks)

    assert sorted(await published(client, collector, 2), key=str) == [None, "question"]


async def test_it_stays_owed_if_it_cannot_be_published(client: LocalEventBusClient) -> None:
    collector = Collector()
    await client.subscribe("output", collector)

    with Answer("output", "question").owed():
        with pytest.raises(EncodeError):
            await client.publish("output", 2**70)
        await client.publish("output", "answer")

    assert await published(client, collector, 1) == ["question"]


async def test_on_a_topic_of_several_connections_only_one_is_answered(client: LocalEventBusClient) -> None:
    collector = Collector()
    await client.subscribe("output", collector)
    mine, other = TopicStamp(connection_identifier="mine"), TopicStamp(connection_identifier="other")
    client.topic_stamps["output"] = other

    await client.publish("output", "before")
    with Answer("output", "question", mine).owed():
        assert not Answer.is_owed("output", "other")
        await client.publish("output", "to the other", stamp=other)
        assert Answer.is_owed("output", "mine")
        await client.publish("output", "answer")
        await client.publish("output", "more")
        assert not Answer.is_owed("output", "mine")
    with Answer("output", "question", mine).owed():
        await client.publish("output", "again", stamp=mine)

    assert await published(client, collector, 5) == [None, None, "question", None, "question"]
    identifiers = [event.envelope.connection_identifier for _, event in collector.received]
    assert identifiers == ["other", "other", "mine", "other", "mine"]
