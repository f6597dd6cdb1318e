"""Operators: what they learn of orbiters, and that nothing that orbiters send confuses them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from orbitalis import Core, Event, Operation, Output, Plugin, operation
from orbitalis.errors import BusNotConnectedError, OrbiterStateError
from orbitalis.introspection.responder import Responder
from orbitalis.operating import Operator, PongAnswer
from orbitalis.testing import Harness
from orbitalis_wire.messages import (
    ConnectionInfo,
    ConnectionsMessage,
    InfoMessage,
    IntrospectionRequestMessage,
    PongMessage,
)
from tests.support.orbiters import needs

ALL = "$introspection.request"


@dataclass
class Lamp(Plugin):
    """Gives texts back."""

    @operation
    async def text(self, text: str) -> str:
        """Give a text back."""
        return text


def lamp(harness: Harness, identifier: str = "lamp", **options: Any) -> Lamp:
    return Lamp(identifier=identifier, eventbus_client=harness.client(), **options)


def operator(harness: Harness, identifier: str = "op") -> Operator:
    return Operator(harness.client(), identifier=identifier)


async def home(harness: Harness) -> Lamp:
    """Start a core that uses a lamp; return the lamp."""
    core = Core(identifier="home", eventbus_client=harness.client(), operation_requirements=needs())
    plugin = lamp(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    await harness.advance(1.0)
    await core.request(Lamp.text, "hello")
    return plugin


async def test_all_orbiters_answer_and_say_what_they_are(harness: Harness) -> None:
    plugin = await home(harness)
    async with operator(harness) as op:
        begun = harness.time
        found = await op.ping(within=3.0)
        assert harness.time - begun == pytest.approx(3.0)

    assert {one: answer.role for one, answer in found.items()} == {"home": "core", "lamp": "plugin"}
    assert found["lamp"].incarnation == plugin._incarnation
    assert found["home"].protocol_version == 1
    assert all(answer.is_complete and 0.0 <= answer.seconds <= 1.5 for answer in found.values())


async def test_one_orbiter_that_is_asked_answers_at_once_and_alone(harness: Harness) -> None:
    await home(harness)
    async with operator(harness) as op:
        begun = harness.time
        found = await op.ping("lamp", within=60.0)
        assert harness.time - begun < 0.1
        assert await op.ping("nobody", within=1.0) == {}

    (answer,) = found.values()
    assert answer == PongAnswer(
        identifier="lamp",
        incarnation=answer.incarnation,
        protocol_version=1,
        seconds=answer.seconds,
        is_complete=True,
        answered_at=answer.answered_at,
        namesakes=0,
        role="plugin",
    )


async def test_a_question_to_all_may_end_when_no_more_answers_come(harness: Harness) -> None:
    await home(harness)
    async with operator(harness) as op:
        begun = harness.time
        found = await op.ping(within=60.0, spread=0.2, quiet=0.3)
        assert 0.3 <= harness.time - begun < 0.6
        nobody = await operator_alone(harness)

    assert sorted(found) == ["home", "lamp"]
    assert nobody == pytest.approx(2.0)


async def operator_alone(harness: Harness) -> float:
    """Return the seconds for which a question waits that nobody answers."""
    async with Operator(harness.client(), identifier="alone", introspection_topic="$nobody.there") as op:
        begun = harness.time
        assert await op.ping(within=2.0, spread=0.2, quiet=0.3) == {}
        return harness.time - begun


async def test_two_orbiters_of_one_identifier_are_noticed(harness: Harness) -> None:
    await harness.start(lamp(harness), lamp(harness), lamp(harness, "other"))
    async with operator(harness) as op:
        found = await op.ping()

    assert {one: answer.namesakes for one, answer in found.items()} == {"lamp": 1, "other": 0}


async def test_everything_can_be_learnt(harness: Harness) -> None:
    plugin = await home(harness)
    async with operator(harness) as op:
        infos, connections, statistics = await asyncio.gather(op.info(), op.connections(), op.statistics())

    assert infos["lamp"].operations["text"].documentation == "Give a text back."
    assert infos["home"].requirements["text"].minimum == 1
    assert infos["home"].implementation == "orbitalis-python"
    assert infos["home"].explanation.startswith("core 'home' is compliant")
    (one,) = connections["home"].connections
    (other,) = connections["lamp"].connections
    assert (one.remote_identifier, other.remote_identifier) == ("lamp", "home")
    assert one.connection_identifier == other.connection_identifier != ""
    assert one.state == "open"
    assert one.last_used_at is not None
    assert statistics["lamp"].operations["text"].executions == 1
    assert statistics["home"].operations["text"].answers == 1
    assert statistics["lamp"].counters["orbiter.ignored"] == plugin.statistics.ignored


async def test_pages_are_followed_to_their_end(harness: Harness) -> None:
    plugin = lamp(harness)
    for number in range(200):
        plugin.with_operation(
            f"operation-{number}",
            Operation(name=f"operation-{number}", output=Output(schemas=(f'"{"x" * 2000}{number}"',))),
        )
    await harness.start(plugin)
    async with operator(harness) as op:
        (answer,) = (await op.info()).values()
        (alone,) = (await op.info("lamp")).values()

    assert answer.is_complete
    assert len(answer.operations) == 201
    assert alone.operations == answer.operations
    assert len(harness.recording.of(InfoMessage)) > 10


async def test_a_request_that_is_lost_is_sent_again(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await harness.start(lamp(harness))
    receive, come = Responder.receive, 0

    def lose(*arguments: Any) -> None:
        nonlocal come
        come += 1
        if come > 2:
            receive(*arguments)

    monkeypatch.setattr(Responder, "receive", lose)
    async with operator(harness) as op:
        found = await op.info("lamp", within=10.0)

    assert found["lamp"].is_complete
    assert 2.0 <= found["lamp"].seconds < 3.0


async def test_an_answer_that_does_not_come_to_its_end_says_so(harness: Harness) -> None:
    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        if event.payload.cursor is None:
            await publish(harness, event, from_identifier="slow", next_cursor="more")

    await listen(harness, answer)
    async with operator(harness) as op:
        (found,) = (await op.connections()).values()

    assert (found.identifier, found.is_complete, found.connections) == ("slow", False, ())


async def test_an_orbiter_that_starts_anew_meanwhile_is_asked_anew(harness: Harness) -> None:
    def connection(name: str) -> ConnectionInfo:
        return ConnectionInfo(
            connection_identifier=name, remote_identifier=name, operation_name="text", state="open", since=now
        )

    now = datetime.now(UTC)
    script: dict[str | None, list[tuple[str, str, str | None]]] = {
        None: [("first", "old", "more"), ("second", "new", "next")],
        "more": [("second", "lost", None)],
        "next": [("second", "newer", None)],
    }

    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        incarnation, name, cursor = script[event.payload.cursor].pop(0)
        await publish(harness, event, connections=(connection(name),), next_cursor=cursor, incarnation=incarnation)

    await listen(harness, answer)
    async with operator(harness) as op:
        (found,) = (await op.connections("lamp")).values()

    assert (found.incarnation, found.is_complete) == ("second", True)
    assert [one.remote_identifier for one in found.connections] == ["new", "newer"]


async def test_a_cursor_that_leads_nowhere_is_not_followed_for_ever(harness: Harness) -> None:
    asked: list[str | None] = []

    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        asked.append(event.payload.cursor)
        await publish(harness, event, next_cursor="here")

    await listen(harness, answer)
    async with operator(harness) as op:
        (found,) = (await op.connections("lamp")).values()

    assert not found.is_complete
    assert asked == [None, "here"]


async def listen(harness: Harness, answer: Any) -> None:
    """Have a function answer all requests."""
    await harness.publish("anything")
    await harness._client.subscribe(ALL, answer)
    await harness._client.subscribe("orbitalis/+/op/introspection", answer)


async def publish(
    harness: Harness,
    request: Event[IntrospectionRequestMessage],
    *,
    from_identifier: str = "lamp",
    topic: str | None = None,
    incarnation: str | None = "first",
    correlation_identifier: str | None = None,
    **fields: Any,
) -> None:
    """Answer a request for connections."""
    message = ConnectionsMessage(from_identifier=from_identifier, **{"connections": (), **fields})
    event = Event.create(
        message,
        publisher_identifier="fake",
        incarnation=incarnation,
        correlation_identifier=correlation_identifier or request.identifier,
    )
    await harness._client.publish(topic or f"orbitalis/op/{from_identifier}/connections", event)


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "orbitalis/op/other/connections"},
        {"topic": "orbitalis/op/-/connections", "from_identifier": "-"},
        {"correlation_identifier": "something else"},
    ],
)
async def test_an_answer_of_another_than_its_sender_or_to_nothing_asked_is_ignored(
    harness: Harness, wrong: dict[str, Any]
) -> None:
    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        await publish(harness, event, **wrong)

    await listen(harness, answer)
    async with operator(harness) as op:
        assert await op.connections() == {}
        assert op.ignored == 1


async def test_an_answer_that_comes_twice_or_late_is_ignored(harness: Harness) -> None:
    asked: list[Event[IntrospectionRequestMessage]] = []

    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        asked.append(event)
        for _ in range(2):
            await publish(harness, event)

    await listen(harness, answer)
    async with operator(harness) as op:
        assert list(await op.connections()) == ["lamp"]
        assert op.ignored == 1
        await publish(harness, asked[0])
        await harness.idle()
        assert op.ignored == 2
        assert op._inquiries == {}


async def test_a_page_that_comes_again_while_the_next_one_is_awaited_is_ignored(harness: Harness) -> None:
    def connection(name: str) -> ConnectionInfo:
        return ConnectionInfo(
            connection_identifier=name, remote_identifier=name, operation_name="text", state="open", since=now
        )

    now = datetime.now(UTC)
    first: list[Event[IntrospectionRequestMessage]] = []

    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        if event.payload.cursor is None:
            first.append(event)
            await publish(harness, event, connections=(connection("one"),), next_cursor="more")
            return
        await publish(harness, first[0], connections=(connection("one"),), next_cursor="elsewhere")
        await publish(harness, event, connections=(connection("two"),))

    await listen(harness, answer)
    async with operator(harness) as op:
        (found,) = (await op.connections("lamp")).values()
        assert op.ignored == 1

    assert [one.remote_identifier for one in found.connections] == ["one", "two"]
    assert found.is_complete


async def test_what_is_malformed_does_no_harm(harness: Harness) -> None:
    """Other messages, empty ones, and answers about something else."""
    await harness.start(lamp(harness))

    async def answer(topic: str, event: Event[IntrospectionRequestMessage]) -> None:
        for message in (None, "hello", PongMessage(from_identifier="evil", role="core")):
            await harness._client.publish(
                "orbitalis/op/evil/connections",
                Event.create(message, publisher_identifier="evil", correlation_identifier=event.identifier)
                if message is None or isinstance(message, PongMessage)
                else message,
            )

    await listen(harness, answer)
    async with operator(harness) as op:
        assert list(await op.connections()) == ["lamp"]
        assert op.ignored == 3


async def test_many_orbiters_are_all_found(harness: Harness) -> None:
    plugins = [lamp(harness, f"lamp-{number}", with_loop=False) for number in range(300)]
    await harness.start(*plugins)
    async with operator(harness) as op:
        found = await op.info(within=4.0)

    assert set(found) == {one.identifier for one in plugins}
    assert all(one.is_complete for one in found.values())


async def test_an_operator_can_be_used_only_while_it_runs(harness: Harness) -> None:
    op = operator(harness)
    with pytest.raises(OrbiterStateError, match="operator 'op' has not started"):
        await op.ping()
    async with op:
        with pytest.raises(OrbiterStateError, match="operator 'op' has started already"):
            await op.start()
        asking = asyncio.create_task(op.ping(within=100.0))
        await harness.advance(1.0)
    begun = harness.time
    assert await asking == {}
    assert harness.time - begun < 1.0
    await op.stop()
    async with op:
        assert await op.ping(within=1.0) == {}


@pytest.mark.parametrize("identifier", ["", "-", "a/b", "a+", "x" * 256])
def test_an_identifier_that_cannot_be_in_a_topic_is_refused(harness: Harness, identifier: str) -> None:
    with pytest.raises(ValueError, match=r"identifier .* cannot be used"):
        Operator(harness.client(), identifier=identifier)


async def test_arguments_that_cannot_be_meant_are_refused(harness: Harness) -> None:
    async with operator(harness) as op:
        with pytest.raises(ValueError, match="cannot be used"):
            await op.ping("a/b")
        with pytest.raises(ValueError, match="within must be positive"):
            await op.ping(within=0)
        with pytest.raises(ValueError, match="spread must not be negative"):
            await op.ping(spread=-1)
    with pytest.raises(TypeError, match="eventbus_client must be of class EventBusClient"):
        Operator("mqtt://localhost")  # type: ignore[arg-type]


async def test_a_client_has_one_user(harness: Harness) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    with pytest.raises(OrbiterStateError, match="operator 'op' cannot use"):
        await Operator(plugin.eventbus_client, identifier="op").start()
    assert plugin.eventbus_client.is_connected


async def test_what_the_bus_cannot_take_is_raised(harness: Harness) -> None:
    async with operator(harness) as op:
        await op.eventbus_client.disconnect()
        with pytest.raises(BusNotConnectedError):
            await op.ping("lamp")
        assert op._inquiries == {}
