"""Every codec of :mod:`orbitalis_wire`, in every format of its payload, with fastavro as the judge."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import fastavro
from fastavro.types import Schema

from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire import codecs, messages
from orbitalis_wire.codecs import CODEC_BY_CLASS, CODEC_BY_MESSAGE_TYPE, CODECS
from tests.fuzzing.messages_at_random import message_at_random
from tests.fuzzing.target import Target, assert_refusal
from tests.support.repository import ROOT

__all__ = ["codec_targets"]

_SEEDS = 8
_INNER = ("DiscoverQuery", "Input", "OfferedOperation", "Output")
"""Records that travel in others, and have codecs all the same."""
_STRICTER = re.compile(
    "the key comes twice"
    "|expected a boolean"
    "|an integer of more than "
    "|expected an integer of 32 bits"
    "|expected a length, got -"
    "|expected an index below [0-9]+, got -"
    "|longer than its head says"
    "|a (length|count) of [0-9]+ (bytes|items), but only"
)
"""What is refused although fastavro takes it: it reads what no writer writes."""


def codec_targets() -> list[Target]:
    """Return one target a record."""
    found = [(codec.message_class, json.loads(codec.schema)) for codec in CODECS]
    found += [(messages.EventEnvelope, json.loads((ROOT / "schemas" / "EventEnvelope.avsc").read_text()))]
    defined = {record["name"]: record for _, schema in found for record in _records(schema)}
    found += [(getattr(messages, name), defined[name]) for name in _INNER]
    return [_target(message_class, fastavro.parse_schema(schema, named_schemas={})) for message_class, schema in found]


def _target(message_class: type, schema: Schema) -> Target:
    name = message_class.__name__
    snake = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    encode: Callable[[Any], bytes] = getattr(codecs, f"encode_{snake}")
    decode: Callable[[bytes], Any] = getattr(codecs, f"decode_{snake}")

    def run(data: bytes) -> None:
        _binary(data, schema, encode, decode)
        if message_class in CODEC_BY_CLASS:
            _payloads(data, message_class)

    return Target(name=f"codec {name}", run=run, seeds=partial(_seeds, message_class, encode))


def _binary(data: bytes, schema: Schema, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]) -> None:
    """Read Avro: what is taken is written again and is the same to fastavro; what is not, fastavro refuses too."""
    try:
        value = decode(data)
    except DecodeError as error:
        assert_refusal(error)
        if not _STRICTER.search(error.reason) and _is_taken_by_fastavro(schema, data):
            raise AssertionError(f"fastavro takes it: {error}") from error
        return
    again = encode(value)
    assert _is_same(decode(again), value)
    stream = io.BytesIO(data)
    assert _is_same(fastavro.schemaless_reader(stream, schema, None), _plain(value))
    assert stream.tell() == len(data)
    written = io.BytesIO()
    fastavro.schemaless_writer(written, schema, _plain(value))
    assert written.getvalue() == again


def _payloads(data: bytes, message_class: type) -> None:
    """Read every format that the message may come in, in every version and one that is not known."""
    codec = CODEC_BY_CLASS[message_class]
    assert CODEC_BY_MESSAGE_TYPE[codec.message_type] is codec
    for payload_format, fingerprint in product(codec.payload_decoders, {*codec.lengths, None, "not known"}):
        try:
            value = codec.decode_payload(payload_format, data, fingerprint)
        except DecodeError as error:
            assert_refusal(error)
            continue
        assert _is_same(codec.decode_payload("avro", codec.encode(value), codec.fingerprint), value)
        try:
            written = codec.encode_payload(value)
        except EncodeError as error:
            # Avro has held a double for what goes out as a float.
            if "expected a number that fits 4 bytes" not in error.reason:
                raise AssertionError(f"read as {payload_format}, but not written") from error
            continue
        again = codec.decode_payload(codec.payload_format, written, codec.fingerprint)
        assert codec.encode_payload(again) == written
        assert _is_same(again, value) or message_class is messages.Float32Message


def _is_taken_by_fastavro(schema: Schema, data: bytes) -> bool:
    stream = io.BytesIO(data)
    try:
        fastavro.schemaless_reader(stream, schema, None)
    except Exception:  # it raises all kinds of errors
        return False
    return stream.tell() == len(data)


def _is_same(one: object, other: object) -> bool:
    # NaN is not equal to itself, yet written alike.
    return one == other or repr(one) == repr(other)


def _plain(value: Any) -> Any:
    """Return a message as fastavro has it."""
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value


def _records(schema: Any) -> list[Any]:
    match schema:
        case list():
            return [found for branch in schema for found in _records(branch)]
        case {"type": "record", "fields": list(fields)}:
            return [schema, *(found for field in fields for found in _records(field["type"]))]
        case {"items": inner} | {"values": inner}:
            return _records(inner)
        case _:
            return []


def _seeds(message_class: type, encode: Callable[[Any], bytes]) -> Sequence[bytes]:
    chance = random.Random(message_class.__name__)
    return [encode(message_at_random(message_class, chance)) for _ in range(_SEEDS)]
