"""Topics that remotes tell: which may be published to, and under which name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.topic_resolver import TopicClass, TopicResolver
from orbitalis.protocol.transitions import Role
from orbitalis_wire import limits
from orbitalis_wire.messages import EventEnvelope
from orbitalis_wire.topics import (
    CloseAckTopic,
    CloseTopic,
    DirectedDiscoverTopic,
    KeepaliveRequestTopic,
    KeepaliveTopic,
    OfferTopic,
    OperationInputTopic,
    OperationOutputTopic,
    ReplyTopic,
    ResponseTopic,
)
from tests.support.machines import Net

PLUGIN = TopicResolver(Role.PLUGIN, "me")
CORE = TopicResolver(Role.CORE, "me")


def envelope(**headers: Any) -> EventEnvelope:
    return replace(Net().add_core().envelope(), **headers)


@pytest.mark.parametrize(
    ("told", "topic_class", "topic", "expected"),
    [
        (PLUGIN, OfferTopic, "orbitalis/them/-/offer", "orbitalis/them/me/offer"),
        (PLUGIN, OfferTopic, "orbitalis/them/me/offer", "orbitalis/them/me/offer"),
        (PLUGIN, KeepaliveTopic, "orbitalis/them/-/keepalive", "orbitalis/them/me/keepalive"),
        (PLUGIN, ResponseTopic, "orbitalis/them/me/response", "orbitalis/them/me/response"),
        (CORE, ReplyTopic, "orbitalis/them/me/reply", "orbitalis/them/me/reply"),
        (
            CORE,
            OperationInputTopic,
            "orbitalis/them/me/operations/text/input/c1",
            "orbitalis/them/me/operations/text/input/c1",
        ),
        (PLUGIN, OfferTopic, "$handshake.core.offer", "$handshake.core.offer"),
        (PLUGIN, OfferTopic, "any/-/thing", "any/-/thing"),
        (PLUGIN, OfferTopic, "orbitalisque/-", "orbitalisque/-"),
    ],
)
def test_a_topic_is_used_with_this_sides_name_in_it_or_as_it_stands(
    told: TopicResolver, topic_class: type[TopicClass], topic: str, expected: str
) -> None:
    assert told.resolve(topic_class, "them", topic, None) == expected


@pytest.mark.parametrize(
    ("told", "topic_class", "topic", "reason"),
    [
        (PLUGIN, OfferTopic, "orbitalis/third/-/offer", "expected core_identifier 'them', got 'third'"),
        (PLUGIN, OfferTopic, "orbitalis/them/third/offer", "expected plugin_identifier 'me', got 'third'"),
        (PLUGIN, OfferTopic, "orbitalis/them/me/response", "expected a topic of the form"),
        (PLUGIN, OfferTopic, "orbitalis/", "expected a topic of the form"),
        (PLUGIN, OfferTopic, "orbitalis/them/#/offer", "cannot be in a level"),
        (PLUGIN, KeepaliveTopic, "orbitalis/me/them/keepalive", "expected recipient_identifier 'them', got 'me'"),
        (PLUGIN, CloseTopic, "orbitalis/them/x/operations/text/close/c", "expected sender_identifier 'me', got 'x'"),
        (
            PLUGIN,
            OperationOutputTopic,
            "orbitalis/me/them/operations/text/input/c",
            "expected a topic of the form",
        ),
        (PLUGIN, OfferTopic, "", "it is empty"),
        (PLUGIN, OfferTopic, "#", "it contains a wildcard"),
        (PLUGIN, OfferTopic, "a/+/b", "it contains a wildcard"),
        (PLUGIN, OfferTopic, "a\0b", "no topic may contain"),
        (PLUGIN, OfferTopic, "a\nb", "no topic may contain"),
        (PLUGIN, OfferTopic, "a\x85b", "no topic may contain"),
        (PLUGIN, OfferTopic, "a\ud800b", "no topic may contain"),
        (PLUGIN, OfferTopic, "a\uffffb", "no topic may contain"),
        (
            PLUGIN,
            OfferTopic,
            "ä" * (limits.TOLD_TOPIC_BYTES // 2 + 1),
            f"it is longer than {limits.TOLD_TOPIC_BYTES} bytes",
        ),
    ],
)
def test_a_topic_that_is_for_others_or_for_nobody_is_refused(
    told: TopicResolver, topic_class: type[TopicClass], topic: str, reason: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as caught:
        told.resolve(topic_class, "them", topic, None)
    assert "'them'" in str(caught.value)


@pytest.mark.parametrize("topic_class", [OfferTopic, KeepaliveTopic, KeepaliveRequestTopic, DirectedDiscoverTopic])
@pytest.mark.parametrize("sender", ["me", "-"])
def test_the_short_way_gives_the_same(topic_class: type[TopicClass], sender: str) -> None:
    topic = topic_class.join("them", sender)
    resolver = CORE if topic_class.__name__ == "DirectedDiscoverTopic" else PLUGIN
    found = {
        resolver.resolve(topic_class, "them", topic, levels, is_told_to_anybody=is_told)
        for levels in ((), None)
        for is_told in (False, True)
    }
    assert found == {topic_class.join("them", "me")}


@pytest.mark.parametrize("topic_class", [OperationOutputTopic, CloseTopic, CloseAckTopic])
def test_the_short_way_gives_the_same_for_a_topic_of_a_connection(topic_class: type[TopicClass]) -> None:
    levels = ("text", "c")
    topic = topic_class.join("them", "me", *levels)
    assert PLUGIN.resolve(topic_class, "them", topic, levels) == PLUGIN.resolve(topic_class, "them", topic, None)
    # Another one of the same two is no reason to refuse it.
    assert PLUGIN.resolve(topic_class, "them", topic, ("text", "d")) == topic


@pytest.mark.parametrize("identifier", ["", "-", "a/b", "+", "#", "a\0", "\ud800", "\uffff", "x" * 256, "ä" * 128])
def test_an_identifier_that_cannot_be_a_level_of_a_topic_is_refused(identifier: str) -> None:
    with pytest.raises(RemoteProtocolError, match="an identifier that cannot be used"):
        CORE.check_identifier(identifier)


def test_any_other_identifier_will_do() -> None:
    for identifier in ("a", "ä b", "x" * 255, "$a", "a-b", "🐝"):
        CORE.check_identifier(identifier)


@pytest.mark.parametrize(
    ("topic", "headers"),
    [
        ("orbitalis/me/them/offer", {"incarnation": "1"}),
        ("orbitalis/me/them/offer", {}),
        ("orbitalis/me/-/offer", {}),
        ("foreign/topic", {"incarnation": "1"}),
        ("$handshake.discover", {"incarnation": "1"}),
        ("orbitalis/discover", {"incarnation": "1"}),
    ],
)
def test_an_event_is_taken_from_its_senders_topic_or_one_in_a_foreign_layout(
    topic: str, headers: dict[str, Any]
) -> None:
    CORE.check_event(topic, "them", envelope(**headers))


@pytest.mark.parametrize(
    "topic",
    [
        "orbitalis/me/third/offer",
        "orbitalis/me/them2/offer",
        "orbitalis/me//offer",
        "orbitalis/me/-/offer",
    ],
)
def test_an_event_from_another_senders_topic_is_refused(topic: str) -> None:
    with pytest.raises(RemoteProtocolError, match="a message claims to come from 'them', but arrived on topic"):
        CORE.check_event(topic, "them", envelope(incarnation="1"))


@pytest.mark.parametrize("header", ["identifier", "incarnation", "correlation_identifier", "connection_identifier"])
def test_headers_that_are_kept_are_no_longer_than_identifiers(header: str) -> None:
    CORE.check_event("anywhere", "them", envelope(**{header: "x" * 255}))
    with pytest.raises(RemoteProtocolError, match=f"'them' sent an event whose {header} is 256 characters long"):
        CORE.check_event("anywhere", "them", envelope(**{header: "x" * 256}))


@pytest.mark.parametrize("identifier", ["", "a/b", "#", "+", "a\0"])
def test_a_connection_identifier_that_cannot_be_a_level_of_a_topic_is_refused(identifier: str) -> None:
    with pytest.raises(RemoteProtocolError, match="a header that cannot be used: connection_identifier"):
        CORE.check_event("anywhere", "them", envelope(connection_identifier=identifier))
