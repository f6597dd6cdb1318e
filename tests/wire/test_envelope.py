"""The envelope in both of its encodings: what is written is read, and what is malformed says where."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from fastavro.schema import fingerprint
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.codecs import decode_event_envelope, encode_event_envelope
from orbitalis_wire.envelope import ENVELOPE_FINGERPRINT, Encoding, decode_event, encode_event
from orbitalis_wire.messages import EventEnvelope
from tests.support.avro import Pair, pairs
from tests.support.repository import ROOT

SCHEMA = json.loads((ROOT / "schemas" / "EventEnvelope.avsc").read_text())
ENVELOPES: st.SearchStrategy[Pair] = pairs(SCHEMA, lambda _: EventEnvelope).filter(
    # JSON has no other numbers.
    lambda pair: math.isfinite(pair.value.answer_within or 0.0)
)
FIELDS = [field.name for field in dataclasses.fields(EventEnvelope)]
BASE, HEADERS = FIELDS[:6], FIELDS[6:]
PLAIN = EventEnvelope(
    identifier="event",
    publisher_identifier="me",
    timestamp=datetime(2026, 11, 23, 21, 26, 1, 7, UTC),
    message_type=None,
    payload_format_type=None,
    serialized_payload=None,
)
CONTENT: dict[str, Any] = json.loads(encode_event(PLAIN, Encoding.JSON))


def as_read(envelope: EventEnvelope, encoding: Encoding) -> EventEnvelope:
    """Return what is read of an envelope that was written in an encoding: version 1.0 has fewer fields."""
    return replace(envelope, sequence_number=None, answer_within=None) if encoding is Encoding.AVRO_1_0 else envelope


def with_content(**changes: Any) -> bytes:
    """Write the plain envelope as JSON with other values; `...` leaves a key out."""
    content = {key: value for key, value in {**CONTENT, **changes}.items() if value is not ...}
    return json.dumps(content).encode()


def moment(value: object) -> dict[str, object]:
    return {"__type__": "datetime", "value": value}


def binary(value: object) -> dict[str, object]:
    return {"__type__": "bytes", "value": value}


@settings(max_examples=200, deadline=None)
@given(ENVELOPES, st.sampled_from(Encoding))
def test_what_is_written_is_read(pair: Pair, encoding: Encoding) -> None:
    data = encode_event(pair.value, encoding)

    assert decode_event(data) == (as_read(pair.value, encoding), encoding)
    assert data.startswith(b"{" if encoding is Encoding.JSON else b"\xc3\x01")


@given(ENVELOPES)
def test_avro_is_the_single_object_encoding(pair: Pair) -> None:
    crc = fingerprint(canonical_form_of(SCHEMA), "CRC-64-AVRO")

    assert crc == ENVELOPE_FINGERPRINT
    written = encode_event(pair.value, Encoding.AVRO)
    assert written == b"\xc3\x01" + bytes.fromhex(crc) + encode_event_envelope(pair.value)
    assert decode_event_envelope(written[10:]) == pair.value


@given(ENVELOPES)
def test_an_older_version_is_the_beginning_of_the_newest(pair: Pair) -> None:
    older = encode_event(pair.value, Encoding.AVRO_1_0)

    assert older[:10] == bytes.fromhex("c3016d06e770ed3a748a")
    assert encode_event(pair.value, Encoding.AVRO)[10:].startswith(older[10:])


@given(ENVELOPES, st.binary(max_size=8))
def test_a_version_that_is_not_known_has_at_least_the_fields_that_are(pair: Pair, more: bytes) -> None:
    written = encode_event(pair.value, Encoding.AVRO)

    assert decode_event(written[:2] + b"12345678" + written[10:] + more) == (pair.value, Encoding.AVRO)


@pytest.mark.parametrize("encoding", [Encoding.AVRO, Encoding.AVRO_1_0])
def test_a_version_that_is_known_has_exactly_its_fields(encoding: Encoding) -> None:
    written = encode_event(PLAIN, encoding)

    with pytest.raises(DecodeError, match="1 bytes are left at the end"):
        decode_event(written + b"\0")
    with pytest.raises(DecodeError, match="the data ends too early"):
        decode_event(written[:-1])


def test_an_older_version_with_more_fields_than_it_has_is_malformed() -> None:
    written = encode_event(PLAIN, Encoding.AVRO)

    with pytest.raises(DecodeError, match="2 bytes are left at the end"):
        decode_event(written[:2] + bytes.fromhex("6d06e770ed3a748a") + written[10:])


def test_what_is_malformed_and_of_a_version_that_is_not_known_says_both() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_event(b"\xc3\x01" + bytes(8) + b"\x02")

    assert caught.value.path == "identifier"
    assert caught.value.reason.endswith(f"(the schema fingerprint {'0' * 16} is not known)")


@given(ENVELOPES)
def test_json_keeps_the_six_keys_and_leaves_null_headers_out(pair: Pair) -> None:
    content = json.loads(encode_event(pair.value, Encoding.JSON))

    assert list(content)[:6] == BASE
    assert set(content) - set(BASE) == {header for header in HEADERS if getattr(pair.value, header) is not None}
    assert None not in [content[header] for header in content if header in HEADERS]


def test_json_looks_as_it_is_documented() -> None:
    envelope = replace(
        PLAIN,
        message_type="A",
        payload_format_type="avro",
        serialized_payload=b"\x00\xff",
        protocol_version=1,
        open_connections=("ä",),
    )

    assert encode_event(envelope, Encoding.JSON).decode() == (
        '{"identifier":"event","publisher_identifier":"me",'
        '"timestamp":{"__type__":"datetime","value":"2026-11-23T21:26:01.000007+00:00"},'
        '"message_type":"A","payload_format_type":"avro","serialized_payload":{"__type__":"bytes","value":"AP8="},'
        '"protocol_version":1,"open_connections":["ä"]}'
    )


def test_a_moment_may_be_the_identifier() -> None:
    """The released publisher of py-orbitalis puts one there."""
    envelope, _ = decode_event(with_content(identifier=moment("2026-11-23T21:26:01.000007")))

    assert envelope.identifier == "2026-11-23T21:26:01.000007"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the local time one that is two hours ahead."""
    monkeypatch.setenv("TZ", "TST-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-23T21:26:01", 19),
        ("2026-11-23T21:26:01Z", 21),
        ("2026-11-23T21:26:01+00:00", 21),
        ("2026-11-23T21:26:01-03:30", 24.5),
        ("2026-11-23 21:26:01", 19),
        ("20261123T212601", 19),
    ],
)
def test_a_time_without_a_zone_is_local(text: str, hour: float) -> None:
    envelope, _ = decode_event(with_content(timestamp=moment(text)))

    assert envelope.timestamp == datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour, minutes=26, seconds=1)
    assert envelope.timestamp.tzinfo is UTC


