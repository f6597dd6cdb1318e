"""Inputs whose answer is awaited: for how long, taken back, and dropped since too much waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Connection, Core, Event, OverloadedError, Plugin, QueueBounds, StringMessage, operation, time_left
from orbitalis.bus import LocalEventBusClient, MqttEventBusClient
from orbitalis.bus.decoding import LARGE_BYTES
from orbitalis.errors import OperationFailedError, RequestTimeoutError
from orbitalis.testing import Harness
from orbitalis_wire import limits
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import CancelInputMessage, OperationErrorMessage
from tests.support.broker import Broker
from tests.support.events import until


@dataclass
class Worker(Plugin):
    """Works on each text until it may go on, and says how much time is left."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    left: list[float | None] = field(default_factory=list)
    may: asyncio.Event = field(default_factory=asyncio.Event)

    @operation
    async def work(self, text: str) -> str:
        self.begun.append(text)
        await self.may.wait()
        self.left.append(time_left())
        self.ended.append(text)
        return text.upper()


async def pair(harness: Harness, bounds: QueueBounds | None = None) -> tuple[Core, Worker]:
    """Return a core and a plugin that are connected, whose inputs wait within these bounds."""
    core = Core(identifier="core", eventbus_client=harness.client()).with_requirement(Worker.work, minimum=1)
    client = harness.client() if bounds is None else LocalEventBusClient(harness.bus, queue_bounds=bounds)
    plugin = Worker(identifier="plugin", eventbus_client=client)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    return core, plugin


def asking(core: Core, text: str, **options: Any) -> asyncio.Task[Any]:
    """Request in a task."""
    return asyncio.create_task(core.request(Worker.work, text, **options))


def cancels(harness: Harness) -> list[Event[Any]]:
    """Return the cancels that were published."""
    return [sent.event for sent in harness.recording if isinstance(sent.payload, CancelInputMessage)]


def kept(plugin: Worker) -> int:
    """Return how many inputs a plugin keeps."""
    return sum(map(len, plugin._asked._by_slot.values()))


# How long an answer is awaited


@pytest.mark.parametrize(
    ("timeout", "told"), [(2.5, 2.5), (3, 3.0), (None, None), (0, None), (float("inf"), None)], ids=str
)
async def test_a_request_tells_for_how_long_its_answer_is_awaited(
    harness: Harness, timeout: float | None, told: float | None
) -> None:
    core, plugin = await pair(harness)
    if timeout == 0:
        with pytest.raises(RequestTimeoutError):
            await core.request(Worker.work, "a", timeout=timeout)
    plugin.may.set()
    if timeout != 0:
        await core.request(Worker.work, "a", timeout=timeout)
    await core.execute(Worker.work, "b", any=True)
    await harness.idle()

    inputs = [sent.event for sent in harness.recording if "/input/" in sent.topic]
    assert [event.answer_within for event in inputs] == [told, None]
    assert plugin.ended == ["a", "b"]
    assert kept(plugin) == 0


async def test_an_input_that_waits_until_nobody_waits_for_it_is_not_handled(harness: Harness) -> None:
    core, plugin = await pair(harness)
    first, second, third = (asking(core, text, timeout=timeout) for text, timeout in (("1", 60), ("2", 5), ("3", 50)))
    await harness.advance(10)
    plugin.may.set()

    assert await first == "1"
    with pytest.raises(RequestTimeoutError):
        await second
    assert await third == "3"
    assert plugin.begun == ["1", "3"]
    assert plugin.statistics.expired == 1
    assert core.dropped_answers == 0
    assert kept(plugin) == 0


async def test_an_execution_never_expires(harness: Harness) -> None:
    core, plugin = await pair(harness)
    for text in "ab":
        await core.execute(Worker.work, text, any=True)
    await harness.advance(5_000)
    plugin.may.set()
    await harness.idle()

    assert plugin.ended == ["a", "b"]
    assert plugin.left == [None, None]


async def test_a_handler_can_ask_for_the_time_left(harness: Harness) -> None:
    core, plugin = await pair(harness)
    first, second, third = asking(core, "1", timeout=10), asking(core, "2", timeout=20), asking(core, "3", timeout=None)
    await harness.advance(4)
    plugin.may.set()
    await asyncio.gather(first, second, third)

    assert plugin.left == [pytest.approx(6), pytest.approx(16), None]
    assert time_left() is None


