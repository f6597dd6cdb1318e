"""Numbers of inputs and outputs: each is handled at most once, and what is lost shows as a gap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Core, Event, StringMessage
from orbitalis.bus import LocalEventBusClient
from orbitalis.errors import BusUnavailableError
from orbitalis.testing import Harness
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.limits import SEQUENCE_WINDOW
from tests.support.orbiters import EchoPlugin, TextCore, needs

_LOGGER = "orbitalis.orbiter.runtime"


@dataclass
class BusyCore(TextCore):
    """A core whose sink waits until it may go on."""

    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def _keep(self, topic: str, event: Event[StringMessage]) -> None:
        await self.may.wait()
        await super()._keep(topic, event)


class FailingClient(LocalEventBusClient):
    """Fails to publish inputs, at once or later, if it is told to."""

    fails = ""

    def _start_publish(  # type: ignore[override]  # this one may take time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if self.fails == "at once":
            raise BusUnavailableError("at once")
        if self.fails == "later":
            return self._fail()
        super()._start_publish(topic, event, channel, encoding)
        return None

    async def _fail(self) -> None:
        await asyncio.sleep(0)
        raise BusUnavailableError("later")


async def pair(harness: Harness, core_class: type[TextCore] = TextCore, **options: Any) -> tuple[Any, EchoPlugin]:
    """Return a core and a plugin that are connected."""
    options = {"eventbus_client": harness.client(), **options}
    core = core_class(identifier="core", operation_requirements=needs(), **options)
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    return core, plugin


def data(harness: Harness, direction: str) -> list[tuple[str, Event[Any]]]:
    """Return the inputs or outputs that were published, with their topics."""
    return [(sent.topic, sent.event) for sent in harness.recording if f"/{direction}/" in sent.topic]


def numbers(harness: Harness, direction: str) -> list[int | None]:
    """Return the numbers of the inputs or outputs that were published."""
    return [event.sequence_number for _, event in data(harness, direction)]


def event_of(plugin: EchoPlugin, text: str, **headers: Any) -> tuple[str, Event[Any]]:
    """Return an input as a core might send it, and its topic."""
    (connection,) = plugin.retrieve_connections()
    headers = {"connection_identifier": connection.connection_identifier, **headers}
    return str(connection.input_topic), Event.create(StringMessage(value=text), publisher_identifier="x", **headers)


# Numbers are given


async def test_inputs_and_outputs_have_numbers_of_their_own_from_one(harness: Harness) -> None:
    core, plugin = await pair(harness)
    await core.execute("text", "a", any=True)
    await core.request("text", "b")
    await core.execute("text", "c", plugin_identifier="plugin")
    await core.sudo_execute(str(plugin.retrieve_connections()[0].input_topic), "by hand")
    await harness.idle()
    await plugin.send_result_to_all(plugin.retrieve_connections(), "of its own")
    await harness.idle()

    assert numbers(harness, "input") == [1, 2, 3, 4]
    assert numbers(harness, "output") == [1, 2, 3, 4, 5]
    assert plugin.statistics.missing == core.statistics.missing == 0
    assert plugin.statistics.duplicates == core.statistics.duplicates == 0


async def test_what_is_sent_to_several_has_the_number_of_each_connection(harness: Harness) -> None:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=3))
    plugins = [EchoPlugin(identifier=f"plugin{n}", eventbus_client=harness.client()) for n in range(3)]
    await harness.start(*plugins, core)
    await harness.compliant(core)
    await core.execute("text", "one", plugin_identifier="plugin0")
    await core.execute("text", "all", all=True)
    await core.execute_distributed("text", ["1", "2", "3"])
    await harness.idle()

    by_topic: dict[str, list[int | None]] = {}
    for topic, event in data(harness, "input"):
        by_topic.setdefault(topic, []).append(event.sequence_number)
    assert sorted(by_topic.values()) == [[1, 2], [1, 2], [1, 2, 3]]


async def test_another_connection_begins_anew(harness: Harness) -> None:
    core, plugin = await pair(harness)
    for _ in range(3):
        await core.execute("text", "a", any=True)
    await harness.idle()
    await core.send_graceless_close_connection("plugin", "text")
    await harness.advance(5)
    await harness.connected(core, plugin)
    await core.execute("text", "b", any=True)
    await harness.idle()

    assert numbers(harness, "input") == [1, 2, 3, 1]
    assert plugin.received == ["a", "a", "a", "b"]
    assert core.texts == ["a", "a", "a", "b"]


async def test_what_cannot_be_published_at_once_leaves_no_gap(harness: Harness) -> None:
    client = FailingClient(harness.bus)
    core, plugin = await pair(harness, eventbus_client=client)
    client.fails = "at once"
    with pytest.raises(BusUnavailableError):
        await core.execute("text", "lost", any=True)
    client.fails = ""
    with pytest.raises(EncodeError):
        await core.execute("text", StringMessage(value=b"no text"), any=True)  # type: ignore[arg-type]
    await core.execute("text", "a", any=True)
    await harness.idle()

    assert numbers(harness, "input") == [1]
    assert plugin.statistics.missing == 0


async def test_what_may_have_been_published_keeps_its_number(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    client = FailingClient(harness.bus)
    core, plugin = await pair(harness, eventbus_client=client)
    client.fails = "later"
    with pytest.raises(BusUnavailableError):
        await core.execute("text", "lost", any=True)
    client.fails = ""
    await core.execute("text", "a", any=True)
    await harness.idle()

    assert numbers(harness, "input") == [2]
    assert plugin.received == ["a"]
    assert plugin.statistics.missing == 1
    (record,) = [one for one in caplog.records if "has not got" in one.getMessage()]
    assert "has not got 1 inputs of operation 'text' from 'core'" in record.getMessage()


# Each is handled once


async def test_what_comes_twice_is_handled_once(harness: Harness) -> None:
    core, plugin = await pair(harness)
    await core.execute("text", "a", any=True)
    await core.execute("text", "b", any=True)
    await harness.idle()
    for topic, event in [*data(harness, "input"), *data(harness, "output")]:
        await harness.publish(topic, event)
    await harness.idle()

    assert plugin.received == ["a", "b"]
    assert core.texts == ["a", "b"]
    assert (plugin.statistics.duplicates, core.statistics.duplicates) == (2, 2)
    assert (plugin.statistics.missing, core.statistics.missing) == (0, 0)


async def test_an_answer_that_comes_twice_is_not_even_a_dropped_one(harness: Harness) -> None:
    core, _ = await pair(harness)
    await core.request("text", "a")
    await harness.publish(*data(harness, "output")[0])
    await harness.idle()

    assert core.dropped_answers == 0
    assert core.statistics.duplicates == 1


async def test_a_repetition_does_not_take_a_place_in_the_queue(harness: Harness) -> None:
    core, _ = await pair(harness, BusyCore)
    for text in "abc":
        await core.execute("text", text, any=True)
    await harness.advance(1)
    for _ in range(3):
        for topic, event in data(harness, "output")[:3]:
            await harness.publish(topic, event)
    await harness.advance(1)
    waiting = core.eventbus_client._subscriptions[data(harness, "output")[0][0]]._queue
    assert waiting is not None
    assert len(waiting) == 2
    core.may.set()
    await harness.idle()

    assert core.texts == ["a", "b", "c"]


async def test_data_without_a_number_is_handled_as_it_comes(harness: Harness) -> None:
    core, plugin = await pair(harness)
    topic, event = event_of(plugin, "by hand")
    for _ in range(2):
        await harness.publish(topic, event)
    await harness.publish(*event_of(plugin, "older", connection_identifier=None))
    await core.execute("text", "a", any=True)
    await harness.idle()

    assert plugin.received == ["by hand", "by hand", "older", "a"]
    assert plugin.statistics.duplicates == plugin.statistics.missing == 0


async def test_a_number_of_another_connection_says_nothing(harness: Harness) -> None:
    core, plugin = await pair(harness)
    await harness.publish(*event_of(plugin, "foreign", connection_identifier="other", sequence_number=5_000))
    await harness.publish(*event_of(plugin, "of none", connection_identifier=None, sequence_number=5_000))
    await core.execute("text", "a", any=True)
    await harness.idle()

    assert plugin.received == ["of none", "a"]
    assert plugin.statistics.duplicates == plugin.statistics.missing == 0


async def test_answers_that_overtake_outputs_are_no_gap(harness: Harness) -> None:
    core, _ = await pair(harness, BusyCore)
    for _ in range(3):
        await core.execute("text", "waits", any=True)
    for _ in range(SEQUENCE_WINDOW + 10):
        await core.request("text", "answered")
    assert core.texts == []
    core.may.set()
    await harness.idle()

    assert core.texts == ["waits"] * 3
    assert core.statistics.duplicates == core.statistics.missing == 0


# Gaps


async def test_a_gap_is_told_once_a_connection_and_counted(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    core, plugin = await pair(harness)
    for number in (1, 4, 5, 8):
        await harness.publish(*event_of(plugin, str(number), sequence_number=number))
    await harness.idle()

    assert plugin.received == ["1", "4", "5", "8"]
    assert plugin.statistics.missing == 4
    (connection,) = plugin.retrieve_connections()
    assert connection.missing == 4
    assert core.retrieve_connections()[0].missing == 0
    (record,) = [one for one in caplog.records if "has not got" in one.getMessage()]
    assert record.levelno == logging.WARNING
    assert record.name == _LOGGER
    assert record.getMessage().startswith("plugin has not got 2 inputs of operation 'text' from 'core': the remote")
    assert (record.remote, record.operation, record.connection) == (  # type: ignore[attr-defined]
        "core",
        "text",
        connection.connection_identifier,
    )


async def test_what_comes_late_is_handled_and_closes_the_gap(harness: Harness) -> None:
    _, plugin = await pair(harness)
    for number in (1, 4, 3, 3, 5, 6, 2, 5, 3, 7):
        await harness.publish(*event_of(plugin, str(number), sequence_number=number))
    await harness.idle()

    assert plugin.received == ["1", "4", "3", "5", "6", "2", "7"]
    assert (plugin.statistics.missing, plugin.statistics.duplicates) == (0, 3)
    assert plugin.retrieve_connections()[0].missing == 0


async def test_what_is_too_late_is_not_handled(harness: Harness) -> None:
    _, plugin = await pair(harness)
    for number in (SEQUENCE_WINDOW + 1, 1, 2):
        await harness.publish(*event_of(plugin, str(number), sequence_number=number))
    await harness.idle()

    assert plugin.received == [str(SEQUENCE_WINDOW + 1), "2"]
    assert (plugin.statistics.missing, plugin.statistics.duplicates) == (SEQUENCE_WINDOW - 1, 1)


async def test_what_the_receiver_missed_while_it_was_away_is_a_gap(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = await pair(harness)
    await core.execute("text", "before", any=True)
    await harness.idle()
    client = plugin.eventbus_client
    (connection,) = plugin.retrieve_connections()
    subscription = client._subscriptions[str(connection.input_topic)]
    client._unroute(subscription)
    for _ in range(3):
        await core.execute("text", "away", any=True)
    await harness.idle()
    client._route(subscription)
    client.statistics.reconnections += 1
    await core.execute("text", "after", any=True)
    await harness.idle()

    assert plugin.received == ["before", "after"]
    assert plugin.statistics.missing == 3
    (record,) = [one for one in caplog.records if "has not got" in one.getMessage()]
    assert "3 inputs" in record.getMessage()
    assert "its connection with the bus was lost 1 times" in record.getMessage()


async def test_what_is_no_data_of_the_operation_is_no_gap(harness: Harness) -> None:
    _, plugin = await pair(harness)
    (connection,) = plugin.retrieve_connections()
    topic, event = event_of(plugin, "x", sequence_number=1)
    await harness.publish(topic, event.carrying(None))
    await harness.publish(*event_of(plugin, "y", sequence_number=2))
    await harness.idle()

    assert plugin.received == ["y"]
    assert connection.missing == 0


async def test_a_core_without_a_sink_counts_as_well(harness: Harness) -> None:
    core = Core(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    await core.execute("text", "a", any=True)
    await harness.idle()
    topic, event = data(harness, "output")[0]
    await harness.publish(topic, Event.create(event.payload, publisher_identifier="x", sequence_number=9))
    await harness.publish(
        topic,
        Event.create(
            event.payload,
            publisher_identifier="x",
            sequence_number=4,
            connection_identifier=event.connection_identifier,
        ),
    )
    await harness.idle()

    assert core.statistics.missing == 2
