"""Every order in which the messages of a handshake and of a close can arrive, with one of them lost or doubled.

One core and two plugins with two operations each. States that differ only in the names of events are one.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from orbitalis.protocol.policy import Policy
from orbitalis_wire.messages import DiscoverMessage
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

pytestmark = pytest.mark.timeout(600)

_NAME = re.compile(r"\bi\d+\b")
"""What :meth:`Net.new_identifier` gives."""


def world(*names: str) -> Net:
    """Return a core that needs `a` of one plugin and takes `b` of both, or one of the two, and two plugins."""
    net = Net()
    needs = {
        "a": Requirement(text_constraint(minimum=1, maximum=1)),
        "b": Requirement(text_constraint(minimum=1, mandatory=["plugin1"])),
    }
    net.add_core(operation_requirements={name: needs[name] for name in names})
    for number in range(2):
        terms = {"a": Terms(policy=Policy(maximum=1)), "b": Terms()}
        net.add_plugin(f"plugin{number}", operations={name: terms[name] for name in names})
    return net


def discovering(*names: str) -> Net:
    """Return the world as the first discover is out."""
    net = world(*names)
    for node in net.nodes:
        node.start()
    net.wire = [packet for packet in net.wire if not isinstance(packet.message, DiscoverMessage)]
    net.run()
    net.nodes[0].tick()
    return net


def closing(*names: str) -> Net:
    """Return the world as both sides of a connection close it gracefully, and the core another one gracelessly."""
    net = world(*names)
    net.start()
    core, plugin = net.nodes[0], net.nodes[1]
    shared = next(slot for slot in core.machine.slots if slot.remote_identifier == plugin.identifier)
    core.do(core.machine.close_gracefully(plugin.identifier, shared.operation_name, b"core", net.now))
    plugin.do(plugin.machine.close_gracefully(core.identifier, shared.operation_name, b"plugin", net.now))
    other = next(slot for slot in core.machine.slots if slot.remote_identifier != plugin.identifier)
    core.do(core.machine.close_gracelessly(*other.key, None, net.now))
    return net


def form(net: Net, mishaps: int) -> str:
    """Write a state down so that two are the same if and only if what can follow is."""
    nodes = [
        "; ".join(
            f"{slot.key} {slot.state} {slot.connection_identifier} {slot.offer_identifiers} {slot.request_identifier} "
            f"{slot.missed_at} {slot.ack_topic}"
            for slot in sorted(node.machine.slots, key=lambda slot: slot.key)
        )
        + f" knows {sorted((one.identifier, one.incarnation) for one in node.machine.acquaintances.all())}"
        for node in net.nodes
    ]
    packets = sorted((_form(packet) for packet in net.wire), key=lambda text: (_NAME.sub("i", text), text))
    names: dict[str, str] = {}
    return _NAME.sub(
        lambda match: names.setdefault(match[0], f"n{len(names)}"), "\n".join([str(mishaps), *nodes, *packets])
    )


def _form(packet: Packet) -> str:
    envelope = packet.envelope
    return (
        f"{type(packet.message).__name__} {packet.topic} {getattr(packet.message, 'operation_name', '')} "
        f"{envelope.identifier} {envelope.correlation_identifier} {envelope.connection_identifier} "
        f"{envelope.open_connections}"
    )


def fork(net: Net) -> Net:
    """Return a copy of a state; what never changes is shared."""
    constant: list[object] = [*net.wire]
    for node in net.nodes:
        constant += [node.settings, node._filters, node.machine._told]
        for slot in node.machine.slots:
            constant += [slot.input, slot.output]
    return copy.deepcopy(net, {id(one): one for one in constant})


def followers(net: Net, mishaps: int) -> Iterator[tuple[Net, int]]:
    """Yield every state that can follow: one message arrives, or is lost, or arrives and stays on its way."""
    seen: set[str] = set()
    for index, packet in enumerate(net.wire):
        if (what := _form(packet)) in seen:
            continue
        seen.add(what)
        after = fork(net)
        after.deliver(index)
        yield after, mishaps
        if mishaps:
            lost = fork(net)
            lost.wire.pop(index)
            yield lost, mishaps - 1
            doubled = fork(net)
            doubled.wire.append(doubled.wire[index])
            doubled.deliver(index)
            yield doubled, mishaps - 1


def explore(begin: Net, mishaps: int) -> tuple[Counter[str], list[Net]]:
    """Go every way there is; return how much there was, and the states in which nothing is on its way."""
    counts: Counter[str] = Counter()
    visited: set[str] = set()
    ends: list[Net] = []
    todo = [(begin, mishaps)]
    while todo:
        net, left = todo.pop()
        name = form(net, left)
        if name in visited:
            counts["met again"] += 1
            continue
        visited.add(name)
        counts["states"] += 1
        for node in net.nodes:
            assert_sane(node)
            node.effects.clear()
        if not net.wire:
            ends.append(net)
            continue
        todo.extend(followers(net, left))
    counts["ends"] = len(ends)
    return counts, ends


def is_well(net: Net) -> None:
    """Fail unless everybody agrees, and the core has what it needs."""
    nodes: dict[str, Node] = {node.identifier: node for node in net.nodes}
    core = net.nodes[0]
    assert core.core.compliant
    for node in net.nodes:
        for slot in node.machine.slots:
            assert slot.is_open, slot
            theirs = nodes[slot.remote_identifier].machine.slots.get(node.identifier, slot.operation_name)
            assert theirs is not None, slot
            assert theirs.connection_identifier == slot.connection_identifier


# With a mishap, the two operations at once have more states than there is time for.
@pytest.mark.parametrize(
    ("begin", "names", "mishaps"),
    [
        (discovering, ["a", "b"], 0),
        (discovering, ["a"], 1),
        (discovering, ["b"], 1),
        (closing, ["a", "b"], 1),
    ],
)
def test_every_order_ends_well(begin: Callable[..., Net], names: list[str], mishaps: int) -> None:
    counts, ends = explore(begin(*names), mishaps)
    assert counts["states"] > 20
    for net in ends:
        net.advance(700)
        for node in net.nodes:
            assert_sane(node)
        is_well(net)
