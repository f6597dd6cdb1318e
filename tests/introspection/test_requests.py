"""Requests of operators: which are answered, to where, and which are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orbitalis import Event
from orbitalis.errors import RemoteProtocolError
from orbitalis.introspection.requests import Question, read_request
from orbitalis_wire import timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import IntrospectionRequestMessage

OWN = "orbitalis/lamp/op/introspection"


def read(topic: str = OWN, *, is_to_all: bool = False, event: dict[str, Any] | None = None, **fields: Any) -> Question:
    """Read a request to `lamp` by `op`, that is as it should be in all that is not given."""
    request = IntrospectionRequestMessage(
        **{"operator_identifier": "op", "subject": "ping", "answer_topic": "orbitalis/op/-/pong", **fields}
    )
    given = Event.create(request, publisher_identifier="client", **{"identifier": "question", **(event or {})})
    return read_request("lamp", topic, request, given, is_to_all=is_to_all)


@pytest.mark.parametrize(("subject", "last"), [("ping", "pong"), *((one, one) for one in ("info", "connections"))])
@pytest.mark.parametrize("sender", ["-", "lamp"])
def test_the_orbiter_puts_itself_into_the_topic_to_which_it_answers(subject: str, last: str, sender: str) -> None:
    question = read(subject=subject, answer_topic=f"orbitalis/op/{sender}/{last}")

    assert question.answer_topic == f"orbitalis/op/lamp/{last}"
    assert question.event_identifier == "question"


def test_a_request_to_all_has_no_sender_in_its_topic() -> None:
    assert read("$introspection.request", is_to_all=True).answer_topic == "orbitalis/op/lamp/pong"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"topic": "orbitalis/lamp/thief/introspection"}, "claims to come from 'op', but its topic is for 'thief'"),
        ({"answer_topic": "orbitalis/victim/-/pong"}, "is for 'victim', expected the operator 'op'"),
        ({"answer_topic": "orbitalis/op/other/pong"}, "is for 'other' to publish to, expected '-' or 'lamp'"),
        ({"answer_topic": "orbitalis/op/-/info"}, "cannot be used"),
        ({"answer_topic": "orbitalis/op/-/keepalive"}, "cannot be used"),
        ({"answer_topic": "some/topic/of/others"}, "cannot be used"),
        ({"answer_topic": "orbitalis/+/-/pong"}, "cannot be used"),
        ({"answer_topic": "orbitalis//-/pong"}, "cannot be used"),
        ({"answer_topic": ""}, "cannot be used"),
        ({"answer_topic": "orbitalis/op/-/pong" + "x" * 2000}, "has 2019 characters, 1200 are allowed"),
        (
            {
                "operator_identifier": "-",
                "answer_topic": "orbitalis/-/-/pong",
                "topic": "orbitalis/lamp/-/introspection",
            },
            "expected the operator '-'",
        ),
        ({"subject": "setup"}, "asks for 'setup', expected one of ping, info, connections, statistics"),
        ({"subject": "PING"}, "asks for 'PING'"),
        ({"spread": -0.1}, "spread is -0.1"),
        ({"spread": math.nan}, "spread is nan"),
        ({"spread": math.inf}, "spread is inf"),
        ({"event": {"identifier": "x" * 256}}, "identifier of its event has 256 characters"),
    ],
)
def test_what_breaks_the_protocol_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        read(**changes)


def test_a_refusal_shows_no_more_than_it_has_to() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read(subject="x" * 100_000)
    assert len(str(caught.value)) < 300


def test_a_delay_is_no_longer_than_the_specification_allows() -> None:
    assert read(spread=1e9).spread == timings.INTROSPECTION_SPREAD
    assert read(spread=1.5).spread == 1.5


def test_a_cursor_that_no_answer_gave_is_not_kept() -> None:
    assert read(cursor="after:" + "x" * 255).cursor == "after:" + "x" * 255
    assert read(cursor="x" * 1000).cursor is None


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, Encoding.JSON),
        (["json"], Encoding.JSON),
        (["json", Encoding.AVRO_1_0.value], Encoding.AVRO_1_0),
        ([Encoding.AVRO_1_0.value, Encoding.AVRO.value, "json"], Encoding.AVRO),
    ],
)
def test_the_answer_is_in_the_newest_encoding_that_the_operator_reads(
    listed: list[str] | None, expected: Encoding
) -> None:
    assert read(event={"readable_encodings": listed}).encoding is expected
