"""What py-orbitalis puts on the wire is read, and what it would write is written."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import parse_schema, to_parsing_canonical_form
from fastavro.utils import generate_many

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE, CODECS
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from tests.support.repository import ROOT

HERE = Path(__file__).parent
VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "vectors" / "older.jsonl").read_text().splitlines()
]
SCHEMAS: dict[str, Any] = json.loads((HERE / "py_orbitalis_schemas.json").read_text())
NEWER: dict[str, dict[str, Any]] = {
    "DiscoverMessage": {"exact_schemas": {}},
    "OfferMessage": {"exact_schemas": {}},
    "RequestOperationMessage": {"input_schemas": []},
}
"""Fields that the peers do not know, with their defaults."""
vectors = pytest.mark.parametrize(
    "vector", VECTORS, ids=[f"{number}-{vector['message_type']}" for number, vector in enumerate(VECTORS)]
)


def plain(value: object) -> object:
    """Say a value as the vectors do."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


def test_there_are_as_many_as_the_reference_says() -> None:
    assert len(VECTORS) == 26
    assert {vector["message_type"] for vector in VECTORS} == {None, *SCHEMAS} - {"Int32Message", "Int64Message"}


@vectors
def test_events_are_read(vector: dict[str, Any]) -> None:
    envelope, encoding = decode_event(vector["envelope_json"].encode())

    assert encoding is Encoding.JSON
    assert envelope.identifier == vector["event"]["identifier"]
    assert envelope.publisher_identifier == vector["event"]["publisher_identifier"]
    assert envelope.timestamp == datetime.fromisoformat(vector["event"]["timestamp"]).astimezone()
    assert envelope.message_type == vector["message_type"]
    assert envelope.payload_format_type == vector["payload_format_type"]
    payload = envelope.serialized_payload
    assert (None if payload is None else payload.hex()) == vector["payload_hex"]
    headers = [field.name for field in dataclasses.fields(envelope)][6:]
    assert all(getattr(envelope, header) is None for header in headers)


@vectors
def test_payloads_are_read_and_written_to_the_same_bytes(vector: dict[str, Any]) -> None:
    envelope, _ = decode_event(vector["envelope_json"].encode())
    if envelope.message_type is None:
        assert (envelope.payload_format_type, envelope.serialized_payload) == (None, None)
        return
    assert envelope.payload_format_type is not None
    assert envelope.serialized_payload is not None
    codec = CODEC_BY_MESSAGE_TYPE[envelope.message_type]

    message = codec.decode_payload(envelope.payload_format_type, envelope.serialized_payload)

    assert type(message) is codec.message_class
    fields = plain(dataclasses.asdict(message))
    assert isinstance(fields, dict)
    # What is newer has its default.
    assert {name: fields.pop(name) for name in [*fields][len(vector["fields"]) :]} == NEWER.get(codec.message_type, {})
    assert fields == vector["fields"]
    assert codec.payload_format == envelope.payload_format_type
    written = codec.encode_payload(message)
    assert written.startswith(envelope.serialized_payload)
    assert codec.decode_payload(codec.payload_format, written, codec.fingerprint) == message
    assert codec.decode(codec.encode(message)) == message


@vectors
def test_events_are_written_as_the_peers_write_them(vector: dict[str, Any]) -> None:
    envelope, _ = decode_event(vector["envelope_json"].encode())
    theirs, ours = json.loads(vector["envelope_json"]), json.loads(encode_event(envelope, Encoding.JSON))

    # A peer says local time without a zone, this one the zone.
    assert datetime.fromisoformat(ours.pop("timestamp")["value"]) == envelope.timestamp
    assert theirs.pop("timestamp")["__type__"] == "datetime"
    assert ours == theirs
    if ours["serialized_payload"] is not None:
        assert base64.b64decode(ours["serialized_payload"]["value"]).hex() == vector["payload_hex"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_oldest_version_has_the_canonical_form_of_the_peers(name: str) -> None:
    codec = CODEC_BY_MESSAGE_TYPE[name]
    theirs = to_parsing_canonical_form(parse_schema(SCHEMAS[name]))

    schema = json.loads(codec.schema)
    schema["fields"] = schema["fields"][: codec.lengths.get(None)]
    assert canonical_form_of(schema) == theirs
    assert to_parsing_canonical_form(parse_schema(schema)) == theirs
    assert codec.lengths.get(fingerprint_of(theirs)) == codec.lengths.get(None)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_peers_read_what_is_newer_and_ignore_what_they_do_not_know(name: str) -> None:
    """As fastavro does for them: the fields that they know come first."""
    codec = CODEC_BY_MESSAGE_TYPE[name]
    newest = parse_schema(json.loads(codec.schema))
    value: Any = next(generate_many(newest, 1))
    written = BytesIO()
    schemaless_writer(written, newest, value)

    written.seek(0)
    read: Any = schemaless_reader(written, parse_schema(SCHEMAS[name]), None)

    assert read == {key: value[key] for key in read}


def test_every_message_is_one_of_the_peers_but_those_that_they_do_without() -> None:
    ours = {
        "AnnounceMessage",
        "BytesMessage",
        "CancelInputMessage",
        "ConnectionsMessage",
        "InfoMessage",
        "IntrospectionRequestMessage",
        "OperationErrorMessage",
        "PongMessage",
        "StatisticsMessage",
        "WillMessage",
    }

    assert {codec.message_type for codec in CODECS} == set(SCHEMAS) | ours
