"""A core and a plugin that are connected and never take each other for dead, for tests in which one starts anew."""

from __future__ import annotations

from typing import Any

from orbitalis.protocol.peers import Peer
from tests.support.invariants import assert_sane
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node

__all__ = ["NEVER", "ONE", "SOON", "assert_work", "connected", "known", "restart"]

ONE = text_constraint(minimum=1, maximum=1)
NEVER: dict[str, Any] = {"consider_others_dead_after": None}
SOON = 2.0
"""Seconds from its first message within which who starts anew has to work again."""


def connected(*, core: dict[str, Any] | None = None, plugin: dict[str, Any] | None = None) -> tuple[Net, Node, Node]:
    """Return a net with a core and a plugin that are connected, and never take each other for dead."""
    net = Net()
    net.announces = True
    nodes = net.add_core(**{"text": ONE, **NEVER, **(core or {})}), net.add_plugin(**{**NEVER, **(plugin or {})})
    net.start()
    assert nodes[0].connections() == ["plugin"]
    net.advance(1)
    return net, *nodes


def restart(node: Node, *, stops: bool = False, incarnation: int | None = None) -> None:
    """End a node and start it again; its messages wait on the wire."""
    if stops:
        node.stop()
        node.net.run()
    else:
        node.crash()
    if incarnation is not None:
        node.incarnation = incarnation - 1
    node.start()
    node.tick()


def assert_work(core: Node, plugin: Node, *names: str) -> None:
    """Fail unless both have the same connections."""
    for name in names or ("text",):
        assert core.connections(name) == ["plugin"], name
        assert plugin.connections(name) == ["core"], name
        assert core.slot(plugin, name).connection_identifier == plugin.slot(core, name).connection_identifier
    assert core.requester.compliant
    assert_sane(core)
    assert_sane(plugin)


def known(node: Node, remote: Node) -> Peer:
    """Return what a node knows of another."""
    peer = node.machine.peers.get(remote.identifier)
    assert peer is not None
    return peer
