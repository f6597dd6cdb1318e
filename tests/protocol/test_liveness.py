"""Who lives: keepalives that are owed, asked for and missed, remotes that die or start anew, and what is half open."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orbitalis.errors import NoConnectionError, RemoteProtocolError
from orbitalis.protocol.effects import CloseReason, ComplianceChanged, ConnectionClosed, RemoteLost, Send
from orbitalis.protocol.peers import PeerTopics
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    DiscoverMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

ONE = text_constraint(minimum=1, maximum=1)


def connected(*, core: dict[str, Any] | None = None, plugin: dict[str, Any] | None = None) -> tuple[Net, Node, Node]:
    """Return a net with a core, which wants no more than it has, and a plugin; they are connected."""
    net = Net()
    nodes = net.add_core(**{"text": ONE, **(core or {})}), net.add_plugin(**(plugin or {}))
    net.start()
    assert nodes[0].connections() == ["plugin"]
    return net, *nodes


def keepalive_request(sender: Node, victim: Node, topic: str) -> Packet:
    message = KeepaliveRequestMessage(from_identifier=sender.identifier, keepalive_topic=topic)
    envelope = sender.envelope(incarnation=f"{sender.incarnation:08d}")
    return Packet(topic=victim.settings.topics.keepalive_request(sender.identifier), message=message, envelope=envelope)


def test_a_keepalive_is_sent_in_time_again_and_again() -> None:
    net, core, plugin = connected()
    net.advance(109)
    assert core.sent(KeepaliveMessage) == plugin.sent(KeepaliveMessage) == []
    net.advance(1)
    assert len(core.sent(KeepaliveMessage)) == len(plugin.sent(KeepaliveMessage)) == 1
    net.advance(1_100)
    assert len(core.sent(KeepaliveMessage)) == len(plugin.sent(KeepaliveMessage)) == 11
    assert core.connections() == ["plugin"]
    assert core.had(RemoteLost) == plugin.had(RemoteLost) == []


def test_a_keepalive_that_is_overdue_is_sent_and_so_is_the_next() -> None:
    net, core, _ = connected()
    net.loses = lambda packet: True
    net.now += 500
    core.do(core.machine.send_due_keepalives(net.now))
    assert len(core.sent(KeepaliveMessage)) == 1
    core.do(core.machine.send_due_keepalives(net.now))
    assert len(core.sent(KeepaliveMessage)) == 1
    net.now += 110
    core.do(core.machine.send_due_keepalives(net.now))
    assert len(core.sent(KeepaliveMessage)) == 2


def test_a_remote_is_owed_one_keepalive_however_many_connections_there_are() -> None:
    net = Net()
    names = ["a", "b", "c"]
    core = net.add_core(operation_requirements={name: Requirement(text_constraint(maximum=1)) for name in names})
    plugin = net.add_plugin(operations={name: Terms() for name in names})
    net.start()
    net.advance(110)
    (send,) = [send for send in plugin.had(Send) if isinstance(send.message, KeepaliveMessage)]
    assert send.open_connections == tuple(slot.connection_identifier for slot in core.machine.slots)
    assert len(send.open_connections) == 3


def test_nothing_is_owed_to_a_remote_without_connections() -> None:
    net, core, plugin = connected(core={"text": text_constraint(minimum=0, maximum=1)})
    del plugin.settings.operations["text"]  # type: ignore[attr-defined]
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()
    # Not even when one was sent to it.
    plugin.do(plugin.machine.send_keepalive("core", net.now))
    net.advance(1_000)
    assert len(plugin.sent(KeepaliveMessage)) == 1
    assert core.sent(KeepaliveMessage) == []


@pytest.mark.parametrize(("told", "expected"), [(30.0, 20.0), (8.0, 4.0), (math.inf, math.inf), (math.nan, math.inf)])
def test_when_a_keepalive_is_owed_follows_what_the_remote_says(told: float, expected: float) -> None:
    net, _, plugin = connected()
    slot_opened = net.now
    net.loses = lambda packet: isinstance(packet.message, KeepaliveRequestMessage)
    remote = plugin.machine.peers.get("core")
    assert remote is not None
    topics = {"keepalive_topic": "a", "keepalive_request_topic": "b"}
    plugin.machine.peers.told(remote, PeerTopics(considers_me_dead_after=told, **topics))
    assert plugin.machine.peers._keepalive_interval(remote.considers_me_dead_after) == expected
    assert expected == math.inf or remote.due_at == slot_opened + expected
    plugin.machine.peers.told(remote, PeerTopics(considers_me_dead_after=120.0, **topics))
    assert plugin.machine.peers._keepalive_interval(remote.considers_me_dead_after) == 110


def test_durations_can_be_edited_while_the_orbiter_runs() -> None:
    net, core, plugin = connected()
    core.settings.consider_others_dead_after = 20.0
    net.loses = lambda packet: "orbitalis/core" in packet.topic
    plugin.settings.send_keepalive_before_timelimit = 60.0
    for node in net.nodes:
        node.tick()
    net.advance(19)
    assert core.connections() == ["plugin"]
    net.advance(1)
    assert core.connections() == []
    net.advance(40)
    assert len(plugin.sent(KeepaliveMessage)) >= 1


def test_any_message_is_a_sign_of_life() -> None:
    net = Net()
    core, plugin = net.add_core(discovering_interval_when_compliant=50.0), net.add_plugin()
    net.start()
    net.loses = lambda packet: isinstance(packet.message, KeepaliveMessage)
    net.advance(1_000)
    # The plugin hears the discovers of the core, which hears nothing from the plugin.
    assert plugin.had(RemoteLost) == []
    assert core.had(RemoteLost) != []


def test_a_remote_that_misses_its_time_is_asked_once_before_it_is_given_up() -> None:
    net, core, plugin = connected()
    net.loses = lambda packet: "orbitalis/core" in packet.topic
    net.advance(114)
    assert core.sent(KeepaliveRequestMessage) == []
    net.advance(1)
    assert len(core.sent(KeepaliveRequestMessage)) == 1
    net.advance(4)
    assert len(core.sent(KeepaliveRequestMessage)) == 1
    # It has answered all the time, and this time it is heard.
    net.loses = lambda packet: False
    plugin.do(plugin.machine.send_keepalive("core", net.now))
    net.advance(100)
    assert core.connections() == ["plugin"]


def test_a_dead_plugin_is_missed_and_looked_for() -> None:
    net, core, plugin = connected()
    plugin.crash()
    net.advance(119)
    assert core.requester.compliant
    net.advance(1)
    assert not core.requester.compliant
    assert core.had(RemoteLost) == [RemoteLost(remote_identifier="plugin", reason=CloseReason.REMOTE_DEAD)]
    assert [closed.reason for closed in core.had(ConnectionClosed)] == [CloseReason.REMOTE_DEAD]
    assert [change.compliant for change in core.had(ComplianceChanged)] == [False, True, False]
    assert isinstance(core.had(Send)[-1].message, DiscoverMessage)
    assert core.topics == []

    plugin.start()
    net.advance(2)
    assert core.requester.compliant


def test_a_dead_core_gives_its_slot_back() -> None:
    net, core, plugin = connected(plugin={"operations": {"text": Terms()}})
    core.crash()
    net.advance(121)
    assert plugin.connections() == []
    assert len(plugin.machine.slots) == 0
    assert plugin.topics == []


def test_nobody_is_ever_dead_where_that_is_switched_off() -> None:
    net, core, plugin = connected(core={"consider_others_dead_after": None})
    plugin.crash()
    net.advance(10_000)
    assert core.connections() == ["plugin"]
    assert core.sent(KeepaliveRequestMessage) == []


def test_a_remote_that_starts_anew_loses_what_was_agreed_and_is_connected_again() -> None:
    net, core, plugin = connected(core={"text": text_constraint(minimum=1)})
    first = core.slot(plugin).connection_identifier
    plugin.crash()
    plugin.start()
    net.advance(12)
    assert core.had(RemoteLost) == [RemoteLost(remote_identifier="plugin", reason=CloseReason.REMOTE_RESTARTED)]
    assert core.connections() == ["plugin"]
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier != first

    core.crash()
    core.start()
    net.advance(12)
    assert plugin.had(RemoteLost) == [RemoteLost(remote_identifier="core", reason=CloseReason.REMOTE_RESTARTED)]
    assert plugin.connections() == ["core"]


def test_a_core_that_needs_a_lost_connection_discovers_at_once_but_not_too_often() -> None:
    net, core, plugin = connected(core={"discovering_interval": 5.0})
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.now += 3
    plugin.do(plugin.machine.close_gracelessly("core", "text", None, net.now))
    net.run()
    assert len(core.sent(DiscoverMessage)) == 1
    net.advance(2)
    assert len(core.sent(DiscoverMessage)) == 2

    net, core, plugin = connected(core={"discovering_interval": 5.0})
    net.now += 5
    plugin.do(plugin.machine.close_gracelessly("core", "text", None, net.now))
    core_close = net.wire.pop()
    core.handle(core_close)
    assert len(core.sent(DiscoverMessage)) == 2


# Keepalive requests


def test_a_keepalive_request_is_answered_to_the_topic_that_it_names() -> None:
    _, core, plugin = connected()
    plugin.handle(keepalive_request(core, plugin, core.settings.topics.keepalive("plugin")))
    answer = plugin.last_send(KeepaliveMessage)
    assert answer.topic == "orbitalis/core/plugin/keepalive"
    plugin.handle(keepalive_request(core, plugin, "in/a/foreign/layout"))
    assert plugin.last_send(KeepaliveMessage).topic == "in/a/foreign/layout"


def test_a_keepalive_request_of_a_stranger_is_answered_on_a_topic_that_is_its_own_alone() -> None:
    net, _, plugin = connected()
    stranger = net.add_core("stranger")
    for topic in ("anything", "$keepalive.stranger"):
        plugin.handle(keepalive_request(stranger, plugin, topic))
    with pytest.raises(RemoteProtocolError):
        plugin.handle(keepalive_request(stranger, plugin, "orbitalis/core/plugin/keepalive"))
    assert plugin.sent(KeepaliveMessage) == []
    request = keepalive_request(stranger, plugin, "orbitalis/stranger/plugin/keepalive")
    plugin.handle(request)
    answer = plugin.last_send(KeepaliveMessage)
    assert (answer.topic, answer.open_connections) == ("orbitalis/stranger/plugin/keepalive", ())
    assert answer.correlation_identifier == request.envelope.identifier
    assert plugin.machine.peers.get("stranger") is None


def test_a_keepalive_request_of_a_remote_that_is_dead_is_answered_as_a_strangers() -> None:
    net, core, plugin = connected()
    core.crash()
    net.advance(121)
    before = len(plugin.sent(KeepaliveMessage))
    plugin.handle(keepalive_request(core, plugin, "elsewhere"))
    assert len(plugin.sent(KeepaliveMessage)) == before
    plugin.handle(keepalive_request(core, plugin, core.settings.topics.keepalive("plugin")))
    assert len(plugin.sent(KeepaliveMessage)) == before + 1


def test_a_keepalive_of_a_stranger_that_believes_in_a_connection_is_answered() -> None:
    net, core, plugin = connected()
    plugin.crash()
    plugin.start()
    plugin.effects.clear()
    core.do(core.machine.send_keepalive("plugin", net.now))
    net.deliver()
    answer = plugin.last_send(KeepaliveMessage)
    assert (answer.topic, answer.open_connections) == ("orbitalis/core/plugin/keepalive", ())
    net.run()
    assert core.had(RemoteLost), "which asked who that was, and was told"


@pytest.mark.parametrize("topic", ["", "#", "a/+", "a\0b", "orbitalis/plugin/core/keepalive", "orbitalis/x"])
def test_a_keepalive_request_that_names_a_topic_of_no_use_is_refused(topic: str) -> None:
    _, core, plugin = connected()
    with pytest.raises(RemoteProtocolError):
        plugin.handle(keepalive_request(core, plugin, topic))
    assert plugin.sent(KeepaliveMessage) == []


def test_a_keepalive_request_does_not_change_where_keepalives_go_nor_when() -> None:
    net, core, plugin = connected()
    for _ in range(11):
        net.advance(10)
        plugin.handle(keepalive_request(core, plugin, "elsewhere"))
    topics = [send.topic for send in plugin.had(Send) if isinstance(send.message, KeepaliveMessage)]
    assert topics.count("orbitalis/core/plugin/keepalive") == 1


def test_only_a_remote_that_told_where_can_be_sent_keepalives() -> None:
    _, core, _ = connected()
    with pytest.raises(NoConnectionError, match="'core' knows no keepalive topic of 'stranger'"):
        core.machine.send_keepalive("stranger", 0.0)
    with pytest.raises(NoConnectionError, match="'core' knows no keepalive request topic of 'stranger'"):
        core.machine.send_keepalive_request("stranger", 0.0)
    core.do(core.machine.send_keepalive_request("plugin", 0.0))
    assert core.last_send(KeepaliveRequestMessage).topic == "orbitalis/plugin/core/keepalive-request"


# Connections that one side alone believes in


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_a_connection_that_one_side_alone_believes_in_is_closed_there(who: str) -> None:
    net, core, plugin = connected(core={"text": text_constraint(minimum=0, maximum=1)})
    believing, forgetting = (core, plugin) if who == "core" else (plugin, core)
    plugin.settings.operations = {}
    net.loses = lambda packet: isinstance(packet.message, GracelessCloseConnectionMessage)
    forgetting.do(forgetting.machine.close_gracelessly(believing.identifier, "text", None, net.now))
    net.run()
    assert believing.connections() == [forgetting.identifier]

    net.loses = lambda packet: False
    believing.do(believing.machine.reconnected(net.now))
    net.run()
    assert believing.connections() == [forgetting.identifier]
    net.advance(1)
    assert believing.connections() == []
    assert believing.had(ConnectionClosed)[-1].reason is CloseReason.REMOTE_FORGOT
    assert len(believing.topics) == 0


def test_a_keepalive_that_crossed_a_handshake_closes_nothing() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    net.deliver_until(OfferMessage)
    plugin.do(plugin.machine.send_keepalive("core", net.now))
    early = net.wire.pop()
    core.handle(plugin.packet(plugin.last_send(OfferMessage)))
    net.run()
    assert core.connections() == ["plugin"]
    for _ in range(3):
        core.handle(early)
    net.advance(10)
    assert core.connections() == ["plugin"]
    assert core.had(ConnectionClosed) == []


def test_a_core_that_slept_until_it_was_given_up_is_connected_again() -> None:
    """The plugin believes the core dead, the core hears nothing of it, and all the time its discovers arrive later."""
    for sleeper in ("core", "plugin"):
        net, core, plugin = connected()
        awake, asleep = (plugin, core) if sleeper == "core" else (core, plugin)
        net.nodes.remove(asleep)
        net.advance(121)
        assert awake.connections() == []
        # It wakes up: its own clock stood still, and what was sent to it meanwhile is lost.
        net.nodes.append(asleep)
        net.wire.clear()
        for slot in asleep.machine.slots:
            slot.last_used = net.now
        for remote in asleep.machine.peers.all():
            asleep.machine.peers.seen(remote, net.now)
        asleep.do(asleep.machine.reconnected(net.now))
        net.advance(15)
        assert core.connections() == ["plugin"]
        assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier


def test_keepalives_with_an_unknown_connection_are_not_answered_without_end() -> None:
    _, core, plugin = connected()
    message = KeepaliveMessage(from_identifier="core")
    topic = plugin.settings.topics.keepalive("core")
    mine = core.slot(plugin).connection_identifier
    for number in range(100):
        envelope = core.envelope(incarnation="00000001", open_connections=(mine, f"unknown{number}"))
        plugin.handle(Packet(topic=topic, message=message, envelope=envelope))
    assert len(plugin.sent(KeepaliveMessage)) == 1


def test_a_graceful_close_whose_acknowledgement_is_lost_ends_with_the_next_keepalives() -> None:
    net, core, plugin = connected(core={"text": text_constraint(minimum=0, maximum=1)})
    plugin.settings.operations = {}
    net.loses = lambda packet: isinstance(packet.message, CloseConnectionAckMessage)
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    net.run()
    assert core.slot(plugin).state is SlotState.CLOSING
    net.advance(120)
    assert not core.has_slot(plugin)
