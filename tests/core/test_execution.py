"""How a core executes operations: all modes and their direct forms, who is chosen, and what is no execution."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, make_dataclass
from typing import Any

import pytest

from orbitalis import AvroMessageMixin, Core, Event, Input, NoConnectionError, Output, Plugin, operation
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient, MqttEventBusClient
from orbitalis.core import OperationRequirement
from orbitalis.errors import BusNotConnectedError, EventTooLargeError
from orbitalis.operations.constraint import Constraint
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import Float64Message, Int64Message, StringMessage
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, plugin_on, running


@asynccontextmanager
async def with_plugins(
    bus: LocalEventBus, count: int, client: EventBusClient | None = None
) -> AsyncIterator[tuple[TextCore, list[EchoPlugin]]]:
    core = core_on(bus)
    core.eventbus_client = client or core.eventbus_client
    plugins = [plugin_on(bus, f"plugin{number}") for number in range(count)]
    async with running(*plugins, core):
        await all_connected(core, plugins)
        yield core, plugins


async def received(plugins: list[EchoPlugin], total: int) -> list[list[str]]:
    """Return what each plugin got, once all is there."""
    await until(lambda: sum(len(plugin.received) for plugin in plugins) == total)
    return [plugin.received for plugin in plugins]


async def test_any_sends_to_one_plugin(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        (chosen,) = await core.execute("text", "a", any=True)
        texts = await received(plugins, 1)
        assert texts[int(chosen[-1])] == ["a"]
        assert await core.execute_sending_any("text", "b") in {plugin.identifier for plugin in plugins}
        await received(plugins, 2)
        await until(lambda: sorted(core.texts) == ["a", "b"])


async def test_any_chooses_at_random(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        chosen = Counter([await core.execute_sending_any("text", "x") for _ in range(200)])
        assert len(chosen) == 3
        assert min(chosen.values()) > 20
        await received(plugins, 200)


async def test_all_sends_to_every_plugin(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        everybody = [plugin.identifier for plugin in plugins]
        assert sorted(await core.execute("text", "a", all=True)) == everybody
        assert sorted(await core.execute_sending_all(operation_name="text", data="b")) == everybody
        assert await received(plugins, 6) == [["a", "b"]] * 3


async def test_a_plugin_that_is_named_is_sent_to(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        assert await core.execute("text", "a", plugin_identifier="plugin1") == ["plugin1"]
        assert await core.execute_using_plugin("text", "plugin1", "b") == "plugin1"
        assert await received(plugins, 2) == [[], ["a", "b"], []]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11])
async def test_distribute_sends_each_message_once_and_to_all_equally_often(bus: LocalEventBus, count: int) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        messages = [str(number) for number in range(count)]
        chosen = await core.execute("text", messages, distribute=True)
        assert len(chosen) == count
        texts = await received(plugins, count)
        assert sorted(text for some in texts for text in some) == sorted(messages)
        assert max(len(some) for some in texts) - min(len(some) for some in texts) <= 1
        assert [texts[int(chosen[number][-1])].count(text) for number, text in enumerate(messages)] == [1] * count


async def test_distribute_of_few_messages_does_not_prefer_anybody(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        chosen = Counter([(await core.execute_distributed("text", ["x"]))[0] for _ in range(150)])
        assert len(chosen) == 3
        await received(plugins, 150)


async def test_exactly_one_mode_is_given(bus: LocalEventBus) -> None:
    core = core_on(bus)
    modes: dict[str, Any] = {"any": True, "all": True, "distribute": True, "plugin_identifier": "a"}
    with pytest.raises(ValueError, match="give exactly one mode"):
        await core.execute("text", "x")
    for one in modes:
        for other in modes:
            if one < other:
                with pytest.raises(ValueError, match="give exactly one mode"):
                    await core.execute("text", "x", **{one: modes[one], other: modes[other]})


@pytest.mark.parametrize("mode", ["any", "all", "plugin_identifier", "distribute"])
async def test_every_mode_takes_one_message_or_a_list(bus: LocalEventBus, mode: str) -> None:
    async with with_plugins(bus, 2) as (core, plugins):
        options: dict[str, Any] = {mode: "plugin1" if mode == "plugin_identifier" else True}
        copies = 2 if mode == "all" else 1
        one = await core.execute("text", "x", **options)
        assert len(one) == copies
        await received(plugins, copies)
        several = await core.execute("text", ["a", "b", "c"], **options)
        assert await core.execute("text", [], **options) == []
        texts = await received(plugins, 4 * copies)
        assert sorted(text for some in texts for text in some) == sorted(["x", "a", "b", "c"] * copies)
        if mode in ("any", "distribute"):  # one for each message
            assert [texts[int(name[-1])].count(text) for name, text in zip(several, "abc", strict=True)] == [1, 1, 1]
        else:  # each plugin once, which gets all of them in their order
            assert sorted(several) == (["plugin0", "plugin1"] if mode == "all" else ["plugin1"])
            assert texts == [["x", "a", "b", "c"] if name in several else [] for name in ("plugin0", "plugin1")]
        # One that nobody accepts keeps all of them back.
        with pytest.raises(NoConnectionError, match="accepts an Int64Message; accepted are StringMessage"):
            await core.execute("text", ["d", 1], **options)
        assert sum(len(plugin.received) for plugin in plugins) == 4 * copies


MODES: list[dict[str, Any]] = [{"any": True}, {"all": True}, {"plugin_identifier": "plugin0"}]


@pytest.mark.parametrize("mode", [*MODES, {"distribute": True}], ids=str)
@pytest.mark.parametrize("fire_and_forget", [True, False])
async def test_without_a_connection_nothing_is_sent_and_that_is_said(
    bus: LocalEventBus, mode: dict[str, Any], fire_and_forget: bool
) -> None:
    data: Any = ["x"] if "distribute" in mode else "x"
    async with running(core := core_on(bus)):
        with pytest.raises(NoConnectionError, match="'core' has no connection for operation 'text'"):
            await core.execute("text", data, fire_and_forget, **mode)
        with pytest.raises(NoConnectionError, match=r"does not require that operation, .*; it requires 'text'"):
            await core.execute("txet", data, fire_and_forget, **mode)
        assert core.eventbus_client.statistics.published <= 1


@pytest.mark.parametrize("mode", [*MODES, {"distribute": True}], ids=str)
async def test_where_no_input_accepts_what_is_sent_that_is_said(bus: LocalEventBus, mode: dict[str, Any]) -> None:
    async with with_plugins(bus, 1) as (core, plugins):
        for data, named in (
            (1, "an Int64Message"),
            (None, "an empty event"),
            (Float64Message(value=1.0), "a Float64M"),
        ):
            sent: Any = ["x", data] if "distribute" in mode else data
            with pytest.raises(NoConnectionError, match=f"but none whose input accepts {named}"):
                await core.execute("text", sent, **mode)
        with pytest.raises(NoConnectionError, match="for operation 'text' with plugin 'nobody'"):
            await core.execute("text", "x", plugin_identifier="nobody")
        with pytest.raises(TypeError, match="cannot publish a object"):
            await core.execute("text", object(), any=True)  # type: ignore[call-overload]
        assert plugins[0].received == []


async def test_fire_and_forget_returns_at_once_and_sends_nevertheless(bus: LocalEventBus) -> None:
    async with with_plugins(bus, 3) as (core, plugins):
        assert len(await core.execute("text", "a", fire_and_forget=True, all=True)) == 3
        assert len(await core.execute("text", "b", True, any=True)) == 1
        assert await core.execute_using_plugin("text", "plugin0", "c", fire_and_forget=True) == "plugin0"
        assert len(await core.execute_distributed("text", ["d", "e"], True)) == 2
        assert plugins[0].received == plugins[1].received == []
        await received(plugins, 7)
        assert core._executions == set()


@pytest.mark.parametrize("bus_kind", ["local", "mqtt"])
async def test_inputs_arrive_in_the_order_of_the_calls_whoever_waits_for_them(
    bus: LocalEventBus, bus_kind: str, request: pytest.FixtureRequest
) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    if bus_kind == "mqtt":
        broker: Broker = request.getfixturevalue("new_broker")()
        for orbiter in (core, plugin):
            orbiter.eventbus_client = MqttEventBusClient(broker.host, broker.port)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        sent: list[str] = []

        def text() -> str:
            sent.append(str(len(sent)))
            return sent[-1]

        for fire_and_forget in (True, False, True, True, False):
            await core.execute("text", text(), fire_and_forget, any=True)
            await core.execute("text", [text(), text()], fire_and_forget, all=True)
            await core.execute_using_plugin("text", "plugin", text(), not fire_and_forget)
            await core.execute_distributed("text", [text(), text()], fire_and_forget)
            await core.request("text", text())
        await until(lambda: len(plugin.received) == len(sent))
        assert plugin.received == sent


class FailingClient(LocalEventBusClient):
    """Fails to publish when it is told to: at once, or a moment later."""

    fails = ""

    def _start_publish(  # type: ignore[override]  # it may take time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if self.fails == "at once":
            raise BusNotConnectedError("gone")
        if self.fails == "later":
            return self._fail()
        super()._start_publish(topic, event, channel, encoding)
        return None

    async def _fail(self) -> None:
        await asyncio.sleep(0)
        raise BusNotConnectedError("gone")


@pytest.mark.parametrize("when", ["at once", "later"])
async def test_a_failure_that_nobody_waits_for_is_logged(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    client = FailingClient(bus)
    async with with_plugins(bus, 1, client) as (core, _):
        client.fails = when
        for execute in (core.execute_sending_any, core.execute_sending_all):
            with pytest.raises(BusNotConnectedError):
                await execute("text", "x")
            caplog.clear()
            await execute("text", "x", True)
            await until(lambda: "an execution of operation text by core failed, and nobody waits for it" in caplog.text)
        client.fails = ""


class FailingOnceClient(LocalEventBusClient):
    """Fails to publish one text, at once."""

    def _start_publish(  # type: ignore[override]  # it may take time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if getattr(event.payload, "value", None) == "bad":
            raise EventTooLargeError("too large")
        return self._later(topic, event, channel, encoding)

    async def _later(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        await asyncio.sleep(0)
        super()._start_publish(topic, event, channel, encoding)


@pytest.mark.parametrize("fire_and_forget", [True, False])
async def test_an_input_that_cannot_be_published_keeps_back_none_of_the_others(
    bus: LocalEventBus, fire_and_forget: bool
) -> None:
    async with with_plugins(bus, 1, FailingOnceClient(bus)) as (core, plugins):
        with nullcontext() if fire_and_forget else pytest.raises(EventTooLargeError):
            await core.execute_distributed("text", ["a", "bad", "b"], fire_and_forget)
        assert await received(plugins, 2) == [["a", "b"]]


class HangingClient(LocalEventBusClient):
    """Never gets a text published."""

    def __init__(self, bus: LocalEventBus) -> None:
        super().__init__(bus)
        self.hangs = asyncio.Event()

    def _start_publish(  # type: ignore[override]  # it may take time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if isinstance(event.payload, StringMessage):
            return self._hang()
        super()._start_publish(topic, event, channel, encoding)
        return None

    async def _hang(self) -> None:
        self.hangs.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("has_begun", [True, False])
async def test_stop_ends_executions_that_nobody_waits_for(bus: LocalEventBus, has_begun: bool) -> None:
    client = HangingClient(bus)
    async with with_plugins(bus, 1, client) as (core, _):
        await core.execute("text", "x", True, any=True)
        if has_begun:
            await client.hangs.wait()
        async with asyncio.timeout(4):
            await core.stop()
        assert core._executions == set()


async def test_sudo_execute_asks_nobody(bus: LocalEventBus) -> None:
    collector = Collector()
    async with running(core := core_on(bus)):
        await core.eventbus_client.subscribe("anywhere", collector)
        await core.sudo_execute("anywhere", "x")
        await core.sudo_execute(topic="anywhere", data=5)
        await core.sudo_execute("anywhere")
        await collector.wait_for(3)
        assert collector.values == ["x", 5, None]


# Several inputs


@dataclass
class SaveInteger(Plugin):
    vault: int | None = None

    @operation(name="save", input=Input.int64())
    async def save(self, topic: str, event: Event[Int64Message]) -> None:
        self.vault = event.payload.value


@dataclass
class SaveString(Plugin):
    vault: str | None = None

    @operation(name="save", input=Input.string())
    async def save(self, topic: str, event: Event[StringMessage]) -> None:
        self.vault = event.payload.value


@dataclass
class DynamicCore(Core):
    async def execute_dynamically(self) -> None:
        for connection in self.retrieve_connections(operation_name="save"):
            if not connection.has_input:
                continue
            assert connection.input_topic is not None
            if connection.input.is_compatible(Input.int64()):
                await self.eventbus_client.publish(connection.input_topic, 42)
            if connection.input.is_compatible(Input.string()):
                await self.eventbus_client.publish(connection.input_topic, "hello")


async def test_inputs_may_differ_from_plugin_to_plugin_as_in_the_guide(bus: LocalEventBus) -> None:
    constraint = Constraint(
        inputs=[Input.int64(), Input.string()], outputs=[Output.no_output()], mandatory=["int_plugin", "str_plugin"]
    )
    core = DynamicCore(eventbus_client=on(bus), operation_requirements={"save": OperationRequirement(constraint)})
    integers = SaveInteger(identifier="int_plugin", eventbus_client=on(bus))
    strings = SaveString(identifier="str_plugin", eventbus_client=on(bus))
    async with running(integers, strings, core):
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        await core.execute_dynamically()
        await until(lambda: (integers.vault, strings.vault) == (42, "hello"))
        # An execution finds by itself who takes what.
        assert await core.execute("save", 7, all=True) == ["int_plugin"]
        assert await core.execute("save", "bye", any=True) == ["str_plugin"]
        assert await core.execute("save", [1, "a", 2], distribute=True) == ["int_plugin", "str_plugin", "int_plugin"]
        await until(lambda: (integers.vault, strings.vault) == (2, "a"))
        with pytest.raises(NoConnectionError, match="has 2 connections for operation 'save', but none"):
            await core.execute("save", 0.5, any=True)


@dataclass
class TakeAnything(Plugin):
    spec: Input | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.values: list[Any] = []
        if self.spec is not None:
            self.operations["take"].input = self.spec

    @operation(name="take", input=Input.undefined())
    async def take(self, topic: str, event: Event[Any]) -> None:
        self.values.append(getattr(event.payload, "value", None))


@pytest.mark.parametrize(
    ("theirs", "mine", "accepted", "refused"),
    [
        (Input.undefined(), Input.undefined(), ["x", 1, 0.5, None], []),
        (Input.undefined(), Input.string(), ["x", 1, None], []),
        (Input.empty(), Input.empty(), [None], ["x", 1]),
        (Input(schemas=Input.string().schemas, support_empty_schema=True), Input.string(), ["x", None], [1]),
        (Input(schemas=Input.string().schemas, support_empty_schema=True), Input.empty(), ["x", None], [0.5]),
        (Input(schemas=[*Input.string().schemas, *Input.int64().schemas]), Input.int64(), ["x", 1], [0.5, None]),
    ],
    ids=str,
)
async def test_an_input_may_be_of_several_kinds(
    bus: LocalEventBus, theirs: Input, mine: Input, accepted: list[Any], refused: list[Any]
) -> None:
    plugin = TakeAnything(identifier="plugin", eventbus_client=on(bus), spec=theirs)
    constraint = Constraint(minimum=1, inputs=[mine], outputs=[Output.no_output()])
    core = Core(eventbus_client=on(bus), operation_requirements={"take": OperationRequirement(constraint)})
    async with running(plugin, core):
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        for data in refused:
            with pytest.raises(NoConnectionError):
                await core.execute("take", data, any=True)
            (connection,) = core.retrieve_connections()
            assert connection.input_topic is not None
            await core.sudo_execute(connection.input_topic, data)
        for data in accepted:
            await core.execute("take", data, any=True)
        await until(lambda: len(plugin.values) == len(accepted))
        assert plugin.values == accepted


async def test_an_operation_without_input_cannot_be_executed(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus, operation_requirements=needs(inputs=[Input.no_input()])), plugin_on(bus)
    plugin.operations["text"].input = Input.no_input()
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        assert not connection.has_input
        assert connection.has_output
        for data in (None, "x"):
            with pytest.raises(NoConnectionError, match="operation 'text' takes no input, so it can neither"):
                await core.execute("text", data, any=True)


async def test_a_message_of_another_schema_and_the_same_name_is_told_apart(bus: LocalEventBus) -> None:
    def level(*fields: tuple[str, Any]) -> Any:
        return make_dataclass("Level", fields, bases=(AvroMessageMixin,))

    taken, other = level(("value", int)), level(("value", int), ("fade", float))
    core = core_on(bus, operation_requirements=needs(inputs=[Input.from_message(taken)]))
    plugin = plugin_on(bus)
    plugin.operations["text"].input = Input.from_message(taken)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        with pytest.raises(NoConnectionError) as failure:
            await core.execute("text", other(1, 2.0), any=True)
    assert str(failure.value).endswith(
        "accepted are Level. The Level that is given here has another schema than the Level that is accepted there: "
        "field 'fade' is missing there. Is its class defined twice?"
    )
