"""Wills: whom they make suspected, what settles that, and what follows where nothing does."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.effects import CloseReason, ConnectionClosed, SuspicionChanged, WatchWill
from orbitalis.protocol.machine import Machine
from orbitalis_wire.messages import AnnounceMessage, KeepaliveMessage, KeepaliveRequestMessage
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet


def connected(**settings: Any) -> tuple[Net, Node, Node]:
    """Return a net with a core and a plugin that are connected."""
    net = Net()
    core, plugin = net.add_core(**settings), net.add_plugin(**settings)
    net.start()
    assert core.connections() == ["plugin"]
    return net, core, plugin


@pytest.fixture(params=["core", "plugin"])
def pair(request: pytest.FixtureRequest) -> tuple[Net, Node, Node]:
    """Give a net, one that stays, and the other one, which gets into trouble: each role is each of them."""
    net, core, plugin = connected()
    return (net, core, plugin) if request.param == "core" else (net, plugin, core)


def suspected(node: Node) -> list[str]:
    return list(node.machine.peers.suspected)


def changes(node: Node) -> list[bool]:
    return [effect.is_suspected for effect in node.had(SuspicionChanged)]


def requests(node: Node) -> int:
    return len(node.sent(KeepaliveRequestMessage))


def closed(node: Node) -> list[CloseReason]:
    return [effect.reason for effect in node.had(ConnectionClosed)]


def die(net: Net, node: Node) -> None:
    """End a node as a process that is killed, and have the bus publish its will."""
    will = node.will()
    node.crash()
    net.wire.append(will)
    net.run()


def test_a_remote_that_is_killed_is_dead_after_the_grace(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    die(net, other)
    assert suspected(one) == [other.identifier]
    net.advance(1.99)
    assert one.connections() == [other.identifier]
    net.advance(0.02)
    assert closed(one) == [CloseReason.REMOTE_DEAD]
    assert suspected(one) == []
    assert one.machine.peers.get(other.identifier).is_dead  # type: ignore[union-attr]


def test_a_will_raises_one_suspicion_and_a_request_at_once_and_each_quarter(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    die(net, other)
    assert (changes(one), requests(one)) == ([True], 1)
    for quarter in (1, 2, 3):
        net.advance(0.49)
        assert requests(one) == quarter
        net.advance(0.01)
        assert requests(one) == quarter + 1
    net.advance(10)
    assert (changes(one), requests(one)) == ([True], 4)


def test_who_lives_answers_and_is_suspected_no_more(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    one.handle(other.will())
    assert suspected(one) == [other.identifier]
    net.run()
    assert suspected(one) == []
    net.advance(100)
    assert one.connections() == [other.identifier]
    assert changes(one) == [True, False]


def test_who_connects_again_within_the_grace_answers_a_later_request(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    net.loses = lambda packet: isinstance(packet.message, KeepaliveRequestMessage | KeepaliveMessage)
    one.handle(other.will())
    net.advance(1.4)
    net.loses = lambda packet: False
    net.advance(0.2)
    assert suspected(one) == []
    net.advance(100)
    assert one.connections() == [other.identifier]


def test_a_will_is_no_sign_of_life(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    seen = one.machine.peers.get(other.identifier).last_seen  # type: ignore[union-attr]
    net.now += 5
    one.handle(other.will())
    assert one.machine.peers.get(other.identifier).last_seen == seen  # type: ignore[union-attr]


@pytest.mark.parametrize("incarnation", ["00000000", "00000002", None])
def test_a_will_of_another_incarnation_counts_for_nothing(pair: tuple[Net, Node, Node], incarnation: str) -> None:
    net, one, other = pair
    one.handle(other.will(incarnation=incarnation))
    assert (suspected(one), requests(one)) == ([], 0)
    # It proves no incarnation, either: what is current goes on.
    net.loses = lambda packet: False
    net.advance(200)
    assert one.connections() == [other.identifier]


def test_a_will_in_the_name_of_another_is_refused(pair: tuple[Net, Node, Node]) -> None:
    _, one, other = pair
    with pytest.raises(RemoteProtocolError, match="claims to come from"):
        one.machine.handle("orbitalis/x/will", other.will().message, other.will().envelope, 1_000.0)
    assert suspected(one) == []


def test_a_will_of_a_remote_without_a_connection_counts_for_nothing() -> None:
    net, core, plugin = connected()
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    core.handle(plugin.will())
    assert (suspected(core), requests(core)) == ([], 0)


def test_an_announcement_settles_nothing() -> None:
    net, core, plugin = connected()
    die(net, plugin)
    announcement = AnnounceMessage(plugin_identifier="plugin", operation_names=["text"], discover_topic="$d")
    envelope = plugin.envelope(protocol_version=1, incarnation="00000001")
    core.handle(Packet(topic="$handshake.announce", message=announcement, envelope=envelope))
    assert suspected(core) == ["plugin"]


def test_data_that_may_have_waited_settles_nothing(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    slot = one.slot(other)
    die(net, other)
    net.now += 0.1
    headers = other.envelope(incarnation="00000001", connection_identifier=slot.connection_identifier)
    assert one.machine.data_received(slot, headers, net.now)
    assert suspected(one) == [other.identifier]
    net.advance(1.9)
    assert closed(one) == [CloseReason.REMOTE_DEAD]


def test_many_wills_cost_no_more_requests_than_one_a_quarter(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    for _ in range(100):
        one.handle(other.will())
        net.run()
        net.advance(0.02)
    assert 4 <= requests(one) <= 5
    assert suspected(one) == [other.identifier]
    net.advance(1)
    assert suspected(one) == []
    assert one.connections() == [other.identifier]


def test_who_is_suspected_again_has_the_whole_grace(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    one.handle(other.will())
    net.advance(0.4)
    assert suspected(one) == []
    die(net, other)
    net.advance(1.99)
    assert one.connections() == [other.identifier]
    net.advance(0.52)
    assert closed(one) == [CloseReason.REMOTE_DEAD]


def test_losing_the_own_connection_ends_all_suspicions(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    net.loses = lambda packet: isinstance(packet.message, KeepaliveMessage)
    one.handle(other.will())
    net.advance(1.0)
    one.do(one.machine.cancel_suspicions([other.identifier]))
    assert (suspected(one), changes(one)) == ([], [True, False])
    net.advance(60)
    assert one.connections() == [other.identifier]


def test_an_orbiter_that_was_held_up_itself_takes_nobody_for_dead(pair: tuple[Net, Node, Node]) -> None:
    net, one, other = pair
    net.loses = lambda packet: isinstance(packet.message, KeepaliveMessage)
    one.handle(other.will())
    net.advance(1.7)
    net.now += 5  # as if the event loop had been busy, and answers had not been read
    one.tick()
    assert one.connections() == [other.identifier]
    net.loses = lambda packet: False
    net.advance(0.1)
    assert suspected(one) == []


def test_a_restart_ends_the_suspicion() -> None:
    net, core, plugin = connected()
    die(net, plugin)
    plugin.start()
    net.advance(0.5)
    core.ask()
    net.run()
    net.advance(100)
    assert core.connections() == ["plugin"]
    assert suspected(core) == []


def watched(node: Node) -> list[tuple[str, bool]]:
    return [(effect.remote_identifier, effect.is_wanted) for effect in node.had(WatchWill)]


def test_a_will_is_listened_for_from_the_first_connection_with_a_remote_to_the_last() -> None:
    net = Net()
    names = ["a", "b"]
    needs = {name: text_constraint(minimum=1) for name in names}
    core = net.add_core(operation_requirements={name: Requirement(need) for name, need in needs.items()})
    plugin = net.add_plugin(operations={name: Terms() for name in names})
    net.start()
    assert watched(core) == [("plugin", True)]
    assert core.wills == ["orbitalis/plugin/will"]
    core.settings.operation_requirements = {}
    core.do(core.machine.close_gracelessly("plugin", "a", None, net.now))
    net.run()
    assert watched(core) == [("plugin", True)]
    core.do(core.machine.close_gracelessly("plugin", "b", None, net.now))
    net.run()
    assert watched(core) == [("plugin", True), ("plugin", False)]
    assert watched(plugin) == [("core", True), ("core", False)]


def test_wills_of_older_peers_are_not_listened_for() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(has_headers=False)
    net.start()
    assert core.connections() == ["plugin"]
    assert watched(core) == watched(plugin) == []


def test_without_a_grace_no_will_counts() -> None:
    _, core, plugin = connected(suspicion_grace=None)
    assert watched(core) == watched(plugin) == []
    core.handle(plugin.will())
    assert suspected(core) == []


def test_the_grace_can_be_switched_off_and_on() -> None:
    net, core, plugin = connected()
    net.loses = lambda packet: isinstance(packet.message, KeepaliveMessage)
    core.handle(plugin.will())
    core.settings.suspicion_grace = None
    core.configure()
    assert (suspected(core), watched(core)) == ([], [("plugin", True), ("plugin", False)])
    net.advance(10)
    core.settings.suspicion_grace = 1.0
    core.configure()
    assert watched(core)[-1] == ("plugin", True)
    core.handle(plugin.will())
    net.advance(1.01)
    assert closed(core) == [CloseReason.REMOTE_DEAD]


def test_nothing_is_left_after_a_stop(pair: tuple[Net, Node, Node]) -> None:
    _, one, other = pair
    one.handle(other.will())
    one.stop()
    machine: Machine = one.machine
    assert (suspected(one), machine._suspicions.recent, machine._suspicions._watched) == ([], {}, {})
    assert machine.next_deadline() is None
    assert (one.topics, one.wills) == ([], [])