def test_any_zone_is_written() -> None:
    envelope = replace(PLAIN, timestamp=PLAIN.timestamp.astimezone(timezone(timedelta(hours=5, minutes=45))))

    for encoding in Encoding:
        assert decode_event(encode_event(envelope, encoding)) == (PLAIN, encoding)


def test_keys_that_are_not_known_are_ignored() -> None:
    data = with_content(later=[{"x": None}], __type__="envelope", IDENTIFIER=5)

    assert decode_event(data) == (PLAIN, Encoding.JSON)


def test_null_headers_are_no_headers() -> None:
    assert decode_event(with_content(**dict.fromkeys(HEADERS))) == (PLAIN, Encoding.JSON)


@pytest.mark.parametrize("key", ["message_type", "payload_format_type", "serialized_payload"])
def test_a_key_that_may_be_null_may_be_left_out(key: str) -> None:
    assert decode_event(with_content(**{key: ...})) == (PLAIN, Encoding.JSON)


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    *(({key: ...}, key, "the field is missing") for key in BASE[:3]),
    ({"identifier": None}, "identifier", "expected a str, got None"),
    ({"identifier": 5}, "identifier", "expected a str, got int"),
    ({"identifier": "\ud800"}, "identifier", "lone surrogate U+D800"),
    ({"identifier": binary("AA==")}, "identifier.__type__", 'expected "datetime", got "bytes"'),
    ({"timestamp": "2026-11-23T21:26:01"}, "timestamp", "expected a mapping, got str"),
    ({"timestamp": moment("yesterday")}, "timestamp", 'expected a time as in ISO 8601, got "yesterday"'),
    ({"timestamp": moment("0001-01-01T00:00:00+23:59")}, "timestamp", "expected a time as in ISO 8601"),
    ({"timestamp": moment("9999-12-31T23:59:59-23:59")}, "timestamp", "expected a time as in ISO 8601"),
    ({"timestamp": moment(1.5)}, "timestamp.value", "expected a str, got float"),
    ({"timestamp": binary("AA==")}, "timestamp.__type__", 'expected "datetime", got "bytes"'),
    ({"message_type": ["A"]}, "message_type", "expected a str, got list"),
    ({"serialized_payload": "AA=="}, "serialized_payload", "expected a mapping, got str"),
    ({"serialized_payload": binary("A")}, "serialized_payload", "expected base64"),
    ({"serialized_payload": binary("A A==")}, "serialized_payload", "expected base64"),
    ({"serialized_payload": binary("AAA==")}, "serialized_payload", "expected base64"),
    ({"serialized_payload": binary("AAAA=")}, "serialized_payload", "expected base64"),
    ({"serialized_payload": binary("é===")}, "serialized_payload", "expected base64"),
    ({"serialized_payload": binary(None)}, "serialized_payload.value", "expected a str, got None"),
    ({"serialized_payload": {"value": "AA=="}}, "serialized_payload.__type__", 'expected "bytes", got None'),
    ({"serialized_payload": {"__type__": ["b" * 200]}}, "serialized_payload.__type__", "got list"),
    ({"serialized_payload": {"__type__": "b" * 2000}}, "serialized_payload.__type__", "…"),
    ({"protocol_version": "1"}, "protocol_version", "expected an int, got str"),
    ({"protocol_version": True}, "protocol_version", "expected an int, got bool"),
    ({"protocol_version": 1.0}, "protocol_version", "expected an int, got float"),
    ({"protocol_version": 2**31}, "protocol_version", "expected an integer of 32 bits"),
    ({"protocol_version": 10**4000}, "protocol_version", "expected an integer of 32 bits"),
    ({"open_connections": "abc"}, "open_connections", "expected a sequence, got str"),
    ({"open_connections": {"a": "b"}}, "open_connections", "expected a sequence, got dict"),
    ({"open_connections": ["a", 1]}, "open_connections[1]", "expected a str, got int"),
    ({"readable_encodings": [None]}, "readable_encodings[0]", "expected a str, got None"),
    ({"traceparent": {}}, "traceparent.__type__", 'expected "datetime", got None'),
]


