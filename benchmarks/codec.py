"""What encoding and decoding an offer with two operations costs, here and with fastavro, in the same run."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import fastavro

from orbitalis import Constraint, Core, Input, LocalEventBus, LocalEventBusClient, OperationRequirement, Output
from orbitalis.message.event import Event
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import DiscoverMessage, EventEnvelope, OfferedOperation, OfferMessage

__all__ = ["main"]

_ROUNDS = 15
_CALLS = 2_000


def main() -> None:
    """Measure and print."""
    offer = _offer()
    codec = CODEC_BY_CLASS[OfferMessage]
    schema = fastavro.parse_schema(json.loads(codec.schema))
    record = dataclasses.asdict(offer)
    data = codec.encode(offer)
    assert data == _fastavro_encode(schema, record)
    print(f"offer with two operations: {len(data)} bytes; microseconds a call, median of {_ROUNDS} rounds")
    rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("encode", lambda: codec.encode(offer), lambda: _fastavro_encode(schema, record)),
        ("decode", lambda: codec.decode(data), lambda: fastavro.schemaless_reader(io.BytesIO(data), schema, None)),
    ]
    for name, ours, theirs in rows:
        mine, other = _compare(ours, theirs)
        print(f"{name:8} orbitalis_wire {mine:6.1f}   fastavro, to and from dictionaries {other:6.1f}")
    event = Event.create(offer, publisher_identifier="x" * 32)
    for encoding in Encoding:
        written = event.encode(encoding)
        envelope, _ = decode_event(written)
        encode, decode = _compare(partial(encode_event, envelope, encoding), partial(decode_event, written))
        print(f"envelope in {encoding:5} {len(written):5} bytes   encode {encode:6.1f}   decode {decode:6.1f}")
    print(_discover_sizes())


def _compare(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return microseconds a call of both, measured in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for call, found in zip((one, other), times, strict=True):
            start = time.perf_counter()
            for _ in range(_CALLS):
                call()
            found.append((time.perf_counter() - start) / _CALLS * 1e6)
    return statistics.median(times[0]), statistics.median(times[1])


def _fastavro_encode(schema: Any, record: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, record)
    return stream.getvalue()


def _offer() -> OfferMessage:
    operations = [
        OfferedOperation(name="turn_on", input=Input.empty(), output=Output.no_output()),
        OfferedOperation(name="lowercase", input=Input.string(), output=Output.string()),
    ]
    return OfferMessage(
        plugin_identifier="plugin",
        offered_operations=operations,
        reply_topic="orbitalis/plugin/core/reply",
        considered_dead_after=120.0,
        plugin_keepalive_topic="orbitalis/plugin/core/keepalive",
        plugin_keepalive_request_topic="orbitalis/plugin/core/keepalive-request",
    )


@dataclass
class _MeasuredCore(Core):
    """Keeps the discover that it sends."""

    sent: DiscoverMessage | None = None

    async def _on_send_discover(self, discover_message: DiscoverMessage) -> None:
        self.sent = discover_message


def _discover_sizes() -> str:
    """Return the size of a discover for the offer's two operations, as a payload and as an event."""
    message = asyncio.run(_discover())
    payload = CODEC_BY_CLASS[DiscoverMessage].encode(message)
    sizes = ", ".join(
        f"{len(encode_event(_envelope(payload), encoding))} bytes as an event in {encoding}" for encoding in Encoding
    )
    return f"discover for two operations: {len(payload)} bytes, {sizes}"


async def _discover() -> DiscoverMessage:
    empty = Constraint(minimum=1, inputs=[Input.empty()], outputs=[Output.no_output()])
    text = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    core = _MeasuredCore(
        identifier="core",
        eventbus_client=LocalEventBusClient(LocalEventBus()),
        operation_requirements={"turn_on": OperationRequirement(empty), "lowercase": OperationRequirement(text)},
    )
    async with core:
        assert core.sent is not None
        return core.sent


def _envelope(payload: bytes) -> EventEnvelope:
    return EventEnvelope(
        identifier="0" * 32,
        publisher_identifier="0" * 32,
        timestamp=datetime.now(UTC),
        message_type="DiscoverMessage",
        payload_format_type="avro",
        serialized_payload=payload,
        protocol_version=1,
        incarnation="0" * 20,
        readable_encodings=tuple(Encoding),
    )


if __name__ == "__main__":
    main()
