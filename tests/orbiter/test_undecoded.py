"""What an orbiter does not take from a broker is refused by what its envelope says, and not decoded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import AvroMessageMixin, Event, Input, MqttEventBusClient, Output
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient, SeveralEventBusClient
from orbitalis.errors import OperationFailedError, UnexpectedAnswerError
from orbitalis_wire import channels
from orbitalis_wire.messages import OperationErrorMessage
from tests.support.asking import AskedPlugin, answer_to, asked
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import TextCore, all_connected, needs, running

NewBroker = Callable[..., Broker]


@dataclass
class Track(AvroMessageMixin):
    """A message of the program's own, which can be long."""

    points: list[int]


TRACK = Track([1, 2, 3])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Give the payloads of tracks that are decoded from now on."""
    found: list[bytes] = []
    decode = Track.decode

    def note(data: bytes) -> Track:
        found.append(data)
        return decode(data)

    monkeypatch.setattr(Track, "decode", note)
    return found


def on(broker: Broker) -> MqttEventBusClient:
    return MqttEventBusClient(broker.host, broker.port)


@asynccontextmanager
async def stranger_on(broker: Broker) -> AsyncIterator[EventBusClient]:
    """Give a client of a broker that is none of an orbiter's."""
    client = on(broker)
    await client.connect()
    yield client
    await client.disconnect()


@pytest.mark.parametrize("buses", [1, 2])
async def test_a_message_of_the_users_is_not_decoded_on_a_topic_of_the_protocol(
    new_broker: NewBroker, decoded: list[bytes], caplog: pytest.LogCaptureFixture, buses: int
) -> None:
    broker = new_broker()
    client: EventBusClient = on(broker)
    if buses == 2:
        client = SeveralEventBusClient({"broker": client, "local": LocalEventBusClient(LocalEventBus())})
    plugin = AskedPlugin(identifier="plugin", eventbus_client=client, with_loop=False)
    async with running(plugin), stranger_on(broker) as stranger:
        await stranger.publish(channels.DISCOVER.address, TRACK)
        await until(lambda: plugin.statistics.misplaced == 1)
        assert client.statistics.malformed == 0
    assert decoded == []
    expected = "ignores a Track on topic '$handshake.discover', which is no message of channel 'discover'"
    assert expected in caplog.text


@asynccontextmanager
async def connected(broker: Broker) -> AsyncIterator[tuple[TextCore, AskedPlugin]]:
    """Give a core and a plugin, connected for texts over a broker."""
    core = TextCore(identifier="core", eventbus_client=on(broker), operation_requirements=needs(), with_loop=False)
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(broker), with_loop=False)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        yield core, plugin


async def test_what_no_connection_of_the_topic_carries_is_not_decoded(
    new_broker: NewBroker, decoded: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    broker = new_broker()
    async with connected(broker) as (core, plugin), stranger_on(broker) as stranger:
        (connection,) = plugin.retrieve_connections()
        for topic in (connection.input_topic, connection.output_topic):
            assert topic is not None
            await stranger.publish(topic, TRACK)
            expected = f"ignores a Track on topic {topic!r}, which is not what operation 'text' of"
            await until(lambda expected=expected: expected in caplog.text)  # type: ignore[misc]
        assert plugin.inputs == []

        await core.execute("text", "still here", any=True)
        await until(lambda: [event.payload.value for event in plugin.inputs] == ["still here"])
        assert core.eventbus_client.statistics.malformed == plugin.eventbus_client.statistics.malformed == 0
    assert core.texts == []
    assert decoded == []


async def test_answers_that_the_operation_does_not_give_are_not_decoded_but_errors_are(
    new_broker: NewBroker, decoded: list[bytes]
) -> None:
    async with connected(new_broker()) as (core, plugin):
        (connection,) = plugin.retrieve_connections()
        for answer, error in (
            (TRACK, UnexpectedAnswerError),
            (OperationErrorMessage(error_type="ValueError", error_message="no Track"), OperationFailedError),
        ):
            request = await asked(core, plugin)
            await plugin.eventbus_client.publish(str(connection.output_topic), answer_to(plugin.inputs[-1], answer))
            with pytest.raises(error, match="Track"):
                await request
    assert decoded == []


async def test_what_a_connection_carries_is_decoded(new_broker: NewBroker, decoded: list[bytes]) -> None:
    broker = new_broker()
    heard: list[Any] = []

    async def keep(topic: str, event: Event[Track]) -> None:
        heard.append(event.payload)

    requirements = needs(inputs=[Input.from_message(Track)], outputs=[Output.string()])
    core = TextCore(identifier="core", eventbus_client=on(broker), operation_requirements=requirements, with_loop=False)
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(broker), with_loop=False)
    plugin.operations["text"].input = Input.from_message(Track)
    plugin.operations["text"].handler = keep
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", TRACK, any=True)
        await until(lambda: heard == [TRACK])
    assert decoded == [TRACK.encode()]
