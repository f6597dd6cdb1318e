"""A core and a plugin with other versions of a message: what is sent arrives as the message of the other side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    Event,
    Input,
    MqttEventBusClient,
    OperationRequirement,
    Output,
    PendingRequest,
    Plugin,
    operation,
    output,
    periodic,
    sink,
)
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient
from orbitalis.errors import NoConnectionError, OperationFailedError, UnexpectedAnswerError
from orbitalis.message import matching
from orbitalis.testing import Harness
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.evolving import EvolvingPlugin, Pair, evolving
from tests.support.orbiters import running
from tests.support.versions import message_of, record_of

NewBroker = Callable[..., Broker]
NewClient = Callable[[], EventBusClient]


@pytest.fixture(params=["local", "mqtt"])
def new_client(request: pytest.FixtureRequest, new_broker: NewBroker) -> NewClient:
    """Give a function that makes clients of one bus."""
    if request.param == "local":
        bus = LocalEventBus()
        return lambda: LocalEventBusClient(bus)
    return on(new_broker())


def on(broker: Broker) -> NewClient:
    return lambda: MqttEventBusClient(broker.host, broker.port)


def colours(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "Colour", "symbols": symbols, **more}


INNER = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "int"}]}
WIDER = {
    "type": "record",
    "name": "Inner",
    "fields": [{"name": "x", "type": "long"}, {"name": "y", "type": "int", "default": 7}],
}
CHANGES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "added": (
        record_of("Added", ("a", "string")),
        record_of("Added", ("n", "int", 5), ("a", "string")),
        {"a": "x"},
        {"n": 5, "a": "x"},
    ),
    "removed": (
        record_of("Removed", ("a", "string"), ("gone", {"type": "array", "items": "string"})),
        record_of("Removed", ("a", "string")),
        {"a": "x", "gone": ["y", "z"]},
        {"a": "x"},
    ),
    "renamed": (
        record_of("Renamed", ("old", "string")),
        record_of("Renamed", {"name": "new", "type": "string", "aliases": ["old"]}),
        {"old": "x"},
        {"new": "x"},
    ),
    "record-renamed": (
        record_of("OldName", ("a", "string")),
        record_of("NewName", ("a", "string"), aliases=["OldName"]),
        {"a": "x"},
        {"a": "x"},
    ),
    "int-to-long": (record_of("IntToLong", ("n", "int")), record_of("IntToLong", ("n", "long")), {"n": 5}, {"n": 5}),
    "long-to-double": (
        record_of("LongToDouble", ("n", "long")),
        record_of("LongToDouble", ("n", "double")),
        {"n": 2**53},
        {"n": 2.0**53},
    ),
    "enum-grown": (
        record_of("Painted", ("c", colours("RED", "GREEN", "BLUE"))),
        record_of("Painted", ("c", colours("OTHER", "RED", default="OTHER"))),
        {"c": "BLUE"},
        {"c": "OTHER"},
    ),
    "nested": (
        record_of("Outer", ("inner", {"type": "array", "items": INNER})),
        record_of("Outer", ("inner", {"type": "array", "items": WIDER})),
        {"inner": [{"x": 1}, {"x": 2}]},
        {"inner": [{"x": 1, "y": 7}, {"x": 2, "y": 7}]},
    ),
    "union-widened": (
        record_of("Widened", ("v", ["null", "int"])),
        record_of("Widened", ("v", ["null", "string", "long"])),
        {"v": 5},
        {"v": 5},
    ),
}
"""What is written, what is read, a value, and what is to become of it."""


def value_of(message: Any) -> Any:
    """Return the fields of a message."""
    if isinstance(message, list):
        return [value_of(one) for one in message]
    if hasattr(message, "__dataclass_fields__"):
        return {name: value_of(getattr(message, name)) for name in message.__dataclass_fields__}
    return getattr(message, "name", message)


def made(schema: str, value: dict[str, Any]) -> Any:
    """Return a message of a schema with a value."""
    message_class = message_of(schema)
    fields = message_class.__dataclass_fields__

    def member(name: str, given: Any) -> Any:
        annotation: Any = fields[name].type
        if isinstance(given, list) and given and isinstance(given[0], dict):
            (inner,) = annotation.__args__
            return [inner(**one) for one in given]
        return annotation[given] if name == "c" else given

    return message_class(**{name: member(name, given) for name, given in value.items()})


async def test_changed_messages_arrive_as_those_of_the_receiver(new_client: NewClient) -> None:
    pairs = {name: Pair(message_of(old), message_of(new)) for name, (old, new, _, _) in CHANGES.items()}
    async with evolving(new_client, pairs, len(pairs)) as (core, plugin):
        sunk: list[Any] = []

        async def keep(topic: str, event: Any) -> None:
            sunk.append(event.payload)

        for name, (old, new, value, expected) in CHANGES.items():
            sent = plugin.answers[name] = made(old, value)
            core.operation_sinks[name] = keep
            answer = await core.request(name, sent)
            for arrived in (answer, *plugin.inputs[name]):
                assert type(arrived) is message_of(new), name
                assert value_of(arrived) == expected, name
            await core.execute(name, sent, any=True)
        # What is no answer goes to the sinks, in the same way.
        await until(lambda: len(sunk) == len(CHANGES))
        assert {type(one) for one in sunk} == {pair.reader for pair in pairs.values()}
        assert core.eventbus_client.statistics.handler_errors == 0
        assert plugin.eventbus_client.statistics.handler_errors == 0


async def test_a_connection_shows_the_schemas_of_its_side(new_client: NewClient) -> None:
    old, new, *_ = CHANGES["added"]
    async with evolving(new_client, {"added": Pair(message_of(old), message_of(new))}, 1) as (core, plugin):
        (mine,), (theirs,) = core.retrieve_connections(), plugin.retrieve_connections()
        assert (list(mine.input.schemas), list(mine.output.schemas)) == ([old], [new])
        assert (list(theirs.input.schemas), list(theirs.output.schemas)) == ([new], [old])


async def test_a_value_that_the_receiver_cannot_have_raises_where_it_is_awaited(
    new_client: NewClient, caplog: pytest.LogCaptureFixture
) -> None:
    old, new, *_ = CHANGES["long-to-double"]
    sent, fine = message_of(old)(n=2**53 + 1), message_of(old)(n=3)
    async with evolving(new_client, {"n": Pair(message_of(old), message_of(new))}, 1) as (core, plugin):
        plugin.answers["n"] = sent
        with pytest.raises(OperationFailedError, match=r"DecodeError.*LongToDouble\.n: expected an integer"):
            await core.request("n", sent)
        assert plugin.inputs == {}
        with pytest.raises(UnexpectedAnswerError, match=r"cannot hold: .*LongToDouble\.n: expected an integer"):
            await core.request("n", fine)
        # Without somebody who waits for it, it is logged, and what follows is taken.
        await core.execute("n", sent, any=True)
        plugin.answers["n"] = fine
        assert value_of(await core.request("n", fine)) == {"n": 3.0}
        assert len(plugin.inputs["n"]) == 2
    assert "which its schema for operation 'n' of 'core' cannot hold: cannot decode LongToDouble.n" in caplog.text


async def test_a_large_message_is_read_in_a_thread(new_broker: NewBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    read = matching.ForeignSchema.read

    def noting(self: Any, data: bytes) -> object:
        threads.append(threading.current_thread())
        return read(self, data)

    monkeypatch.setattr(matching.ForeignSchema, "read", noting)
    old, new, *_ = CHANGES["added"]
    async with evolving(on(new_broker()), {"a": Pair(message_of(old), message_of(new))}, 1) as (core, plugin):
        plugin.answers["a"] = message_of(old)(a="small")
        await core.request("a", message_of(old)(a="x" * 100_000))
        assert value_of(plugin.inputs["a"][0]) == {"n": 5, "a": "x" * 100_000}
    # The large input in one, and the small answer in the event loop.
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


@dataclass(frozen=True)
class Parcel(AvroMessageMixin):
    """As the plugin knows it."""

    number: int
    weight: float = 0.5


@dataclass(frozen=True)
class OldParcel(AvroMessageMixin):
    """As the core knows it."""

    class Meta:
        schema_name = "Parcel"

    number: int


class Depot(Plugin):
    """Takes and gives newer messages."""

    @operation
    async def weigh(self, parcel: Parcel | str) -> Parcel:
        assert isinstance(parcel, Parcel)
        return Parcel(parcel.number + 1, parcel.weight * 2)

    arrivals = output(Parcel)


class OldDepot(Plugin):
    """The same in the program of the core."""

    @operation
    async def weigh(self, parcel: OldParcel | str) -> OldParcel:
        raise NotImplementedError

    arrivals = output(OldParcel)


@dataclass
class Yard(Core):
    seen: list[OldParcel] = field(default_factory=list)

    @sink(OldDepot.arrivals)
    async def keep(self, parcel: OldParcel) -> None:
        self.seen.append(parcel)


def yard(client: EventBusClient, **rules: Any) -> Yard:
    core = Yard(identifier="core", eventbus_client=client, with_loop=False)
    return core.with_requirement(OldDepot.weigh, **rules).with_requirement(OldDepot.arrivals, **rules)


async def test_typed_operations_take_and_give_the_classes_of_their_side(new_client: NewClient) -> None:
    plugin = Depot(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    core = yard(new_client())
    async with running(plugin, core):
        await until(lambda: len(core.retrieve_connections()) == len(plugin.retrieve_connections()) == 2)
        assert await core.request(OldDepot.weigh, OldParcel(3)) == OldParcel(4)
        await plugin.send(Depot.arrivals, Parcel(7, 1.5))
        await until(lambda: core.seen == [OldParcel(7)])
        # The core writes with its own schema, and with nothing that the plugin alone has.
        with pytest.raises(NoConnectionError, match="but none whose input accepts a Parcel"):
            await core.execute("weigh", Parcel(3), any=True)


class ExactDepot(Plugin):
    """Takes and gives the same messages alone."""

    @operation(exact=True)
    async def weigh(self, parcel: Parcel | str) -> Parcel:
        raise NotImplementedError

    arrivals = output(Parcel, exact=True)

    @periodic(1.0, exact=True)
    async def tick(self) -> int:
        return 1

    @operation(name="events", input=Input.from_message(Parcel), output=Output.from_message(Parcel), exact=True)
    async def take(self, topic: str, event: Event[Parcel]) -> None:
        raise NotImplementedError


def test_a_decorator_asks_for_the_same_schemas() -> None:
    for one in (ExactDepot.weigh, ExactDepot.arrivals, ExactDepot.tick, ExactDepot.take):
        assert one.input.exact == {*one.input.schemas}
        assert one.output.exact == {*one.output.schemas}
    assert ExactDepot.weigh.input.exact
    assert ExactDepot.take.output.exact
    assert Depot.weigh.input.exact == frozenset()


@pytest.mark.parametrize(("plugin_class", "rules"), [(ExactDepot, {}), (Depot, {"exact": True})])
async def test_either_side_may_insist_on_the_same_schemas(
    new_client: NewClient, plugin_class: type[Plugin], rules: dict[str, Any]
) -> None:
    plugin = plugin_class(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    core = yard(new_client(), **rules)
    async with running(plugin, core):
        await until(lambda: len(plugin._machine.obstacles.found) == 2)
        assert core.retrieve_connections() == []
        for obstacle in plugin._machine.obstacles.found.values():
            assert "only the same schema matches: field 'weight' is missing there" in str(obstacle)


async def test_outputs_that_come_before_the_confirm_are_read_as_well(harness: Harness) -> None:
    old, new, value, expected = CHANGES["added"]
    sent = made(old, value)

    class Hasty(EvolvingPlugin):
        async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
            await self.send_result_to_all(self.retrieve_connections(), sent)

    plugin = Hasty(identifier="plugin", eventbus_client=harness.client())
    plugin.provide("early", Pair(message_of(old), message_of(new)))
    needed = Constraint(
        inputs=[Input.from_message(message_of(old))], outputs=[Output.from_message(message_of(new))], minimum=1
    )
    core = Core(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements={"early": OperationRequirement(needed)},
    )
    sunk: list[Any] = []

    async def keep(topic: str, event: Event[Any]) -> None:
        sunk.append(event.payload)

    core.operation_sinks["early"] = keep
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "early")
    await harness.idle()
    assert [type(one) for one in sunk] == [message_of(new)]
    assert value_of(sunk[0]) == expected


async def test_what_comes_with_no_schema_of_the_connection_is_refused(
    new_client: NewClient, caplog: pytest.LogCaptureFixture
) -> None:
    old, new, value, _ = CHANGES["added"]
    async with evolving(new_client, {"added": Pair(message_of(old), message_of(new))}, 1) as (core, plugin):
        (connection,) = plugin.retrieve_connections()
        assert connection.input_topic is not None
        stranger = message_of(record_of("Added", ("a", "string"), ("z", "int")))(a="x", z=1)
        await core.sudo_execute(connection.input_topic, stranger)
        await until(lambda: "which is not what operation 'added' of 'core' carries" in caplog.text)
        assert plugin.inputs == {}
        plugin.answers["added"] = made(old, value)
        await core.request("added", made(old, value))
        assert len(plugin.inputs["added"]) == 1
