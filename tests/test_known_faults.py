"""One test for each fault of the peers in `shared/reference/README.md`, "Where it goes wrong", under its number."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    CoreState,
    Event,
    Input,
    NoConnectionError,
    OperationRequirement,
    Orbiter,
    Output,
    Plugin,
    Policy,
    operation,
)
from orbitalis.bus import LocalEventBus, MqttEventBusClient
from orbitalis_wire import channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    DiscoverMessage,
    GracelessCloseConnectionMessage,
    KeepaliveRequestMessage,
    OfferedOperation,
    OfferMessage,
    RejectOperationMessage,
)
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, plugin_on, running


@pytest.fixture
def bus() -> LocalEventBus:
    return LocalEventBus()


async def test_1_a_process_understands_messages_that_nobody_has_registered(broker: Broker) -> None:
    core = TextCore(
        identifier="core-1", eventbus_client=mqtt(broker), operation_requirements=needs(allowlist=["plugin-1"])
    )
    plugin = EchoPlugin(identifier="plugin-1", eventbus_client=mqtt(broker))
    plugin.with_custom_policy("text", Policy(allowlist=["core-1"]))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])


def mqtt(broker: Broker) -> MqttEventBusClient:
    return MqttEventBusClient(broker.host, broker.port)


async def test_2_requests_under_way_are_counted(bus: LocalEventBus) -> None:
    core = core_on(bus, operation_requirements=needs(maximum=1))
    plugins = [plugin_on(bus, f"plugin{number}") for number in range(10)]
    async with running(*plugins, core):
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        await until(lambda: sum(len(plugin._machine.slots) for plugin in plugins) == 1)
        assert len(core.retrieve_connections()) == 1


async def test_3_an_execution_either_sends_or_raises(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    modes: list[dict[str, Any]] = [{"any": True}, {"all": True}, {"distribute": True}, {"plugin_identifier": "plugin"}]
    async with running(core):
        for mode in modes:
            with pytest.raises(NoConnectionError):
                await core.execute("text", ["x"] if "distribute" in mode else "x", **mode)
        async with plugin:
            await core.send_discover_based_on_requirements()
            await all_connected(core, [plugin])
            for mode in modes:
                assert await core.execute("text", ["x"] if "distribute" in mode else "x", **mode) == ["plugin"]
            await until(lambda: len(plugin.received) == 4)


async def test_4_a_plugin_that_crashed_is_missed_and_welcome_when_it_is_back(bus: LocalEventBus) -> None:
    core = core_on(bus, with_loop=True, loop_interval=0.01, discovering_interval=0.02, consider_others_dead_after=0.2)
    crashing, restarted = plugin_on(bus), plugin_on(bus)
    async with running(core):
        await crashing.start()
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        await crashing.eventbus_client.disconnect()
        await asyncio.wait_for(core.not_compliant_event.wait(), 5)
        assert core.retrieve_connections() == []
        async with restarted:
            await asyncio.wait_for(core.compliant_event.wait(), 5)
            await core.execute("text", "x", any=True)
            await until(lambda: core.texts == ["x"])
        await crashing.stop()


async def test_4_a_plugin_that_is_back_before_it_was_missed_is_welcome_too(bus: LocalEventBus) -> None:
    core = core_on(bus, with_loop=True, loop_interval=0.01, discovering_interval_when_compliant=0.02)
    crashing, restarted = plugin_on(bus), plugin_on(bus)
    async with running(core):
        await crashing.start()
        await core.send_discover_based_on_requirements()
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        await crashing.eventbus_client.disconnect()
        async with restarted:
            await until(lambda: names(restarted) != [] and names(core) == names(restarted))
            await core.execute("text", "x", any=True)
            await until(lambda: core.texts == ["x"])
        await crashing.stop()


def names(orbiter: Orbiter) -> list[str]:
    return [connection.connection_identifier for connection in orbiter.retrieve_connections()]


async def test_5_a_keepalive_that_is_overdue_is_sent_and_so_are_those_after_it(bus: LocalEventBus) -> None:
    # The core considers the plugin dead so early that its keepalives are overdue at every iteration.
    core, plugin = core_on(bus), plugin_on(bus, with_loop=True, loop_interval=0.01)
    core.consider_others_dead_after = 0.005
    collector = Collector()
    async with running(plugin, core):
        await core.eventbus_client.subscribe("orbitalis/core/plugin/keepalive", collector)
        await until(lambda: len(collector.received) >= 5)


async def test_6_a_connection_in_use_is_not_closed_as_unused(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus, close_connection_if_unused_after=0.1), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() < begun + 0.3:
            await core.execute("text", "x", any=True)
            assert await core.close_unused_connections() == 0
        assert connection.is_open
        await until(lambda: loop.time() > core._machine.slots.open_of_operation("text")[0].last_used + 0.15)
        assert await core.close_unused_connections() == 1
        assert not connection.is_open


async def test_7_a_forged_reject_frees_nothing(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus).with_custom_policy("text", Policy(allowlist=["core"]))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        intruder = on(bus)
        await intruder.connect()
        for claimed in ("core", "intruder"):
            reject = RejectOperationMessage(core_identifier=claimed, operation_name="text")
            for topic in ("orbitalis/plugin/intruder/reply", "orbitalis/plugin/-/reply", "orbitalis/plugin/core/reply"):
                await intruder.publish(topic, reject)
        await intruder.disconnect()
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])
        assert len(plugin.retrieve_connections()) == 1


async def test_7_a_forged_close_closes_nothing(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = plugin.retrieve_connections()
        topic = connection.incoming_close_connection_topic
        intruder = on(bus)
        await intruder.connect()
        for claimed in ("intruder", "core"):
            close = GracelessCloseConnectionMessage(from_identifier=claimed, operation_name="text", data=None)
            await intruder.publish(topic.replace("/core/", "/intruder/"), close)
        close = GracelessCloseConnectionMessage(from_identifier="intruder", operation_name="text", data=None)
        await intruder.publish(topic, close)
        await intruder.disconnect()
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])
        assert connection.is_open


async def test_7_a_keepalive_request_makes_nobody_publish_for_a_stranger(bus: LocalEventBus) -> None:
    collector, core, plugin = Collector(), core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        intruder = on(bus)
        await intruder.connect()
        await intruder.subscribe("victim", collector)
        for claimed in ("core", "intruder"):
            request = KeepaliveRequestMessage(from_identifier=claimed, keepalive_topic="victim")
            for sender in ("intruder", "-"):
                await intruder.publish(f"orbitalis/plugin/{sender}/keepalive-request", request)
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])
        await intruder.disconnect()
        assert collector.received == []


async def test_8_graceful_closes_may_cross(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await asyncio.gather(
            core.send_graceful_close_connection("plugin", "text"),
            plugin.send_graceful_close_connection("core", "text"),
        )
        await until(lambda: len(core._machine.slots) == len(plugin._machine.slots) == 0)
        assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_9_a_core_that_has_stopped_reacts_to_no_offer(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin):
        async with core:
            await all_connected(core, [plugin])
        await plugin.send_offer(core.offer_topic, "core", ["text"])
        topic = "orbitalis/core/plugin/offer"
        offer = OfferMessage(
            plugin_identifier="plugin",
            offered_operations=[OfferedOperation(name="text", input=Input.string(), output=Output.string())],
            reply_topic="orbitalis/plugin/core/reply",
            considered_dead_after=1.0,
            plugin_keepalive_topic="a",
            plugin_keepalive_request_topic="b",
        )
        await core._runtime.receiver(channels.OFFER).handle(topic, Event.create(offer, publisher_identifier="plugin"))
        assert core.state is CoreState.STOPPED
        assert not core.compliant_event.is_set()
        assert len(core._machine.slots) == 0


async def test_10_an_operation_that_is_not_required_does_not_leave_the_offer_unanswered(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    plugin.operations["other"] = replace(plugin.operations["text"], name="other")
    async with running(core, plugin):
        await plugin.send_offer(core.offer_topic, "core", ["other", "text"])
        await all_connected(core, [plugin])
        await until(lambda: len(plugin._machine.slots) == 1)


async def test_11_a_malformed_message_ends_nothing(broker: Broker) -> None:
    identifier = "plugin-11"
    core = TextCore(
        identifier="core-11", eventbus_client=mqtt(broker), operation_requirements=needs(allowlist=[identifier])
    )
    plugin = EchoPlugin(identifier=identifier, eventbus_client=mqtt(broker))
    plugin.with_custom_policy("text", Policy(allowlist=["core-11"]))
    async with running(plugin):
        event = Event.create(None, publisher_identifier="x")
        whole = event.encode(Encoding.JSON)
        for data in (b"", b"{", b"\xff", b"\xc3\x01" + bytes(8), whole[:-1], whole.replace(b"null", b"[]")):
            await broker_publish(broker, f"orbitalis/{identifier}/x/reply", data)
        await until(lambda: plugin.eventbus_client.statistics.malformed == 6)
        async with core:
            await all_connected(core, [plugin])


async def broker_publish(broker: Broker, topic: str, data: bytes) -> None:
    """Publish bytes that no client of ours would."""
    import aiomqtt

    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.publish(topic, data, qos=1)


async def test_11_a_broker_that_restarts_ends_nothing(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    core = TextCore(identifier="core", eventbus_client=mqtt(broker), operation_requirements=needs())
    plugin = EchoPlugin(identifier="plugin", eventbus_client=mqtt(broker))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        broker.kill()
        await until(lambda: not core.eventbus_client.is_connected and not plugin.eventbus_client.is_connected)
        broker.start()
        await until(lambda: core.eventbus_client.is_connected and plugin.eventbus_client.is_connected)
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])


@dataclass
class Heavy(AvroMessageMixin):
    value: str


@dataclass
class HeavyPlugin(Plugin):
    count: int = 0

    @operation(name="take", input=Input.from_message(Heavy), output=Output.from_message(Heavy))
    async def take(self, topic: str, event: Event[Heavy]) -> None:
        self.count += 1


async def test_12_events_that_were_handled_are_kept_by_nobody(bus: LocalEventBus) -> None:
    constraint = Constraint(minimum=1, inputs=[Input.from_message(Heavy)], outputs=[Output.from_message(Heavy)])
    core = Core(eventbus_client=on(bus), operation_requirements={"take": OperationRequirement(constraint)})
    plugin = HeavyPlugin(eventbus_client=on(bus))
    async with running(plugin, core):
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        messages = [Heavy(value=str(number)) for number in range(100)]
        references = [weakref.ref(message) for message in messages]
        await core.execute("take", messages, distribute=True)
        await until(lambda: plugin.count == 100)
        messages.clear()
        gc.collect()
        assert [reference for reference in references if reference() is not None] == []


def test_13_undefined_is_not_nothing() -> None:
    for nothing, undefined in ((Input.no_input(), Input.undefined()), (Output.no_output(), Output.undefined())):
        assert nothing != undefined
        assert undefined.expects_something
        assert not nothing.expects_something
        assert not undefined.accepts(nothing)


async def test_13_an_input_that_takes_empty_events_takes_others_as_well(bus: LocalEventBus) -> None:
    both = Input(schemas=Input.string().schemas, support_empty_schema=True)
    plugin = plugin_on(bus)
    received: list[object] = []
    plugin.operations["text"].input = both
    plugin.operations["text"].handler = lambda topic, event: received.append(getattr(event.payload, "value", None))
    core = core_on(bus, operation_requirements=needs(inputs=[both]))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await core.execute("text", any=True)
        await until(lambda: received == ["x", None])


def test_the_discover_message_is_known_without_registration() -> None:
    message = DiscoverMessage(
        core_identifier="core",
        offer_topic="a",
        core_keepalive_topic="b",
        core_keepalive_request_topic="c",
        considered_dead_after=1.0,
        queries={},
    )
    for encoding in Encoding:
        data = Event.create(message, publisher_identifier="x").encode(encoding)
        assert Event.decode(data).payload == message
