"""Texts from others: topics and filters, schemas inside of messages, and URLs."""

from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from paho.mqtt.client import topic_matches_sub

from orbitalis.bus import connect
from orbitalis.bus.topic_filters import FilterMap, check_filter, check_topic
from orbitalis.errors import BusUrlError, InvalidTopicError
from orbitalis.message import Input, Output, UndecodedPayload
from orbitalis.message.schema import canonical_form
from orbitalis_avro.errors import TopicError
from orbitalis_wire import limits, topics
from orbitalis_wire.codecs import CODECS
from tests.fuzzing.messages_at_random import TEXTS
from tests.fuzzing.target import Target, assert_refusal, depth_of

__all__ = ["text_targets"]

_TOPIC_CLASSES: list[Any] = [getattr(topics, name) for name in topics.__all__ if name.endswith("Topic")]
_TOPIC_TOKENS = (
    b"/",
    b"+",
    b"#",
    b"-",
    b"\0",
    b"$",
    b"orbitalis",
    b"operations",
    b"\xed\xa0\x80",
    b"\xc2\x85",
    b"x" * 255,
)
_SCHEMA_TOKENS = (
    *(b'"type":', b'"name":', b'"namespace":', b'"fields":[', b'"items":', b'"values":', b'"symbols":[', b'"size":'),
    *(b'"default":', b'"aliases":[', b'"logicalType":', b'"precision":', b'"scale":', b'"order":', b'"doc":'),
    *(b'"record"', b'"enum"', b'"array"', b'"map"', b'"fixed"', b'"error"', b'"decimal"', b'"uuid"', b'"duration"'),
    *(
        b'"null"',
        b'"string"',
        b'"int"',
        b'"long"',
        b'"bytes"',
        b'"A"',
        b'"a.b"',
        b'"a.b.A"',
        b'"."',
        b"{}",
        b"[]",
        b"null",
    ),
    *(b"\\ud800", b'\\"', b"1e999", b"9" * 300, b"-1", b"{", b"}", b"[", b"]", b",", b":", b"\0"),
)
_URL_TOKENS = (
    *(
        b"local://",
        b"mqtt://",
        b"mqtts://",
        b"@",
        b":",
        b"//",
        b"?",
        b"#",
        b"&",
        b"=",
        b"%",
        b"%00",
        b"[",
        b"]",
        b"[::1]",
    ),
    *(
        b"authority=",
        b"certificate=",
        b"key=",
        b", ",
        b" ",
        b":1883",
        b":0",
        b":65536",
        b":-1",
        b"\xef\xbc\xa1",
        b"\xe2\x84\x80",
    ),
)
_FINGERPRINTED = 500
"""Bytes of schemas whose fingerprints are asked for: those of more take so long that little else would be seen."""
_SECRET = "s3cret"


def text_targets() -> list[Target]:
    """Return the targets."""
    return [
        *(_topic_target(topic_class) for topic_class in _TOPIC_CLASSES),
        Target(name="filter", run=_filter, seeds=_filters, tokens=_TOPIC_TOKENS),
        Target(name="schema", run=_schema, seeds=_schemas, tokens=_SCHEMA_TOKENS),
        Target(name="url", run=_url, seeds=_urls, tokens=_URL_TOKENS),
    ]


def _text(data: bytes) -> str:
    """Read any text, halves of surrogate pairs included."""
    return data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace") if _is_text(data) else repr(data)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


# Topics


def _topic_target(topic_class: Any) -> Target:
    return Target(
        name=f"topic {topic_class.__name__}",
        run=partial(_topic, topic_class),
        seeds=partial(_topics, topic_class),
        tokens=_TOPIC_TOKENS,
    )


def _topic(topic_class: Any, data: bytes) -> None:
    """What is taken apart is put together again, can be published to, and is matched by its own filters alone."""
    text = _text(data)
    try:
        parsed = topic_class.parse(text)
    except TopicError as error:
        assert_refusal(error)
        return
    assert str(parsed) == text
    values = {field.name: getattr(parsed, field.name) for field in dataclasses.fields(topic_class)}
    assert topic_class.build(**values) == text
    for value in values.values():
        assert value is None or (value and len(value.encode()) <= limits.IDENTIFIER_BYTES)
        assert value is None or not set(value) & set("/+#\0")
    for topic_filter in (topic_class.filter(), topic_class.filter(**values)):
        check_filter(topic_filter)
        assert topic_matches_sub(topic_filter, text)
    check_topic(text)


