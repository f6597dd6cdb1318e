"""One message, or one remote, that makes ever so much work: it is refused, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import aiomqtt
import pytest

from orbitalis import Constraint, Core, Input, OperationRequirement, Output
from orbitalis.bus import LocalEventBus, LocalEventBusClient, connect
from orbitalis.errors import RemoteProtocolError
from orbitalis.message import Event
from orbitalis.protocol.effects import Send
from orbitalis.protocol.limits import Limits
from orbitalis_wire import limits
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    DiscoverMessage,
    OfferedOperation,
    OfferMessage,
    RejectOperationMessage,
)
from orbitalis_wire.topics import OfferTopic, ReplyTopic
from tests.security.hostile import discover, offer
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.large_events import offer_of_operations
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Packet
from tests.support.orbiters import TextCore, all_connected, needs, plugin_on, running
from tests.support.standstill import Standstill

STANDSTILL = 0.4
"""Seconds of the processor for which the event loop may stand still. Decoding it there takes more, on any machine.

The aim is 0.1, which `make bench` measures: on a busy machine, full collections of garbage alone can take longer.
"""


def offer_of(names: Iterable[str], number: int = 0) -> Packet:
    """Return an offer of operations with these names."""
    packet = offer(number)
    assert isinstance(packet.message, OfferMessage)
    (one,) = packet.message.offered_operations
    return packet.changed(
        message={
            "offered_operations": [OfferedOperation(name=name, input=one.input, output=one.output) for name in names]
        }
    )


def discover_of(names: Iterable[str], number: int = 0) -> Packet:
    """Return a discover with queries for operations with these names."""
    packet = discover(number)
    assert isinstance(packet.message, DiscoverMessage)
    return packet.changed(message={"queries": dict.fromkeys(names, packet.message.queries["text"])})


def numbered(count: int) -> list[str]:
    return [f"operation{number}" for number in range(count)]


def test_an_offer_of_more_operations_than_one_may_have_is_refused() -> None:
    net = Net()
    core = net.add_core()
    net.start()
    core.effects.clear()
    with pytest.raises(RemoteProtocolError, match="1001 operations, 1000 are allowed"):
        core.handle(offer_of(["text", *numbered(limits.OPERATIONS_OF_MESSAGE)]))
    assert core.machine.take() == core.effects == []
    assert core.machine.statistics.refused == 1
    core.handle(offer_of(numbered(limits.OPERATIONS_OF_MESSAGE)))
    assert len(core.sent(RejectOperationMessage)) == limits.OPERATIONS_OF_MESSAGE


def test_a_discover_with_more_queries_than_one_may_have_is_refused() -> None:
    net = Net()
    plugin = net.add_plugin()
    net.start()
    plugin.effects.clear()
    with pytest.raises(RemoteProtocolError, match="1001 operations, 1000 are allowed"):
        plugin.handle(discover_of(["text", *numbered(limits.OPERATIONS_OF_MESSAGE)]))
    assert plugin.machine.take() == plugin.effects == []
    assert len(plugin.provider.waiting_queries) == 0
    plugin.handle(discover_of(["text", *numbered(limits.OPERATIONS_OF_MESSAGE - 1)]))
    assert len(plugin.sent(OfferMessage)) == 1


def test_of_operations_with_the_same_name_the_first_counts() -> None:
    net = Net()
    core = net.add_core()
    net.start()
    core.handle(offer_of(["x", "text", "x", "y", "x", "text"]))
    assert [reject.operation_name for reject in core.sent(RejectOperationMessage)] == ["x", "y"]
    assert len(core.machine.slots) == 1


def test_who_wants_more_operations_than_one_discover_may_ask_for_asks_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPERATIONS_OF_MESSAGE", 10)
    net = Net()
    # The first cannot be had, and are not to keep the others from being asked for.
    needs = {name: Requirement(text_constraint(minimum=1, maximum=1)) for name in numbered(34)}
    core = net.add_core(operation_requirements=needs, discovering_interval=1.0)
    plugin = net.add_plugin(operations={name: Terms() for name in numbered(34)[12:]})
    net.start()
    net.advance(10.0)
    assert [name for name in needs if core.connections(name)] == [*plugin.settings.operations]
    assert max(len(message.queries) for message in core.sent(DiscoverMessage)) == 10
    assert core.machine.statistics.refused == plugin.machine.statistics.refused == 0


def test_of_a_plugin_that_announces_itself_is_asked_first_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPERATIONS_OF_MESSAGE", 10)
    net = Net()
    net.announces = True
    needs = {name: Requirement(text_constraint(minimum=1)) for name in numbered(34)}
    core = net.add_core(operation_requirements=needs, discovering_interval=1e9)
    net.start()
    plugin = net.add_plugin(operations={name: Terms() for name in numbered(34)[30:]})
    plugin.start()
    net.run()
    assert [name for name in needs if core.connections(name)] == [*plugin.settings.operations]
    assert max(len(message.queries) for message in core.sent(DiscoverMessage)) == 10


def test_what_is_offered_unasked_goes_in_several_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPERATIONS_OF_MESSAGE", 10)
    net = Net()
    plugin = net.add_plugin(operations={name: Terms() for name in numbered(25)})
    net.start()
    plugin.do(plugin.plugin.send_offer("core", "offers", numbered(25), net.now))
    offers = [send for send in plugin.had(Send) if isinstance(send.message, OfferMessage)]
    names = [
        [one.name for one in send.message.offered_operations]
        for send in offers
        if isinstance(send.message, OfferMessage)
    ]
    assert names == [numbered(25)[:10], numbered(25)[10:20], numbered(25)[20:]]
    for send, offered in zip(offers, names, strict=True):
        for name in offered:
            slot = plugin.machine.slots.get("core", name)
            assert slot is not None
            assert slot.offer_identifiers == (send.event_identifier,)


class StuckClient(LocalEventBusClient):
    """A client whose rejects do not get through until that is allowed."""

    def __init__(self, bus: LocalEventBus) -> None:
        super().__init__(bus)
        self.released = asyncio.Event()

    def start_publish(self, topic: str, event: Event[Any], *how: Any, **options: Any) -> Awaitable[None] | None:
        if isinstance(event.payload, RejectOperationMessage):
            return self._publish_later(topic, event, *how, **options)
        return super().start_publish(topic, event, *how, **options)

    async def _publish_later(self, topic: str, event: Event[Any], *how: Any, **options: Any) -> None:
        await self.released.wait()
        super().start_publish(topic, event, *how, **options)


@pytest.mark.parametrize(
    ("name_length", "limits"),
    [
        (10, Limits(waiting_work=2000, waiting_work_of_remote=1000)),
        (60_000, Limits(waiting_work_bytes=10_000_000)),
    ],
    ids=["pieces", "bytes"],
)
async def test_what_waits_for_one_remote_keeps_nobody_else_out(name_length: int, limits: Limits) -> None:
    bus = LocalEventBus()
    client = StuckClient(bus)
    core = TextCore(
        identifier="core",
        eventbus_client=client,
        operation_requirements=needs(),
        with_loop=False,
        limits=limits,
    )
    plugin, hostile = plugin_on(bus), LocalEventBusClient(bus)
    names = [name.ljust(name_length, "x") for name in numbered(10)]
    await hostile.connect()
    async with running(core):
        for number in range(1000):
            packet = offer_of(names).changed(identifier=f"event{number}")
            await hostile.publish(packet.topic, Event(payload=packet.message, envelope=packet.envelope))
        await until(lambda: core.statistics.overloaded > 500)
        await plugin.start()
        await all_connected(core, [plugin])
        client.released.set()
        await plugin.stop()
    await hostile.disconnect()


@pytest.mark.parametrize("encoding", Encoding)
async def test_a_core_goes_on_while_it_takes_an_offer_of_a_megabyte(broker: Broker, encoding: Encoding) -> None:
    identifier = f"core-{encoding.name.lower()}"
    names = numbered(limits.OPERATIONS_OF_MESSAGE)
    # So that it compares the schemas of all of them.
    requirement = OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.no_output()]))
    core = Core(
        identifier=identifier,
        eventbus_client=connect(broker.url),
        operation_requirements=dict.fromkeys(names, requirement),
    )
    topic = OfferTopic.build(core_identifier=identifier, plugin_identifier="stranger")
    reply_topic = ReplyTopic.build(plugin_identifier="stranger", core_identifier=identifier)
    data = offer_of_operations(encoding, names, reply_topic=reply_topic)
    assert limits.EVENT_BYTES * 0.9 < len(data) <= limits.EVENT_BYTES
    rejected = 0
    async with running(core), aiomqtt.Client(broker.host, broker.port) as stranger:
        await stranger.subscribe(reply_topic, qos=1)
        async with Standstill() as standstill:
            await stranger.publish(topic, data, qos=1)
            async for message in stranger.messages:
                assert isinstance(Event.decode(bytes(message.payload)).payload, RejectOperationMessage)
                rejected += 1
                if rejected == len(names):
                    break
    print(f"{len(data)} bytes: the loop stood still for {standstill.longest * 1000:.0f} ms")
    assert standstill.longest < STANDSTILL
