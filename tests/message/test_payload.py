"""Payloads: what can be one, and what is written of it and read again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from orbitalis.message import AvroMessageMixin, Event, UndecodedPayload
from orbitalis.message.payload import (
    EncodedPayload,
    decode_payload,
    encode_payload,
    is_known,
    kind_of,
    message_type_of,
    schema_of,
    wrap,
)
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.codecs import CODEC_BY_CLASS, CODECS
from orbitalis_wire.messages import (
    BytesMessage,
    EventEnvelope,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    KeepaliveMessage,
    StringMessage,
)


@dataclass(frozen=True)
class PayloadMessage(AvroMessageMixin):
    lamp: str


def envelope_of(payload: EncodedPayload) -> EventEnvelope:
    """Return an envelope that carries a payload."""
    return replace(
        Event.create(None, publisher_identifier="test").envelope,
        message_type=payload.message_type,
        payload_format_type=payload.payload_format_type,
        serialized_payload=payload.serialized_payload,
        schema_fingerprint=payload.schema_fingerprint,
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, None),
        ("", StringMessage(value="")),
        ("text", StringMessage(value="text")),
        (0, Int64Message(value=0)),
        (2**63 - 1, Int64Message(value=2**63 - 1)),
        (-(2**63), Int64Message(value=-(2**63))),
        (1.5, Float64Message(value=1.5)),
        (b"\x00\xff", BytesMessage(value=b"\x00\xff")),
        (Int32Message(value=1), Int32Message(value=1)),
        (PayloadMessage("desk"), PayloadMessage("desk")),
    ],
)
def test_wraps_what_stands_for_a_message(value: object, message: object) -> None:
    assert wrap(value) == message
    assert type(wrap(value)) is type(message)


@pytest.mark.parametrize("value", [True, bytearray(b"x"), [], {}, object(), str, StringMessage, PayloadMessage])
def test_refuses_to_wrap_what_is_no_message(value: object) -> None:
    with pytest.raises(TypeError, match=f"cannot publish a {type(value).__name__}: expected a message"):
        wrap(value)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**5_000], ids=["above", "below", "far"])
def test_refuses_to_wrap_integers_of_more_than_64_bits(value: int) -> None:
    with pytest.raises(EncodeError, match="Int64Message"):
        wrap(value)


@pytest.mark.parametrize(
    ("message", "format_type", "data"),
    [
        (StringMessage(value="hé"), "utf-8", "hé".encode()),
        (Int64Message(value=-2), "avro", b"\x03"),
        (Int32Message(value=1), "avro", b"\x02"),
        (Float32Message(value=1.5), "bytes", b"\x3f\xc0\x00\x00"),
        (Float64Message(value=1.5), "bytes", b"\x3f\xf8" + b"\x00" * 6),
        (BytesMessage(value=b"\x00\xff"), "avro", b"\x04\x00\xff"),
        (KeepaliveMessage(from_identifier="me"), "avro", b"\x04me"),
        (PayloadMessage("desk"), "avro", b"\x08desk"),
    ],
)
def test_writes_each_message_in_its_format(message: object, format_type: str, data: bytes) -> None:
    payload = encode_payload(message)
    assert payload.message_type == type(message).__name__
    assert (payload.payload_format_type, payload.serialized_payload) == (format_type, data)
    assert decode_payload(envelope_of(payload)) == message


def test_an_empty_event_has_nothing() -> None:
    payload = encode_payload(None)
    assert payload == EncodedPayload(
        message_type=None, payload_format_type=None, serialized_payload=None, schema_fingerprint=None
    )
    assert decode_payload(envelope_of(payload)) is None


def test_fingerprints_are_those_of_the_schema() -> None:
    assert encode_payload(StringMessage(value="")).schema_fingerprint == CODEC_BY_CLASS[StringMessage].fingerprint
    assert encode_payload(PayloadMessage("x")).schema_fingerprint == PayloadMessage.schema_fingerprint()


def test_every_message_of_the_protocol_has_a_type_and_a_schema() -> None:
    for codec in CODECS:
        assert schema_of(codec.message_class) == codec.schema
    assert message_type_of(StringMessage(value="")) == "StringMessage"
    assert message_type_of(PayloadMessage("")) == "PayloadMessage"
    assert schema_of(PayloadMessage) == PayloadMessage.avro_schema()


@pytest.mark.parametrize("function", [message_type_of, encode_payload])
def test_what_is_no_message_has_neither(function: Any) -> None:
    with pytest.raises(TypeError, match="int is no message class"):
        function(5)
    with pytest.raises(TypeError, match="int is no message class"):
        schema_of(int)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"serialized_payload": None}, "serialized_payload"),
        (
            {"serialized_payload": None, "message_type": "a\n\x1b[2J" + "x" * 1000},
            r"type 'a\\n\\x1b\[2Jx{94}', got nothing$",
        ),
        ({"message_type": None}, "message_type"),
        ({"payload_format_type": None}, "payload_format_type"),
        ({"payload_format_type": "json"}, "json"),
        ({"payload_format_type": "x" * 1000}, "got 'x{100}'$"),
        ({"serialized_payload": b"\x08des"}, "PayloadMessage"),
        ({"serialized_payload": b"\x08desks"}, "1 bytes follow"),
    ],
)
def test_payloads_that_are_not_what_the_envelope_says(changes: dict[str, Any], reason: str) -> None:
    envelope = replace(envelope_of(encode_payload(PayloadMessage("desk"))), **changes)
    with pytest.raises(DecodeError, match=reason):
        decode_payload(envelope)


@pytest.mark.parametrize("message", [PayloadMessage("desk"), StringMessage(value="desk")])
def test_what_is_not_taken_is_kept_as_it_came(message: Any) -> None:
    payload = encode_payload(message)
    asked: list[type] = []

    def takes(message_class: type) -> bool:
        asked.append(message_class)
        return False

    kept = decode_payload(envelope_of(payload), takes)
    assert asked == [type(message)]
    assert isinstance(kept, UndecodedPayload)
    assert (kept.message_type, kept.serialized_payload) == (type(message).__name__, payload.serialized_payload)
    assert is_known(kept)
    assert not is_known(replace(kept, message_type="Stranger"))
    assert decode_payload(envelope_of(encode_payload(None)), takes) is None


def test_texts_for_people_hold_no_control_characters_of_strangers() -> None:
    undecoded = UndecodedPayload(
        message_type="a\n\x1b[2J" + "x" * 1000,
        payload_format_type="avro",
        serialized_payload=b"",
        schema_fingerprint=None,
    )
    assert kind_of(undecoded) == r"an a\n\x1b[2J" + "x" * 94
    assert kind_of(replace(undecoded, message_type="PayloadMessage")) == kind_of(PayloadMessage(""))
    assert kind_of(None) == "an empty event"


def test_unknown_types_are_kept_as_they_came() -> None:
    known = envelope_of(encode_payload(PayloadMessage("desk")))
    assert decode_payload(replace(known, message_type="Stranger")) == UndecodedPayload(
        message_type="Stranger",
        payload_format_type="avro",
        serialized_payload=b"\x08desk",
        schema_fingerprint=PayloadMessage.schema_fingerprint(),
    )