def _filter(data: bytes) -> None:
    """Filters are found for the topics that a client of MQTT finds them for."""
    parts = [_text(part) for part in data.split(b"\n")]
    filters: FilterMap[str] = FilterMap()
    valid: dict[str, None] = {}
    for part in parts[1:]:
        try:
            check_filter(part)
        except InvalidTopicError as error:
            assert_refusal(error)
            continue
        if part not in valid:
            filters.add(part, part)
            valid[part] = None
    topic = parts[0]
    try:
        check_topic(topic)
    except InvalidTopicError as error:
        assert_refusal(error)
    else:
        assert len(topic.encode()) <= limits.TOPIC_BYTES
        assert sorted(filters.match(topic)) == sorted(one for one in valid if topic_matches_sub(one, topic))
    for one in valid:
        filters.remove(one, one)
    assert filters.match(topic) == []
    assert not any(getattr(filters, name) for name in filters.__slots__)


# Schemas


def _schema(data: bytes) -> None:
    """Whatever stands where a schema belongs, it is compared, and nothing is raised."""
    first, _, second = (_text(part) for part in data.partition(b"\0"))
    forms = [canonical_form(text) for text in (first, second)]
    for text, form in zip((first, second), forms, strict=True):
        assert form == text or (len(form) <= limits.SCHEMA_BYTES and depth_of(text) <= limits.NESTING_DEPTH)
    one, two = Input.from_schema(first), Output(schemas=(second, first), support_empty_schema=not second)
    assert one.is_compatible_with_schema(first)
    assert one.is_compatible_with_schema(second) == (forms[0] == forms[1])
    assert two.accepts(one)
    assert one.is_compatible(two) == two.is_compatible(one)
    spelled = one.spelled_like([two])
    assert spelled.is_compatible(one)
    unknown = UndecodedPayload(
        message_type="A", payload_format_type="avro", serialized_payload=b"", schema_fingerprint=second
    )
    for spec in (one, two) if len(data) < _FINGERPRINTED else ():
        spec.accepts_payload(unknown)


# URLs


def _url(data: bytes) -> None:
    """A URL names a bus, or is refused without what is secret in it."""
    text = _text(data)
    options = text.partition("?")[2].lower()
    if "/" in options or "%2f" in options:
        return  # it could name a file outside of the repository, or a device
    password_at = text.find(f":{_SECRET}@")
    try:
        client = connect(text, identifier="fuzzed")
    except BusUrlError as error:
        assert_refusal(error)
        shown = str(error)
    else:
        shown = repr(client)
    if password_at >= 0 and text.count(_SECRET) == 1:
        assert _SECRET not in shown, shown


# Seeds


def _topics(topic_class: Any) -> Sequence[bytes]:
    chance = random.Random(topic_class.__name__)
    names = [field.name for field in dataclasses.fields(topic_class)]
    values: Callable[[], dict[str, str]] = lambda: {  # noqa: E731 - one line a value
        name: chance.choice(["core", "plugin", "é✓", "x" * 255, "text"]) for name in names
    }
    others = [str(one.ADDRESS) for one in _TOPIC_CLASSES]
    return [topic.encode() for topic in [*(topic_class.build(**values()) for _ in range(4)), *others]]


def _filters() -> Sequence[bytes]:
    return [
        b"a/b/c\na/+/c\na/#\n#\n+/b/c\na/b/c\na/b/c/#",
        b"$x/y\n#\n+/y\n$x/+\n$x/#",
        b"a\na/#",
        b"orbitalis/a/b/offer\n/+",
    ]


def _schemas() -> Sequence[bytes]:
    schemas = [codec.schema for codec in CODECS] + [text for text in TEXTS if '"' in text]
    schemas += [
        '{"type":"record","name":"A","namespace":"a.b","aliases":["C"],"doc":"x","fields":[{"name":"x","type":["null",'
        '{"type":"array","items":"A"}],"default":null},{"name":"y","type":{"type":"enum","name":"E","symbols":["X"],'
        '"default":"X"}},{"name":"z","type":{"type":"map","values":"a.b.E"}}]}',
        '{"type":"fixed","name":"F","size":16,"logicalType":"decimal","precision":4,"scale":2}',
        '["null","int",{"type":"bytes","logicalType":"decimal","precision":9}]',
    ]
    return [one.encode() for one in schemas] + [f"{one}\0{one}".encode() for one in schemas[-4:]]


def _urls() -> Sequence[bytes]:
    seeds = [
        *(
            "local://",
            "local://kitchen",
            "mqtt://broker",
            "mqtt://user:s3cret@broker:1883",
            "mqtts://u:s3cret@[::1]:8883/",
        ),
        *(
            "mqtts://broker?authority=none.pem&certificate=none.pem&key=none.key",
            "local://a, mqtt://u:s3cret@b mqtts://c",
        ),
        *("broker:1883", "u:s3cret@broker", "mqtt://us%40er:p%2F%3F%23%3A%25@broker"),
    ]
    assert not os.path.exists("none.pem")
    return [seed.encode() for seed in seeds]
