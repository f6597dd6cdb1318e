"""What encoding and decoding cost, against fastavro with conversion to and from the same classes."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import fastavro

from benchmarks.codec_messages import COMPARED, Compared
from benchmarks.measuring import Numbers, Settings, interleaved, show
from benchmarks.stage import Bus, TextCore
from orbitalis import DiscoverMessage, Event, Input, Output
from orbitalis_wire import channels
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import OfferedOperation, OfferMessage

__all__ = ["main", "make_offer", "time_calls"]


def main(settings: Settings) -> None:
    """Measure and print."""
    calls = settings.pick(2_000, 10)
    offer = make_offer()
    codec = CODEC_BY_CLASS[OfferMessage]
    offered = codec.encode(offer)
    offers = _Fastavro(codec.schema)
    assert offers.encode(_offer_to_record(offer)) == offered
    ours: dict[str, Callable[[], object]] = {
        "offer of two operations, encode": lambda: codec.encode(offer),
        "offer of two operations, decode": lambda: codec.decode(offered),
    }
    theirs: list[Callable[[], object]] = [
        lambda: offers.encode(_offer_to_record(offer)),
        lambda: _offer_of_record(offers.decode(offered)),
    ]
    for one in COMPARED:
        _add_users(one, ours, theirs)
    for encoding in Encoding:
        written = Event.create(offer, publisher_identifier="x" * 32).encode(encoding)
        envelope, _ = decode_event(written)
        ours[f"envelope in {encoding.name.lower()}, encode"] = partial(encode_event, envelope, encoding)
        ours[f"envelope in {encoding.name.lower()}, decode"] = partial(decode_event, written)
    fastavros = {f"fastavro: {name}": function for name, function in zip(ours, theirs, strict=False)}
    samples = interleaved(
        settings.pick(15, 1),
        {name: partial(time_calls, function, calls) for name, function in {**ours, **fastavros}.items()},
    )
    rows: list[tuple[str, ...]] = []
    for name in ours:
        other = f"fastavro: {name}"
        compared = (
            (f"{samples.median(other, 'us'):.1f}", f"{samples.ratio(other, name, 'us'):.2f}")
            if other in fastavros
            else ("-", "-")
        )
        rows.append((name, f"{samples.median(name, 'us'):.1f}", *compared))
    show(("us a call", "ours", "fastavro", "times as fast"), rows)
    print()
    message = asyncio.run(_discover())
    sizes = [
        (name, *(f"{len(Event.create(one, publisher_identifier='x' * 32).encode(encoding))}" for encoding in Encoding))
        for name, one in {"discover for one operation": message, "offer of two operations": offer}.items()
    ]
    show(("bytes of an event", *(encoding.name.lower() for encoding in Encoding)), sizes)


def _add_users(compared: Compared, ours: dict[str, Callable[[], object]], theirs: list[Callable[[], object]]) -> None:
    """Add a message of a user, after seeing that both write and read the same."""
    message, lower, lift = compared.message, compared.lower, compared.lift
    fastavros, data = _Fastavro(message.avro_schema()), message.encode()
    assert fastavros.encode(lower(message)) == data
    assert lift(fastavros.decode(data)) == message.decode(data) == message
    ours[f"{compared.name}, encode"] = message.encode
    ours[f"{compared.name}, decode"] = partial(message.decode, data)
    theirs.append(lambda: fastavros.encode(lower(message)))
    theirs.append(lambda: lift(fastavros.decode(data)))


def time_calls(function: Callable[[], object], calls: int) -> Numbers:
    """Return the microseconds of the processor that a call takes."""
    begin = time.process_time()
    function()
    # So that slow ones take no longer than others.
    calls = max(1, min(calls, int(0.02 / (time.process_time() - begin + 1e-9))))
    begin = time.process_time()
    for _ in range(calls):
        function()
    return {"us": (time.process_time() - begin) / calls * 1e6}


class _Fastavro:
    """Encodes and decodes dictionaries."""

    def __init__(self, schema: str) -> None:
        self._schema = fastavro.parse_schema(json.loads(schema))

    def encode(self, record: Mapping[str, Any]) -> bytes:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, self._schema, record)
        return stream.getvalue()

    def decode(self, data: bytes) -> dict[str, Any]:
        record: Any = fastavro.schemaless_reader(
            io.BytesIO(data), self._schema, None, return_record_name=True, return_record_name_override=True
        )
        return dict(record)


def make_offer() -> OfferMessage:
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


def _offer_to_record(offer: OfferMessage) -> dict[str, Any]:
    return {
        "plugin_identifier": offer.plugin_identifier,
        "offered_operations": [
            {"name": one.name, "input": _specification(one.input), "output": _specification(one.output)}
            for one in offer.offered_operations
        ],
        "reply_topic": offer.reply_topic,
        "considered_dead_after": offer.considered_dead_after,
        "plugin_keepalive_topic": offer.plugin_keepalive_topic,
        "plugin_keepalive_request_topic": offer.plugin_keepalive_request_topic,
    }


def _specification(given: Any) -> dict[str, Any]:
    return {
        "support_empty_schema": given.support_empty_schema,
        "support_undefined_schema": given.support_undefined_schema,
        "schemas": given.schemas,
    }


def _offer_of_record(record: dict[str, Any]) -> OfferMessage:
    operations = tuple(
        OfferedOperation(name=one["name"], input=Input(**one["input"]), output=Output(**one["output"]))
        for one in record["offered_operations"]
    )
    return OfferMessage(**{**record, "offered_operations": operations})


async def _discover() -> DiscoverMessage:
    """Return the discover of a core that needs one operation."""
    bus = Bus()
    found: asyncio.Future[DiscoverMessage] = asyncio.get_running_loop().create_future()

    def take(topic: str, event: Event[DiscoverMessage]) -> None:
        if not found.done():
            found.set_result(event.payload)

    client = bus.client()
    await client.connect()
    await client.subscribe(channels.DISCOVER.address, take)
    async with TextCore(identifier="core", eventbus_client=bus.client(), with_loop=False).need(1):
        return await found
