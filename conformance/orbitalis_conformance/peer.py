"""One of those whom the tester plays: does everything right, unless a case tells it not to."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from orbitalis_conformance.bus import BROADCASTS, Seen
from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.events import Event, short_name
from orbitalis_conformance.plain import is_list
from orbitalis_conformance.shapes import fingerprint_of_schema, schema_set, with_sets
from orbitalis_conformance.values import class_of, codec_of, from_json, to_json
from orbitalis_wire import PROTOCOL_VERSION
from orbitalis_wire.channels import CHANNELS
from orbitalis_wire.codecs import MessageCodec
from orbitalis_wire.envelope import Encoding, encode_event
from orbitalis_wire.messages import EventEnvelope

__all__ = ["DATA", "Link", "Outgoing", "Peer"]

DATA: Final = frozenset(
    {
        "StringMessage",
        "Int32Message",
        "Int64Message",
        "Float32Message",
        "Float64Message",
        "BytesMessage",
        "EmptyEvent",
        "OperationErrorMessage",
    }
)
"""Messages that inputs and outputs are, beside records of users."""
_QUALITY_OF_SERVICE: Final = {
    message.__name__: channel.quality_of_service for channel in CHANNELS.values() for message in channel.messages
}
READS: Final = {
    "1.1": (Encoding.JSON, Encoding.AVRO, Encoding.AVRO_1_0),
    "1.0": (Encoding.JSON, Encoding.AVRO_1_0),
}
"""By version: the encodings of the envelope that a peer of it reads."""
_FORMER: Final = {
    "offer": "$handshake.{me}.offer",
    "response": "$handshake.{me}.response",
    "reply": "$handshake.{me}.reply",
    "keepalive": "$keepalive.{me}",
    "keepalive-request": "$keepalive.{me}.request",
}
"""Where peers listen that send no headers."""


@dataclass
class Link:
    """What a peer knows of one connection with the subject, from the request on."""

    operation: str
    identifier: str
    to_subject: str | None = None
    """Where inputs (of a core) or outputs (of a plugin) go."""
    from_subject: str | None = None
    close_to_subject: str = ""
    close_from_subject: str = ""
    is_open: bool = False
    sent: int = 0
    """How many numbered inputs or outputs were sent."""
    last_input: str = ""
    """The identifier of the last input that was sent or taken."""


@dataclass
class Outgoing:
    """An event that is about to be published."""

    topic: str
    data: bytes
    quality_of_service: int
    event: Event


@dataclass
class Peer:
    """One of those whom the tester plays."""

    name: str
    subject: str
    """The identifier of the subject."""
    identifier: str
    version: str = "1.1"
    """Of the protocol, or `older` for one that sends no headers."""
    encoding: str = "json"
    """How it writes envelopes: `json` or `avro`."""
    reads: tuple[str, ...] | None = None
    """What it says that it reads; by default what its version does."""
    incarnation: str = field(default_factory=lambda: os.urandom(8).hex())
    links: dict[str, Link] = field(default_factory=dict[str, Link])
    """Its connections by operation, the last one of each."""
    last: dict[str, Event] = field(default_factory=dict[str, Event])
    """The last events that it has sent or taken, by short name."""
    sent: dict[str, Event] = field(default_factory=dict[str, Event])
    """The last events that it has sent."""
    told: dict[str, str] = field(default_factory=dict[str, str])
    """Where the subject has said that it listens."""
    listed: set[str] = field(default_factory=set[str])
    """The encodings that it has said it reads, in an event that was published."""

    def starts_anew(self) -> None:
        """Begin a new incarnation, that knows nothing."""
        self.incarnation = os.urandom(8).hex()
        self.links.clear()
        self.last.clear()
        self.told.clear()

    @property
    def is_older(self) -> bool:
        """Whether it sends no headers."""
        return self.version == "older"

    def topic(self, kind: str, *, other: str | None = None) -> str:
        """Return where it listens for something of the subject's."""
        if self.is_older and kind in _FORMER:
            return _FORMER[kind].format(me=self.identifier)
        return f"orbitalis/{self.identifier}/{other or self.subject}/{kind}"

    def topic_of_link(self, kind: str, operation: str, connection: str) -> str:
        """Return where it listens for something about a connection."""
        if self.is_older:
            if kind == "close-ack":
                return f"{operation}.{self.identifier}.{self.subject}.close.ack"
            if kind == "input":
                return f"{operation}.{self.subject}.{self.identifier}.input.{connection}"
            return f"{operation}.{self.identifier}.{self.subject}.{kind}"
        return f"orbitalis/{self.identifier}/{self.subject}/operations/{operation}/{kind}/{connection}"

    def topics_of_older(self) -> list[str]:
        """Return the topics that begin with `$` on which it listens."""
        return [one.format(me=self.identifier) for one in _FORMER.values()] if self.is_older else []

    def hears(self, seen: Seen) -> bool:
        """Return whether an event is for it, or for everyone."""
        topic = seen.topic
        if topic in BROADCASTS or topic == f"orbitalis/{self.subject}/will":
            return True
        levels = topic.split("/")
        if levels[0] == "orbitalis" and levels[1:2] == [self.identifier]:
            return True
        if topic in (one.format(me=self.identifier) for one in _FORMER.values()):
            return True
        if topic.startswith(f"many/{self.identifier}"):
            return True
        return topic in self.own_topics() or f".{self.identifier}.{self.subject}." in topic

    def own_topics(self) -> set[str]:
        """Return the topics of its connections, and others that it has told."""
        found = {
            topic for link in self.links.values() for topic in (link.from_subject, link.close_from_subject) if topic
        }
        told = (value for event in self.last.values() for key, value in event.fields.items() if key.endswith("_topic"))
        return found | {one for one in told if isinstance(one, str)}

    def link(self, operation: str | None) -> Link:
        """Return its connection for an operation, by default the last one."""
        if operation is None and self.links:
            return self.links[next(reversed(self.links))]
        name = operation or "lowercase"
        # A stranger has none, and speaks as if it had.
        return self.links.get(name) or self._invented(name)

    def _invented(self, operation: str) -> Link:
        """Return a connection that is not there."""
        of_subject = f"orbitalis/{self.subject}/{self.identifier}/operations/{operation}"
        return Link(
            operation=operation,
            identifier="unknown",
            to_subject=f"{of_subject}/input/unknown",
            close_to_subject=f"{of_subject}/close/unknown",
        )

    # What it takes

    def overhear(self, seen: Seen) -> None:
        """Learn from what the subject says to everyone where it listens."""
        if seen.kind == "DiscoverMessage":
            fields = seen.fields()
            self.told["offer"] = fields["offer_topic"]
            self.told["keepalive"] = fields["core_keepalive_topic"]
            self.told["keepalive-request"] = fields["core_keepalive_request_topic"]

    def take(self, seen: Seen) -> Event:
        """Learn from an event of the subject."""
        seen.taken_by.add(self.name)
        event = Event.of(seen)
        self.last[short_name(event.kind)] = event
        fields = event.fields
        self.overhear(seen)
        match event.kind:
            case "OfferMessage":
                self.told["reply"] = fields["reply_topic"]
                self.told["keepalive"] = fields["plugin_keepalive_topic"]
                self.told["keepalive-request"] = fields["plugin_keepalive_request_topic"]
            case "RequestOperationMessage":
                name, connection = fields["operation_name"], event.headers.get("connection_identifier", "")
                self.links.pop(name, None)
                self.links[name] = Link(
                    operation=name,
                    identifier=connection,
                    to_subject=fields["output_topic"],
                    from_subject=self.topic_of_link("input", name, connection),
                    close_to_subject=fields["core_side_close_operation_connection_topic"],
                    close_from_subject=self.topic_of_link("close", name, connection),
                )
            case "ConfirmConnectionMessage":
                link = self.links.get(fields["operation_name"])
                if link is not None:
                    link.is_open = True
                    link.identifier = event.headers.get("connection_identifier", link.identifier)
                    link.to_subject = fields["operation_input_topic"]
                    link.close_to_subject = fields["plugin_side_close_operation_connection_topic"]
            case "GracelessCloseConnectionMessage" | "CloseConnectionAckMessage" | "GracefulCloseConnectionMessage":
                if fields["operation_name"] in self.links:
                    self.links[fields["operation_name"]].is_open = False
            case _:
                link = next((one for one in self.links.values() if one.from_subject == event.topic), None)
                if link is not None:
                    link.last_input = event.headers["identifier"]
        return event

    # What it sends

    def compose(self, kind: str, step: Mapping[str, Any]) -> Outgoing:
        """Return a message as it should be, with the changes that a step asks for."""
        operation = step.get("operation")
        topic, fields, headers = self._proper(kind, operation, step)
        given = with_sets(step.get("fields", {}))
        if kind == "DiscoverMessage" and "queries" in given:
            given["queries"] = _full(given["queries"])
        fields.update(given)
        headers.update(step.get("headers", {}))
        answered = step.get("answers")
        if answered is not None:
            headers["correlation_identifier"] = answered
        topic = step.get("topic", topic)
        encoding = self._encoding(step.get("encoding", self.encoding))
        identifier = step.get("identifier", uuid.uuid4().hex)
        envelope_fields, message = self._payload(kind, fields, step, encoding)
        made: dict[str, Any] = {
            "protocol_version": PROTOCOL_VERSION,
            "incarnation": self.incarnation,
            "readable_encodings": READS.get(self.version) if self.reads is None else self.reads,
            **envelope_fields,
            **headers,
        }
        if self.is_older:
            # All that such a peer knows of the envelope.
            made = {name: made[name] for name in _OLDEST if name in made} | step.get("headers", {})
        publisher = step.get("publisher", f"{self.identifier}-{self.incarnation}")
        made = {name: tuple(one) if is_list(one) else one for name, one in made.items()}
        envelope = EventEnvelope(
            identifier=identifier, publisher_identifier=publisher, timestamp=datetime.now(UTC), **made
        )
        data = encode_event(envelope, encoding)
        readable = made.get("readable_encodings") or ()
        self.listed |= {str(one) for one in readable}
        shown: dict[str, Any] = to_json(envelope)
        event = Event(
            kind=kind,
            topic=topic,
            headers={name: one for name, one in shown.items() if one is not None and name != "serialized_payload"},
            fields=fields if message is None else to_json(message),
            data=data,
            quality_of_service=step.get("quality_of_service", _QUALITY_OF_SERVICE.get(kind, 1)),
            at=time.monotonic(),
        )
        self._note_sent(event, step)
        return Outgoing(topic, data, event.quality_of_service, event)

    def _encoding(self, name: str) -> Encoding:
        if name == "json":
            return Encoding.JSON
        if name == "avro":
            return Encoding.AVRO_1_0 if self.version == "1.0" else Encoding.AVRO
        raise CaseError(f"there is no encoding {name!r}: json or avro")

    def _payload(
        self, kind: str, fields: dict[str, Any], step: Mapping[str, Any], encoding: Encoding
    ) -> tuple[dict[str, Any], Any]:
        """Return the fields of the envelope that say what its payload is, and the message."""
        if kind == "EmptyEvent":
            return {"message_type": None, "payload_format_type": None, "serialized_payload": None}, None
        if "payload" in step:  # the bytes, as they are to be
            made = {
                "message_type": step.get("message_type", kind),
                "payload_format_type": step.get("format", "avro"),
                "serialized_payload": bytes.fromhex(step["payload"]),
            }
            schema = step.get("schema")
            return made | ({} if schema is None else {"schema_fingerprint": fingerprint_of_schema(schema)}), None
        message_class = class_of(kind)
        codec = codec_of(message_class)
        message = from_json(message_class, fields)
        form = step.get("format", codec.payload_format)
        length, fingerprint = self._version_of(codec)
        if form == codec.payload_format and not (codec.lengths and form == "avro"):
            payload = codec.encode_payload(message)
        elif form == "avro":
            encode: Any = codec.encode
            payload = encode(message, length) if length is not None and len(codec.lengths) > 2 else encode(message)
        else:
            raise CaseError(f"a {kind} is written as {codec.payload_format} or avro here; give `payload` for {form}")
        return {
            "message_type": codec.message_type,
            "payload_format_type": form,
            "serialized_payload": payload,
            "schema_fingerprint": fingerprint,
        }, message

    def _version_of(self, codec: MessageCodec[Any]) -> tuple[int | None, str]:
        """Return how many fields a message of its version has, and the fingerprint of that."""
        if self.version == "1.1" or not codec.lengths:
            return None, codec.fingerprint
        oldest = codec.lengths[None]
        found = next(name for name, length in codec.lengths.items() if name is not None and length == oldest)
        return oldest, found

    def _note_sent(self, event: Event, step: Mapping[str, Any]) -> None:
        self.last[short_name(event.kind)] = self.sent[short_name(event.kind)] = event
        fields = event.fields
        match event.kind:
            case "RequestOperationMessage":
                name, connection = fields["operation_name"], event.headers.get("connection_identifier", "")
                known = self.links.get(name)
                if known is not None and known.identifier == connection and connection:
                    return
                self.links.pop(name, None)
                self.links[name] = Link(
                    operation=name,
                    identifier=connection,
                    from_subject=fields["output_topic"],
                    close_from_subject=fields["core_side_close_operation_connection_topic"],
                )
            case "ConfirmConnectionMessage":
                link = self.links.get(fields["operation_name"])
                if link is not None:
                    link.is_open = True
                    link.from_subject = fields["operation_input_topic"]
                    link.close_from_subject = fields["plugin_side_close_operation_connection_topic"]
            case "GracelessCloseConnectionMessage" | "CloseConnectionAckMessage":
                if fields["operation_name"] in self.links:
                    self.links[fields["operation_name"]].is_open = False
            case _:
                pass

    # What is proper

    def _proper(
        self, kind: str, operation: str | None, step: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return topic, fields and headers of a message as they should be."""
        me, subject = self.identifier, self.subject
        fields: dict[str, Any]
        headers: dict[str, Any]
        match kind:
            case "DiscoverMessage":
                return self._discover(step)
            case "AnnounceMessage":
                fields = {
                    "plugin_identifier": me,
                    "operation_names": ["lowercase"],
                    "discover_topic": f"orbitalis/{me}/-/discover",
                }
                return "$handshake.announce", fields, {}
            case "OfferMessage":
                return self._offer()
            case "RequestOperationMessage":
                return self._request(operation)
            case "RejectOperationMessage":
                offer = self._last("offer")
                fields = {"core_identifier": me, "operation_name": self._offered(operation), "description": None}
                return self._reply_topic(), fields, {"correlation_identifier": offer.headers["identifier"]}
            case "ConfirmConnectionMessage" | "OperationNoLongerAvailableMessage":
                return self._response(kind)
            case "KeepaliveMessage":
                topic = self._filled(self.told.get("keepalive", f"orbitalis/{subject}/{me}/keepalive"))
                open_ones = [link.identifier for link in self.links.values() if link.is_open]
                return topic, {"from_identifier": me}, {"open_connections": open_ones}
            case "KeepaliveRequestMessage":
                topic = self._filled(self.told.get("keepalive-request", f"orbitalis/{subject}/{me}/keepalive-request"))
                return topic, {"from_identifier": me, "keepalive_topic": self.topic("keepalive")}, {}
            case "GracefulCloseConnectionMessage" | "GracelessCloseConnectionMessage":
                link = self.link(operation)
                fields = {"from_identifier": me, "operation_name": link.operation, "data": None}
                if kind == "GracefulCloseConnectionMessage":
                    fields["ack_topic"] = self.topic_of_link("close-ack", link.operation, link.identifier)
                return link.close_to_subject, fields, {"connection_identifier": link.identifier}
            case "CloseConnectionAckMessage":
                close = self._last("graceful_close")
                fields = {"from_identifier": me, "operation_name": close.fields["operation_name"]}
                headers = {
                    "correlation_identifier": close.headers["identifier"],
                    "connection_identifier": close.headers.get("connection_identifier"),
                }
                return close.fields["ack_topic"], fields, headers
            case "CancelInputMessage":
                link = self.link(operation)
                headers = {"connection_identifier": link.identifier}
                return str(link.to_subject), {"input_identifier": link.last_input}, headers
            case "WillMessage":
                return f"orbitalis/{me}/will", {"from_identifier": me}, {}
            case "IntrospectionRequestMessage":
                about = step.get("fields", {}).get("subject", "ping")
                answers = "pong" if about == "ping" else about
                fields = {"operator_identifier": me, "subject": about, "answer_topic": f"orbitalis/{me}/-/{answers}"}
                return f"orbitalis/{subject}/{me}/introspection", fields, {}
            case _:
                return self._data(kind, operation, step)

    def _data(
        self, kind: str, operation: str | None, step: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        link = self.link(operation)
        headers: dict[str, Any] = {"connection_identifier": link.identifier}
        if self.version == "1.1" and "sequence_number" not in step.get("headers", {}):
            link.sent += 1
            headers["sequence_number"] = link.sent
        if kind in DATA and kind != "EmptyEvent" and "payload" not in step:
            fields: dict[str, Any] = {} if "value" not in step else {"value": step["value"]}
            if kind == "OperationErrorMessage":
                fields = {"error_type": "ValueError", "error_message": "it went wrong"}
        else:
            fields = {}
        if "topic" not in step and link.to_subject is None:
            raise CaseError(f"{self.name} has nowhere to send data of {link.operation!r} to")
        return str(link.to_subject), fields, headers

    def _discover(self, step: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
        me = self.identifier
        fields = {
            "core_identifier": me,
            "offer_topic": self.topic("offer", other="-"),
            "core_keepalive_topic": self.topic("keepalive", other="-"),
            "core_keepalive_request_topic": self.topic("keepalive-request", other="-"),
            "considered_dead_after": 120.0,
            "queries": _full({"lowercase": {}}),
        }
        if not step.get("directed"):
            return "$handshake.discover", fields, {"late_offers": False}
        announcement = self.last.get("announcement")
        headers: dict[str, Any] = {"late_offers": False}
        if announcement is not None:
            headers["correlation_identifier"] = announcement.headers["identifier"]
        return f"orbitalis/{self.subject}/{me}/discover", fields, headers

    def _offer(self) -> tuple[str, dict[str, Any], dict[str, Any]]:
        me, subject = self.identifier, self.subject
        discover = self.last.get("discover")
        topic = self._filled(self.told.get("offer", f"orbitalis/{subject}/{me}/offer"))
        fields = {
            "plugin_identifier": me,
            "offered_operations": [
                {"name": "lowercase", "input": schema_set("string"), "output": schema_set("string")},
            ],
            "reply_topic": self.topic("reply"),
            "considered_dead_after": 120.0,
            "plugin_keepalive_topic": self.topic("keepalive"),
            "plugin_keepalive_request_topic": self.topic("keepalive-request"),
        }
        return topic, fields, {} if discover is None else {"correlation_identifier": discover.headers["identifier"]}

    def _request(self, operation: str | None) -> tuple[str, dict[str, Any], dict[str, Any]]:
        offer = self._last("offer")
        name = self._offered(operation)
        connection = uuid.uuid4().hex
        fields = {
            "core_identifier": self.identifier,
            "operation_name": name,
            "response_topic": self.topic("response"),
            "output_topic": self.topic_of_link("output", name, connection),
            "core_side_close_operation_connection_topic": self.topic_of_link("close", name, connection),
            "setup_data": None,
        }
        headers = {"correlation_identifier": offer.headers["identifier"], "connection_identifier": connection}
        return self._reply_topic(), fields, headers

    def _response(self, kind: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        request = self._last("request")
        name, connection = request.fields["operation_name"], request.headers.get("connection_identifier", "")
        fields = {"plugin_identifier": self.identifier, "operation_name": name}
        if kind == "ConfirmConnectionMessage":
            fields["operation_input_topic"] = self.topic_of_link("input", name, connection)
            fields["plugin_side_close_operation_connection_topic"] = self.topic_of_link("close", name, connection)
        headers = {"correlation_identifier": request.headers["identifier"], "connection_identifier": connection}
        return request.fields["response_topic"], fields, headers

    def _last(self, name: str) -> Event:
        """Return its last message of a kind; one who has none invents it, as a stranger would."""
        if name in self.last:
            return self.last[name]
        of_subject = f"orbitalis/{self.subject}/{self.identifier}"
        fields = {
            "operation_name": "lowercase",
            "offered_operations": [{"name": "lowercase"}],
            "response_topic": f"{of_subject}/response",
            "ack_topic": f"{of_subject}/operations/lowercase/close-ack/unknown",
        }
        headers = {"identifier": "unknown", "connection_identifier": "unknown"}
        return Event(
            kind="", topic="", headers=headers, fields=fields, data=b"", quality_of_service=0, at=time.monotonic()
        )

    def _offered(self, operation: str | None) -> str:
        if operation is not None:
            return operation
        offered = self._last("offer").fields["offered_operations"]
        return str(offered[0]["name"]) if offered else "lowercase"

    def _reply_topic(self) -> str:
        return self.told.get("reply", f"orbitalis/{self.subject}/{self.identifier}/reply")

    def _filled(self, topic: str) -> str:
        """Put itself into the level of the sender, where the subject could not know it; older peers do not."""
        levels = topic.split("/")
        if not self.is_older and len(levels) == 4 and levels[0] == "orbitalis" and levels[2] == "-":
            levels[2] = self.identifier
        return "/".join(levels)


def _full(queries: Mapping[str, Any]) -> dict[str, Any]:
    """Return queries with all fields, given those that are not as usual."""
    usual = {"inputs": [schema_set("string")], "outputs": [schema_set("string")]}
    return {name: {"operation_name": name, **usual, **with_sets(query)} for name, query in queries.items()}


_OLDEST: Final = ("message_type", "payload_format_type", "serialized_payload")
