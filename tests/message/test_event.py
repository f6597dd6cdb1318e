"""Events: their making, and their way over the wire and back."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orbitalis.message import Event
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import EventEnvelope, StringMessage

HEADERS: dict[str, Any] = {
    "protocol_version": 1,
    "incarnation": "2",
    "correlation_identifier": "question",
    "answer_requested": True,
    "connection_identifier": "connection",
    "open_connections": ("a", "b"),
    "readable_encodings": tuple(Encoding),
    "late_offers": True,
    "sequence_number": 3,
    "answer_within": 2.5,
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


def test_a_new_event_is_of_this_moment_and_has_an_identifier_of_its_own() -> None:
    events = [Event.create(StringMessage(value="x"), publisher_identifier="me") for _ in range(100)]
    assert len({event.identifier for event in events}) == 100
    for event in events:
        assert event.publisher_identifier == "me"
        assert abs(event.timestamp - datetime.now(UTC)) < timedelta(seconds=30)
        assert event.envelope.message_type == "StringMessage"
        assert event.envelope.serialized_payload is None
        assert all(getattr(event.envelope, header) is None for header in HEADERS)


def test_takes_every_header_but_the_fingerprint_which_is_the_payloads() -> None:
    event = Event.create(None, publisher_identifier="me", **HEADERS)
    assert {header: getattr(event.envelope, header) for header in HEADERS} == HEADERS
    assert event.envelope.message_type is None
    names = [field.name for field in fields(EventEnvelope)]
    assert {*names[6:]} == {*HEADERS, "schema_fingerprint"}


def test_carries_messages_only() -> None:
    with pytest.raises(TypeError, match="str is no message class"):
        Event.create("text", publisher_identifier="me")


def test_cannot_be_changed() -> None:
    event = Event.create(None, publisher_identifier="me")
    with pytest.raises(FrozenInstanceError):
        event.payload = None


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("payload", [None, StringMessage(value="ä")])
def test_comes_back_from_the_wire_as_it_was(encoding: Encoding, payload: StringMessage | None) -> None:
    event = Event.create(payload, publisher_identifier="me", **HEADERS)
    data = event.encode(encoding)
    again = Event.decode(data)

    assert data.startswith(b"{" if encoding is Encoding.JSON else b"\xc3\x01")
    assert again.payload == payload
    newer = {"sequence_number", "answer_within"} if encoding is Encoding.AVRO_1_0 else set[str]()
    carried = {"payload_format_type", "serialized_payload", "schema_fingerprint"}
    for field in fields(EventEnvelope):
        value = getattr(again.envelope, field.name)
        if field.name in carried:
            assert (value is None) == (payload is None)
        elif field.name in newer:
            assert value is None
        elif isinstance(value, list | tuple):
            assert tuple(value) == getattr(event.envelope, field.name)
        else:
            assert value == getattr(event.envelope, field.name), field.name
    assert again.encode(encoding) == data


def test_what_was_received_is_written_anew_when_it_is_published_with_another_payload() -> None:
    received = Event.decode(Event.create(StringMessage(value="old"), publisher_identifier="me").encode(Encoding.JSON))
    changed = Event(payload=StringMessage(value="new"), envelope=received.envelope)
    assert Event.decode(changed.encode(Encoding.AVRO)).payload == StringMessage(value="new")
    emptied = Event(payload=None, envelope=received.envelope)
    assert Event.decode(emptied.encode(Encoding.AVRO)).envelope.message_type is None


@pytest.mark.parametrize("data", [b"", b"{", b"\xc3\x01", b"\xff", b"[]"])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Event.decode(data)
