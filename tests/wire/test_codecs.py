"""Codecs write what fastavro writes, read what it writes, and take nothing that is malformed; see tests/fuzzing."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire import codecs, limits, messages
from orbitalis_wire.codecs import CODEC_BY_CLASS, CODEC_BY_MESSAGE_TYPE, CODECS
from orbitalis_wire.messages import (
    DiscoverMessage,
    DiscoverQuery,
    Float32Message,
    Float64Message,
    Input,
    Int32Message,
    Int64Message,
    KeepaliveMessage,
    OfferMessage,
    Output,
    StringMessage,
)
from orbitalis_wire.schemas import SCHEMA_BY_CLASS, SCHEMA_BY_MESSAGE_TYPE, SCHEMAS, MessageSchema
from tests.support.avro import Pair, fastavro_bytes, fastavro_value, long, pairs, text, untagged
from tests.support.repository import ROOT


@dataclass(frozen=True, slots=True)
class Target:
    """A record with its codec, and values of it."""

    schema: Any
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    pairs: st.SearchStrategy[Pair]


def class_of(name: str) -> type:
    codec = CODEC_BY_MESSAGE_TYPE.get(name)
    return getattr(messages, name) if codec is None else codec.message_class


def targets() -> dict[str, Target]:
    envelope = json.loads((ROOT / "schemas" / "EventEnvelope.avsc").read_text())
    found = [(codec.message_class.__name__, json.loads(codec.schema), codec.encode, codec.decode) for codec in CODECS]
    found.append(("EventEnvelope", envelope, codecs.encode_event_envelope, codecs.decode_event_envelope))
    return {name: Target(schema, encode, decode, pairs(schema, class_of)) for name, schema, encode, decode in found}


TARGETS = targets()
every_record = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
data_of_any_record = st.sampled_from(sorted(TARGETS)).flatmap(
    lambda name: TARGETS[name].pairs.map(lambda pair: (name, TARGETS[name].encode(pair.value)))
)


@every_record
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_writes_what_fastavro_writes_and_reads_it_back(target: Target, data: st.DataObject) -> None:
    pair = data.draw(target.pairs)

    written = target.encode(pair.value)

    assert written == fastavro_bytes(target.schema, pair.datum)
    assert target.decode(written) == pair.value
    assert fastavro_value(target.schema, written) == untagged(pair.datum)


@every_record
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_field_is_named_where_it_is_wrong(target: Target, data: st.DataObject) -> None:
    pair = data.draw(target.pairs)
    fields = target.schema["fields"]
    for number, field in enumerate(fields):
        with pytest.raises(EncodeError) as refused:
            target.encode(replace(pair.value, **{field["name"]: object()}))
        assert refused.value.path == field["name"]
        # What comes before the field is a record of its own.
        start = fastavro_bytes({**target.schema, "fields": fields[:number]}, pair.datum)
        with pytest.raises(DecodeError) as caught:
            target.decode(start)
        assert caught.value.path == field["name"]


def test_every_record_has_a_codec() -> None:
    records = {name for name in messages.__all__ if name not in TARGETS}

    assert records == {
        "ConnectionInfo",
        "DiscoverQuery",
        "Input",
        "OfferedOperation",
        "OperationInfo",
        "OperationStatistics",
        "Output",
        "RemoteInfo",
        "RequirementInfo",
    }
    assert [codec.message_class for codec in CODECS] == list(CODEC_BY_CLASS)
    assert [codec.message_type for codec in CODECS] == list(CODEC_BY_MESSAGE_TYPE)
    for codec in CODECS:
        assert CODEC_BY_CLASS[codec.message_class] is CODEC_BY_MESSAGE_TYPE[codec.message_type] is codec


def test_schemas_are_known_without_the_codecs() -> None:
    assert [codec[: len(MessageSchema._fields)] for codec in CODECS] == [tuple(schema) for schema in SCHEMAS]
    for schema in SCHEMAS:
        assert SCHEMA_BY_CLASS[schema.message_class] is SCHEMA_BY_MESSAGE_TYPE[schema.message_type] is schema
        assert schema.message_class.avro_schema() == schema.schema


@settings(max_examples=100, deadline=None)
@given(data_of_any_record)
def test_every_truncation_is_malformed(found: tuple[str, bytes]) -> None:
    name, data = found
    for end in range(len(data)):
        with pytest.raises(DecodeError) as caught:
            TARGETS[name].decode(data[:end])
        assert caught.value.record == name
        assert caught.value.path


@settings(max_examples=100, deadline=None)
@given(data_of_any_record, st.binary(min_size=1, max_size=20))
def test_what_is_left_at_the_end_is_malformed(found: tuple[str, bytes], more: bytes) -> None:
    name, data = found
    with pytest.raises(DecodeError, match=f"^cannot decode {name}: {len(more)} bytes are left at the end$") as caught:
        TARGETS[name].decode(data + more)
    assert caught.value.path == ""


EMPTY = b"\x00"
INPUT = EMPTY + b"\x00\x00"
QUERY = long(1) + INPUT + EMPTY + long(1) + INPUT + EMPTY
DISCOVER = text("core") + text("o") + text("k") + text("r") + struct.pack("<d", 1.0)
QUERY_REST = b"\x00\x00" + text("turn_on")
ENVELOPE = text("event") + text("me") + long(0) + b"\x00\x00\x00"
"""The six fields that every envelope has."""


def envelope(*headers: bytes) -> bytes:
    return ENVELOPE + b"".join(headers) + b"\x00" * (8 - len(headers))


MALFORMED: list[tuple[str, bytes, str, str]] = [
    ("KeepaliveMessage", long(10) + b"abc", "from_identifier", "a length of 10 bytes, but only 3 are left"),
    ("KeepaliveMessage", long(2**62) + b"abc", "from_identifier", f"a length of {2**62} bytes, but only 3 are left"),
    ("KeepaliveMessage", long(-1) + b"abc", "from_identifier", "expected a length, got -1"),
    ("KeepaliveMessage", b"", "from_identifier", "the data ends too early"),
    ("KeepaliveMessage", text(b"a\xff"), "from_identifier", "expected UTF-8, got byte 0xff"),
    ("KeepaliveMessage", text(b"\xed\xa0\x80"), "from_identifier", "expected UTF-8, got byte 0xed"),
    ("Int64Message", b"\xff" * 10 + b"\x01", "value", "an integer of more than 10 bytes"),
    ("Int64Message", b"\x80" * 11, "value", "an integer of more than 10 bytes"),
    ("Int64Message", b"\xff" * 9 + b"\x02", "value", "an integer of more than 64 bits"),
    ("Float64Message", b"\x00" * 7, "value", "the data ends too early"),
    ("DiscoverMessage", DISCOVER + long(2**40), "queries", f"a count of {2**40} items, but only 0 bytes are left"),
    ("DiscoverMessage", DISCOVER + long(-(2**63)) + EMPTY, "queries", f"a count of {2**63} items, but only 0"),
    ("DiscoverMessage", DISCOVER + long(1) + text(b"\xff\xff\xff\xff\xff"), "queries", "expected UTF-8"),
    (
        "DiscoverMessage",
        DISCOVER + long(2) + 2 * (text('a"\n') + QUERY + QUERY_REST) + EMPTY,
        'queries["a\\"\\n"]',
        "the key comes twice",
    ),
    (
        "DiscoverMessage",
        DISCOVER + 2 * (long(1) + text("a") + QUERY + QUERY_REST) + EMPTY,
        'queries["a"]',
        "the key comes twice",
    ),
    (
        "DiscoverMessage",
        DISCOVER + long(1) + text("a") + QUERY + QUERY_REST + long(9),
        "queries",
        "a count of 9 items, but only 0 bytes are left",
    ),
    (
        "DiscoverMessage",
        DISCOVER + long(1) + text("a") + EMPTY + long(1) + long(2) + text("s") + text(b"\xff") + 20 * b"\x00",
        'queries["a"].inputs[0].schemas[1]',
        "expected UTF-8, got byte 0xff",
    ),
    (
        "DiscoverMessage",
        DISCOVER + long(1) + text("a") + long(1) + EMPTY + b"\x07" + 20 * b"\x00",
        'queries["a"].outputs[0].support_empty_schema',
        "expected a boolean, 0 or 1, got 7",
    ),
    (
        "DiscoverMessage",
        DISCOVER + long(1) + text("a") + EMPTY * 2 + long(2) + b"\0\0",
        'queries["a"].allowlist',
        "got 2",
    ),
    ("RejectOperationMessage", text("c") + text("o") + long(-1), "description", "expected an index below 2, got -1"),
    ("RejectOperationMessage", text("c") + text("o") + long(2), "description", "expected an index below 2, got 2"),
    ("RejectOperationMessage", text("c") + text("o") + long(2**62), "description", "expected an index below 2"),
    ("EventEnvelope", envelope(long(1) + long(2**31)), "protocol_version", "32 bits, got 2147483648"),
    (
        "EventEnvelope",
        text("e") + text("m") + long(2**63 - 1) + b"\0" * 11,
        "timestamp",
        "between the years 1 and 9999",
    ),
    ("EventEnvelope", text("e") + text("m") + long(-(2**63)) + b"\0" * 11, "timestamp", "between the years 1 and 9999"),
    (
        "EventEnvelope",
        envelope(*[b"\0"] * 5, long(1) + long(-2) + long(3) + text("a") + text("b") + EMPTY),
        "open_connections",
        "a block that is +1 bytes longer than its head says",
    ),
    (
        "EventEnvelope",
        envelope(*[b"\0"] * 5, long(1) + long(-2) + long(5) + text("a") + text("b") + EMPTY),
        "open_connections",
        "a block that is -1 bytes longer than its head says",
    ),
    (
        "EventEnvelope",
        envelope(*[b"\0"] * 5, long(1) + long(-2) + long(200) + text("a") + text("b") + EMPTY),
        "open_connections",
        "a length of 200 bytes",
    ),
    ("EventEnvelope", envelope(*[b"\0"] * 5, long(1) + long(-1) + long(-1)), "open_connections", "a length, got -1"),
]


@pytest.mark.parametrize(("name", "data", "path", "reason"), MALFORMED)
def test_malformed_data_is_an_error_that_says_where(name: str, data: bytes, path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        TARGETS[name].decode(data)

    assert (caught.value.record, caught.value.path) == (name, path)
    assert reason in caught.value.reason
    assert str(caught.value) == f"cannot decode {name}.{path}: {caught.value.reason}"


def test_blocks_are_read_whether_they_say_their_size_or_not() -> None:
    one, two, three = text("a"), text("b"), text("c")
    data = long(-2) + long(4) + one + two + long(1) + three + long(-1) + long(2) + one + EMPTY + b"\x01\x00"

    assert codecs.decode_input(data) == Input(schemas=("a", "b", "c", "a"), support_empty_schema=True)
    query = QUERY + QUERY_REST
    sized = long(-1) + long(len(text("x") + query)) + text("x") + query
    queries = codecs.decode_discover_message(DISCOVER + sized + long(1) + text("y") + query + 2 * EMPTY).queries
    assert list(queries) == ["x", "y"]
    assert queries["x"] == DiscoverQuery(inputs=(Input(),), outputs=(Output(),), operation_name="turn_on")


def discover(**changes: Any) -> DiscoverMessage:
    values: dict[str, Any] = {
        "core_identifier": "core",
        "offer_topic": "o",
        "core_keepalive_topic": "k",
        "core_keepalive_request_topic": "r",
        "considered_dead_after": 1.0,
        "queries": {},
    }
    return DiscoverMessage(**{**values, **changes})


def query(**changes: Any) -> dict[str, DiscoverQuery]:
    values: dict[str, Any] = {"outputs": [], "inputs": [], "operation_name": "a"}
    return {"a": DiscoverQuery(**{**values, **changes})}


WRONG: list[tuple[Any, str, str]] = [
    (KeepaliveMessage(from_identifier=5), "from_identifier", "expected a str, got int"),  # type: ignore[arg-type]
    (KeepaliveMessage(from_identifier="\ud800"), "from_identifier", "expected text, got the lone surrogate U+D800"),
    (Int64Message(value=2**63), "value", "expected an integer of 64 bits, got one of 65 bits"),
    (Int64Message(value=-(2**70)), "value", "expected an integer of 64 bits"),
    (Int64Message(value=True), "value", "expected an int, got bool"),
    (Int32Message(value=1.0), "value", "expected an int, got float"),  # type: ignore[arg-type]
    (Float64Message(value="1"), "value", "expected a float, got str"),  # type: ignore[arg-type]
    (Float64Message(value=10**400), "value", "expected a number of double precision"),
    (Float32Message(value=False), "value", "expected a float, got bool"),
    (discover(considered_dead_after=None), "considered_dead_after", "expected a float, got None"),
    (discover(queries=[]), "queries", "expected a mapping, got list"),
    (discover(queries={1: None}), "queries[int]", "expected a str, got int"),
    (discover(queries={"a": Input()}), 'queries["a"]', "expected DiscoverQuery, got Input"),
    (discover(queries=query(inputs="abc")), 'queries["a"].inputs', "expected a sequence, got str"),
    (discover(queries=query(inputs=b"abc")), 'queries["a"].inputs', "expected a sequence, got bytes"),
    (discover(queries=query(inputs={Input()})), 'queries["a"].inputs', "expected a sequence, got set"),
    (discover(queries=query(inputs=[Input(), Output()])), 'queries["a"].inputs[1]', "expected Input, got Output"),
    (
        discover(queries=query(outputs=[Output(schemas=["", 1])])),  # type: ignore[list-item]
        'queries["a"].outputs[0].schemas[1]',
        "expected a str, got int",
    ),
    (
        discover(queries=query(inputs=[Input(support_empty_schema=1)])),  # type: ignore[arg-type]
        'queries["a"].inputs[0].support_empty_schema',
        "expected a bool, got int",
    ),
    (discover(queries=query(allowlist=("a", b"b"))), 'queries["a"].allowlist[1]', "expected a str, got bytes"),
    (discover(queries=query(blocklist=5)), 'queries["a"].blocklist', "expected a sequence, got int"),
]


@pytest.mark.parametrize(("message", "path", "reason"), WRONG)
def test_what_does_not_fit_is_an_error_that_says_where(message: Any, path: str, reason: str) -> None:
    name = type(message).__name__
    with pytest.raises(EncodeError) as caught:
        TARGETS[name].encode(message)

    assert (caught.value.record, caught.value.path) == (name, path)
    assert reason in caught.value.reason
    assert str(caught.value) == f"cannot encode {name}.{path}: {caught.value.reason}"


def test_another_message_does_not_fit() -> None:
    for encode in (codecs.encode_offer_message, CODEC_BY_CLASS[OfferMessage].encode_payload):
        with pytest.raises(EncodeError, match="expected OfferMessage, got Input"):
            encode(Input())  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match=r"StringMessage\.value: the field is missing"):
        CODEC_BY_CLASS[StringMessage].encode_payload(Input())


def test_a_field_that_was_never_set_is_missing() -> None:
    with pytest.raises(EncodeError, match=r"KeepaliveMessage\.from_identifier: the field is missing"):
        codecs.encode_keepalive_message(object.__new__(KeepaliveMessage))


def test_nan_goes_as_it_is() -> None:
    nan = struct.pack("<d", float("nan"))
    assert codecs.encode_float64_message(codecs.decode_float64_message(nan)) == nan


def test_a_large_count_costs_nothing() -> None:
    """What a message claims is not what it costs: the largest event with the largest claims is refused at once."""
    data = DISCOVER + long(limits.EVENT_BYTES // 6) + b"\x00" * limits.EVENT_BYTES
    with pytest.raises(DecodeError) as caught:
        codecs.decode_discover_message(data)
    assert caught.value.path == 'queries[""]'
