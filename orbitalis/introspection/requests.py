"""What an operator has asked for, once it is known that it may be answered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from orbitalis.errors import RemoteProtocolError
from orbitalis.introspection.pages import CURSOR_BYTES
from orbitalis.introspection.subjects import FORMS, Subject
from orbitalis.message.event import Event
from orbitalis.message.schema_difference import shortened
from orbitalis.protocol.peers import newest_encoding
from orbitalis.protocol.topic_resolver import UNKNOWN_SENDER
from orbitalis_avro.errors import TopicError
from orbitalis_wire import limits, timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import IntrospectionRequestMessage
from orbitalis_wire.topics import IntrospectionTopic

__all__ = ["Question", "read_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is kept of a request until it is answered."""

    subject: Subject
    answer_topic: str
    event_identifier: str
    cursor: str | None
    spread: float
    """Seconds, not more than `timings.INTROSPECTION_SPREAD`."""
    encoding: Encoding
    bus: str | None
    """Where it came from, for a client that is on several buses."""


def read_request(
    identifier: str, topic: str, request: IntrospectionRequestMessage, event: Event[Any], *, is_to_all: bool
) -> Question:
    """Return what the orbiter with this identifier was asked on a topic.

    Raises:
        RemoteProtocolError: It breaks the protocol; so that nobody has an orbiter publish to topics of others.
    """
    operator = request.operator_identifier
    if request.subject not in list(Subject):
        raise RemoteProtocolError(
            f"it asks for {shortened(request.subject)}, expected one of {', '.join(map(str, Subject))}"
        )
    subject = Subject(request.subject)
    if not 0.0 <= request.spread < math.inf:
        raise RemoteProtocolError(f"its spread is {request.spread} seconds, expected a number that is not negative")
    if not 0 < len(event.identifier) <= limits.IDENTIFIER_BYTES:
        raise RemoteProtocolError(
            f"the identifier of its event has {len(event.identifier)} characters, expected 1 to "
            f"{limits.IDENTIFIER_BYTES}"
        )
    try:
        if not is_to_all:
            sender = IntrospectionTopic.parse(topic).operator_identifier
            if sender != operator:
                raise RemoteProtocolError(
                    f"it claims to come from {shortened(operator)}, but its topic is for {shortened(sender)} to "
                    "publish to"
                )
        answer_topic = _own_answer_topic(identifier, operator, subject, request.answer_topic)
    except TopicError as error:
        raise RemoteProtocolError(f"it names a topic that cannot be used: {shortened(error)}") from None
    cursor = request.cursor
    return Question(
        subject=subject,
        answer_topic=answer_topic,
        event_identifier=event.identifier,
        # No answer gives a longer one.
        cursor=cursor if cursor is not None and len(cursor) <= CURSOR_BYTES else None,
        spread=min(request.spread, timings.INTROSPECTION_SPREAD),
        encoding=newest_encoding(event.readable_encodings),
        bus=event.origin,
    )


def _own_answer_topic(identifier: str, operator: str, subject: Subject, told: str) -> str:
    """Return the topic to answer to: one of our layout, with the operator and this orbiter in it."""
    if len(told) > limits.TOLD_TOPIC_BYTES:
        raise RemoteProtocolError(f"its answer topic has {len(told)} characters, {limits.TOLD_TOPIC_BYTES} are allowed")
    topic_class = FORMS[subject].topic
    parsed = topic_class.parse(told)
    if parsed.operator_identifier != operator or operator == UNKNOWN_SENDER:
        raise RemoteProtocolError(
            f"its answer topic {shortened(told)} is for {shortened(parsed.operator_identifier)}, expected the operator "
            f"{shortened(operator)}"
        )
    if parsed.sender_identifier not in (None, identifier):
        raise RemoteProtocolError(
            f"its answer topic {shortened(told)} is for {shortened(parsed.sender_identifier)} to publish to, expected "
            f"'{UNKNOWN_SENDER}' or '{identifier}'"
        )
    return topic_class.build(operator_identifier=operator, sender_identifier=identifier)
