"""Cores: what they need, when they are compliant, and what becomes of outputs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    CoreState,
    Event,
    EventHandler,
    Input,
    Operation,
    OperationRequirement,
    Output,
    StringMessage,
    sink,
)
from orbitalis.bus import LocalEventBus
from orbitalis.errors import OrbitalisError
from orbitalis_avro.errors import TopicError
from orbitalis_wire.messages import DiscoverMessage, OfferedOperation
from tests.support.events import Collector, until
from tests.support.orbiters import Diary, EchoPlugin, all_connected, core_on, needs, on, plugin_on, running

# Sinks


@dataclass
class PlainCore(Core):
    """Has no sinks of its own."""

    texts: list[str] = field(default_factory=list)

    def keep(self, topic: str, event: Event[StringMessage]) -> None:
        self.texts.append(event.payload.value)

    async def keep_later(self, topic: str, event: Event[StringMessage]) -> None:
        self.keep(topic, event)


@dataclass
class DecoratedCore(PlainCore):
    @sink("text")
    async def take(self, topic: str, event: Event[StringMessage]) -> None:
        self.texts.append(event.payload.value)


@dataclass
class InheritedCore(DecoratedCore):
    async def take(self, topic: str, event: Event[StringMessage]) -> None:
        self.texts.append(event.payload.value.upper().lower())


@dataclass
class PostInitCore(PlainCore):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.operation_sinks["text"] = CallbackEventHandler(self.keep)


class Handler(EventHandler):
    def __init__(self, core: PlainCore) -> None:
        self.core = core

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.core.keep(topic, event)


def make(kind: type[PlainCore], bus: LocalEventBus, **options: Any) -> PlainCore:
    options = {"operation_requirements": needs(), **options}
    return kind(identifier="core", eventbus_client=on(bus), **options)


def attribute(core: PlainCore, handler: Any) -> None:
    core.operation_sinks["text"] = handler


def method(core: PlainCore, handler: Any) -> None:
    assert core.with_operation_sink(operation_name="text", handler=handler) is core


def requirement(core: PlainCore, handler: Any) -> None:
    constraint = core.operation_requirements["text"].constraint
    core.operation_requirements["text"] = OperationRequirement(constraint, override_sink=handler)


def edited_requirement(core: PlainCore, handler: Any) -> None:
    core.operation_requirements["text"].override_sink = handler


async def exchange(core: PlainCore, bus: LocalEventBus) -> None:
    plugin = plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])


@pytest.mark.parametrize("kind", [DecoratedCore, InheritedCore, PostInitCore])
async def test_a_sink_may_be_a_decorated_method_or_be_added_when_the_core_is_made(
    bus: LocalEventBus, kind: type[PlainCore]
) -> None:
    await exchange(make(kind, bus), bus)


@pytest.mark.parametrize("way", [attribute, method, requirement, edited_requirement])
@pytest.mark.parametrize("form", ["callback", "handler", "function", "coroutine function"])
async def test_a_sink_may_be_given_from_outside_in_any_form(bus: LocalEventBus, way: Any, form: str) -> None:
    core = make(PlainCore, bus)
    forms: dict[str, Any] = {
        "callback": CallbackEventHandler(core.keep),
        "handler": Handler(core),
        "function": core.keep,
        "coroutine function": core.keep_later,
    }
    way(core, forms[form])
    await exchange(core, bus)


async def test_a_sink_may_be_an_argument_and_replaces_the_decorated_one(bus: LocalEventBus) -> None:
    collector = Collector()
    core = make(DecoratedCore, bus, operation_sinks={"text": collector})
    plugin = plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await collector.wait_for(1)
        assert core.texts == []
        # It counts from the next output on.
        core.operation_sinks["text"] = core.keep
        await core.execute("text", "y", any=True)
        await until(lambda: core.texts == ["y"])
        core.operation_requirements["text"].override_sink = collector
        await core.execute("text", "z", any=True)
        await collector.wait_for(2)
        assert core.texts == ["y"]
        del core.operation_sinks["text"]
        core.operation_requirements["text"].override_sink = None
        await core.execute("text", "nobody", any=True)
        await until(lambda: plugin.received[-1] == "nobody")


async def test_sinks_of_instances_are_apart(bus: LocalEventBus) -> None:
    one, other = make(DecoratedCore, bus), make(DecoratedCore, bus)
    one.operation_sinks["more"] = one.keep
    assert set(other.operation_sinks) == {"text"}
    assert one.operation_sinks["text"] is not other.operation_sinks["text"]


async def test_a_sink_that_raises_or_hangs_harms_nobody_else(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    core = core_on(bus)
    plugins = [plugin_on(bus, name) for name in ("bad", "good")]

    async def fail(topic: str, event: Event[StringMessage]) -> None:
        if "hang" in event.payload.value:
            await asyncio.Event().wait()
        if "fail" in event.payload.value:
            raise ZeroDivisionError
        core.texts.append(event.payload.value)

    core.operation_sinks["text"] = fail
    async with running(*plugins, core):
        await all_connected(core, plugins)
        for text in ("fail", "hang", "never"):
            await core.execute("text", text, plugin_identifier="bad")
        await core.execute("text", "fine", plugin_identifier="good")
        await until(lambda: core.texts == ["fine"])
    assert "ZeroDivisionError" in caplog.text


def test_a_name_that_no_topic_can_hold_is_refused() -> None:
    for name in ("", "a/b", "#"):
        with pytest.raises(TopicError):
            sink(name)


async def test_outputs_come_without_an_execution_too(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        await plugin.send_result_to_all(plugin.retrieve_connections(), "by itself")
        await until(lambda: core.texts == ["by itself"])


# Needs


async def test_events_and_states_follow_the_needs(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus, with_loop=True, loop_interval=0.01, discovering_interval=0.02), plugin_on(bus)
    assert not core.compliant_event.is_set()
    async with running(core):
        assert core.not_compliant_event.is_set()
        for _ in range(3):
            await plugin.start()
            await asyncio.wait_for(core.compliant_event.wait(), 5)
            assert core.state.name == "COMPLIANT"
            assert core.is_compliant()
            assert core.is_compliant_for_operation("text")
            await plugin.stop()
            await asyncio.wait_for(core.not_compliant_event.wait(), 5)
            assert core.state.name == "NOT_COMPLIANT"
            assert not core.is_compliant()
            assert not core.compliant_event.is_set()
        with pytest.raises(KeyError):
            core.is_compliant_for_operation("unknown")


async def test_what_is_still_wanted_can_be_asked(bus: LocalEventBus) -> None:
    core = core_on(bus, operation_requirements=needs(minimum=2, maximum=3, mandatory=["m"]))
    plugins = [plugin_on(bus, name) for name in ("m", "a")]
    constraint = core.current_constraint_for_operation("text")
    assert constraint is not None
    assert (constraint.minimum, constraint.maximum, constraint.mandatory) == (2, 3, ["m"])
    assert core.current_constraint_for_operation("unknown") is None
    async with running(*plugins, core):
        await all_connected(core, plugins)
        constraint = core.current_constraint_for_operation("text")
        assert constraint is not None
        assert (constraint.minimum, constraint.maximum, constraint.mandatory) == (1, 2, [])
        assert core._operation_to_discover() == {"text": constraint}
        core.operation_requirements["text"].constraint.maximum = 1
        core.operation_requirements["text"].constraint.minimum = 1
        assert core.current_constraint_for_operation("text") is None
        assert core._operation_to_discover() == {}


async def test_requirements_may_be_edited_while_the_core_runs(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    plugin.operations["more"] = plugin.operations["text"]
    async with running(plugin, core):
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        core.operation_requirements["more"] = needs()["text"]
        core.update_compliant()
        assert core.state is CoreState.NOT_COMPLIANT
        # A need that is not met is asked for by itself.
        await core.send_discover_based_on_requirements()
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        assert len(core.retrieve_connections()) == 2


async def test_operations_can_be_discovered_by_hand(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus, operation_requirements={}), plugin_on(bus)
    diary.keep(core)
    async with running(plugin, core):
        assert diary.arguments(core, "_on_send_discover") == []
        await core.send_discover_based_on_requirements()
        assert diary.arguments(core, "_on_send_discover") == []
        constraint = Constraint(inputs=[Input.string()], outputs=[Output.string()])
        await core.send_discover_for_operations({"text": constraint})
        ((discover,),) = diary.arguments(core, "_on_send_discover")
        assert isinstance(discover, DiscoverMessage)
        assert list(discover.queries) == ["text"]
        # It is not required, so nothing comes of the offer.
        await until(lambda: len(diary.arguments(core, "_on_new_offer")) == 1)
        await until(lambda: len(plugin._machine.slots) == 0)


async def test_setup_data_is_the_default_of_the_requirement_or_what_a_hook_gives(bus: LocalEventBus) -> None:
    class Giving(Core):
        async def _get_setup_data(self, plugin_identifier: str, offered_operation: OfferedOperation) -> bytes | None:
            default = await super()._get_setup_data(plugin_identifier, offered_operation)
            return f"{plugin_identifier} {offered_operation.name} ".encode() + (default or b"")

    diary, plugin = Diary(), plugin_on(bus)
    diary.keep(plugin)
    requirements = needs()
    requirements["text"].default_setup_data = b"default"
    cores = [
        Core(identifier="plain", eventbus_client=on(bus), operation_requirements=requirements),
        Giving(identifier="giving", eventbus_client=on(bus), operation_requirements=requirements),
    ]
    async with running(plugin, *cores):
        for core in cores:
            await all_connected(core, [plugin])
    assert {args[0]: args[2] for args in diary.arguments(plugin, "_setup_operation")} == {
        "plain": b"default",
        "giving": b"plugin text default",
    }


async def test_a_core_takes_more_plugins_than_it_needs_and_loses_compliance_with_the_last_one_it_needs(
    bus: LocalEventBus,
) -> None:
    core = core_on(bus, operation_requirements=needs(minimum=2))
    plugins: list[EchoPlugin] = [plugin_on(bus, f"plugin{number}") for number in range(3)]
    async with running(core, *plugins):
        await core.send_discover_based_on_requirements()
        await all_connected(core, plugins)
        await plugins[0].stop()
        await all_connected(core, plugins[1:])
        assert core.state is CoreState.COMPLIANT
        await plugins[1].stop()
        await asyncio.wait_for(core.not_compliant_event.wait(), 5)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"minimum": -1}, "minimum must not be negative"),
        ({"minimum": 2, "maximum": 1}, "maximum must not be below minimum"),
        ({"inputs": []}, "inputs is empty"),
        ({"outputs": []}, "outputs is empty"),
        ({"allowlist": [], "blocklist": []}, "exclude each other"),
        ({"mandatory": ["a", "b"], "blocklist": ["b"]}, "mandatory plugins are on the blocklist: b"),
    ],
)
def test_a_constraint_that_cannot_be_met_is_refused(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Constraint(**{"inputs": [Input.string()], "outputs": [Output.string()], **rules})


async def test_errors_have_one_base(bus: LocalEventBus) -> None:
    async with running(core := core_on(bus)):
        with pytest.raises(OrbitalisError):
            await core.execute("text", "x", any=True)
        with pytest.raises(OrbitalisError):
            await core.start()


def test_a_core_can_be_made_where_no_event_loop_runs(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    plugin.with_operation("more", Operation(name="more", output=Output.string()))

    async def once() -> None:
        async with running(plugin, core):
            await all_connected(core, [plugin])

    asyncio.run(once())
    assert core.state is CoreState.STOPPED
