"""Operators over a broker, and where orbiters are on several buses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from orbitalis import Operation, Output, Plugin, connect, operation
from orbitalis.bus import LocalEventBus, LocalEventBusClient, SeveralEventBusClient
from orbitalis.operating import Operator
from tests.support.broker import Broker
from tests.support.events import Collector
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs, running


@dataclass
class Large(Plugin):
    """Has more to tell than an answer holds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for number in range(100):
            name = f"operation-{number}"
            self.with_operation(name, Operation(name=name, output=Output(schemas=(f'"{"x" * 2000}{number}"',))))

    @operation
    async def text(self, text: str) -> str:
        """Give a text back."""
        return text


async def test_all_is_learnt_over_a_broker(broker: Broker) -> None:
    core = TextCore(identifier="core", eventbus_client=connect(broker.url), operation_requirements=needs())
    plugin = EchoPlugin(identifier="plugin", eventbus_client=connect(broker.url))
    large = Large(identifier="large", eventbus_client=connect(broker.url))
    async with running(plugin, large, core), Operator(connect(broker.url), identifier="op") as op:
        await all_connected(core, [plugin, large])
        await core.execute("text", "hello", all=True)
        found, infos = await asyncio.gather(op.ping(), op.info("large", within=10.0))
        connections = await op.connections("core", within=10.0)
        statistics = await op.statistics("core", within=10.0)
        assert op.ignored == 0

    assert set(found) == {"core", "plugin", "large"}
    assert len(infos["large"].operations) == 101
    assert infos["large"].is_complete
    assert [one.remote_identifier for one in connections["core"].connections] == ["large", "plugin"]
    assert statistics["core"].operations["text"].executions == 2
    assert statistics["core"].counters["bus.published"] > 0


async def test_nothing_comes_from_a_broker_when_nobody_asks(broker: Broker) -> None:
    collector = Collector()
    watcher = connect(broker.url)
    await watcher.connect()
    core = TextCore(identifier="core", eventbus_client=connect(broker.url), operation_requirements=needs())
    plugin = EchoPlugin(identifier="plugin", eventbus_client=connect(broker.url))
    for topic in ("$introspection.request", *(f"orbitalis/+/+/{one}" for one in ("introspection", "pong", "info"))):
        await watcher.subscribe(topic, collector)
    async with plugin, core:
        await all_connected(core, [plugin])
        await core.execute("text", "hello", all=True)
    await watcher.disconnect()
    assert collector.received == []


def several(*buses: LocalEventBus) -> SeveralEventBusClient:
    return SeveralEventBusClient({f"bus-{number}": LocalEventBusClient(bus) for number, bus in enumerate(buses)})


async def test_an_orbiter_answers_on_the_bus_on_which_it_was_asked() -> None:
    here, there = LocalEventBus(), LocalEventBus()
    plugin = EchoPlugin(identifier="plugin", eventbus_client=several(here, there))
    collectors: list[tuple[Any, Collector]] = []
    for bus in (here, there):
        client, collector = LocalEventBusClient(bus), Collector()
        await client.connect()
        await client.subscribe("orbitalis/op/+/pong", collector)
        collectors.append((client, collector))
    async with plugin, Operator(LocalEventBusClient(here), identifier="op") as op:
        assert list(await op.ping("plugin")) == ["plugin"]
    assert [collector.topics for _, collector in collectors] == [["orbitalis/op/plugin/pong"], []]
    for client, _ in collectors:
        await client.disconnect()


async def test_an_operator_on_several_buses_gets_one_answer_of_each_orbiter() -> None:
    here, there = LocalEventBus(), LocalEventBus()
    both = EchoPlugin(identifier="both", eventbus_client=several(here, there))
    one = EchoPlugin(identifier="one", eventbus_client=LocalEventBusClient(there))
    async with both, one, Operator(several(here, there), identifier="op") as op:
        found = await op.info(within=2.0)
        assert op.ignored == 0
    assert set(found) == {"both", "one"}
    assert all(answer.is_complete for answer in found.values())
