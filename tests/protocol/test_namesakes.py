"""Whom a remote takes for two orbiters, and what an orbiter takes for a namesake, message by message."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from orbitalis.protocol.config import CoreConfig, TopicLayout
from orbitalis.protocol.effects import Send
from orbitalis.protocol.namesakes import Namesakes
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Peer, Peers
from orbitalis.protocol.transitions import Role
from orbitalis_wire.messages import DiscoverMessage, KeepaliveMessage

STARTED = 100.0


@dataclass
class Headers:
    identifier: str = "event"
    publisher_identifier: str = "publisher"
    incarnation: str | None = "1"
    correlation_identifier: str | None = None
    connection_identifier: str | None = None
    open_connections: Any = None
    readable_encodings: Any = None
    late_offers: bool | None = None


@dataclass
class Asked:
    requests: list[str] = field(default_factory=list[str])
    answers: list[str | None] = field(default_factory=list[str | None])

    def send_keepalive_request(self, peer: Peer, now: float) -> None:
        self.requests.append(peer.identifier)

    def publish_keepalive(
        self, remote_identifier: str, topic: str, *, correlation_identifier: str | None = None
    ) -> None:
        self.answers.append(correlation_identifier)


@dataclass
class Scene:
    asked: Asked = field(default_factory=Asked)
    statistics: OrbiterStatistics = field(default_factory=OrbiterStatistics)

    def __post_init__(self) -> None:
        config = CoreConfig(identifier="me", topics=TopicLayout(Role.CORE, "me"))
        self.outbox = Outbox(Peers(config, self.statistics), lambda: "mine-1", lambda: "mine-1")
        self.namesakes = Namesakes(
            config, self.outbox, self.asked, self.statistics, lambda identifier: identifier.startswith("mine")
        )
        self.namesakes.start(STARTED)
        self.peer = Peer(
            identifier="remote", last_seen=STARTED, incarnation="2", incarnation_since=STARTED, keepalive_topic="topic"
        )

    def past(self, at: float) -> None:
        self.namesakes.heard_past(self.peer, Headers(identifier=f"past at {at:g}"), at)

    def current(self, at: float) -> None:
        self.peer.last_seen = at


def test_two_incarnations_that_go_on_are_two_orbiters() -> None:
    scene = Scene()
    scene.past(120)
    assert scene.namesakes.untold == []
    assert scene.asked.requests == ["remote"]
    scene.current(121)
    scene.past(122)
    scene.past(123)
    assert scene.namesakes.untold == ["remote"]
    assert scene.asked.answers == ["past at 122"]
    assert scene.statistics.namesakes == 2


def test_late_messages_of_the_incarnation_before_are_no_namesake() -> None:
    scene = Scene()
    for at in range(101, 115):
        scene.past(at)
        scene.current(at + 0.5)
    assert (scene.namesakes.untold, scene.asked.requests, scene.statistics.namesakes) == ([], [], 0)


def test_a_past_incarnation_is_no_namesake_where_the_current_one_is_not_heard_any_more() -> None:
    """As where a clock was set back between two starts."""
    scene = Scene()
    for at in range(120, 200):
        scene.past(at)
    assert scene.namesakes.untold == []
    assert len(scene.asked.requests) == 6


def test_doubts_are_followed_up_once_in_a_while() -> None:
    scene = Scene()
    for at in range(100, 160):
        scene.namesakes.doubt(scene.peer, at)
    assert len(scene.asked.requests) == 3


@pytest.mark.parametrize(
    ("answers", "at", "is_found"),
    [("mine-0", 200.0, False), ("of another", 200.0, True), ("of another", 110.0, False)],
)
def test_an_answer_to_what_was_not_sent_here_shows_a_namesake_once_this_one_has_settled(
    answers: str, at: float, is_found: bool
) -> None:
    scene = Scene()
    scene.namesakes.answered(answers, at)
    assert (scene.namesakes.untold == ["me"]) is is_found
    sent = [effect for effect in scene.outbox.take() if isinstance(effect, Send)]
    assert [(send.topic, type(send.message)) for send in sent] == (
        [("orbitalis/me/me/keepalive", KeepaliveMessage)] if is_found else []
    )


def test_what_it_has_sent_to_itself_shows_nothing_and_is_sent_once() -> None:
    scene = Scene()
    keepalive = KeepaliveMessage(from_identifier="me")
    scene.namesakes.heard_own(keepalive, Headers(), 200)
    scene.namesakes.heard_own(keepalive, Headers(identifier="mine-1"), 200)
    assert scene.statistics.namesakes == 1
    scene.namesakes.heard_own(keepalive, Headers(), 200)
    assert scene.statistics.namesakes == 2
    assert scene.namesakes.untold == ["me"]
    assert len(scene.outbox.take()) == 1


def test_soon_after_a_start_only_what_cannot_be_of_an_earlier_incarnation_shows_a_namesake() -> None:
    keepalive = KeepaliveMessage(from_identifier="me")
    discover = DiscoverMessage(
        core_identifier="me",
        offer_topic="o",
        core_keepalive_topic="k",
        core_keepalive_request_topic="r",
        considered_dead_after=1.0,
        queries={},
    )
    for message, headers, is_found in (
        (keepalive, Headers(), False),
        (keepalive, Headers(correlation_identifier="mine-0"), True),
        (discover, Headers(), True),
    ):
        scene = Scene()
        scene.namesakes.heard_own(message, replace(headers), 101)
        assert (scene.namesakes.untold == ["me"]) is is_found
