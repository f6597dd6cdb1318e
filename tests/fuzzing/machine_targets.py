"""The state machines of core and plugin under messages from anybody, made up and replayed, whole and mutated."""

from __future__ import annotations

import contextlib
import random
import typing
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, get_args

from orbitalis.errors import RemoteProtocolError
from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import ProtocolMessage, Send
from orbitalis.protocol.limits import Limits
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import EventEnvelope
from tests.fuzzing.messages_at_random import TEXTS, message_at_random, value_at_random
from tests.fuzzing.target import Source, Target
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

__all__ = ["AFTER_ALL", "DURATIONS", "machine_targets", "mutated"]

KINDS: tuple[type[Any], ...] = get_args(ProtocolMessage)
_TOPICS = ("", "#", "a/+", "a\0b", "a\uffff", "x" * 1300, "x" * 70_000, "orbitalis/x/y/offer", "orbitalis/", "told/it")
"""What a topic may be told as."""
_LONGEST_STORY = 60
"""Steps."""
DURATIONS: dict[str, Any] = {
    "discovering_interval": 8.0,
    "discovering_interval_when_compliant": 30.0,
    "pending_requests_expire_after": 8.0,
    "consider_others_dead_after": 16.0,
    "send_keepalive_before_timelimit": 4.0,
    "graceful_close_timeout": 10.0,
}
"""What is waited for and how long, so that a story is short."""
AFTER_ALL = 64.0
"""Seconds after which nothing is left of what somebody pretended to be."""
_WAITS = (0.5, 2.0, 5.0, 11.0, 20.0)
_HEADERS: dict[str, Sequence[Any]] = {
    "identifier": ("e1", "i1", "i2", "i3", "i4", "", "e" * 300),
    "incarnation": (None, "00000001", "00000002", "", "z" * 300, "\x00"),
    "correlation_identifier": (None, "e1", "i1", "i2", "i3", "i4"),
    "connection_identifier": (None, "i1", "i2", "i3", "i4", "", "#", "a/b", "c" * 300),
    "open_connections": (None, (), ("i1", "i2"), ("",) * 300),
    "readable_encodings": (None, (), tuple(Encoding), ("?",)),
    "late_offers": (None, True, False),
    "answer_requested": (None, True, False),
    "protocol_version": (None, 0, 1, 2**31 - 1, -1),
    "publisher_identifier": ("", "core", "x"),
}


def machine_targets() -> list[Target]:
    """Return the target: a core and a plugin that know each other, and strangers."""
    return [Target(name="machines", run=_machines, seeds=_stories, seconds=5.0, largest=2048, is_slow=True)]


def _machines(data: bytes) -> None:
    """Let a story happen; nobody's tables are ever wrong, and in the end everybody who means well is served."""
    source = Source(data)
    net = _net()
    for _ in range(_LONGEST_STORY):
        if not source:
            break
        _step(net, net.nodes[source.number(2)], source)
        for node in net.nodes:
            assert_sane(node)
            node.effects = [effect for effect in node.effects if not isinstance(effect, Send)]
    _assert_serves(net)


def _net() -> Net:
    net = Net()
    bounds: dict[str, Any] = {
        "limits": Limits(pending_requests=8),
        "close_connection_if_unused_after": 300.0,
        **DURATIONS,
    }
    undefined = text_constraint(inputs=[Input.undefined(), Input.no_input()], outputs=[Output.undefined()])
    needs = {"text": Requirement(text_constraint(minimum=1, maximum=3)), "other": Requirement(undefined)}
    net.add_core(operation_requirements=needs, **bounds)
    operations = {"text": Terms(policy=Policy(maximum=4)), "other": Terms(policy=Policy(blocklist=["x"]))}
    net.add_plugin(operations=operations, **bounds)
    net.announces = True
    for node in net.nodes:
        node.start()
        node.tick()
    return net


def _step(net: Net, node: Node, source: Source) -> None:
    """Let one thing happen."""
    match source.number(10):
        case 0:
            net.now += _WAITS[source.number(len(_WAITS))]
            node.tick()
        case 1 | 2:
            if net.wire:
                with contextlib.suppress(RemoteProtocolError):
                    net.deliver(source.number(256) % len(net.wire))
        case 3:
            node.prepares = source.number(4) != 0
            node.finish_preparing(fails=source.number(4) == 0)
        case 4:
            node.drains = source.number(4) != 0
            node.finish_draining()
        case 5:
            close = node.machine.close_gracefully if source.number(2) else node.machine.close_gracelessly
            for slot in node.machine.slots:
                if slot.is_open:
                    node.do(close(*slot.key, None, net.now))
        case 6:
            kind = KINDS[source.number(len(KINDS))]
            with contextlib.suppress(DecodeError):
                message = CODEC_BY_CLASS[kind].decode(source.chunk())
                _suffer(
                    net, node, Packet(topic=_topic(node, source), message=message, envelope=_envelope(node, source))
                )
        case _:
            recorded = _recorded()
            packet = recorded[source.number(len(recorded))]
            message, envelope = packet.message, packet.envelope
            for _ in range(source.number(4)):
                message = mutated(message, source)
            for _ in range(source.number(4)):
                envelope = _mutated_envelope(envelope, source)
            topic = packet.topic if source.number(4) else _topic(node, source)
            _suffer(net, node, Packet(topic=topic, message=message, envelope=envelope))


