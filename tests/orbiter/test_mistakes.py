"""What is easily done wrong with orbiters says so where it is done, and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    Input,
    LocalEventBus,
    LocalEventBusClient,
    NoConnectionError,
    Operation,
    OperationRequirement,
    OrbiterStateError,
    Output,
    Plugin,
    SeveralEventBusClient,
    connect,
    operation,
    run,
    serve,
    sink,
)
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

BUS = "local://mistakes"


def anything(given: object) -> Any:
    """Return what type checkers would refuse."""
    return given


class Texts(Plugin):
    @operation
    async def lower(self, text: str) -> str:
        return text.lower()

    async def helper(self, text: str) -> str:
        return text


def texts() -> Texts:
    return Texts(identifier="texts", eventbus_client=connect(BUS))


def test_an_identifier_without_its_name_says_how_to_give_it() -> None:
    with pytest.raises(TypeError, match="positional") as error:
        anything(Plugin)("lamp")
    assert error.value.__notes__ == ["write what is given by its name, as in Plugin(identifier='lamp')"]


def pair(harness: Harness) -> tuple[TextCore, EchoPlugin]:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=1))
    return core, EchoPlugin(identifier="plugin", eventbus_client=harness.client())


# Making


@pytest.mark.parametrize(
    ("name", "value", "error", "reason"),
    [
        ("identifier", 5, TypeError, "identifier must be a text, got 5"),
        ("identifier", None, TypeError, "identifier must be a text, got None"),
        ("identifier", "a/b", ValueError, "identifier 'a/b' cannot be used: it contains /"),
        ("loop_interval", "1", TypeError, r"must be a number of seconds, such as loop_interval=5\.0, got '1'"),
        ("loop_interval", 0, ValueError, "loop_interval must be positive, got 0"),
        ("loop_interval", None, TypeError, "must be a number of seconds"),
        ("graceful_close_timeout", -1, ValueError, "graceful_close_timeout must not be negative, got -1"),
        ("limits", {"known_remotes": 9}, TypeError, r"limits must be of class Limits, got .* write limits=Limits\(…\)"),
        ("discover_topic", "a/#", ValueError, "wildcards"),
        ("announce_topic", 5, TypeError, "announce_topic must be a text, got 5"),
        (
            "eventbus_client",
            LocalEventBusClient,
            TypeError,
            r"got the class LocalEventBusClient; connect\(\) makes one",
        ),
        ("eventbus_client", "mqtt://host", TypeError, r"got a str; connect\(URL\) makes one"),
        ("operations", [Operation(name="x")], TypeError, "operations must be a dictionary by operation name, got"),
        ("operations", {"x": Operation}, TypeError, r"operations\['x'\] must be of class Operation, got <class"),
        ("operations", {5: Operation(name="x")}, TypeError, "a name in operations must be a text, got 5"),
        ("process_pool_size", 0, ValueError, "process_pool_size must be at least 1"),
    ],
)
def test_attributes_that_cannot_be_are_refused_when_it_is_made_and_later(
    name: str, value: object, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        Plugin(**anything({"eventbus_client": connect(BUS), name: value}))
    plugin = texts()
    before = getattr(plugin, name)
    with pytest.raises(error, match=reason):
        setattr(plugin, name, value)
    assert getattr(plugin, name) is before


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("operation_requirements", {"x": OperationRequirement}, "must be of class OperationRequirement, got <class"),
        ("operation_sinks", [print], "operation_sinks must be a dictionary"),
        ("operation_sinks", {"x": 5}, "a handler must be a function of topic and event, or an EventHandler, got 5"),
        ("operation_sinks", {"x": CallbackEventHandler}, r"write CallbackEventHandler\(…\)"),
        ("operation_sinks", {"x": lambda event: None}, "let it take .topic, event."),
        ("discovering_interval", "2", "must be a number of seconds"),
    ],
)
def test_attributes_of_cores_that_cannot_be_are_refused(name: str, value: object, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        Core(**anything({"eventbus_client": connect(BUS), name: value}))


def test_a_forgotten_call_of_the_base_is_named() -> None:
    class Plain(Plugin):
        def __init__(self) -> None:
            self.room = "kitchen"

    @dataclass
    class Data(Core):
        def __post_init__(self) -> None:
            self.room = "kitchen"

    @dataclass
    class Derived(Data):
        pass

    with pytest.raises(
        TypeError, match=r"Plain\.__init__ does not call .*: write super\(\)\.__init__\(\) as its first"
    ):
        Plain()
    for made in (Data, Derived):
        with pytest.raises(
            TypeError, match=r"Data\.__post_init__ does not call .*: write super\(\)\.__post_init__\(\)"
        ):
            made(eventbus_client=connect(BUS))


def test_a_call_of_the_base_that_comes_too_late_is_named() -> None:
    class Late(Plugin):
        def __init__(self) -> None:
            self.operations["x"] = Operation(name="x")
            super().__init__(eventbus_client=connect(BUS))

    class Other(Plugin):
        def __init__(self) -> None:
            super().__init__(eventbus_client=connect(BUS))
            anything(self).room.strip()

    with pytest.raises(AttributeError) as failure:
        Late()
    assert "once super().__init__() was called: do so first" in failure.value.__notes__[0]
    with pytest.raises(AttributeError) as failure:
        Other()
    assert not hasattr(failure.value, "__notes__")


def test_requirements_may_be_added_before_the_base_is_called() -> None:
    @dataclass
    class Early(Core):
        def __post_init__(self) -> None:
            self.with_requirement(Texts.lower)
            super().__post_init__()

    assert list(Early(eventbus_client=connect(BUS)).operation_requirements) == ["lower"]


def test_a_default_that_counts_for_nothing_is_named() -> None:
    class Plain(Plugin):
        identifier = "lamp"

    @dataclass
    class Unannotated(Plugin):
        loop_interval = 9.0

    class Given(Plugin):
        identifier = "lamp"

        def __init__(self) -> None:
            super().__init__(identifier=self.identifier, eventbus_client=connect(BUS))

    @dataclass
    class Annotated(Plugin):
        identifier: str = "lamp"

    with pytest.raises(TypeError, match=r"Plain\.identifier = 'lamp' has no effect: put @dataclass above the"):
        Plain(eventbus_client=connect(BUS))
    assert Plain(eventbus_client=connect(BUS), identifier="other").identifier == "other"
    with pytest.raises(TypeError, match=r"annotate it, as in `loop_interval: float = 9\.0`"):
        Unannotated(eventbus_client=connect(BUS))
    assert Given().identifier == Annotated(eventbus_client=connect(BUS)).identifier == "lamp"


def _without_self() -> None:
    async def lower(text: str) -> str:
        return text

    type("Wrong", (Plugin,), {"lower": anything(operation)(lower)})


def _named_by_position() -> None:
    async def lower(self: object, text: str) -> str:
        return text

    anything(operation)("lower")(lower)


def _not_async() -> None:
    def lower(self: object, text: str) -> None: ...

    type("Wrong", (Core,), {"lower": anything(sink("lower"))(lower)})


@pytest.mark.parametrize(
    ("declare", "reason"),
    [
        (_without_self, "takes 'text' where self belongs: let it begin with (self, text"),
        (_named_by_position, "expected a method to decorate, got 'lower': the name is given as name='lower'"),
        (_not_async, "is not asynchronous: write 'async def'"),
    ],
)
def test_methods_that_are_declared_wrongly_say_how_to(declare: Callable[[], None], reason: str) -> None:
    with pytest.raises(TypeError, match=re.escape(reason)):
        declare()


# Operations and connections


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda: "lower", "expected an operation of a plugin class, got 'lower'"),
        (lambda: texts().lower, "write Texts.lower, of the class and not of the object"),
        (lambda: texts().helper, "decorate Texts.helper with @operation"),
        (lambda: Texts.helper, "decorate Texts.helper with @operation"),
        (lambda: Texts, "such as TextPlugin.lowercase"),
    ],
)
async def test_what_is_no_operation_is_not_taken_for_one(given: Callable[[], Any], reason: str) -> None:
    core = Core(eventbus_client=connect(BUS))
    with pytest.raises(TypeError, match=reason):
        core.with_requirement(given())
    if not isinstance(given(), str):
        with pytest.raises(TypeError, match=reason):
            await core.execute(given(), "x", any=True)
        with pytest.raises(TypeError, match=reason):
            await core.request(given(), "x")


async def test_an_unknown_operation_is_named_with_the_nearest_that_there_is(harness: Harness) -> None:
    core, plugin = pair(harness)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    near = "'txet'.*; did you mean 'text'"
    for orbiter in (core, plugin):
        with pytest.raises(NoConnectionError, match=f"has no operation {near}"):
            orbiter.retrieve_connections(operation_name="txet")
        with pytest.raises(NoConnectionError, match=f"has no operation {near}"):
            orbiter.retrieve_connections(operation_name="txet", remote_identifier="core")
        with pytest.raises(NoConnectionError, match="has no operation 'quite another'; known: 'text'"):
            await orbiter.retrieve_and_touch_connections("quite another")
        with pytest.raises(TypeError, match="operation_name must be a text"):
            orbiter.retrieve_connections(operation_name=anything(Texts.lower))
    for call in (
        lambda: core.execute("txet", "x", any=True),
        lambda: core.execute("txet", "x", all=True),
        lambda: core.execute_sending_any("txet", "x"),
        lambda: core.execute_using_plugin("txet", "plugin", "x"),
        lambda: core.execute_distributed("txet", ["x"]),
        lambda: core.request("txet", "x"),
    ):
        with pytest.raises(NoConnectionError, match=near):
            await call()
    with pytest.raises(NoConnectionError, match=near):
        await core.send_graceful_close_connection("plugin", "txet")
    with pytest.raises(KeyError, match=near):
        core.is_compliant_for_operation("txet")
    with pytest.raises(KeyError, match=near):
        plugin.with_custom_policy("txet", plugin.operations["text"].policy)


async def test_an_unknown_plugin_is_named_with_the_nearest_that_there_is(harness: Harness) -> None:
    core, plugin = pair(harness)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    near = "with plugin 'plugni': there are connections with others; did you mean 'plugin'"
    with pytest.raises(NoConnectionError, match=near):
        await core.execute("text", "x", plugin_identifier="plugni")
    with pytest.raises(NoConnectionError, match="with 'plugni' for operation 'text'; did you mean 'plugin'"):
        await core.send_graceless_close_connection("plugni", "text")
    for call in (core.execute, core.request):
        with pytest.raises(TypeError, match="plugin_identifier must be a text, got EchoPlugin"):
            await call("text", "x", plugin_identifier=anything(plugin))
    with pytest.raises(TypeError, match=r"timeout must be a number of seconds, such as timeout=5\.0, got '5'"):
        await core.request("text", "x", timeout=anything("5"))


async def test_an_operation_that_is_taken_away_is_still_known(harness: Harness) -> None:
    core, plugin = pair(harness)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    del plugin.operations["text"], core.operation_requirements["text"]
    await core.stop()
    await harness.advance(5)
    assert plugin.retrieve_connections(operation_name="text") == []
    assert core.retrieve_connections(operation_name="text") == []


async def test_before_its_start_and_after_its_stop_a_core_says_that_it_does_not_run(harness: Harness) -> None:
    core, _ = pair(harness)
    for _ in range(2):
        for call in (core.execute_sending_any, core.request):
            with pytest.raises(NoConnectionError, match="it is not running; start it first, as `async with core:`"):
                await call("text", "x")
        await harness.start(core)
        await core.stop()


async def test_sinks_of_operations_that_are_not_required_are_told_at_the_start(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    class Sinks(Core):
        @sink("txet")
        async def wrong(self, text: str) -> None: ...

        @sink("other")
        async def other(self, text: str) -> None: ...

    requirements = needs()
    await harness.start(
        Sinks(identifier="sinks", eventbus_client=harness.client(), operation_requirements=requirements)
    )
    (line,) = caplog.messages
    assert line.startswith("sinks has sinks for operations that it does not require")
    assert line.endswith("'txet'; did you mean 'text'?, 'other'")
    caplog.clear()
    core, _ = pair(harness)
    await harness.start(core)
    assert caplog.messages == []


# Running


async def test_a_client_that_another_orbiter_uses_is_refused_and_left_to_that(harness: Harness) -> None:
    client = harness.client()
    first = EchoPlugin(identifier="first", eventbus_client=client)
    second = EchoPlugin(identifier="second", eventbus_client=client)
    await harness.start(first)
    with pytest.raises(OrbiterStateError, match=r"'second' cannot use .*, which .*'first' uses: each orbiter needs a"):
        await second.start()
    assert not second.is_running
    core, _ = pair(harness)
    await harness.start(core)
    await harness.connected(core, first)
    await first.stop()
    await harness.start(second)
    await harness.connected(core, second)


async def test_a_client_of_several_buses_is_used_as_a_whole() -> None:
    shared, other = LocalEventBusClient(LocalEventBus()), LocalEventBusClient(LocalEventBus())
    several = SeveralEventBusClient({"a": other, "b": shared})
    first, second = Plugin(identifier="first", eventbus_client=shared), Plugin(eventbus_client=several)
    third = Plugin(eventbus_client=other)
    async with first:
        with pytest.raises(OrbiterStateError, match="'first' uses"):
            await second.start()
        async with third:
            pass
    async with second:
        for one in (first, third):
            with pytest.raises(OrbiterStateError, match="each orbiter needs a client of its own"):
                await one.start()


async def test_what_never_changes_while_it_runs_refuses_that(harness: Harness) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    plugin.eventbus_client = harness.client()
    with pytest.raises(OrbiterStateError, match=r"identifier of .* never changes: make another one with identifier="):
        plugin.identifier = "other"
    await harness.start(plugin)
    for name, value in (("eventbus_client", harness.client()), ("discover_topic", "x"), ("announce_topic", "x")):
        with pytest.raises(
            OrbiterStateError, match=f"{name} of .*'plugin' cannot change while it runs: stop it before"
        ):
            setattr(plugin, name, value)
        setattr(plugin, name, getattr(plugin, name))
    await plugin.stop()
    plugin.discover_topic = "x"


@pytest.mark.parametrize(
    ("orbiters", "options", "error", "reason"),
    [
        ((Texts,), {}, TypeError, r"expected orbiters to run, got <class .*: write Texts\(…\)"),
        (([],), {}, TypeError, r"got \[\]: write a \* before it"),
        ((), {}, TypeError, r"no orbiter to run: give one, as in run\(Plugin\(\)\)"),
        ((texts(),), {"close_timeout": -1}, ValueError, "close_timeout must not be negative, got -1"),
        ((texts(),), {"close_timeout": "5"}, TypeError, "close_timeout must be a number of seconds"),
        ((texts(),) * 2, {}, TypeError, ""),
    ],
)
async def test_what_cannot_be_run_is_refused(orbiters: Any, options: Any, error: type[Exception], reason: str) -> None:
    if len(orbiters) == 2:
        orbiters, error, reason = (orbiters[0], orbiters[0]), ValueError, "one orbiter is to be run twice"
    with pytest.raises(error, match=reason):
        run(*orbiters, **options)
    with pytest.raises(error, match=reason):
        await serve(*orbiters, **options)


@pytest.mark.filterwarnings("error")
async def test_run_in_a_running_loop_says_what_to_write_there() -> None:
    with pytest.raises(OrbiterStateError, match=re.escape("one is running here: write await serve(…)")):
        run(texts())


def test_with_without_async_says_so() -> None:
    with pytest.raises(TypeError, match="Texts 'texts' is started by `async with`, not by `with`"), anything(texts()):
        pass


async def test_leaving_takes_a_number_of_seconds(harness: Harness) -> None:
    _, plugin = pair(harness)
    await harness.start(plugin)
    with pytest.raises(ValueError, match="timeout must not be negative, got -1"):
        await plugin.leave(-1)


def test_constraints_and_inputs_are_told_apart() -> None:
    constraint = Constraint(inputs=[Input.string()], outputs=[Output.string()])
    with pytest.raises(
        TypeError, match=r"operation_requirements\['x'\] must be of class OperationRequirement, got Con"
    ):
        Core(eventbus_client=connect(BUS), operation_requirements={"x": anything(constraint)})
