"""Every way that messages on their way can go: in any order, with some lost or doubled.

Nodes act on each other by messages alone, so what a message makes of a node does not depend on the others. Each node
lives in a net of its own, is never changed, and is asked only once what a message makes of it. States that differ only
in the names of events are one.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.invariants import assert_sane
from tests.support.machines import Net, Node, Packet

__all__ = ["Letter", "State", "explore", "state_of", "together"]

_NAME = re.compile(r"\bi\d+\b")
"""What :meth:`Net.new_identifier` gives."""
_NAMES_OF_A_NODE = 1_000_000
"""Far apart, so that no two nodes give the same name."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one node, with what tells it from others."""

    to: int
    packet: Packet
    form: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A node, and its state written down."""

    node: Node
    form: str


@dataclass(frozen=True, slots=True)
class State:
    """All nodes, what is on its way between them, and how many mishaps are still to come."""

    parts: tuple[_Part, ...]
    letters: tuple[Letter, ...]
    mishaps: int

    @property
    def form(self) -> str:
        """Write it down so that two are the same if and only if what can follow is."""
        letters = sorted((letter.form for letter in self.letters), key=lambda text: (_NAME.sub("i", text), text))
        names: dict[str, str] = {}
        return _NAME.sub(
            lambda match: names.setdefault(match[0], f"n{len(names)}"),
            "\n".join([str(self.mishaps), *(part.form for part in self.parts), *letters]),
        )


def state_of(net: Net, mishaps: int) -> State:
    """Take a net apart: everything that is on its way may be overtaken, and so many messages are lost or doubled."""
    alone = []
    for number, node in enumerate(net.nodes):
        own = _copied(net)
        own.nodes = [own.nodes[number]]
        own.wire = []
        own.skip_names(_NAMES_OF_A_NODE * (number + 1))
        assert own.nodes[0].identifier == node.identifier
        alone.append(own.nodes[0])
    parts = tuple(_Part(node, _form_of_node(node)) for node in alone)
    return State(parts, tuple(_letters(net.wire, alone)), mishaps)


def together(state: State) -> Net:
    """Put the nodes of a state on one net, to which they are copied."""
    net = Net()
    for part in state.parts:
        node = _copy(part.node)
        net.now = max(net.now, node.net.now)
        node.net = net
        net.nodes.append(node)
    return net


def explore(begin: State) -> tuple[Counter[str], list[State]]:
    """Go every way there is; return how much there was, and the states in which nothing is on its way."""
    counts: Counter[str] = Counter()
    visited: set[str] = set()
    ends: list[State] = []
    steps: dict[tuple[str, str], tuple[_Part, tuple[Letter, ...]]] = {}
    todo = [begin]
    while todo:
        state = todo.pop()
        name = state.form
        if name in visited:
            counts["met again"] += 1
            continue
        visited.add(name)
        counts["states"] += 1
        if not state.letters:
            ends.append(state)
            continue
        todo.extend(_followers(state, steps))
    counts["ends"] = len(ends)
    counts["steps of a node"] = len(steps)
    return counts, ends


def _followers(state: State, steps: dict[tuple[str, str], tuple[_Part, tuple[Letter, ...]]]) -> Iterator[State]:
    """Yield every state that can follow: one message arrives, or is lost, or arrives and stays on its way."""
    seen: set[str] = set()
    for index, letter in enumerate(state.letters):
        if letter.form in seen:
            continue
        seen.add(letter.form)
        before = state.parts[letter.to]
        known = (before.form, letter.form)
        if known not in steps:
            steps[known] = _step(state, letter)
        part, sent = steps[known]
        parts = (*state.parts[: letter.to], part, *state.parts[letter.to + 1 :])
        others = (*state.letters[:index], *state.letters[index + 1 :])
        yield State(parts, (*others, *sent), state.mishaps)
        if state.mishaps:
            yield State(state.parts, others, state.mishaps - 1)
            yield State(parts, (*state.letters, *sent), state.mishaps - 1)


def _step(state: State, letter: Letter) -> tuple[_Part, tuple[Letter, ...]]:
    """Return what a message makes of a node, and what the node sends then."""
    node = _copy(state.parts[letter.to].node)
    if node.machine.running and node.receives(letter.packet.topic):
        node.handle(letter.packet)
        assert_sane(node)
    sent, node.net.wire = node.net.wire, []
    node.effects.clear()
    return _Part(node, _form_of_node(node)), tuple(_letters(sent, [part.node for part in state.parts]))


def _letters(packets: list[Packet], nodes: list[Node]) -> Iterator[Letter]:
    for packet in packets:
        for number, node in enumerate(nodes):
            if packet.envelope.publisher_identifier != node.identifier and node.may_receive(packet.topic):
                yield Letter(number, packet, f"{node.identifier} {_form_of_packet(packet)}")


def _copy(node: Node) -> Node:
    """Return a copy of a node with its net; what never changes is shared."""
    return _copied(node.net).nodes[0]


def _copied(net: Net) -> Net:
    """Return a copy of a net. What is kept of a table beside it, one of its methods, is not copied by itself."""
    copied = copy.deepcopy(net, {id(one): one for one in _constants(net)})
    for node in copied.nodes:
        peers = node._machine.peers
        peers.get = peers._peers.get
    return copied


def _constants(net: Net) -> Iterator[object]:
    yield from net.wire
    for node in net.nodes:
        yield from (node.settings, node._filters, node.machine._resolver)
        for slot in node.machine.slots:
            yield from (slot.input, slot.output)


def _form_of_node(node: Node) -> str:
    machine = node.machine
    slots = (
        f"{slot.key} {slot.state} {slot.connection_identifier} {slot.offer_identifiers} {slot.request_identifier} "
        f"{slot.missed_at} {slot.ack_topic}"
        for slot in sorted(machine.slots, key=lambda slot: slot.key)
    )
    peers = sorted(
        (
            peer.identifier,
            peer.incarnation,
            peer.is_incarnation_certain,
            peer.reconciled_at,
            peer.past_incarnations,
            peer.challenges,
            peer.challenged_at,
            peer.claim and (peer.claim.incarnation, peer.claim.offers),
        )
        for peer in machine.peers.all()
    )
    asked = sorted(machine._outbox.challenges)
    return f"{node.identifier}: {'; '.join(slots)} knows {peers} asked {asked} topics {sorted(node.topics)}"


def _form_of_packet(packet: Packet) -> str:
    envelope = packet.envelope
    return (
        f"{type(packet.message).__name__} {packet.topic} {getattr(packet.message, 'operation_name', '')} "
        f"{envelope.identifier} {envelope.correlation_identifier} {envelope.connection_identifier} "
        f"{envelope.open_connections}"
    )
