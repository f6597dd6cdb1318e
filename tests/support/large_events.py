"""Events of about a megabyte that take long to decode."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import fastavro

from orbitalis.message import AvroMessageMixin, Event
from orbitalis_wire.envelope import Encoding, encode_event
from orbitalis_wire.messages import Input, OfferedOperation, OfferMessage, Output

__all__ = ["ManyRecords", "large_offer", "many_records", "offer_of_operations"]


@dataclass(frozen=True)
class SmallRecord(AvroMessageMixin):
    """Two bytes."""

    left: int
    right: int


@dataclass(frozen=True)
class ManyRecords(AvroMessageMixin):
    """A message of small records."""

    records: list[SmallRecord]


def many_records(encoding: Encoding) -> bytes:
    """Return an event with a message of a user's, of half a million small records."""
    count = 370_000 if encoding is Encoding.JSON else 500_000
    written = io.BytesIO()
    schema = fastavro.parse_schema(json.loads(ManyRecords.avro_schema()))
    # Encoding a message of this size takes much longer than decoding it.
    fastavro.schemaless_writer(written, schema, {"records": [{"left": one % 60, "right": 1} for one in range(count)]})
    envelope = replace(
        Event.create(ManyRecords([]), publisher_identifier="stranger").envelope,
        payload_format_type="avro",
        serialized_payload=written.getvalue(),
        schema_fingerprint=ManyRecords.schema_fingerprint(),
    )
    return encode_event(envelope, encoding)


def large_offer(encoding: Encoding, **fields: Any) -> bytes:
    """Return an offer of as many operations as fit into an event, which are more than one may offer."""
    operation = OfferedOperation(name="", input=Input(), output=Output())
    message = OfferMessage(
        plugin_identifier="stranger",
        offered_operations=[operation] * (105_000 if encoding is Encoding.JSON else 145_000),
        reply_topic="reply",
        considered_dead_after=10.0,
        plugin_keepalive_topic="keepalive",
        plugin_keepalive_request_topic="keepalive-request",
    )
    return Event.create(replace(message, **fields), publisher_identifier="stranger").encode(encoding)


def offer_of_operations(encoding: Encoding, names: Sequence[str], **fields: Any) -> bytes:
    """Return an offer of operations with these names, each with a schema of its own that is as long as can be."""
    length = (740_000 if encoding is Encoding.JSON else 1_000_000) // len(names) - 100
    schema = '{"type":"record","name":"%s","fields":[],"doc":"%s"}'
    operations = [
        OfferedOperation(name=name, input=Input(schemas=[schema % (name, "x" * length)]), output=Output())
        for name in names
    ]
    return large_offer(encoding, offered_operations=operations, **fields)
