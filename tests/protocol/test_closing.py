"""Closes: graceful with and without acknowledgement, graceless, crossed, of connections that nobody uses, and stop."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.errors import NoConnectionError, RemoteProtocolError
from orbitalis.protocol.effects import CloseReason, ConnectionClosed
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    RejectOperationMessage,
)
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node, Packet


def connected(**settings: Any) -> tuple[Net, Node, Node]:
    """Return a net with a core that needs nothing and a plugin that has nothing more to give; they are connected."""
    net = Net()
    core = net.add_core(text=text_constraint(minimum=0, maximum=1), **settings)
    plugin = net.add_plugin(**settings)
    net.start()
    assert core.connections() == ["plugin"]
    plugin.settings.operations = {}
    return net, core, plugin


def pair(net_core_plugin: tuple[Net, Node, Node], who: str) -> tuple[Net, Node, Node]:
    """Return the net, the side that closes, and the other one."""
    net, core, plugin = net_core_plugin
    return (net, core, plugin) if who == "core" else (net, plugin, core)


def assert_nothing_is_left(*nodes: Node) -> None:
    for node in nodes:
        assert node.topics == []
        tables_are_empty(node.machine)


def tables_are_empty(machine: Machine) -> None:
    assert not any(vars(machine.slots).values())
    assert len(machine._lifecycle.deadlines) == 0
    assert [peer.connections for peer in machine.peers.all()] == [0] * len(machine.peers)


def closed(node: Node) -> list[tuple[CloseReason, bytes | None]]:
    return [(effect.reason, effect.data) for effect in node.had(ConnectionClosed)]


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_a_graceless_close_ends_a_connection_at_once(who: str) -> None:
    net, one, other = pair(connected(), who)
    one.do(one.machine.close_gracelessly(other.identifier, "text", b"data", net.now))
    assert not one.has_slot(other)
    assert closed(one) == [(CloseReason.LOCAL, None)]
    net.run()
    assert closed(other) == [(CloseReason.REMOTE, b"data")]
    assert_nothing_is_left(one, other)


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_a_graceful_close_ends_a_connection_when_it_is_acknowledged(who: str) -> None:
    net, one, other = pair(connected(), who)
    one.do(one.machine.close_gracefully(other.identifier, "text", b"data", net.now))
    slot = one.slot(other)
    assert slot.state is SlotState.CLOSING
    assert slot.closing_at == net.now
    assert one.connections() == []
    assert slot.ack_topic in one.topics
    ack = net.deliver_until(CloseConnectionAckMessage)
    assert closed(other) == [(CloseReason.REMOTE, b"data")]
    assert one.has_slot(other)
    one.handle(ack)
    assert closed(one) == [(CloseReason.LOCAL, None)]
    assert_nothing_is_left(one, other)
    one.handle(ack)


def test_a_connection_that_is_closing_is_not_closed_gracefully_again() -> None:
    net, core, _ = connected()
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    assert core.machine.close_gracefully("plugin", "text", None, net.now) == []
    assert len(core.sent(GracefulCloseConnectionMessage)) == 1


def test_what_is_received_is_told_to_the_user_before_it_is_acknowledged() -> None:
    net, core, plugin = connected()
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    plugin.effects.clear()
    net.run()
    assert [type(effect).__name__ for effect in plugin.effects] == [
        "MessageReceived",
        "Drain",
        "ConnectionClosed",
        "Unsubscribe",
        "WatchWill",
        "Send",
    ]


def test_a_graceful_close_that_is_not_acknowledged_is_followed_by_a_graceless_one() -> None:
    net, core, plugin = connected(graceful_close_timeout=30.0)
    net.loses = lambda packet: isinstance(packet.message, GracefulCloseConnectionMessage)
    core.do(core.machine.close_gracefully("plugin", "text", b"data", net.now))
    net.advance(29)
    assert core.slot(plugin).state is SlotState.CLOSING
    net.advance(1)
    assert not core.has_slot(plugin)
    assert closed(plugin) == [(CloseReason.REMOTE, b"data")]
    assert_nothing_is_left(core, plugin)


def test_a_graceful_close_waits_as_long_as_it_takes_where_the_timeout_is_switched_off() -> None:
    net, core, plugin = connected(graceful_close_timeout=None, consider_others_dead_after=None)
    net.loses = lambda packet: not isinstance(packet.message, CloseConnectionAckMessage)
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    net.advance(10_000)
    assert core.slot(plugin).state is SlotState.CLOSING


def test_graceful_closes_that_cross_count_as_each_others_acknowledgement() -> None:
    net, core, plugin = connected()
    core.do(core.machine.close_gracefully("plugin", "text", b"from core", net.now))
    plugin.do(plugin.machine.close_gracefully("core", "text", b"from plugin", net.now))
    net.run()
    assert closed(core) == [(CloseReason.REMOTE, b"from plugin")]
    assert closed(plugin) == [(CloseReason.REMOTE, b"from core")]
    assert_nothing_is_left(core, plugin)


@pytest.mark.parametrize("first", ["graceful", "graceless"])
def test_a_graceless_close_that_crosses_any_other_ends_the_connection_on_both_sides(first: str) -> None:
    net, core, plugin = connected()
    if first == "graceful":
        core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    else:
        core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    plugin.do(plugin.machine.close_gracelessly("core", "text", None, net.now))
    net.run()
    assert len(closed(core)) == len(closed(plugin)) == 1
    assert_nothing_is_left(core, plugin)


def test_an_acknowledgement_that_nobody_waits_for_is_ignored() -> None:
    net, core, plugin = connected()
    ack = CloseConnectionAckMessage(from_identifier="plugin", operation_name="text")
    headers = {"incarnation": "00000001", "connection_identifier": core.slot(plugin).connection_identifier}
    topic = core.settings.topics.close_ack("plugin", "text", core.slot(plugin).connection_identifier)
    core.handle(Packet(topic=topic, message=ack, envelope=plugin.envelope(**headers)))
    assert core.connections() == ["plugin"]
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    core.handle(Packet(topic="elsewhere", message=ack, envelope=plugin.envelope(**headers)))
    assert core.slot(plugin).state is SlotState.CLOSING


def test_a_close_that_overtakes_the_confirm_ends_the_request() -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=0, maximum=1)), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    confirm = net.deliver_until(ConfirmConnectionMessage)
    plugin.settings.operations = {}
    plugin.do(plugin.machine.close_gracefully("core", "text", None, net.now))
    net.run()
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)
    core.handle(confirm)
    net.run()
    assert_nothing_is_left(core, plugin)


def test_a_graceful_close_whose_acknowledgement_cannot_be_sent_is_refused() -> None:
    _, core, plugin = connected()
    close = GracefulCloseConnectionMessage(from_identifier="core", operation_name="text", ack_topic="#", data=None)
    topic = plugin.slot(core).incoming_close_topic
    with pytest.raises(RemoteProtocolError, match="wildcard"):
        plugin.handle(Packet(topic=topic, message=close, envelope=core.envelope(incarnation="00000001")))
    assert plugin.connections() == ["core"]


def test_there_is_nothing_to_close_where_there_is_no_connection() -> None:
    net, core, _ = connected()
    for close in (core.machine.close_gracefully, core.machine.close_gracelessly):
        for remote, name in (("stranger", "text"), ("plugin", "unknown")):
            with pytest.raises(NoConnectionError, match=f"'core' has no connection with '{remote}' for operation"):
                close(remote, name, None, net.now)


def test_a_handshake_is_no_connection_to_close() -> None:
    net = Net()
    core = net.add_core()
    net.add_plugin()
    core.prepares = False
    net.start()
    with pytest.raises(NoConnectionError):
        core.machine.close_gracefully("plugin", "text", None, net.now)


def test_a_connection_is_closed_when_it_was_not_used_for_long_enough() -> None:
    net, core, plugin = connected(close_connection_if_unused_after=30.0)
    for _ in range(10):
        net.advance(20)
        core.machine.touch(core.slot(plugin), net.now)
        plugin.machine.touch(plugin.slot(core), net.now)
    assert core.connections() == ["plugin"]
    net.advance(29)
    assert core.connections() == ["plugin"]
    net.advance(1)
    assert len(core.sent(GracefulCloseConnectionMessage)) == 1
    assert_nothing_is_left(core, plugin)


def test_data_is_a_use() -> None:
    net, core, plugin = connected(close_connection_if_unused_after=30.0)
    net.advance(29)
    assert core.machine.data_received(core.slot(plugin), plugin.envelope(), net.now)
    assert plugin.machine.data_received(plugin.slot(core), core.envelope(), net.now)
    net.advance(29)
    assert core.connections() == ["plugin"]


def test_what_is_used_while_its_close_is_prepared_is_closed_when_it_is_unused_again() -> None:
    net, core, plugin = connected(close_connection_if_unused_after=30.0)
    net.now += 30
    slot = core.slot(plugin)
    assert core.machine.unused_connections(net.now) == [slot]
    core.machine.touch(slot, net.now)
    assert core.machine.close_unused(slot, None, net.now) == []
    assert slot.is_open
    assert core.machine.unused_connections(net.now + 29) == []
    assert core.machine.unused_connections(net.now + 30) == [slot]
    core.do(core.machine.close_unused(slot, b"data", net.now + 30))
    (close,) = core.sent(GracefulCloseConnectionMessage)
    assert close.data == b"data"


@pytest.mark.parametrize(("after", "again"), [(30.0, 30.0), (0.0, 1.0)])
def test_the_time_of_what_is_in_use_begins_anew(after: float, again: float) -> None:
    net, core, plugin = connected(close_connection_if_unused_after=after)
    net.now += after
    slot, machine = core.slot(plugin), core.machine
    assert machine.unused_connections(net.now, lambda used: used is slot) == []
    assert slot.due_at == net.now + again
    assert machine.unused_connections(net.now + again - 0.01) == []
    assert machine.unused_connections(net.now + again, lambda used: used is not slot) == [slot]
    assert machine.close_unused(slot, None, net.now + again, lambda used: used is slot) == []
    assert slot.is_open
    assert machine.unused_connections(net.now + 2 * again) == [slot]


def test_what_ends_while_its_close_is_prepared_is_not_closed_again() -> None:
    net, core, _ = connected(close_connection_if_unused_after=30.0)
    net.now += 30
    (slot,) = core.machine.unused_connections(net.now)
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    assert core.machine.close_unused(slot, None, net.now) == []


def test_stop_tells_everybody_with_their_data_and_leaves_nothing() -> None:
    net = Net()
    plugin = net.add_plugin()
    cores = [net.add_core(f"core{number}") for number in range(3)]
    net.start()
    silent = net.add_core("silent")
    silent.start()
    silent.prepares = False
    silent.tick()
    net.run()
    assert len(plugin.machine.slots) == 4
    data = {slot: slot.remote_identifier.encode() for slot in plugin.machine.slots if slot.is_open}
    plugin.do(plugin.machine.stop(data))
    assert [reason for reason, _ in closed(plugin)] == [CloseReason.STOPPED] * 3
    for core in cores:
        core.settings.operation_requirements = {}
    net.run()
    for core in cores:
        assert closed(core) == [(CloseReason.REMOTE, core.identifier.encode())]
    assert_nothing_is_left(plugin, *cores)


def test_a_core_that_stops_takes_its_requests_back() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    plugin.prepares = False
    net.start()
    core.stop()
    net.run()
    assert len(core.sent(RejectOperationMessage)) == 1
    assert not plugin.has_slot(core)
    plugin.finish_preparing()
    assert_nothing_is_left(core, plugin)


def test_a_machine_can_be_started_again() -> None:
    net, core, plugin = connected()
    core.stop()
    net.run()
    assert len(core.sent(GracelessCloseConnectionMessage)) == 1
    plugin.settings.operations = net.add_plugin("unused").settings.operations
    core.start()
    core.tick()
    net.run()
    assert core.connections() == ["plugin"]


def test_a_thousand_connections_that_come_and_go_leave_nothing_behind() -> None:
    net, core, plugin = connected()
    plugin.settings.operations = net.add_plugin("unused").settings.operations
    for number in range(1_000):
        side, remote = (core, "plugin") if number % 2 else (plugin, "core")
        close = side.machine.close_gracefully if number % 3 else side.machine.close_gracelessly
        side.do(close(remote, "text", None, net.now))
        net.run()
        net.now += 15
        core.tick()
        net.run()
        assert core.connections() == ["plugin"]
        assert len(core.topics) == len(plugin.topics) == 2
        core.effects.clear()
        plugin.effects.clear()
    plugin.settings.operations = {}
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()
    assert_nothing_is_left(core, plugin)
    for machine in (core.machine, plugin.machine):
        assert len(machine.peers) == 1
        assert len(machine._lifecycle.deadlines._heap) < 100
