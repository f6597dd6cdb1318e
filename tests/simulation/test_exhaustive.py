"""Every order in which the messages of a handshake and of a close can arrive, with one of them lost or doubled.

One core and two plugins with two operations each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis.operations.policy import Policy
from orbitalis_wire import timings
from orbitalis_wire.messages import DiscoverMessage
from tests.simulation.exhaustive import explore, state_of, together
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node

pytestmark = pytest.mark.timeout(600)


def world() -> Net:
    """Return a core that needs `a` of one plugin and takes `b` of both, or one of the two, and two plugins."""
    net = Net()
    needs = {
        "a": Requirement(text_constraint(minimum=1, maximum=1)),
        "b": Requirement(text_constraint(minimum=1, mandatory=["plugin1"])),
    }
    net.add_core(operation_requirements=needs)
    for number in range(2):
        net.add_plugin(f"plugin{number}", operations={"a": Terms(policy=Policy(maximum=1)), "b": Terms()})
    return net


def discovering() -> Net:
    """Return the world as the first discover is out."""
    net = world()
    for node in net.nodes:
        node.start()
    net.wire = [packet for packet in net.wire if not isinstance(packet.message, DiscoverMessage)]
    net.run()
    net.nodes[0].tick()
    return net


def closing() -> Net:
    """Return the world as both sides of a connection close it gracefully, and the core another one gracelessly.

    The core discovers anew at once.
    """
    net = world()
    net.start()
    net.now += timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT
    core, plugin = net.nodes[0], net.nodes[1]
    shared = next(slot for slot in core.machine.slots if slot.remote_identifier == plugin.identifier)
    core.do(core.machine.close_gracefully(plugin.identifier, shared.operation_name, b"core", net.now))
    plugin.do(plugin.machine.close_gracefully(core.identifier, shared.operation_name, b"plugin", net.now))
    other = next(slot for slot in core.machine.slots if slot.remote_identifier != plugin.identifier)
    core.do(core.machine.close_gracelessly(*other.key, None, net.now))
    return net


def starting_anew(number: int, **durations: Any) -> Net:
    """Return a core and a plugin as one of them is killed and has started again."""
    net = Net()
    net.announces = True
    names = ("a", "b")
    needs = {name: Requirement(text_constraint(minimum=1, maximum=1)) for name in names}
    net.add_core(operation_requirements=needs, **durations)
    operations = {name: Terms(policy=Policy(maximum=1)) for name in names}
    net.add_plugin("plugin1", operations=operations, **durations)
    net.start()
    net.now += 1
    node = net.nodes[number]
    node.crash()
    node.start()
    node.tick()
    return net


def core_starting_anew() -> Net:
    """Return the two as the core has started anew, which asks until it has what it needs; nobody is ever dead."""
    return starting_anew(0, consider_others_dead_after=None)


def plugin_starting_anew() -> Net:
    """Return the two as the plugin has started anew. If what it says is lost, the next keepalive to it shows that."""
    return starting_anew(1)


def is_well(net: Net) -> None:
    """Fail unless everybody agrees, and the core has what it needs."""
    nodes: dict[str, Node] = {node.identifier: node for node in net.nodes}
    core = net.nodes[0]
    assert core.requester.compliant
    for node in net.nodes:
        for slot in node.machine.slots:
            assert slot.is_open, slot
            theirs = nodes[slot.remote_identifier].machine.slots.get(node.identifier, slot.operation_name)
            assert theirs is not None, slot
            assert theirs.connection_identifier == slot.connection_identifier


@pytest.mark.parametrize(
    ("begin", "mishaps", "states"),
    [
        (discovering, 0, 100),
        (discovering, 1, 1_000),
        (closing, 0, 100),
        (closing, 1, 1_000),
        (core_starting_anew, 0, 10),
        (core_starting_anew, 1, 100),
        (plugin_starting_anew, 0, 10),
        (plugin_starting_anew, 1, 100),
    ],
)
def test_every_order_ends_well(begin: Callable[[], Net], mishaps: int, states: int) -> None:
    counts, ends = explore(state_of(begin(), mishaps))
    assert counts["states"] > states
    for state in ends:
        net = together(state)
        net.advance(700)
        for node in net.nodes:
            assert_sane(node)
        is_well(net)
