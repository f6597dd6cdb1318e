"""The vectors beside the specification: they are what that gives, and the generated codecs read and write them."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from datetime import datetime
from typing import Any

import pytest
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE, CODECS
from orbitalis_wire.envelope import ENVELOPE_FINGERPRINT, Encoding, decode_event, encode_event
from tests.support.repository import ROOT, run


def rows(name: str) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return [json.loads(line) for line in (ROOT / "vectors" / name).read_text(encoding="utf-8").splitlines()]


EVENTS = rows("events.jsonl")
SCHEMAS = {row["name"]: row for row in rows("schemas.jsonl")}
events = pytest.mark.parametrize(
    "event", EVENTS, ids=[f"{number}-{event['envelope']['message_type']}" for number, event in enumerate(EVENTS)]
)


def plain(value: object) -> object:
    """Say a value as the vectors do."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


def test_files_are_up_to_date() -> None:
    assert run([sys.executable, ROOT / "tools" / "make_vectors.py", "--check"]) == ""


def test_there_is_an_event_of_every_message() -> None:
    types = [event["envelope"]["message_type"] for event in EVENTS]

    assert set(types) == {None, *CODEC_BY_MESSAGE_TYPE}
    assert all(types.count(name) >= 2 for name in CODEC_BY_MESSAGE_TYPE)


@events
@pytest.mark.parametrize("is_json", [True, False])
def test_events_are_read_and_written_again(event: dict[str, Any], is_json: bool) -> None:
    data = event["json"].encode() if is_json else bytes.fromhex(event["avro_hex"])

    envelope, found = decode_event(data)
    written = encode_event(envelope, found)

    assert (found is Encoding.JSON) is is_json
    assert plain(dataclasses.asdict(envelope)) == event["envelope"]
    if is_json:
        assert json.loads(written) == json.loads(data)
    else:
        assert written == data


@events
def test_payloads_are_read_and_written_again(event: dict[str, Any]) -> None:
    envelope, _ = decode_event(event["json"].encode())
    if envelope.message_type is None:
        assert (event["value"], envelope.payload_format_type, envelope.serialized_payload) == (None, None, None)
        return
    assert envelope.payload_format_type is not None
    assert envelope.serialized_payload is not None
    codec = CODEC_BY_MESSAGE_TYPE[envelope.message_type]

    message = codec.decode_payload(
        envelope.payload_format_type, envelope.serialized_payload, envelope.schema_fingerprint
    )

    assert plain(dataclasses.asdict(message)) == event["value"]
    if envelope.payload_format_type == codec.payload_format and envelope.schema_fingerprint == codec.fingerprint:
        assert codec.encode_payload(message) == envelope.serialized_payload


def test_schemas_are_those_of_the_codecs() -> None:
    assert [
        (row["name"], row["schema"], row["canonical_form"], row["fingerprint"])
        for name, row in SCHEMAS.items()
        if name != "EventEnvelope"
    ] == [(codec.message_type, json.loads(codec.schema), codec.canonical_form, codec.fingerprint) for codec in CODECS]
    for codec in CODECS:
        versions = SCHEMAS[codec.message_type]["versions"]
        assert {one["fingerprint"]: one["fields"] for one in versions} == {
            fingerprint: length for fingerprint, length in codec.lengths.items() if fingerprint is not None
        }
    assert [f"avro:{one['fingerprint']}" for one in reversed(SCHEMAS["EventEnvelope"]["versions"])] == [*Encoding][1:]


def test_there_is_an_event_of_every_version() -> None:
    written = {event["envelope"]["schema_fingerprint"] for event in EVENTS}
    envelopes = {event["avro_hex"][4:20] for event in EVENTS}

    for row in SCHEMAS.values():
        found = envelopes if row["name"] == "EventEnvelope" else written
        assert {one["fingerprint"] for one in row["versions"]} <= found


@pytest.mark.parametrize("name", SCHEMAS)
def test_fingerprints_are_the_crc_of_the_canonical_form(name: str) -> None:
    assert fingerprint(SCHEMAS[name]["canonical_form"], "CRC-64-AVRO") == SCHEMAS[name]["fingerprint"]


def test_the_documents_name_the_fingerprint_of_the_envelope() -> None:
    document = (ROOT / "asyncapi.yaml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "reference" / "specification.md").read_text(encoding="utf-8")
    without_logical_types = to_parsing_canonical_form(parse_schema(SCHEMAS["EventEnvelope"]["schema"]))

    assert re.findall(r"The fingerprint of this envelope is `(\w+)`", document) == [ENVELOPE_FINGERPRINT]
    assert re.findall(r"`([0-9a-f]{16})`", page) == [
        ENVELOPE_FINGERPRINT,
        fingerprint(without_logical_types, "CRC-64-AVRO"),
    ]
    assert SCHEMAS["EventEnvelope"]["fingerprint"] == ENVELOPE_FINGERPRINT
    assert '{"type":"long","logicalType":"timestamp-micros"}' in SCHEMAS["EventEnvelope"]["canonical_form"]