async def test_tasks_and_threads_of_a_handler_know_the_time_left(harness: Harness) -> None:
    left: list[float | None] = []

    class Delegating(Worker):
        @operation
        async def work(self, text: str) -> str:
            left.append(await asyncio.create_task(self.ask()))
            left.append(await asyncio.to_thread(time_left))
            return text

        async def ask(self) -> float | None:
            return time_left()

    core = Core(identifier="core", eventbus_client=harness.client()).with_requirement(Worker.work, minimum=1)
    plugin = Delegating(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    await core.request(Worker.work, "x", timeout=7)

    assert left == [pytest.approx(7), pytest.approx(7)]


async def test_what_takes_longer_than_its_time_runs_to_its_end(harness: Harness) -> None:
    core, plugin = await pair(harness)
    request = asking(core, "1", timeout=5)
    await harness.advance(10)
    plugin.may.set()
    with pytest.raises(RequestTimeoutError):
        await request
    await harness.idle()

    assert plugin.ended == ["1"]
    assert plugin.left == [0.0]
    assert plugin.statistics.expired == 0
    assert core.dropped_answers == 1


# Taken back


async def test_a_cancelled_request_that_still_waits_is_not_handled(harness: Harness) -> None:
    core, plugin = await pair(harness)
    first, second = asking(core, "1"), asking(core, "2")
    await harness.advance(1)
    second.cancel()
    await harness.advance(1)
    plugin.may.set()
    await first
    await harness.idle()

    assert plugin.begun == ["1"]
    assert plugin.statistics.taken_back == 1
    (cancel,) = cancels(harness)
    inputs = [sent.event for sent in harness.recording if "/input/" in sent.topic and sent.event.answer_requested]
    assert cancel.payload == CancelInputMessage(input_identifier=inputs[1].identifier)
    assert cancel.sequence_number is None
    assert cancel.answer_requested is None
    assert cancel.connection_identifier == inputs[1].connection_identifier
    assert kept(plugin) == 0


async def test_a_cancelled_request_that_is_being_handled_runs_to_its_end_and_is_not_answered(harness: Harness) -> None:
    core, plugin = await pair(harness)
    request = asking(core, "1", timeout=30)
    await harness.advance(1)
    request.cancel()
    await harness.advance(1)
    plugin.may.set()
    await harness.idle()

    assert plugin.ended == ["1"]
    assert plugin.left == [0.0]
    assert [sent for sent in harness.recording if "/output/" in sent.topic] == []
    assert plugin.statistics.taken_back == 0
    assert kept(plugin) == 0


async def test_a_failure_after_a_cancel_is_told_to_nobody(harness: Harness) -> None:
    class Failing(Worker):
        @operation
        async def work(self, text: str) -> str:
            await self.may.wait()
            raise ValueError(text)

    core = Core(identifier="core", eventbus_client=harness.client()).with_requirement(Worker.work, minimum=1)
    plugin = Failing(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    request = asking(core, "1", timeout=30)
    await harness.advance(1)
    request.cancel()
    await harness.advance(1)
    plugin.may.set()
    await harness.idle()

    assert len(harness.recording.of(OperationErrorMessage)) == 0


async def test_what_is_taken_back_is_not_answered_by_hand(harness: Harness) -> None:
    class Delegating(Worker):
        async def answer(self, connection: Connection, event: Event[Any]) -> None:
            await self.may.wait()
            await self.send_answer(connection, event, "by hand")

    core = Core(identifier="core", eventbus_client=harness.client()).with_requirement(Worker.work, minimum=1)
    plugin = Delegating(identifier="plugin", eventbus_client=harness.client())

    async def handle(topic: str, event: Event[Any], connection: Connection) -> None:
        await plugin.answer(connection, event)

    plugin.operations["work"].handler = handle
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    cancelled = asking(core, "1", timeout=30)
    await harness.advance(1)
    cancelled.cancel()
    await harness.advance(1)
    plugin.may.set()

    assert await core.request(Worker.work, "2") == "by hand"
    assert core.dropped_answers == 0


async def test_what_follows_the_withheld_answer_is_sent(harness: Harness) -> None:
    class Talking(Worker):
        @operation
        async def work(self, text: str) -> str:
            await self.may.wait()
            await self.send_result_to_all(self.retrieve_connections(), "withheld")
            await self.send_result_to_all(self.retrieve_connections(), "more")
            return "and more"

    core = Core(identifier="core", eventbus_client=harness.client()).with_requirement(Worker.work, minimum=1)
    plugin = Talking(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    request = asking(core, "1", timeout=30)
    await harness.advance(1)
    request.cancel()
    await harness.advance(1)
    plugin.may.set()
    await harness.idle()

    outputs = [sent.payload.value for sent in harness.recording.of(StringMessage) if "/output/" in sent.topic]
    assert outputs == ["more", "and more"]


async def test_timeouts_send_no_cancels(harness: Harness) -> None:
    core, plugin = await pair(harness)
    requests = [asking(core, str(number), timeout=1) for number in range(500)]
    await asyncio.wait(requests)
    plugin.may.set()
    await harness.idle()

    assert cancels(harness) == []
    assert plugin.begun == ["0"]
    assert plugin.statistics.expired == 499


async def test_a_peer_of_an_earlier_version_gets_no_cancel(harness: Harness) -> None:
    core, plugin = await pair(harness)
    (connection,) = core.retrieve_connections()
    # As for a peer that does not say that it reads the envelope of version 1.1.
    object.__setattr__(connection.headers, "encoding", Encoding.JSON)
    request = asking(core, "1", timeout=30)
    await harness.advance(1)
    request.cancel()
    await harness.advance(1)
    plugin.may.set()
    await harness.idle()

    assert cancels(harness) == []
    assert core.dropped_answers == 1


async def test_a_cancel_of_another_connection_or_of_nothing_changes_nothing(harness: Harness) -> None:
    core, plugin = await pair(harness)
    first, second = asking(core, "1"), asking(core, "2")
    await harness.advance(1)
    sent = [sent for sent in harness.recording if "/input/" in sent.topic][1]
    for identifier, connection in ((sent.event.identifier, "other"), ("nothing", sent.event.connection_identifier)):
        cancel = Event.create(
            CancelInputMessage(input_identifier=identifier),
            publisher_identifier="x",
            connection_identifier=connection,
        )
        await harness.publish(sent.topic, cancel)
    await harness.advance(1)
    plugin.may.set()

    assert [await first, await second] == ["1", "2"]


async def test_what_is_not_for_the_connection_is_not_kept(harness: Harness) -> None:
    core, plugin = await pair(harness)
    (connection,) = plugin.retrieve_connections()
    headers: dict[str, Any] = {
        "publisher_identifier": "x",
        "connection_identifier": connection.connection_identifier,
        "answer_requested": True,
    }
    for _ in range(5):
        await harness.publish(str(connection.input_topic), Event.create(None, **headers))
    await harness.advance(1)
    assert kept(plugin) == 0

    waiting = [asking(core, "1"), asking(core, "2")]
    await harness.advance(1)
    assert kept(plugin) == 2 == sum(not one.done() for one in waiting)
    await core.send_graceless_close_connection("plugin", "work")
    await harness.advance(1)
    assert not plugin._asked._by_slot


# Too much waits


async def test_what_is_dropped_is_answered_at_once(harness: Harness) -> None:
    core, plugin = await pair(harness, QueueBounds(events=2))
    waiting = [asking(core, str(number), timeout=50) for number in range(3)]
    await harness.advance(1)
    begun = harness.time
    with pytest.raises(OverloadedError) as raised:
        await core.request(Worker.work, "too much", timeout=50)

    assert harness.time == begun
    assert isinstance(raised.value, OperationFailedError)
    assert (raised.value.remote_identifier, raised.value.operation_name) == ("plugin", "work")
    assert "too much waits" in str(raised.value)
    assert plugin.statistics.overloaded_answers == 1
    assert plugin.eventbus_client.statistics.dropped == 1
    (error,) = harness.recording.of(OperationErrorMessage)
    assert error.payload.reason == "overloaded"
    assert error.event.sequence_number is None

    await core.execute(Worker.work, "nobody asks", any=True)
    plugin.may.set()
    assert await asyncio.gather(*waiting) == ["0", "1", "2"]
    await harness.idle()
    assert plugin.ended == ["0", "1", "2"]
    assert plugin.statistics.overloaded_answers == 1
    assert kept(plugin) == 0
    assert (plugin.statistics.missing, core.statistics.missing) == (0, 0)


async def test_answers_to_what_is_dropped_are_bounded(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OVERLOADED_ANSWERS_PER_SECOND", 1)  # and ten at once
    core, plugin = await pair(harness, QueueBounds(events=0))
    running = asking(core, "runs", timeout=500)
    await harness.advance(1)
    requests = [asking(core, str(number), timeout=5) for number in range(30)]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)

    kinds = [type(one) for one in outcomes]
    assert (kinds.count(OverloadedError), kinds.count(RequestTimeoutError)) == (10, 20)
    plugin.may.set()
    await running


@pytest.fixture
async def over_mqtt(broker: Broker) -> AsyncIterator[tuple[Core, Worker]]:
    """Give a core and a plugin over a broker; of large inputs, one waits to be decoded."""
    bounds = QueueBounds(events=1)
    core = Core(identifier="core", eventbus_client=MqttEventBusClient(broker.host, broker.port))
    core.with_requirement(Worker.work, minimum=1, allowlist=["decoder"])
    plugin = Worker(
        identifier="decoder", eventbus_client=MqttEventBusClient(broker.host, broker.port, queue_bounds=bounds)
    )
    plugin.may.set()
    async with plugin, core:
        await until(lambda: core.compliant_event.is_set() and bool(plugin.retrieve_connections()))
        yield core, plugin


async def test_what_is_dropped_before_it_is_decoded_is_answered_at_once(over_mqtt: tuple[Core, Worker]) -> None:
    core, plugin = over_mqtt
    text = "x" * (10 * LARGE_BYTES)
    outcomes = await asyncio.gather(*(asking(core, text) for _ in range(30)), return_exceptions=True)

    kinds = [type(one) for one in outcomes]
    assert kinds.count(OverloadedError) == plugin.statistics.overloaded_answers > 0
    assert kinds.count(str) == len(plugin.ended) == 30 - kinds.count(OverloadedError) > 0
    assert plugin.statistics.missing == 0
