"""A bus that loses, repeats, reorders and garbles, and orbiters that crash: in the end all is well."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orbitalis.errors import RemoteProtocolError
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import Send
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node

index = st.integers(0, 1_000)
steps = st.one_of(
    st.tuples(st.just("deliver"), index),
    st.tuples(st.just("deliver"), index),
    st.tuples(st.just("deliver first"), index),
    st.tuples(st.just("deliver first"), index),
    st.tuples(st.just("lose"), index),
    st.tuples(st.just("repeat"), index),
    st.tuples(st.just("garble"), index),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 2.0, 12.0, 61.0, 121.0])),
    st.tuples(st.just("crash"), index),
    st.tuples(st.just("stop"), index),
    st.tuples(st.just("close gracefully"), index),
    st.tuples(st.just("close gracelessly"), index),
    st.tuples(st.just("reconnect"), index),
    st.tuples(st.just("prepare slowly"), index),
    st.tuples(st.just("prepared"), st.booleans()),
    st.tuples(st.just("lend more"), index),
    st.tuples(st.just("gain an operation"), index),
)


def crowd(*, older: bool) -> Net:
    """Return two cores and three plugins, of which some are older peers on demand."""
    net = Net()
    net.announces = True
    net.watches_settings = False
    for number in range(2):
        needs = {
            "a": Requirement(text_constraint(minimum=1, maximum=1)),
            "b": Requirement(text_constraint(minimum=1, mandatory=["plugin2"])),
            "c": Requirement(text_constraint()),
        }
        net.add_core(f"core{number}", operation_requirements=needs, has_headers=not (older and number))
    for number in range(3):
        operations = {"a": Terms(policy=Policy(maximum=1)), "b": Terms()}
        net.add_plugin(f"plugin{number}", operations=operations, has_headers=not (older and number == 1))
    for node in net.nodes:
        node.start()
        node.tick()
    return net


def happen(net: Net, what: str, how: Any) -> None:
    """Let one thing happen."""
    pick = how if isinstance(how, int) else 0
    node = net.nodes[pick % len(net.nodes)]
    if what in ("deliver", "deliver first", "lose", "repeat", "garble"):
        if not net.wire:
            return
        place = 0 if what == "deliver first" else pick % len(net.wire)
        if what == "lose":
            net.wire.pop(place)
        elif what == "repeat":
            net.wire.append(net.wire[place])
        else:
            if what == "garble":
                names = ["incarnation", "correlation_identifier", "connection_identifier"]
                garbled: dict[str, Any] = {names[pick % 3]: [None, "i5", "0"][pick % 7 % 3]}
                net.wire[place] = net.wire[place].changed(**garbled)
            with contextlib.suppress(RemoteProtocolError):
                net.deliver(place)
    elif what == "wait":
        net.now += how
        for one in net.nodes:
            one.tick()
    elif what in ("crash", "stop"):
        node.crash() if what == "crash" else node.stop()
        node.start()
    elif what == "reconnect":
        node.do(node.machine.reconnected(net.now))
    elif what in ("lend more", "gain an operation"):
        plugin = net.nodes[2 + pick % 3]
        if what == "lend more":
            policy = plugin.settings.operations["a"].policy
            policy.maximum = (policy.maximum or 0) + 1
        else:
            plugin.settings.operations = {**plugin.settings.operations, "c": Terms()}
        plugin.configure()
        plugin.tick()
    elif what == "prepare slowly":
        node.prepares = False
    elif what == "prepared":
        for one in net.nodes:
            one.finish_preparing(fails=not how)
    else:
        close = node.machine.close_gracefully if what == "close gracefully" else node.machine.close_gracelessly
        for slot in node.machine.slots:
            if slot.is_open:
                node.do(close(*slot.key, b"data", net.now))


def calm_down(net: Net) -> None:
    """Let a bus that does its work and orbiters that live put things right."""
    for node in net.nodes:
        node.prepares = True
        node.finish_preparing()
    net.advance(700)
    for node in net.nodes:
        assert_sane(node)


def assert_agreed(net: Net) -> None:
    """Fail unless all cores have what they need, and both sides of every connection know it by the same name."""
    assert all(node.requester.compliant for node in net.nodes[:2])
    shares: dict[tuple[str, str, str], list[str]] = {}
    for node in net.nodes:
        assert all(slot.is_open for slot in node.machine.slots)
        for slot in node.machine.slots:
            ends = sorted((node.identifier, slot.remote_identifier))
            shares.setdefault((*ends, slot.operation_name), []).append(slot.connection_identifier)  # type: ignore[arg-type]
    for names in shares.values():
        assert len(names) == 2, shares
        assert names[0] == names[1], shares


def sanely(net: Net, story: list[tuple[str, Any]]) -> None:
    """Let things happen, and look at everybody after each."""
    for what, how in story:
        happen(net, what, how)
        for node in net.nodes:
            assert_sane(node)
            node.effects = [effect for effect in node.effects if not isinstance(effect, Send)]


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=60))
def test_peers_of_ours_find_together_again(story: list[tuple[str, Any]]) -> None:
    net = crowd(older=False)
    sanely(net, story)
    calm_down(net)
    assert_agreed(net)


@settings(max_examples=30, deadline=None)
@given(st.lists(steps, max_size=60))
def test_older_peers_break_nothing(story: list[tuple[str, Any]]) -> None:
    net = crowd(older=True)
    sanely(net, story)
    calm_down(net)
    assert all(node.has_headers or node.machine.running for node in net.nodes)


def test_without_any_mishap_everybody_is_connected() -> None:
    net = crowd(older=False)
    calm_down(net)
    assert_agreed(net)
    nodes: list[Node] = net.nodes
    assert sum(len(node.connections("b")) for node in nodes[:2]) == 6
    assert sum(len(node.connections("a")) for node in nodes[:2]) == 2
