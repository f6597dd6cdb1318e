"""Messages that are as large as one may be, of many small things."""

from __future__ import annotations

from benchmarks.messages import Point, Track
from orbitalis import Input, OfferedOperation, OfferMessage, Output
from orbitalis_wire import limits

__all__ = ["OPERATIONS", "offer_of_operations", "offer_of_schemas", "track"]

OPERATIONS = [f"operation{number}" for number in range(limits.OPERATIONS_OF_MESSAGE)]
"""The operations that are offered: as many as there may be."""


def track(size: int) -> Track:
    """Return a message of so many bytes, with a record for every two of them."""
    return Track([Point(number % 50, number % 60) for number in range(size // 2)])


def offer_of_operations(size: int) -> OfferMessage:
    """Return an offer of so many bytes, of as many operations as there may be, each with a schema of its own."""
    text = "x" * (size // len(OPERATIONS) - 90)
    record = '{"type":"record","name":"%s","fields":[],"doc":"%s"}'
    return _offer({name: Input(schemas=[record % (name, text)]) for name in OPERATIONS})


def offer_of_schemas(size: int) -> OfferMessage:
    """Return an offer of so many bytes, of one operation that accepts one small schema after the other."""
    schema = '"int"'
    return _offer({OPERATIONS[0]: Input(schemas=[schema] * (size // (len(schema) + 1)))})


def _offer(inputs: dict[str, Input]) -> OfferMessage:
    return OfferMessage(
        plugin_identifier="stranger",
        offered_operations=[
            OfferedOperation(name=name, input=accepted, output=Output.no_output()) for name, accepted in inputs.items()
        ],
        reply_topic="orbitalis/stranger/core/reply",
        considered_dead_after=120.0,
        plugin_keepalive_topic="orbitalis/stranger/core/keepalive",
        plugin_keepalive_request_topic="orbitalis/stranger/core/keepalive-request",
    )
