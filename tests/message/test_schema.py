"""Schemas that strangers name: compared within bounds, whatever they are."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from fastavro.schema import fingerprint
from hypothesis import given
from hypothesis import strategies as st

from orbitalis.message import Input, Output, UndecodedPayload
from orbitalis.message.schema import canonical_form, is_familiar
from orbitalis_wire import limits, messages
from orbitalis_wire.codecs import CODEC_BY_CLASS, CODECS


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


def _moment(logical_type: str) -> str:
    moment = {"type": "long", "logicalType": logical_type}
    return json.dumps({"type": "record", "name": "A", "fields": [{"name": "x", "type": moment}]})


def test_milliseconds_are_not_taken_for_microseconds() -> None:
    millis, micros = Input.from_schema(_moment("timestamp-millis")), Input.from_schema(_moment("timestamp-micros"))
    assert not millis.accepts(micros)
    assert not micros.is_compatible_with_schema(_moment("timestamp-millis"))
    assert millis.is_compatible_with_schema(json.dumps(json.loads(_moment("timestamp-millis")), indent=1))
    form = canonical_form(_moment("timestamp-micros"))
    assert micros.accepts_payload(_payload(fingerprint(form, "CRC-64-AVRO")))
    assert not millis.accepts_payload(_payload(fingerprint(form, "CRC-64-AVRO")))


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


def test_schemas_are_familiar_until_many_others_were_asked_for() -> None:
    first, *others = (json.dumps({"type": "fixed", "name": f"Familiar{number}", "size": 1}) for number in range(400))
    assert not is_familiar(first)
    for other in others[:100]:
        canonical_form(first)
        canonical_form(other)
    assert is_familiar(first)
    assert is_familiar(others[0])
    for other in others[100:]:
        canonical_form(other)
    assert not is_familiar(first)
    assert is_familiar(others[-1])
    assert all(is_familiar(codec.schema) for codec in CODECS)
    assert is_familiar("x" * (limits.SCHEMA_BYTES + 1))


SPELLINGS = [
    json.dumps({**schema, **more}, indent=indent)
    for schema in (
        json.loads(CODEC_BY_CLASS[messages.StringMessage].schema),
        json.loads(CODEC_BY_CLASS[messages.Int64Message].schema),
    )
    for more in ({}, {"doc": "In other words."})
    for indent in (None, 2)
] + ["no schema", "no  schema"]
SPECS: st.SearchStrategy[Input] = st.builds(
    Input,
    schemas=st.lists(st.sampled_from(SPELLINGS), max_size=3)
    | st.lists(st.sampled_from(SPELLINGS), max_size=3).map(tuple),
    support_empty_schema=st.booleans(),
    support_undefined_schema=st.booleans(),
)


def _forms(spec: Input) -> set[str]:
    return {canonical_form(schema) for schema in spec.schemas}


@given(SPECS, SPECS)
def test_a_spec_accepts_another_if_it_accepts_everything_that_it_carries(one: Input, other: Input) -> None:
    fits = one.support_undefined_schema or (
        not other.support_undefined_schema
        and one.support_empty_schema >= other.support_empty_schema
        and _forms(one) >= _forms(other)
    )
    assert one.accepts(other) is (fits and one.expects_something == other.expects_something)
    assert one.is_compatible(other) is (one.accepts(other) and other.accepts(one))


@given(SPECS, st.lists(SPECS, max_size=3))
def test_schemas_are_spelled_as_the_first_that_has_them_does(spec: Input, others: list[Input]) -> None:
    theirs = [schema for other in others for schema in other.schemas]
    spelled = spec.spelled_like(others)
    assert tuple(spelled.schemas) == tuple(
        next((one for one in theirs if canonical_form(one) == canonical_form(schema)), schema)
        for schema in spec.schemas
    )
    assert replace(spelled, schemas=spec.schemas) == spec


@given(SPECS, st.sampled_from([messages.StringMessage, messages.Int64Message, messages.BytesMessage]))
def test_a_class_is_accepted_if_its_schema_is(spec: Input, message_class: type[Any]) -> None:
    schema = CODEC_BY_CLASS[message_class].schema
    accepted = spec.support_undefined_schema or canonical_form(schema) in _forms(spec)
    assert spec.accepts_class(message_class) is accepted
    assert spec.is_compatible_with_schema(schema) is accepted


def test_what_a_message_said_is_taken_as_it_is() -> None:
    said = messages.Output(schemas=("x",), support_empty_schema=True, support_undefined_schema=False)
    taken = Output.from_wire(said)
    assert type(taken) is Output
    assert (taken.schemas, taken.support_empty_schema, taken.support_undefined_schema) == (("x",), True, False)
    assert Output.from_wire(taken) is taken