@pytest.mark.parametrize(("changes", "path", "reason"), MALFORMED)
def test_malformed_json_says_where(changes: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_event(with_content(**changes))

    assert (caught.value.record, caught.value.path) == ("EventEnvelope", path)
    assert reason in caught.value.reason
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected an event, got no bytes"),
        (b"\x00", "expected { or the bytes c3 01 at the beginning, got 00"),
        (b" {}", "expected { or the bytes c3 01 at the beginning, got 20 7b"),
        (b"\xef\xbb\xbf{}", "got ef bb"),
        (b"[]", "got 5b 5d"),
        (b"\xc3", "got c3"),
        (b"\xc3\x01", "expected a schema fingerprint of 8 bytes, got 0"),
        (b"\xc3\x01" + bytes(7), "expected a schema fingerprint of 8 bytes, got 7"),
        (b"{", "expected JSON, but"),
        (b"{}x", "expected JSON, but"),
        (b'{"identifier": "a"', "expected JSON, but"),
        (b'{"identifier": "\xff"}', "expected UTF-8, got byte 0xff at 16"),
        (b'{"identifier": "a\x01"}', "expected JSON, but"),
        (b'{"protocol_version": ' + b"9" * 5000 + b"}", "expected JSON, but"),
        (b'{"x":' * 100_000, "nested more than 64 levels deep"),
        (b'{"x":' + b"[" * 64 + b"]" * 64 + b"}", "nested more than 64 levels deep"),
        (b'{"x": "' + b"]" * 500 + b'", "y":' + b"[" * 400 + b"]" * 400 + b"}", "nested more than 64 levels deep"),
        (b'{"x": "' + b"[" * 500 + b'"', "expected JSON, but"),
    ],
)
def test_what_is_no_event(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_event(data)

    assert (caught.value.record, caught.value.path) == ("EventEnvelope", "")
    assert reason in caught.value.reason


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "{" * 500, "\\\\" + "]" * 500])
def test_brackets_in_a_text_nest_nothing(text: str) -> None:
    data = encode_event(PLAIN, Encoding.JSON)

    assert decode_event(data[:-1] + b', "x": "' + text.encode() + b'"}') == (PLAIN, Encoding.JSON)


