"""What hostile publishers send, as packets for a machine or events for a bus: each call gives another one.

A number decides all of a packet, so that any flood can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from orbitalis.message.payload import schema_of
from orbitalis.protocol.effects import ProtocolMessage
from orbitalis_wire import channels, limits
from orbitalis_wire.messages import (
    AnnounceMessage,
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    DiscoverQuery,
    EventEnvelope,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    Input,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    Output,
    RejectOperationMessage,
    RequestOperationMessage,
    StringMessage,
)
from tests.support.machines import Packet

__all__ = ["CORE_FLOODS", "PLUGIN_FLOODS", "Flood"]

Flood = Callable[[int], Packet]

TEXT: Final = schema_of(StringMessage)
_WIDE: Final = "\N{OLD ITALIC LETTER A}"
"""A character that makes Python keep all others in four bytes."""
_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _packet(topic: str, number: int, message: ProtocolMessage, **headers: Any) -> Packet:
    envelope = EventEnvelope(
        identifier=f"event-{number}",
        publisher_identifier="hostile",
        timestamp=_MOMENT,
        message_type=None,
        payload_format_type=None,
        serialized_payload=None,
        incarnation="1",
        readable_encodings=("json",),
        **headers,
    )
    return Packet(topic=topic, message=message, envelope=envelope)


def _name(number: int) -> str:
    return f"invented-{number}"


def _discover(core: str, number: int, *, topic: str, schema: str = TEXT) -> Packet:
    texts: Any = {"schemas": (schema,), "support_empty_schema": False, "support_undefined_schema": False}
    query = DiscoverQuery(
        operation_name="text", inputs=[Input(**texts)], outputs=[Output(**texts)], allowlist=None, blocklist=None
    )
    message = DiscoverMessage(
        core_identifier=core,
        offer_topic=f"{topic}/offer",
        core_keepalive_topic=f"{topic}/keepalive",
        core_keepalive_request_topic=f"{topic}/request",
        considered_dead_after=120.0,
        queries={"text": query},
    )
    return _packet(channels.DISCOVER.address, number, message, late_offers=True)


def _wide_texts(number: int) -> dict[str, str]:
    """Return where topics begin, and a schema, each as long as it may be; that in a spelling of its own."""
    return {
        "topic": f"{number}{_WIDE}".ljust(limits.TOLD_TOPIC_BYTES - 20, "x"),
        "schema": TEXT.replace(":", ":" + " " * 5000 + "\t" * (number % 97) + " " * (number % 89), 1),
    }


def discover(number: int) -> Packet:
    """A core that is new every time asks for an operation that there is."""
    return _discover(_name(number), number, topic=f"t/{number}")


def large_discover(number: int) -> Packet:
    """The same, with every text as long as it may be, and a spelling of its own."""
    return _discover(_name(number).ljust(limits.IDENTIFIER_BYTES, "x"), number, **_wide_texts(number))


def hostile_schemas(number: int) -> Packet:
    """A core asks with a schema that is new every time, and takes long to read."""
    records = ",".join(f'{{"type":"record","name":"r{number}_{one}","fields":[]}}' for one in range(500))
    return _discover(_name(number), number, topic=f"t/{number}", schema=f"[{records}]")


def recursive_schemas(number: int) -> Packet:
    """The same, with a schema that is deep or that refers to itself."""
    if number % 2:
        depth = limits.SCHEMA_BYTES // 30
        schema = '{"type":"array","items":' * depth + f'"n{number}"' + "}" * depth
    else:
        fields = ",".join(f'{{"name":"f{one}","type":["null","r{number}"]}}' for one in range(500))
        schema = f'{{"type":"record","name":"r{number}","fields":[{fields}]}}'
    return _discover(_name(number), number, topic=f"t/{number}", schema=schema)


def _offer(plugin: str, number: int, *, topic: str, schema: str = TEXT) -> Packet:
    texts: Any = {"schemas": (schema,), "support_empty_schema": False, "support_undefined_schema": False}
    message = OfferMessage(
        plugin_identifier=plugin,
        offered_operations=[OfferedOperation(name="text", input=Input(**texts), output=Output(**texts))],
        reply_topic=f"{topic}/reply",
        considered_dead_after=120.0,
        plugin_keepalive_topic=f"{topic}/keepalive",
        plugin_keepalive_request_topic=f"{topic}/request",
    )
    return _packet(f"orbitalis/core/{plugin}/offer", number, message)


def offer(number: int) -> Packet:
    """A plugin that is new every time offers what is needed."""
    return _offer(_name(number), number, topic=f"t/{number}")


def large_offer(number: int) -> Packet:
    """The same, with every text as long as it may be, and a spelling of its own."""
    return _offer(_name(number).ljust(limits.IDENTIFIER_BYTES, "x"), number, **_wide_texts(number))


def announcement(number: int) -> Packet:
    """A plugin that is new every time announces itself."""
    plugin = _name(number)
    message = AnnounceMessage(
        plugin_identifier=plugin, operation_names=["text"], discover_topic=f"orbitalis/{plugin}/-/discover"
    )
    return _packet(channels.ANNOUNCE.address, number, message)


def _from_stranger(make: Callable[[str], ProtocolMessage], channel: str) -> Callable[[str], Flood]:
    def flood_of(recipient: str) -> Flood:
        def flood(number: int) -> Packet:
            name = _name(number)
            return _packet(f"orbitalis/{recipient}/{name}/{channel}", number, make(name), connection_identifier="c")

        return flood

    return flood_of


_keepalive = _from_stranger(lambda name: KeepaliveMessage(from_identifier=name), "keepalive")
_keepalive_request = _from_stranger(
    lambda name: KeepaliveRequestMessage(from_identifier=name, keepalive_topic=f"t/{name}"), "keepalive-request"
)
_graceless_close = _from_stranger(
    lambda name: GracelessCloseConnectionMessage(from_identifier=name, operation_name="text", data=b"x"),
    "operations/text/close/c",
)
_graceful_close = _from_stranger(
    lambda name: GracefulCloseConnectionMessage(
        from_identifier=name, operation_name="text", ack_topic=f"t/{name}", data=None
    ),
    "operations/text/close/c",
)
_close_ack = _from_stranger(
    lambda name: CloseConnectionAckMessage(from_identifier=name, operation_name="text"), "operations/text/close-ack/c"
)
_SHARED: Final = {
    "keepalives": _keepalive,
    "keepalive requests": _keepalive_request,
    "graceless closes": _graceless_close,
    "graceful closes": _graceful_close,
    "close acks": _close_ack,
}

PLUGIN_FLOODS: Final[dict[str, Flood]] = {
    "discovers": discover,
    "large discovers": large_discover,
    "hostile schemas": hostile_schemas,
    "recursive schemas": recursive_schemas,
    "requests": _from_stranger(
        lambda name: RequestOperationMessage(
            core_identifier=name,
            operation_name="text",
            response_topic=f"t/{name}/response",
            output_topic=f"t/{name}/output",
            core_side_close_operation_connection_topic=f"t/{name}/close",
            setup_data=bytes(1000),
        ),
        "reply",
    )("plugin"),
    "rejects": _from_stranger(
        lambda name: RejectOperationMessage(core_identifier=name, operation_name="text", description="x" * 1000),
        "reply",
    )("plugin"),
    **{name: flood_of("plugin") for name, flood_of in _SHARED.items()},
}
"""What is sent to a plugin `plugin` with operation `text`."""

CORE_FLOODS: Final[dict[str, Flood]] = {
    "offers": offer,
    "large offers": large_offer,
    "announcements": announcement,
    "confirms": _from_stranger(
        lambda name: ConfirmConnectionMessage(
            plugin_identifier=name,
            operation_name="text",
            operation_input_topic=f"t/{name}/input",
            plugin_side_close_operation_connection_topic=f"t/{name}/close",
        ),
        "response",
    )("core"),
    "no longer available": _from_stranger(
        lambda name: OperationNoLongerAvailableMessage(plugin_identifier=name, operation_name="text"), "response"
    )("core"),
    **{name: flood_of("core") for name, flood_of in _SHARED.items()},
}
"""What is sent to a core `core` that needs operation `text`."""
