"""Nets in which one side is an older peer."""

from __future__ import annotations

from typing import Any

from orbitalis.operations.policy import Policy
from tests.support.machines import Net, Node


def connected(older: str, **settings: Any) -> tuple[Net, Node, Node]:
    """Return a net with a core and a plugin that are connected; one of them is an older peer."""
    net = Net()
    core = net.add_core(has_headers=older != "core", **settings)
    plugin = net.add_plugin(has_headers=older != "plugin", policy=Policy(maximum=1))
    net.start()
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
    return net, core, plugin
