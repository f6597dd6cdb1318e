"""What the relay lets through of what a page sends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis.dashboard.gate import Gate, GateRole, RefusedError
from tests.dashboard.mqtt import connect_packet, publish_packet, subscribe_packet

PING = b"\xc0\x00"


def gate(role: GateRole = "operator", identifier: str = "olga") -> Gate:
    return Gate(role, identifier, client="client-1", username="olga", password="secret")


def connected(role: GateRole = "operator", identifier: str = "olga") -> Gate:
    made = gate(role, identifier)
    made.take(connect_packet("anybody"))
    return made


def test_the_relay_introduces_the_page_itself() -> None:
    written = gate().take(connect_packet("lamp", keepalive=60))

    assert b"client-1" in written
    assert b"secret" in written
    assert b"lamp" not in written


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("operator", "$introspection.request"),
        ("operator", "orbitalis/lamp/olga/introspection"),
        ("core", "$handshake.discover"),
        ("core", "orbitalis/lamp/olga/reply"),
        ("core", "orbitalis/lamp/olga/operations/light/input/c1"),
    ],
)
def test_what_a_role_publishes_passes_as_it_is(role: GateRole, topic: str) -> None:
    packet = publish_packet(topic, b"payload")

    assert connected(role).take(packet) == packet


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("operator", "orbitalis/lamp/olga/operations/light/input/c1"),
        ("operator", "orbitalis/lamp/olga/reply"),
        ("operator", "$handshake.discover"),
        ("operator", "orbitalis/lamp/oscar/introspection"),
        ("operator", "orbitalis/lamp/olga/introspection/more"),
        ("operator", "orbitalis/a/b/olga/introspection"),
        ("operator", "orbitalis/olga/will"),
        # Empty where a topic alias stands for it.
        ("operator", ""),
        ("core", "orbitalis/lamp/home/operations/light/input/c1"),
        ("core", "orbitalis/olga/will"),
        ("core", "$introspection.request"),
        ("core", "orbitalis/home/olga/offer"),
        ("core", "other/application"),
    ],
)
def test_what_a_role_does_not_publish_is_refused(role: GateRole, topic: str) -> None:
    with pytest.raises(RefusedError, match="none that this"):
        connected(role).take(publish_packet(topic, b"payload"))


def test_nothing_is_left_at_the_broker() -> None:
    with pytest.raises(RefusedError, match="retains nothing"):
        connected().take(publish_packet("$introspection.request", b"payload", is_retained=True))


@pytest.mark.parametrize(
    ("role", "topic", "is_retained", "passes"),
    [
        ("core", "orbitalis/olga/will", False, True),
        ("core", "orbitalis/olga/will", True, False),
        ("core", "orbitalis/lamp/will", False, False),
        ("core", "orbitalis/lamp/olga/operations/light/input/c1", False, False),
        ("operator", "orbitalis/olga/will", False, False),
        ("operator", "$introspection.request", False, False),
    ],
)
def test_a_will_is_that_of_the_core_itself(role: GateRole, topic: str, is_retained: bool, passes: bool) -> None:
    packet = connect_packet("anybody", will=(topic, b"payload"), will_is_retained=is_retained)

    if passes:
        assert topic.encode() in gate(role).take(packet)
    else:
        with pytest.raises(RefusedError):
            gate(role).take(packet)


@pytest.mark.parametrize("topic_filter", ["orbitalis/olga/+/pong", "orbitalis/+/+/offer", "orbitalis/+/will"])
def test_topics_of_the_protocol_may_be_listened_to(topic_filter: str) -> None:
    packet = subscribe_packet(topic_filter)

    assert connected().take(packet) == packet


@pytest.mark.parametrize(
    "topic_filter", ["#", "orbitalis/#", "$SYS/#", "$share/group/orbitalis/+/+/offer", "other/application", "+/+/will"]
)
def test_nothing_else_may_be_listened_to(topic_filter: str) -> None:
    with pytest.raises(RefusedError, match="matches no channel"):
        connected().take(subscribe_packet("orbitalis/+/will", topic_filter))


@pytest.mark.parametrize(
    "data",
    [
        publish_packet("$introspection.request", b""),
        connect_packet("anybody", version=4),
        b"\x20\x02\x00\x00",
        b"\xf0\x00",
        b"\x10\xff\xff\xff\xff\x01",
        b"\x10\xff\xff\xff\x7f",
        b"\x10\x00",
        connect_packet("anybody") + connect_packet("anybody"),
    ],
    ids=["no CONNECT", "MQTT 3.1.1", "of a broker", "AUTH", "bad length", "too long", "too short", "CONNECT twice"],
)
def test_what_is_no_client_of_mqtt_5_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        gate().take(data)


@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_packets_may_be_cut_anywhere(cuts: list[int]) -> None:
    packets = subscribe_packet("orbitalis/+/will") + publish_packet("$introspection.request", b"x" * 130) + PING
    places = [0, *sorted(min(one, len(packets)) for one in cuts), len(packets)]
    made = connected()

    passed = b"".join(made.take(packets[start:end]) for start, end in pairwise(places))

    assert passed == packets


def test_a_refused_packet_does_not_pass_with_those_before_it() -> None:
    with pytest.raises(RefusedError):
        connected().take(PING + publish_packet("other/application", b""))
