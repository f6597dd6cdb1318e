"""Orbiters that are asked: what they answer, what they do not, and that nothing of it gets out of hand."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import Core, Event, Input, OperationRequirement, Output, Plugin, operation
from orbitalis.bus.dispatch import Subscription
from orbitalis.errors import BusRefusedError, OrbiterStateError
from orbitalis.operations.constraint import Constraint
from orbitalis.orbiter import Orbiter
from orbitalis.testing import Harness, Recording
from orbitalis_wire import limits, timings
from orbitalis_wire.messages import (
    ConnectionsMessage,
    InfoMessage,
    IntrospectionRequestMessage,
    PongMessage,
    StatisticsMessage,
    StringMessage,
)
from tests.support.orbiters import needs

ALL = "$introspection.request"
ANSWERS = "orbitalis/op/+/+"
BURST = int(limits.INTROSPECTION_ANSWERS_PER_SECOND * timings.BURST)
SECRET = "Lorem-ipsum-setup"


@dataclass
class Lamp(Plugin):
    """Gives texts back, and refuses some."""

    @operation
    async def text(self, text: str) -> str:
        """Give a text back.

        It fails at the text `fail`.
        """
        if text == "fail":
            raise ValueError("no such text")
        return text


def lamp(harness: Harness, identifier: str = "lamp", **options: Any) -> Lamp:
    return Lamp(identifier=identifier, eventbus_client=harness.client(), **options)


def core_of(harness: Harness, **options: Any) -> Core:
    return Core(
        identifier="core",
        eventbus_client=harness.client(),
        **{"operation_requirements": needs(), **options},
    )


async def ask(harness: Harness, topic: str = ALL, *, identifier: str = "question", **fields: Any) -> None:
    """Publish a request of `op`, that is as it should be in all that is not given."""
    request = IntrospectionRequestMessage(
        **{"operator_identifier": "op", "subject": "ping", "answer_topic": "orbitalis/op/-/pong", **fields}
    )
    await harness.publish(topic, Event.create(request, publisher_identifier="client", identifier=identifier))


def answers(harness: Harness) -> Recording[Any]:
    return harness.recording.on(ANSWERS)


async def test_an_orbiter_answers_a_request_to_all_and_one_to_itself(harness: Harness) -> None:
    await harness.start(lamp(harness), core_of(harness))
    await ask(harness)
    await harness.idle()
    await ask(harness, "orbitalis/lamp/op/introspection", identifier="another")
    await harness.idle()

    told = [(one.topic, one.payload, one.event.correlation_identifier) for one in answers(harness)]
    assert sorted(told[:2], key=str) == [
        ("orbitalis/op/core/pong", PongMessage(from_identifier="core", role="core"), "question"),
        ("orbitalis/op/lamp/pong", PongMessage(from_identifier="lamp", role="plugin"), "question"),
    ]
    assert told[2:] == [("orbitalis/op/lamp/pong", PongMessage(from_identifier="lamp", role="plugin"), "another")]


@pytest.mark.parametrize(
    ("subject", "message_class"),
    [
        ("ping", PongMessage),
        ("info", InfoMessage),
        ("connections", ConnectionsMessage),
        ("statistics", StatisticsMessage),
    ],
)
async def test_each_subject_has_a_message_of_its_own_with_the_headers_of_an_orbiter(
    harness: Harness, subject: str, message_class: type[object]
) -> None:
    orbiter = lamp(harness)
    await harness.start(orbiter)
    last = "pong" if subject == "ping" else subject
    await ask(harness, subject=subject, answer_topic=f"orbitalis/op/-/{last}")
    await harness.idle()

    (answer,) = answers(harness)
    assert (answer.topic, type(answer.payload)) == (f"orbitalis/op/lamp/{last}", message_class)
    assert answer.event.correlation_identifier == "question"
    assert answer.event.protocol_version == 1
    assert answer.event.incarnation == orbiter._incarnation
    assert answer.event.readable_encodings is not None
    assert answer.event.connection_identifier is None


async def test_nothing_is_sent_when_nobody_asks(harness: Harness) -> None:
    core = core_of(harness)
    await harness.start(lamp(harness), core)
    await harness.compliant(core)
    await core.request(Lamp.text, "hello")
    await harness.advance(600.0)

    assert len(answers(harness)) == 0
    assert [one.topic for one in harness.recording if "introspection" in one.topic] == []


async def test_asking_changes_nothing_else_that_is_sent(harness: Harness) -> None:
    """A request is no sign of life, and makes nobody known."""
    plugin = lamp(harness)
    await harness.start(plugin)
    before = len(harness.recording)
    await ask(harness, subject="info", answer_topic="orbitalis/op/-/info")
    await harness.advance(300.0)

    assert [one.topic for one in harness.recording[before:]] == [ALL, "orbitalis/op/lamp/info"]
    assert len(plugin._machine.peers) == 0


async def test_an_orbiter_that_is_set_to_does_not_even_listen(harness: Harness) -> None:
    await harness.start(lamp(harness, introspection=False), lamp(harness, "other"))
    await ask(harness)
    await ask(harness, "orbitalis/lamp/op/introspection", identifier="another")
    await harness.idle()

    assert [one.topic for one in answers(harness)] == ["orbitalis/op/other/pong"]
    filters = [one.topic_filter for one in harness._bus.subscriptions if "introspection" in one.topic_filter]
    assert sorted(filters) == [ALL, "orbitalis/other/+/introspection"]


async def test_the_topic_to_all_can_be_another(harness: Harness) -> None:
    await harness.start(lamp(harness, introspection_topic="ask/all"))
    await ask(harness)
    await ask(harness, "ask/all", identifier="another")
    await harness.idle()

    assert [one.event.correlation_identifier for one in answers(harness)] == ["another"]


async def test_settings_of_introspection_stay_while_the_orbiter_runs(harness: Harness) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    with pytest.raises(OrbiterStateError, match="introspection of Lamp 'lamp' cannot change while it runs"):
        plugin.introspection = False
    with pytest.raises(OrbiterStateError):
        plugin.introspection_topic = "elsewhere"
    with pytest.raises(TypeError, match="introspection must be of class bool"):
        lamp(harness, introspection="no")


async def test_an_orbiter_works_where_the_bus_does_not_let_it_be_asked(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    """As with the access lists of an earlier version."""
    plugin, core = lamp(harness), core_of(harness)
    subscribe = plugin.eventbus_client._start_subscribe

    def refuse(subscription: Subscription) -> Awaitable[None] | None:
        if "introspection" in subscription.topic_filter:
            raise BusRefusedError("Not authorized")
        return subscribe(subscription)

    plugin.eventbus_client._start_subscribe = refuse  # type: ignore[method-assign]
    await harness.start(plugin, core)
    await harness.compliant(core)

    assert await core.request(Lamp.text, "hello") == "hello"
    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("orbitalis.introspection")]
    assert line.startswith("lamp cannot be asked by operators, because the bus does not let it listen: Not authorized")


# Bounds


async def test_a_flood_of_requests_is_answered_as_far_as_the_limit_allows(harness: Harness) -> None:
    plugin, core = lamp(harness), core_of(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    for number in range(5000):
        await ask(harness, "orbitalis/lamp/op/introspection", identifier=f"question-{number}")
    await harness.idle()

    assert len(answers(harness)) == BURST
    assert plugin.statistics.too_fast_operators == 5000 - BURST
    assert await core.request(Lamp.text, "hello") == "hello"

    await harness.advance(1.0)
    for number in range(100):
        await ask(harness, "orbitalis/lamp/op/introspection", identifier=f"later-{number}")
    await harness.idle()
    assert len(answers(harness)) == BURST + limits.INTROSPECTION_ANSWERS_PER_SECOND


async def test_requests_that_wait_for_their_moment_are_bounded_and_end_with_the_orbiter(harness: Harness) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    for second in range(30):
        for number in range(20):
            await ask(harness, identifier=f"question-{second}-{number}", spread=60.0)
        await harness.advance(1.0)
        assert len(plugin._responder._delayed or ()) <= BURST
    assert plugin.statistics.too_fast_operators > 0
    given = len(answers(harness))
    await plugin.stop()
    await harness.advance(100.0)

    assert len(answers(harness)) == given
    assert plugin._responder._delayed is None


async def test_many_orbiters_answer_within_the_spread_and_not_at_once(harness: Harness) -> None:
    plugins = [lamp(harness, f"lamp-{number}", with_loop=False) for number in range(300)]
    await harness.start(*plugins)
    begun = harness.time
    await ask(harness, subject="info", answer_topic="orbitalis/op/-/info", spread=5.0)
    await harness.advance(5.0)

    times = sorted(one.time - begun for one in answers(harness))
    assert {one.payload.from_identifier for one in answers(harness)} == {one.identifier for one in plugins}
    assert len(times) == 300
    assert times[-1] <= 5.0
    # About sixty in any second; chance is fixed in tests.
    assert all(30 <= sum(second <= at < second + 1 for at in times) <= 90 for second in range(5))


async def test_answers_to_operators_hold_up_nothing_else(harness: Harness) -> None:
    """Where an answer cannot be published at the moment, the handshake goes on."""
    plugin, core = lamp(harness), core_of(harness)
    publish = plugin.eventbus_client._start_publish

    async def hang() -> None:
        await harness.advance(1000.0)

    def hold_up(topic: str, *others: Any) -> Awaitable[None] | None:
        return hang() if topic.startswith("orbitalis/op/") else publish(topic, *others)

    plugin.eventbus_client._start_publish = hold_up  # type: ignore[assignment]
    await harness.start(plugin)
    for number in range(500):
        await ask(harness, identifier=f"question-{number}")
    await harness.start(core)
    await harness.compliant(core)

    assert await core.request(Lamp.text, "hello") == "hello"
    assert plugin._runtime.queues.waiting <= BURST


# What is refused


@pytest.mark.parametrize(
    "fields",
    [
        {"topic": "orbitalis/lamp/thief/introspection"},
        {"answer_topic": "orbitalis/core/lamp/keepalive"},
        {"answer_topic": "orbitalis/victim/-/pong"},
        {"subject": "passwords"},
        {"spread": -1.0},
    ],
)
async def test_a_request_that_breaks_the_protocol_is_counted_logged_once_and_not_answered(
    harness: Harness, caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    before = len(harness.recording)
    fields = {"topic": "orbitalis/lamp/op/introspection", **fields}
    for number in range(50):
        await ask(harness, identifier=f"question-{number}", **fields)
    await harness.idle()

    assert len(harness.recording) == before + 50
    assert plugin.statistics.refused == 50
    (line,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert line.startswith("lamp ignores a request of an operator on topic 'orbitalis/lamp/")


async def test_what_is_no_request_is_misplaced(harness: Harness) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    await harness.publish("orbitalis/lamp/op/introspection", "hello")
    await harness.publish(ALL, None)
    await harness.idle()

    assert plugin.statistics.misplaced == 2
    assert len(answers(harness)) == 0


async def test_a_request_of_another_protocol_version_is_refused_by_the_bus(harness: Harness) -> None:
    plugin = lamp(harness)
    await harness.start(plugin)
    request = IntrospectionRequestMessage(
        operator_identifier="op", subject="ping", answer_topic="orbitalis/op/-/pong", spread=0.0
    )
    await harness.publish(ALL, Event.create(request, publisher_identifier="client", protocol_version=2))
    await harness.idle()

    assert plugin.eventbus_client.statistics.other_versions == 1
    assert len(answers(harness)) == 0


# What is told


async def test_an_info_says_what_an_orbiter_lends_requires_and_lacks(harness: Harness) -> None:
    plugin = lamp(harness)
    plugin.operations["text"].policy.maximum = 3
    core = core_of(
        harness,
        operation_requirements={
            "other": OperationRequirement(Constraint(minimum=2, inputs=[Input.string()], outputs=[Output.no_output()]))
        },
    )
    await harness.start(plugin, core)
    await ask(harness, subject="info", answer_topic="orbitalis/op/-/info")
    await harness.idle()

    infos = {one.from_identifier: one for one in answers(harness).of(InfoMessage).payloads}
    (text,) = infos["lamp"].operations.values()
    assert text.documentation == "Give a text back.\n\nIt fails at the text `fail`."
    assert (text.maximum, len(text.input.schemas), len(text.output.schemas)) == (3, 1, 1)
    assert (infos["lamp"].requirements, infos["core"].operations) == ({}, {})
    assert infos["core"].requirements["other"].minimum == 2
    assert "has 0 of at least 2 plugins" in infos["core"].explanation
    assert infos["lamp"].explanation.startswith("plugin 'lamp' knows")


async def test_counters_say_what_has_become_of_executions(harness: Harness) -> None:
    plugin = lamp(harness)
    core = core_of(harness)
    taken: list[str] = []

    async def take(topic: str, event: Event[StringMessage]) -> None:
        taken.append(event.payload.value)

    core.with_operation_sink("text", take)
    await harness.start(plugin, core)
    await harness.compliant(core)
    await core.request(Lamp.text, "a")
    with pytest.raises(Exception, match="no such text"):
        await core.request(Lamp.text, "fail")
    await core.execute(Lamp.text, "b", all=True)
    await harness.idle()
    assert taken == ["b"]
    mine, theirs = plugin.operation_statistics["text"], core.operation_statistics["text"]
    assert (mine.executions, mine.answers, mine.errors, mine.last_error) == (3, 2, 1, "ValueError: no such text")
    assert (theirs.executions, theirs.answers, theirs.errors) == (3, 2, 1)
    assert theirs.last_error == "ValueError: no such text"
    assert mine.seconds_in_handler > 0.0
    assert theirs.seconds_in_handler > 0.0

    await ask(harness, subject="statistics", answer_topic="orbitalis/op/-/statistics")
    await harness.idle()
    told = {one.from_identifier: one for one in answers(harness).of(StatisticsMessage).payloads}
    for orbiter, counted in ((plugin, mine), (core, theirs)):
        one = told[orbiter.identifier].operations["text"]
        assert (one.executions, one.answers, one.errors, one.last_error, one.last_error_at) == (
            counted.executions,
            counted.answers,
            counted.errors,
            counted.last_error,
            counted.last_error_at,
        )
        assert one.seconds_in_handler == counted.seconds_in_handler
    counters = told["lamp"].counters
    assert counters["orbiter.refused"] == 0
    assert counters["bus.received"] > 3
    assert counters["bus.published"] == plugin.eventbus_client.statistics.published - 1


@pytest.mark.parametrize("asked_for", ["info", "connections", "statistics"])
async def test_no_answer_holds_setup_data_inputs_or_outputs(
    harness: Harness, asked_for: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where a hook quotes the setup data in what it raises."""

    class Careless(Lamp):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            if self.identifier == "careless":
                raise ValueError(f"cannot use {setup_data!r}")

    class CarelessCore(Core):
        async def _get_setup_data(self, plugin_identifier: str, offered_operation: Any) -> bytes | None:
            if plugin_identifier == "doubtful":
                raise ValueError(f"will not give {SECRET}")
            return SECRET.encode()

    core = CarelessCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    plugins = [Careless(identifier=one, eventbus_client=harness.client()) for one in ("good", "careless", "doubtful")]
    await harness.start(*plugins, core)
    await harness.compliant(core)
    await harness.advance(10.0)
    assert SECRET in str(core.explain())
    assert SECRET in str(plugins[1].explain())
    await core.request("text", SECRET, plugin_identifier="good")
    await ask(harness, subject=asked_for, answer_topic=f"orbitalis/op/-/{asked_for}")
    await harness.idle()

    assert len(answers(harness)) == 4
    for answer in answers(harness):
        envelope = answer.event.envelope
        assert envelope.serialized_payload is not None
        assert SECRET.encode() not in envelope.serialized_payload
    if asked_for == "info":
        told = {one.from_identifier: one.explanation for one in answers(harness).of(InfoMessage).payloads}
        assert "it could not be prepared: its log says why" in told["careless"]
        assert "it could not be prepared: its log says why" in told["core"]


async def test_an_orbiter_that_starts_anew_answers_anew(harness: Harness) -> None:
    plugin: Orbiter = lamp(harness)
    await harness.start(plugin)
    await ask(harness)
    await harness.idle()
    await plugin.stop()
    await ask(harness, identifier="unheard")
    await harness.start(plugin)
    await ask(harness, identifier="again")
    await harness.idle()

    first, second = answers(harness)
    assert (first.event.correlation_identifier, second.event.correlation_identifier) == ("question", "again")
    assert first.event.incarnation != second.event.incarnation
