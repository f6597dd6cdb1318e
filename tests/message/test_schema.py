"""Schemas that strangers name: compared within bounds, whatever they are."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from fastavro.schema import fingerprint

from orbitalis.message import Input, UndecodedPayload
from orbitalis.message.schema import canonical_form
from orbitalis_wire import limits, messages
from orbitalis_wire.codecs import CODEC_BY_CLASS


def _deep(levels: int, documentation: str = "") -> str:
    inner: Any = "int"
    for _ in range(levels):
        inner = {"type": "array", "items": inner}
    return json.dumps({"type": "record", "name": "A", "doc": documentation, "fields": [{"name": "x", "type": inner}]})


def _payload(schema_fingerprint: str | None) -> UndecodedPayload:
    return UndecodedPayload(
        message_type="A", payload_format_type="avro", serialized_payload=b"", schema_fingerprint=schema_fingerprint
    )


@pytest.mark.parametrize("documentation", ["", "]" * 1000, '\\"' + "]" * 1000, "[" * 1000])
def test_depth_is_that_of_the_schema_whatever_its_documentation_says(documentation: str) -> None:
    fits, deep = (_deep(levels, documentation) for levels in (limits.NESTING_DEPTH - 3, limits.NESTING_DEPTH - 2))
    assert canonical_form(fits) == canonical_form(_deep(limits.NESTING_DEPTH - 3))
    assert "doc" not in canonical_form(fits)
    assert canonical_form(deep) == deep


@pytest.mark.parametrize("place", ["namespace", "name"])
def test_names_do_not_multiply_a_long_namespace(place: str) -> None:
    long = "n" * 30_000
    names: dict[str, str] = {"name": "A", "namespace": long} if place == "namespace" else {"name": f"{long}.A"}
    schema = json.dumps(
        {"type": "record", **names, "fields": [{"name": f"f{number}", "type": "A"} for number in range(1000)]}
    )
    begin = time.process_time()
    assert len(schema) < limits.SCHEMA_BYTES
    assert canonical_form(schema) == schema
    assert time.process_time() - begin < 1


def test_a_form_that_no_text_can_hold_stands_for_itself() -> None:
    schema = '{"type":"enum","name":"A","symbols":["\\ud800"]}'
    assert canonical_form(schema) == schema
    assert not Input.from_schema(schema).accepts_payload(_payload("0" * 16))


def test_payloads_are_known_by_the_fingerprints_of_schemas_alone() -> None:
    spec = Input(schemas=(_deep(1), "no schema"))
    assert spec.accepts_payload(_payload(fingerprint(canonical_form(_deep(1)), "CRC-64-AVRO")))
    for other in (fingerprint("no schema", "CRC-64-AVRO"), "0" * 16, None):
        assert not spec.accepts_payload(_payload(other))


def test_a_payload_that_was_not_taken_is_not_accepted_whatever_its_fingerprint_says() -> None:
    spec = Input.from_message(messages.StringMessage)
    stranger = _payload(CODEC_BY_CLASS[messages.StringMessage].fingerprint)
    assert spec.accepts_payload(stranger)
    assert not spec.accepts_payload(replace(stranger, message_type="BytesMessage"))
    assert spec.accepts_class(messages.StringMessage)
    assert not spec.accepts_class(messages.BytesMessage)
    assert Input.undefined().accepts_class(messages.BytesMessage)
    assert not Input.empty().accepts_class(messages.BytesMessage)
