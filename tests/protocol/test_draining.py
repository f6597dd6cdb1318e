"""Graceful closes of connections on which data has come that is still to be handled."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.protocol.effects import CloseReason, ConnectionClosed
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node


def draining(who: str = "core", **settings: Any) -> tuple[Net, Node, Node]:
    """Return a net, the side that has asked for a graceful close, and the other one, which drains."""
    net = Net()
    core = net.add_core(text=text_constraint(minimum=0, maximum=1), **settings)
    plugin = net.add_plugin(**settings)
    net.start()
    plugin.settings.operations = {}
    one, other = (core, plugin) if who == "core" else (plugin, core)
    other.drains = False
    one.do(one.machine.close_gracefully(other.identifier, "text", b"data", net.now))
    net.run()
    assert other.slot(one).state is SlotState.DRAINING
    return net, one, other


def closed(node: Node) -> list[tuple[CloseReason, bytes | None]]:
    return [(effect.reason, effect.data) for effect in node.had(ConnectionClosed)]


def assert_nothing_is_left(*nodes: Node) -> None:
    for node in nodes:
        assert node.topics == []
        assert len(node.machine.slots) == 0
        assert len(node.machine._lifecycle.deadlines) == 0


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_who_drains_takes_and_answers_what_has_come_and_then_acknowledges(who: str) -> None:
    net, one, other = draining(who)
    slot = other.slot(one)
    assert not slot.is_open
    assert slot.is_answerable is (who == "core")
    assert other.connections() == []
    assert other.machine.slots.answerable_of_operation("text") == ((slot,) if who == "core" else ())
    assert other.machine.slots.count("text") == 1
    assert other.machine.data_received(slot, one.envelope(), net.now)
    assert one.machine.data_received(one.slot(other), other.envelope(), net.now)
    assert other.sent(CloseConnectionAckMessage) == []
    other.finish_draining()
    net.run()
    assert closed(other) == [(CloseReason.REMOTE, b"data")]
    assert closed(one) == [(CloseReason.LOCAL, None)]
    assert_nothing_is_left(one, other)
    assert other.machine.drained(slot, net.now) == []


def test_a_core_that_drains_is_not_compliant_and_asks_for_another_plugin() -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=1)), net.add_plugin()
    net.start()
    assert core.requester.compliant
    core.drains = False
    plugin.do(plugin.machine.close_gracefully("core", "text", None, net.now))
    net.run()
    assert not core.requester.compliant
    assert "text" in core.wanted()


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_a_graceful_close_that_comes_again_is_ignored_while_it_drains(who: str) -> None:
    net, one, other = draining(who)
    again = one.packet(one.last_send(GracefulCloseConnectionMessage))
    before = len(other.effects)
    other.handle(again)
    assert len(other.effects) == before
    other.finish_draining()
    net.run()
    assert len(other.sent(CloseConnectionAckMessage)) == 1
    other.handle(again)
    assert len(other.sent(CloseConnectionAckMessage)) == 1
    assert_nothing_is_left(one, other)


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_who_drains_does_not_close_gracefully_in_turn(who: str) -> None:
    net, one, other = draining(who)
    assert other.machine.close_gracefully(one.identifier, "text", None, net.now) == []
    other.finish_draining()
    net.run()
    assert_nothing_is_left(one, other)


@pytest.mark.parametrize("who", ["core", "plugin"])
@pytest.mark.parametrize("by", ["one", "other"])
def test_a_graceless_close_ends_the_draining(who: str, by: str) -> None:
    net, one, other = draining(who)
    slot = other.slot(one)
    closing, remote = (one, other) if by == "one" else (other, one)
    closing.do(closing.machine.close_gracelessly(remote.identifier, "text", None, net.now))
    net.run()
    assert_nothing_is_left(one, other)
    assert other.machine.drained(slot, net.now) == []
    assert other.sent(CloseConnectionAckMessage) == []


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_draining_lasts_no_longer_than_a_graceful_close_may(who: str) -> None:
    net, one, other = draining(who, consider_others_dead_after=None)
    one.settings.graceful_close_timeout = None
    other.settings.graceful_close_timeout = 30.0
    net.advance(29)
    assert other.has_slot(one)
    net.advance(1)
    assert len(other.sent(GracelessCloseConnectionMessage)) == 1
    assert_nothing_is_left(one, other)


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_who_asked_waits_no_longer_than_a_graceful_close_may(who: str) -> None:
    net, one, other = draining(who, consider_others_dead_after=None)
    other.settings.graceful_close_timeout = None
    one.settings.graceful_close_timeout = 30.0
    net.advance(30)
    assert len(one.sent(GracelessCloseConnectionMessage)) == 1
    assert_nothing_is_left(one, other)


@pytest.mark.parametrize("who", ["core", "plugin"])
@pytest.mark.parametrize("what", ["stop", "death", "restart"])
def test_draining_ends_with_either_side(who: str, what: str) -> None:
    net, one, other = draining(who, graceful_close_timeout=None)
    slot = other.slot(one)
    if what == "stop":
        other.stop()
    elif what == "death":
        one.crash()
        net.advance(1000)
    else:
        one.crash()
        one.start()
        last = RequestOperationMessage if who == "core" else ConfirmConnectionMessage
        other.handle(one.packet(one.last_send(last)))
    net.run()
    assert slot.state is SlotState.FREE
    assert slot.due_at is None
    assert other.machine.drained(slot, net.now) == []


def test_graceful_closes_that_cross_end_both_sides_though_one_has_to_drain() -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=0, maximum=1)), net.add_plugin()
    net.start()
    plugin.settings.operations = {}
    core.drains = plugin.drains = False
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    plugin.do(plugin.machine.close_gracefully("core", "text", None, net.now))
    net.run()
    assert_nothing_is_left(core, plugin)