def _suffer(net: Net, node: Node, packet: Packet) -> None:
    """Have a node take a message, in no more effects than there is reason for."""
    known = len(net.wire)
    with contextlib.suppress(RemoteProtocolError):
        node.handle(packet)
    node.do(node.machine.take())
    assert len(net.wire) - known <= 100, f"{packet} is answered by {len(net.wire) - known} messages"


def _topic(node: Node, source: Source) -> str:
    """Take a topic: one that the node is subscribed to, or any."""
    known = [*node.topics, *(packet.topic for packet in _recorded()), *TEXTS]
    return known[source.number(len(known))] if source.number(8) else source.text()


def _envelope(node: Node, source: Source) -> EventEnvelope:
    envelope = node.envelope(identifier="e1", incarnation="00000001")
    for _ in range(source.number(4)):
        envelope = _mutated_envelope(envelope, source)
    return envelope


def _mutated_envelope(envelope: EventEnvelope, source: Source) -> EventEnvelope:
    names = list(_HEADERS)
    name = names[source.number(len(names))]
    values = _HEADERS[name]
    changes: dict[str, Any] = {name: values[source.number(len(values))]}
    return replace(envelope, **changes)


def mutated(message: Any, source: Source) -> Any:
    """Change one field of a message to a value that another has, or to any that its type admits."""
    known = fields(message)
    if not known:
        return message
    name = known[source.number(len(known))].name
    if name.endswith("topic") and source.number(2):
        return replace(message, **{name: _TOPICS[source.number(len(_TOPICS))]})
    others = [getattr(packet.message, name) for packet in _recorded() if hasattr(packet.message, name)]
    if others and source.number(2):
        return replace(message, **{name: others[source.number(len(others))]})
    annotation = typing.get_type_hints(type(message))[name]
    return replace(message, **{name: value_at_random(annotation, random.Random(source.number(256)))})


@cache
def _recorded() -> list[Packet]:
    """Record all that a core and a plugin send to each other, and what each side sends in another role."""
    net = _net()
    sent: list[Packet] = []
    lost = net.loses

    def record(packet: Packet) -> bool:
        sent.append(packet)
        return lost(packet)

    net.loses = record
    core, plugin = net.nodes
    net.run()
    net.advance(30)
    for closer, close in (
        (plugin, plugin.machine.close_gracefully),
        (core, core.machine.close_gracefully),
        (plugin, plugin.machine.close_gracelessly),
    ):
        for slot in closer.machine.slots:
            if slot.is_open:
                closer.do(close(*slot.key, b"data", net.now))
        net.run()
        net.advance(15)
    plugin.stop()
    net.run()
    chance = random.Random("strangers")
    sent += [
        Packet(topic=chance.choice(TEXTS), message=message_at_random(kind, chance), envelope=sent[0].envelope)
        for kind in KINDS
    ]
    # The same by strangers, who are somebody else to everybody.
    foreign = [_from_stranger(packet) for packet in sent]
    return [*sent, *foreign]


def _from_stranger(packet: Packet) -> Packet:
    message: Any = packet.message
    names = [field.name for field in fields(message) if field.name.endswith("identifier")]
    return Packet(
        topic=packet.topic.replace("/core/", "/y/"),
        message=replace(message, **dict.fromkeys(names, "y")),
        envelope=replace(packet.envelope, publisher_identifier="y"),
    )


def _assert_serves(net: Net) -> None:
    """Fail unless newcomers are connected with both, and both with each other, once hostilities have ended."""
    for node in net.nodes:
        node.prepares = node.drains = True
        node.finish_preparing()
        node.finish_draining()
    core, plugin = net.nodes
    new_core, new_plugin = net.add_core("new core", **DURATIONS), net.add_plugin("new plugin", **DURATIONS)
    net.start()
    # Pretenders are dead by then, and those that they pretended to be are alive.
    net.advance(AFTER_ALL)
    for node in net.nodes:
        assert_sane(node)
    assert core.requester.compliant
    assert new_core.requester.compliant
    for node, other in ((core, plugin), (core, new_plugin), (new_core, plugin), (new_core, new_plugin)):
        assert other.identifier in node.connections(), f"{node.identifier} lacks {other.identifier}"
        assert node.identifier in other.connections(), f"{other.identifier} lacks {node.identifier}"
        assert node.slot(other).connection_identifier == other.slot(node).connection_identifier


def _stories() -> Sequence[bytes]:
    """Replay what was recorded, in order and at random."""
    count = len(_recorded())
    in_order = b"".join(bytes([place % 2, 7, place, 0, 0, 1]) for place in range(count // 2))
    chance = random.Random("stories")
    replayed = [
        b"".join(bytes([chance.randrange(2), 7, chance.randrange(count), 0, 0, 1]) for _ in range(20)) for _ in range(6)
    ]
    last = [max(n for n, packet in enumerate(_recorded()) if isinstance(packet.message, kind)) for kind in KINDS]
    with_topics = [
        bytes([node, 7, place, 1, number, 1, topic, 0, 1])
        for node in range(2)
        for place in last
        for number, field in enumerate(fields(_recorded()[place].message))
        if field.name.endswith("topic")
        for topic in range(len(_TOPICS))
    ]
    mixed = [chance.randbytes(200) for _ in range(6)]
    codec = [
        bytes([chance.randrange(2), 6, place, len(data), *data, 1, 1, 0])
        for place, kind in enumerate(KINDS)
        if len(data := CODEC_BY_CLASS[kind].encode(message_at_random(kind, chance))) < 250
    ]
    return [in_order, *replayed, *with_topics, *mixed, *codec]
