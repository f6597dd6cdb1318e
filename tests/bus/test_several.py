"""A client of several buses beyond what every client does: where events come from and go to, and the loss of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from orbitalis.bus import (
    EventBusClient,
    LocalEventBus,
    LocalEventBusClient,
    MqttEventBusClient,
    SeveralEventBusClient,
    connect,
)
from orbitalis.errors import BusRefusedError, BusUnavailableError
from orbitalis.message import Event, StringMessage
from orbitalis_wire import channels
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker, unused_port
from tests.support.events import Collector, until

NewBroker = Callable[..., Broker]
NewSeveral = Callable[..., SeveralEventBusClient]


@pytest.fixture
async def connected() -> AsyncIterator[Callable[..., Any]]:
    """Give a function that connects clients; when the test is over, nothing of them may be running."""
    clients: list[EventBusClient] = []

    async def connect_all(*new: EventBusClient) -> None:
        for client in new:
            clients.append(client)
            await client.connect()

    yield connect_all
    for client in clients:
        await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def buses() -> dict[str, LocalEventBus]:
    """Give two buses."""
    return {"left": LocalEventBus(), "right": LocalEventBus()}


def several(buses: dict[str, LocalEventBus], **options: Any) -> SeveralEventBusClient:
    """Return a client of these buses."""
    return SeveralEventBusClient({name: LocalEventBusClient(bus) for name, bus in buses.items()}, **options)


async def test_events_tell_from_which_bus_they_come(
    connected: Callable[..., Any], buses: dict[str, LocalEventBus]
) -> None:
    client, left, right = several(buses), LocalEventBusClient(buses["left"]), LocalEventBusClient(buses["right"])
    await connected(client, left, right)
    collector, alone = Collector(), Collector()
    await client.subscribe("a", collector)
    await left.subscribe("a", alone)
    await left.publish("a", "l")
    await right.publish("a", "r")
    await collector.wait_for(2)
    await alone.wait_for(1)

    events = [event for _, event in collector.received]
    assert [(event.payload.value, event.origin) for event in events] == [("l", "left"), ("r", "right")]
    assert alone.received[0][1].origin is None
    # The mark is nothing that an event says.
    assert alone.received[0][1] == events[0]


async def test_publishes_where_it_is_told_to(connected: Callable[..., Any], buses: dict[str, LocalEventBus]) -> None:
    client, left, right = several(buses), LocalEventBusClient(buses["left"]), LocalEventBusClient(buses["right"])
    await connected(client, left, right)
    on_left, on_right = Collector(), Collector()
    await left.subscribe("#", on_left)
    await right.subscribe("#", on_right)

    await client.publish("a", "all")
    await client.publish("a", "left", bus="left")
    event = Event.create(StringMessage(value="right"), publisher_identifier="me")
    await client.publish("a", event, bus="right")
    await client.publish("a", event)

    await on_left.wait_for(3)
    await on_right.wait_for(3)
    assert on_left.values == ["all", "left", "right"]
    assert on_right.values == ["all", "right", "right"]
    with pytest.raises(ValueError, match="no bus called 'middle'"):
        await client.publish("a", bus="middle")
    with pytest.raises(ValueError, match="one bus only"):
        await left.publish("a", bus="left")


async def test_subscribes_where_it_is_told_to(connected: Callable[..., Any], buses: dict[str, LocalEventBus]) -> None:
    client, left, right = several(buses), LocalEventBusClient(buses["left"]), LocalEventBusClient(buses["right"])
    await connected(client, left, right)
    first, second = Collector(), Collector()
    await client.subscribe("a", first, bus="left")
    await right.publish("a", "not heard")
    await left.publish("a", 1)
    await first.wait_for(1)

    # On another one as well, with the new handler on both.
    await client.subscribe("a", second, bus="right")
    await left.publish("a", 2)
    await second.wait_for(1)
    await right.publish("a", 3)
    await second.wait_for(2)
    assert (first.values, second.values) == ([1], [2, 3])

    await client.unsubscribe("a")
    await left.publish("a", 4)
    await right.publish("a", 5)
    end = Collector()
    await client.subscribe("end", end)
    await client.publish("end")
    await end.wait_for(1)
    assert second.values == [2, 3]
    with pytest.raises(ValueError, match="no bus called 'middle'"):
        await client.subscribe("b", second, bus="middle")
    with pytest.raises(ValueError, match="one bus only"):
        await left.subscribe("a", second, bus="left")


async def test_counts_for_each_bus_and_in_total(connected: Callable[..., Any], buses: dict[str, LocalEventBus]) -> None:
    client = several(buses)
    await connected(client)
    collector = Collector()
    await client.subscribe("a", collector)
    await client.publish("a", "on both")
    await client.publish("a", "on one", bus="left")
    await collector.wait_for(2)

    left, right = (client.members[name].statistics for name in ("left", "right"))
    assert (client.statistics.published, left.published, right.published) == (2, 2, 1)
    assert (client.statistics.received, left.received, right.received) == (2, 2, 1)
    left.malformed += 2
    right.malformed += 1
    right.reconnections += 1
    assert (client.statistics.malformed, client.statistics.reconnections) == (3, 1)


async def test_an_event_on_two_buses_that_are_one_broker_is_handled_once(
    connected: Callable[..., Any], broker: Broker, topic: str
) -> None:
    client = connect(f"mqtt://localhost:{broker.port}", f"mqtt://127.0.0.1:{broker.port}")
    assert isinstance(client, SeveralEventBusClient)
    await connected(client)
    collector = Collector()
    await client.subscribe(f"{topic}/+", collector)
    for number in range(50):
        await client.publish(f"{topic}/a", number)
    for bus in client.members:
        await client.publish(f"{topic}/a", bus, bus=bus)
    await collector.wait_for(52)
    assert collector.values == [*range(50), *client.members]


async def test_remembers_only_so_many_events(
    connected: Callable[..., Any], buses: dict[str, LocalEventBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orbitalis.bus.several._REMEMBERED", 10)
    client = several(buses)
    await connected(client)
    collector = Collector()
    await client.subscribe("a", collector)
    for number in range(100):
        await client.publish("a", number)
    await collector.wait_for(100)
    (parts,) = client._parts.values()
    assert len(parts._seen) == 10


async def test_connects_to_all_or_to_none(broker: Broker) -> None:
    before = asyncio.all_tasks()
    port = unused_port()
    client = connect("local://", broker.url, f"mqtt://user:secret@127.0.0.1:{port}")
    assert isinstance(client, SeveralEventBusClient)

    with pytest.raises(BusUnavailableError, match=f"mqtt://127.0.0.1:{port}") as failure:
        await client.connect()

    assert "secret" not in str(failure.value)
    assert not any(member.is_connected for member in client.members.values())
    assert asyncio.all_tasks() == before


async def test_every_bus_that_fails_is_named_and_a_refusal_counts_most() -> None:
    port = unused_port()
    async with ScriptedBroker(connect_reason=0x87) as refusing:
        client = connect(f"mqtt://127.0.0.1:{port}", f"mqtt://127.0.0.1:{refusing.port}")
        with pytest.raises(BusRefusedError) as failure:
            await client.connect()
    assert f":{port}" in str(failure.value)
    assert f":{refusing.port}" in str(failure.value)


async def test_every_bus_is_asked_for_leave_to_publish(connected: Callable[..., Any]) -> None:
    async with ScriptedBroker() as lenient, ScriptedBroker(publish_reason=0x87) as strict:
        client = connect(f"mqtt://{lenient.host}:{lenient.port}", f"mqtt://{strict.host}:{strict.port}")
        await connected(client)
        with pytest.raises(
            BusRefusedError, match=f"{strict.port} refuses what .* publishes to 'topic': Not authorized"
        ):
            await client.check_may_publish("topic")
        strict.publish_reason = 0
        await client.check_may_publish("topic")
        assert client.statistics.published == 0
        await client.disconnect()


async def test_a_subscription_that_one_bus_refuses_is_undone_on_the_others(connected: Callable[..., Any]) -> None:
    local = LocalEventBus()
    async with ScriptedBroker(subscribe_reason=0x87) as refusing, ScriptedBroker() as willing:
        client = SeveralEventBusClient(
            {
                "local": LocalEventBusClient(local),
                "refusing": MqttEventBusClient(refusing.host, refusing.port),
                "willing": MqttEventBusClient(willing.host, willing.port),
            }
        )
        await connected(client)
        with pytest.raises(BusRefusedError, match=f":{refusing.port} refuses.*Not authorized"):
            await client.subscribe("a", Collector())
        await until(lambda: willing.count(10) == 1)
        assert [member._subscriptions for member in client.members.values()] == [{}, {}, {}]

        # A refusal of one more bus leaves a subscription as it was.
        collector = Collector()
        await client.subscribe("a", collector, bus="local")
        with pytest.raises(BusRefusedError):
            await client.subscribe("a", collector, bus="refusing")
        await client.publish("a", "still heard", bus="local")
        await collector.wait_for(1)
        refusing.subscribe_reason = 1
        await client.subscribe("a", collector)
        assert list(client.members["refusing"]._subscriptions) == ["a"]
        await client.disconnect()


async def test_a_bus_that_is_away_leaves_the_others_alone(
    connected: Callable[..., Any], new_broker: NewBroker, buses: dict[str, LocalEventBus]
) -> None:
    broker = new_broker()
    other = MqttEventBusClient(broker.host, broker.port)
    remote = MqttEventBusClient(broker.host, broker.port)
    client = SeveralEventBusClient({"local": LocalEventBusClient(buses["left"]), "broker": remote})
    await connected(client, other)
    reconnected = asyncio.Event()
    client.on_reconnected = reconnected.set
    before, after = Collector(), Collector()
    await client.subscribe("before", before)
    broker.kill()
    await until(lambda: not remote.is_connected)
    assert not client.is_connected

    async with asyncio.timeout(5):  # less than a client of that broker alone would wait for it
        await client.publish("before", "from here")
        await client.subscribe("after", after, channel=channels.CLOSE)
        await client.publish("after", "from here")
        await before.wait_for(1)
        await after.wait_for(1)
    assert (client.statistics.published, remote.statistics.published) == (2, 0)

    broker.start()
    async with asyncio.timeout(20):
        await reconnected.wait()
    await until(lambda: other.is_connected)
    assert client.is_connected
    assert client.statistics.reconnections == 1
    await other.publish("before", "from there")
    await other.publish("after", "from there")
    await before.wait_for(2)
    await after.wait_for(2)
    assert before.received[1][1].origin == "broker"


async def test_what_is_subscribed_to_while_a_bus_is_coming_back_is_there_as_well(connected: Callable[..., Any]) -> None:
    subscribing: list[asyncio.Task[None]] = []

    class Packets(list[tuple[int, bytes]]):
        """Subscribes to one more topic when the broker gets the first that it is asked for again."""

        def append(self, packet: tuple[int, bytes]) -> None:
            super().append(packet)
            if packet[0] == 8 and not subscribing:
                subscribing.append(asyncio.create_task(client.subscribe("late", Collector())))

    async with ScriptedBroker() as broker:
        remote = MqttEventBusClient(broker.host, broker.port)
        client = SeveralEventBusClient({"local": LocalEventBusClient(LocalEventBus()), "broker": remote})
        await connected(client)
        await client.subscribe("early", Collector())
        broker.packets = Packets()
        broker.hang_up()
        await until(lambda: client.statistics.reconnections == 1)
        await asyncio.gather(*subscribing)
        subscriptions = [body for kind, body in broker.packets if kind == 8]
        assert [b"early" in body for body in subscriptions] == [True, False]
        assert b"late" in subscriptions[1]
        await client.disconnect()


async def test_who_asks_for_one_bus_learns_that_it_is_away(
    connected: Callable[..., Any], new_broker: NewBroker, buses: dict[str, LocalEventBus]
) -> None:
    broker = new_broker()
    remote = MqttEventBusClient(broker.host, broker.port, publish_timeout=0.1)
    client = SeveralEventBusClient({"local": LocalEventBusClient(buses["left"]), "broker": remote})
    await connected(client)
    broker.kill()
    await until(lambda: not remote.is_connected)
    with pytest.raises(BusUnavailableError, match=str(broker.port)):
        await client.publish("a", bus="broker")
    with pytest.raises(BusUnavailableError, match=str(broker.port)):
        await client.subscribe("a", Collector(), bus="broker")
    assert client._subscriptions == {}


async def test_publishing_fails_if_no_bus_takes_it(connected: Callable[..., Any], new_broker: NewBroker) -> None:
    brokers = {"one": new_broker(), "two": new_broker()}
    members = {
        name: MqttEventBusClient(broker.host, broker.port, publish_timeout=0.1) for name, broker in brokers.items()
    }
    client = SeveralEventBusClient(members)
    await connected(client)
    for broker in brokers.values():
        broker.kill()
    await until(lambda: not any(member.is_connected for member in members.values()))
    with pytest.raises(BusUnavailableError, match=r"one: .*; two: "):
        await client.publish("a")
    assert client.statistics.published == 0


async def test_a_bus_that_hangs_is_reported_and_holds_up_nobody(
    connected: Callable[..., Any],
    new_broker: NewBroker,
    buses: dict[str, LocalEventBus],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = new_broker()
    remote = MqttEventBusClient(broker.host, broker.port, publish_timeout=0.2)
    client = SeveralEventBusClient({"local": LocalEventBusClient(buses["left"]), "broker": remote})
    await connected(client)
    broker.freeze()
    collector = Collector()
    await client.subscribe("a", collector)
    await client.publish("a", "heard")
    await collector.wait_for(1)
    broker.thaw()
    assert "could not subscribe to 'a' on all buses: broker: " in caplog.text
    assert "could not publish to 'a' on all buses: broker: " in caplog.text


@pytest.mark.parametrize("count", [0, 2])
def test_needs_a_client_for_each_bus(count: int) -> None:
    member = LocalEventBusClient()
    with pytest.raises(ValueError, match="at least one" if count == 0 else "client of its own, got one twice: 0, 1"):
        SeveralEventBusClient({str(number): member for number in range(count)})
