"""Keepalives of older peers, which cannot list the connections that they believe in."""

from __future__ import annotations

import pytest

from orbitalis.protocol.effects import CloseReason, ConnectionClosed
from orbitalis.protocol.limits import Limits
from orbitalis_wire import timings
from orbitalis_wire.messages import (
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Packet
from tests.support.older_peers import connected


@pytest.mark.parametrize("older", ["core", "plugin"])
def test_an_older_peer_that_believes_in_a_connection_of_an_earlier_incarnation_is_told_to_close_it(older: str) -> None:
    net, core, plugin = connected(older)
    remembering, forgetting = (core, plugin) if older == "core" else (plugin, core)
    forgetting.crash()
    forgetting.start()
    remembering.do(remembering.machine.send_keepalive(forgetting.identifier, net.now))
    assert not forgetting.has_slot(remembering)
    assert remembering.has_slot(forgetting)
    net.run()
    closed = remembering.had(ConnectionClosed)
    assert [one.reason for one in closed] == [CloseReason.REMOTE]
    net.advance(3)
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]


def test_a_keepalive_of_an_older_peer_closes_nothing_that_is_shared_or_under_way() -> None:
    for older in ("core", "plugin"):
        net, core, plugin = connected(older)
        remembering, other = (core, plugin) if older == "core" else (plugin, core)
        net.now += 10
        remembering.do(remembering.machine.send_keepalive(other.identifier, net.now))
        net.run()
        assert other.sent(GracelessCloseConnectionMessage) == []


def test_older_peers_are_told_once_in_a_while_what_is_not_shared() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin(operations={"text": Terms(), "other": Terms()})
    net.start()
    for seconds, told in ((10, 1), (0, 1), (0, 1), (2, 2)):
        net.now += seconds
        core.do(core.machine.send_keepalive("plugin", net.now))
        net.run()
        closes = plugin.sent(GracelessCloseConnectionMessage)
        assert [close.operation_name for close in closes] == ["other"] * told
    assert core.connections() == ["plugin"]


@pytest.mark.parametrize("older", ["core", "plugin"])
def test_a_keepalive_of_an_older_peer_that_crosses_a_close_is_no_reason_for_another(older: str) -> None:
    """The other close would have no data, and the peer may take it first."""
    net, core, plugin = connected(older)
    who, other = (core, plugin) if older == "core" else (plugin, core)
    topic = other.settings.topics.keepalive(older)
    alive = Packet(topic=topic, message=KeepaliveMessage(from_identifier=older), envelope=who.envelope())
    other.do(other.machine.close_gracelessly(older, "text", b"enough", net.now))
    other.handle(alive)
    assert [close.data for close in other.sent(GracelessCloseConnectionMessage)] == [b"enough"]
    net.now += timings.RECONCILIATION_DELAY
    other.handle(alive)
    assert [close.data for close in other.sent(GracelessCloseConnectionMessage)] == [b"enough", None], "it was lost"


def test_strangers_that_send_keepalives_without_headers_cannot_have_any_number_of_closes_sent() -> None:
    net = Net()
    needs = {f"text{number}": Requirement(text_constraint()) for number in range(50)}
    core = net.add_core(operation_requirements=needs, limits=Limits(stranger_events_per_second=10))
    core.start()
    for number in range(100):
        message = KeepaliveMessage(from_identifier=f"stranger{number}")
        topic = core.settings.topics.keepalive(f"stranger{number}")
        core.handle(Packet(topic=topic, message=message, envelope=core.envelope()))
    assert 0 < len(core.sent(GracelessCloseConnectionMessage)) <= 10 * timings.BURST + 50


def test_a_peer_with_headers_is_not_told_of_what_it_does_not_share() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(operations={"text": Terms(), "other": Terms()})
    net.start()
    core.do(core.machine.send_keepalive("plugin", net.now))
    net.run()
    assert plugin.sent(GracelessCloseConnectionMessage) == []
