"""Forged and replayed messages: they change nothing for those that they speak of, and are counted."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

import pytest

from orbitalis.errors import RemoteProtocolError
from tests.security.hostile import CORE_FLOODS, PLUGIN_FLOODS
from tests.support.invariants import assert_sane
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node, Packet


def recorded() -> tuple[Net, Node, Node, list[Packet]]:
    """Return a core and a plugin that are connected, and all that was sent until then."""
    net = Net()
    net.announces = True
    core, plugin = net.add_core(text=text_constraint(minimum=1, maximum=1)), net.add_plugin()
    heard: list[Packet] = []

    def listen(packet: Packet) -> bool:
        heard.append(packet)
        return False

    net.loses = listen
    net.start()
    for node in (core, plugin):
        assert len(node.connections()) == 1
    net.advance(300)
    return net, core, plugin, list(heard)


def replay(net: Net, packets: list[Packet]) -> None:
    for packet in packets:
        for node in net.nodes:
            if node.receives(packet.topic):
                with contextlib.suppress(RemoteProtocolError):
                    node.handle(packet)
        net.run()
        for node in net.nodes:
            assert_sane(node)


def test_a_replay_to_those_who_are_connected_changes_nothing() -> None:
    net, core, plugin, packets = recorded()
    before = core.slot(plugin), plugin.slot(core)
    for _ in range(3):
        replay(net, packets)
    assert (core.slot(plugin), plugin.slot(core)) == before
    assert all(slot.is_open for slot in before)
    assert len(core.machine.slots) == len(plugin.machine.slots) == 1
    assert core.machine.statistics.ignored + plugin.machine.statistics.ignored > 0


def test_a_replay_after_a_close_connects_nobody() -> None:
    net, core, plugin, packets = recorded()
    core.do(core.machine.leave())
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    net.run()
    replay(net, packets)
    assert core.connections() == plugin.connections() == []
    assert len(core.machine.slots) == 0


def test_a_replay_to_a_plugin_that_has_started_anew_makes_it_believe_in_no_connection() -> None:
    net, core, plugin, packets = recorded()
    core.stop()
    net.run()
    plugin.stop()
    net.wire.clear()
    plugin.start()
    net.wire.clear()
    replay(net, packets)
    net.wire.clear()
    assert plugin.connections() == []
    net.advance(61)
    assert len(plugin.machine.slots) == 0


@pytest.mark.parametrize("role", ["plugin", "core"])
def test_what_is_sent_in_the_name_of_another_on_a_topic_of_ones_own_is_refused(role: str) -> None:
    _, core, plugin, _ = recorded()
    victim, neighbour = (plugin, core) if role == "plugin" else (core, plugin)
    floods = PLUGIN_FLOODS if role == "plugin" else CORE_FLOODS
    state = victim.slot(neighbour).state
    count = 0
    for name, make in floods.items():
        packet = make(1)
        if not packet.topic.startswith("orbitalis/"):
            continue  # such topics name no sender
        (field,) = {"core_identifier", "plugin_identifier", "from_identifier"} & set(type(packet.message).__slots__)
        forged = packet.changed(message={field: neighbour.identifier})
        with pytest.raises(RemoteProtocolError, match="is for 'invented-1"):
            victim.handle(forged)
        count += 1
        assert victim.slot(neighbour).state is state, name
    assert victim.machine.statistics.refused == count > 4


@pytest.mark.parametrize("role", ["plugin", "core"])
def test_a_guess_at_another_connection_closes_rejects_and_confirms_nothing(role: str) -> None:
    net, core, plugin, _ = recorded()
    victim, neighbour = (plugin, core) if role == "plugin" else (core, plugin)
    slot = victim.slot(neighbour)
    for name, make in (PLUGIN_FLOODS if role == "plugin" else CORE_FLOODS).items():
        if name not in ("rejects", "graceless closes", "graceful closes", "close acks", "confirms"):
            continue
        packet = make(1)
        (field,) = {"core_identifier", "plugin_identifier", "from_identifier"} & set(type(packet.message).__slots__)
        topic = packet.topic.replace("invented-1", neighbour.identifier)
        for _ in range(10):
            victim.handle(packet.changed(topic=topic, message={field: neighbour.identifier}, incarnation="00000001"))
        net.run()
        assert victim.slot(neighbour) is slot, name
        assert slot.is_open, name
    assert asdict(victim.machine.statistics)["ignored"] >= 20


@pytest.mark.parametrize("bad", ["a/b", "a+", "#", "a\0b", "a\nb", "", "x" * 256, "\ud800"])
def test_no_identifier_breaks_out_of_its_level(bad: str) -> None:
    _, core, plugin, _ = recorded()
    for victim, floods in ((plugin, PLUGIN_FLOODS), (core, CORE_FLOODS)):
        before = victim.machine.statistics.refused
        for make in floods.values():
            packet = make(1)
            (field,) = {"core_identifier", "plugin_identifier", "from_identifier"} & set(type(packet.message).__slots__)
            with contextlib.suppress(RemoteProtocolError):
                victim.handle(packet.changed(topic="elsewhere", message={field: bad}))
            assert_sane(victim)
        assert victim.machine.statistics.refused > before
        assert victim.machine.peers.get(bad) is None