def test_what_nests_as_deep_as_allowed_is_read() -> None:
    deep: Any = None
    for _ in range(63):
        deep = [deep]

    assert decode_event(with_content(x=deep, y="]" * 100)) == (PLAIN, Encoding.JSON)


@settings(max_examples=300, deadline=1000)
@given(ENVELOPES, st.sampled_from(Encoding), st.data())
def test_whatever_comes_is_read_or_malformed(pair: Pair, encoding: Encoding, data: st.DataObject) -> None:
    good = encode_event(pair.value, encoding)
    at = data.draw(st.integers(0, len(good)))
    noise = data.draw(
        st.binary(max_size=8) | st.sampled_from([b'"', b"{", b"[", b"null", b"1e999", b"NaN", b"\\ud800"])
    )
    try:
        envelope, _ = decode_event(good[:at] + noise + good[at + data.draw(st.integers(0, 4)) :])
    except DecodeError:
        return
    assume(math.isfinite(envelope.answer_within or 0.0))
    for either in Encoding:
        assert decode_event(encode_event(envelope, either)) == (as_read(envelope, either), either)


@settings(max_examples=50, deadline=None)
@given(ENVELOPES, st.sampled_from(Encoding))
def test_every_truncation_is_malformed(pair: Pair, encoding: Encoding) -> None:
    data = encode_event(pair.value, encoding)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            decode_event(data[:end])


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"identifier": None}, "identifier", "expected a str, got None"),
        ({"publisher_identifier": "\udc00"}, "publisher_identifier", "lone surrogate U+DC00"),
        ({"timestamp": datetime(2026, 1, 1)}, "timestamp", "expected a datetime with a time zone, got one without"),
        ({"timestamp": "2026-01-01"}, "timestamp", "expected a datetime, got str"),
        ({"message_type": 1}, "message_type", "expected a str, got int"),
        ({"serialized_payload": "x"}, "serialized_payload", "expected bytes, got str"),
        ({"serialized_payload": bytearray(b"x")}, "serialized_payload", "expected bytes, got bytearray"),
        ({"protocol_version": True}, "protocol_version", "expected an int, got bool"),
        ({"protocol_version": 2**31}, "protocol_version", "expected an integer of 32 bits"),
        ({"readable_encodings": ["json", None]}, "readable_encodings[1]", "expected a str, got None"),
        ({"traceparent": "\ud800"}, "traceparent", "lone surrogate U+D800"),
    ],
)
def test_what_does_not_fit_says_where(changes: dict[str, Any], path: str, reason: str, encoding: Encoding) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_event(replace(PLAIN, **changes), encoding)

    assert (caught.value.record, caught.value.path) == ("EventEnvelope", path)
    assert reason in caught.value.reason


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_named_where_it_is_wrong(name: str) -> None:
    wrong: dict[str, Any] = {name: object()}
    for encoding in Encoding.JSON, Encoding.AVRO:
        with pytest.raises(EncodeError) as refused:
            encode_event(replace(PLAIN, **wrong), encoding)
        assert refused.value.path == name
    with pytest.raises(DecodeError) as caught:
        decode_event(with_content(**{name: {"__type__": 0.5}}))
    assert caught.value.path.split(".")[0] == name


def test_payloads_of_any_size_are_read() -> None:
    payload = bytes(range(256)) * 2000

    data = with_content(serialized_payload=binary(b64encode(payload).decode()))
    assert decode_event(data)[0].serialized_payload == payload
