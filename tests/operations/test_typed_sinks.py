"""Sinks in the typed style, what else they are given, and requirements made from operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    Connection,
    Constraint,
    Core,
    Event,
    Input,
    OperationRequirement,
    Output,
    Plugin,
    StringMessage,
    operation,
    sink,
)
from orbitalis.bus import LocalEventBus
from orbitalis.operations.handlers import ConnectionEventHandler
from tests.support.events import Collector, until
from tests.support.orbiters import on, running


class Words(Plugin):
    @operation
    async def bare(self, text: str) -> str:
        return text

    @operation
    async def named(self, text: str) -> str:
        return text

    @operation
    async def checked(self, text: str) -> str | None:
        return text or None

    @operation
    async def messages(self, text: str) -> str:
        return text

    @operation
    async def events(self, text: str) -> str:
        return text

    @operation
    async def with_connection(self, text: str) -> str:
        return text

    @operation
    async def events_with_connection(self, text: str) -> str:
        return text

    @operation
    async def empty(self, text: str) -> str:
        return text


ALL = (
    Words.bare,
    Words.named,
    Words.checked,
    Words.messages,
    Words.events,
    Words.with_connection,
    Words.events_with_connection,
)


@dataclass
class Listener(Core):
    heard: list[tuple[str, object]] = field(default_factory=list)

    @sink
    async def bare(self, text: str) -> None:
        self.heard.append(("bare", text))

    @sink("named")
    async def other_name(self, text: str) -> None:
        self.heard.append(("named", text))

    @sink(Words.checked)
    async def any_name(self, text: str) -> None:
        self.heard.append(("checked", text))

    @sink("messages")
    async def message(self, text: StringMessage) -> None:
        self.heard.append(("messages", text))

    @sink("events")
    async def event(self, topic: str, event: Event[StringMessage]) -> None:
        self.heard.append(("events", event.payload.value))

    @sink
    async def with_connection(self, text: str, connection: Connection) -> None:
        self.heard.append(("with_connection", (text, connection.operation_name)))

    @sink(operation_name="events_with_connection")
    async def event_and_connection(self, topic: str, event: Event[StringMessage], connection: Connection) -> None:
        self.heard.append(("events_with_connection", (event.payload.value, connection.remote_identifier)))


def words_on(bus: LocalEventBus) -> Words:
    return Words(identifier="words", eventbus_client=on(bus), with_loop=False)


def listener_on(bus: LocalEventBus, kind: type[Listener] = Listener) -> Listener:
    core = kind(identifier="core", eventbus_client=on(bus), with_loop=False)
    for one in ALL:
        core.with_requirement(one, minimum=1)
    return core


async def test_every_style_of_sink_gets_what_it_asks_for(bus: LocalEventBus) -> None:
    core = listener_on(bus)
    async with running(words_on(bus), core):
        await core.compliant_event.wait()
        for one in ALL:
            await core.execute(one, "x", any=True)
        await until(lambda: len(core.heard) == len(ALL))
    assert dict(core.heard) == {
        "bare": "x",
        "named": "x",
        "checked": "x",
        "messages": StringMessage(value="x"),
        "events": "x",
        "with_connection": ("x", "with_connection"),
        "events_with_connection": ("x", "words"),
    }


class Louder(Listener):
    async def bare(self, text):
        await super().bare(text.upper())


async def test_a_sink_that_overrides_another_takes_its_place(bus: LocalEventBus) -> None:
    core = listener_on(bus, Louder)
    async with running(words_on(bus), core):
        await core.compliant_event.wait()
        await core.execute(Words.bare, "x", any=True)
        await until(lambda: core.heard == [("bare", "X")])


# Replacing what takes the data of a live connection


async def test_the_sink_of_a_live_connection_can_be_replaced_in_every_way(bus: LocalEventBus) -> None:
    core, plugin = listener_on(bus), words_on(bus)
    later: list[str] = []

    async def take(topic: str, event: Event[StringMessage], connection: Connection) -> None:
        later.append(f"{event.payload.value} {connection.remote_identifier}")

    async with running(plugin, core):
        await core.compliant_event.wait()
        before = core.retrieve_connections(operation_name="bare")

        async def say(text: str) -> None:
            await core.execute(Words.bare, text, any=True)

        await say("a")
        await until(lambda: core.heard == [("bare", "a")])
        core.operation_sinks["bare"] = lambda topic, event: later.append(event.payload.value)
        await say("b")
        await until(lambda: later == ["b"])
        core.with_operation_sink("bare", take)
        await say("c")
        await until(lambda: later[1:] == ["c words"])
        core.operation_requirements["bare"].override_sink = collector = Collector()
        await say("d")
        await collector.wait_for(1)
        core.operation_requirements["bare"].override_sink = None
        await say("e")
        await until(lambda: later[2:] == ["e words"])
        del core.operation_sinks["bare"]
        received = core.eventbus_client.statistics.received
        await say("nobody takes it")
        await until(lambda: core.eventbus_client.statistics.received == received + 1)
        # And the handler, on the other side.
        plugin.operations["bare"].handler = lambda topic, event: later.append(f"handled {event.payload.value}")
        await say("f")
        await until(lambda: later[3:] == ["handled f"])
        assert core.retrieve_connections(operation_name="bare") == before
    assert core.heard == [("bare", "a")]


class Whence(ConnectionEventHandler):
    """A handler that wants the connection."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def start(self, connection: Connection, topic: str, event: Event[Any]) -> None:
        self.seen.append(connection.remote_identifier)


async def test_a_handler_may_want_the_connection_too(bus: LocalEventBus) -> None:
    core = listener_on(bus).with_operation_sink("bare", whence := Whence())
    async with running(words_on(bus), core):
        await core.compliant_event.wait()
        await core.execute(Words.bare, "x", any=True)
        await until(lambda: whence.seen == ["words"])
    with pytest.raises(LookupError, match="takes events of connections; one on topic 't' came without"):
        await whence.handle("t", Event.create(None, publisher_identifier="somebody"))


# Requirements


def test_a_requirement_is_made_from_an_operation(bus: LocalEventBus) -> None:
    handler = Collector()
    rules: dict[str, Any] = {"minimum": 1, "maximum": 2, "mandatory": ["a"], "allowlist": ["b"]}
    expected = OperationRequirement(
        Constraint(**rules, inputs=[Input.string()], outputs=[Output.string()]), handler, b"data"
    )
    made = OperationRequirement.for_operation(Words.named, **rules, override_sink=handler, default_setup_data=b"data")
    core = Core(eventbus_client=on(bus))
    assert made == expected
    assert core.with_requirement(Words.named, **rules, override_sink=handler, default_setup_data=b"data") is core
    assert core.operation_requirements == {"named": expected}
    blocking = OperationRequirement.for_operation(Words.named, blocklist=["c"])
    assert blocking.constraint.blocklist == ["c"]
    with pytest.raises(ValueError, match="maximum must not be below minimum"):
        core.with_requirement(Words.named, minimum=2, maximum=1)
