"""Floods in invented names: nothing grows beyond its bound, all is counted, and neighbours are served meanwhile."""

from __future__ import annotations

import os
from typing import Any

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.limits import Limits
from orbitalis_wire import limits, timings
from tests.security.flood import FLOODS, MEMORY_BOUND, flood_in_process
from tests.security.hostile import CORE_FLOODS, PLUGIN_FLOODS, announcement, discover, offer
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Terms, text_constraint
from tests.support.machines import Net, Node

EVENTS = int(os.environ.get("ORBITALIS_FLOOD_EVENTS", "15000"))
NARROW: dict[str, Any] = {
    "known_remotes": 40,
    "pending_requests": 20,
    "pending_bytes": 100_000,
    "stranger_events_per_second": 1e9,
    "unfamiliar_schema_bytes_per_second": 1e4,
}


def besieged(role: str, **settings: Any) -> tuple[Net, Node, Node]:
    """Return a net with a victim that is connected with a neighbour."""
    net = Net()
    if role == "plugin":
        victim, neighbour = net.add_plugin(**settings), net.add_core(text=text_constraint(minimum=1))
    else:
        victim, neighbour = net.add_core(text=text_constraint(minimum=1), **settings), net.add_plugin()
    net.start()
    assert victim.connections() == [neighbour.identifier]
    return net, victim, neighbour


@pytest.mark.parametrize("kind", FLOODS)
def test_no_flood_exceeds_a_bound_or_ends_a_connection(kind: str) -> None:
    role, name = kind.split(": ")
    make = (PLUGIN_FLOODS if role == "plugin" else CORE_FLOODS)[name]
    net, victim, neighbour = besieged(role, limits=Limits(**NARROW))
    for number in range(400):
        net.now += 0.01
        victim.handle(make(number))
        victim.tick()
        net.run()
        if number % 40 == 0:
            assert_sane(victim)
        victim.effects.clear()
    machine = victim.machine
    assert_sane(victim)
    assert len(machine.slots) <= 21
    assert machine.slots.pending_bytes <= 100_000 + limits.SCHEMA_BYTES
    assert len(machine.peers) <= 40
    assert victim.connections() == [neighbour.identifier]
    counted = machine.statistics
    if "discovers" in name or "offers" in name:
        assert counted.crowded_out + counted.turned_away + counted.unread_schemas > 200
    elif "schemas" in name:
        assert counted.unread_schemas > 100
    elif name not in ("announcements", "keepalives", "confirms", "requests"):
        assert counted.ignored == 400


@pytest.mark.parametrize("kind", ["plugin: discovers", "plugin: large discovers", "core: large offers"])
def test_memory_stays_below_the_bound(kind: str) -> None:
    outcome = flood_in_process(kind, EVENTS, paced=False)
    print(outcome)
    assert outcome.grown_bytes < MEMORY_BOUND
    assert outcome.neighbours_kept


def test_who_comes_during_a_flood_is_connected_soon() -> None:
    outcome = flood_in_process("plugin: discovers", EVENTS, per_second=2000)
    print(outcome)
    assert outcome.newcomer_connected
    assert outcome.newcomer_seconds < 2 * timings.DISCOVERING_INTERVAL + timings.CONTESTED_AFTER


def test_whom_the_user_has_named_is_served_at_once_though_strangers_take_all_there_is() -> None:
    net, plugin, _ = besieged("plugin", policy=Policy(blocklist=["nobody"]), limits=Limits(**{**NARROW, **_RATES}))
    plugin.settings.operations["other"] = plugin.settings.operations["text"]  # type: ignore[index]
    plugin.settings.operations["named"] = type(plugin.settings.operations["text"])(policy=Policy(allowlist=["friend"]))  # type: ignore[index]
    first = _exhaust(net, plugin)
    friend = net.add_core("friend")
    friend.start()
    friend.tick()
    for number in range(first, first + 100):
        plugin.handle(discover(number))
        net.run()
    assert "friend" in plugin.connections()
    stranger = net.add_core("stranger")
    stranger.start()
    stranger.tick()
    net.run()
    assert "stranger" not in plugin.connections()
    assert plugin.machine.statistics.too_fast_strangers > 100


def test_a_mandatory_plugin_is_served_at_once_though_strangers_take_all_there_is() -> None:
    net, core, neighbour = besieged("core", limits=Limits(**{**NARROW, **_RATES}))
    core.settings.operation_requirements["text"].constraint.mandatory.append("friend")
    for number in range(1000):
        core.handle(offer(number))
    assert core.machine.statistics.too_fast_strangers > 0
    assert core.machine.slots.pending_count == 20
    net.wire.clear()
    friend = net.add_plugin("friend")
    friend.start()
    net.now += timings.DISCOVERING_INTERVAL
    core.tick()
    for number in range(1000, 1100):
        core.handle(offer(number))
    net.run()
    assert sorted(core.connections()) == ["friend", neighbour.identifier]


_RATES = {"stranger_events_per_second": 50.0}


def _exhaust(net: Net, plugin: Node) -> int:
    for number in range(1000):
        plugin.handle(discover(number))
    assert plugin.machine.slots.pending_count == 20
    assert plugin.machine.statistics.too_fast_strangers > 0
    net.wire.clear()
    return 1000


def test_an_answer_that_may_be_on_its_way_is_waited_for() -> None:
    net, plugin, _ = besieged("plugin", limits=Limits(**NARROW))
    for number in range(20):
        plugin.handle(discover(number))
    first = plugin.machine.slots.get("invented-0", "text")
    assert first is not None
    for number in range(20, 100):
        plugin.handle(discover(number))
    assert plugin.machine.slots.get("invented-0", "text") is first
    net.now += timings.CONTESTED_AFTER
    plugin.handle(discover(100))
    assert plugin.machine.slots.get("invented-0", "text") is None
    assert plugin.machine.slots.get("invented-100", "text") is not None
    assert plugin.machine.statistics.crowded_out == 1


def test_when_all_remotes_that_may_be_known_are_connected_no_other_is_offered_anything() -> None:
    net = Net()
    plugin = net.add_plugin(limits=Limits(known_remotes=3))
    cores = [net.add_core(f"core{number}") for number in range(4)]
    net.start()
    assert plugin.connections() == ["core0", "core1", "core2"]
    assert plugin.machine.statistics.turned_away > 0
    cores[0].stop()
    net.run()
    net.advance(timings.DISCOVERING_INTERVAL)
    assert plugin.connections() == ["core1", "core2", "core3"]
    assert_sane(plugin)


def test_connections_take_only_so_much_memory_but_for_those_with_whom_the_user_has_named() -> None:
    net = Net()
    policy = Policy(allowlist=["friend"])
    plugin = net.add_plugin(
        operations={"text": Terms(), "named": Terms(policy=policy)}, limits=Limits(connection_bytes=6_000)
    )
    plugin.start()
    strangers = [net.add_core(f"core{number}", text=text_constraint()) for number in range(20)]
    for core in strangers:
        core.setup_data = bytes(100_000)
        core.start()
        core.tick()
        net.run()
    connected = plugin.connections()
    assert 1 < len(connected) < 10
    assert sum(len(core.connections()) for core in strangers) == len(connected)
    assert 6_000 <= plugin.machine.slots.connection_bytes < 8_000
    assert plugin.machine.statistics.turned_away > 0
    friend = net.add_core("friend", text=text_constraint())
    friend.start()
    friend.tick()
    net.run()
    assert "friend" in plugin.connections()
    strangers[0].stop()
    net.run()
    net.advance(timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT)
    assert_sane(plugin)
    for core in (*strangers, friend):
        core.stop()
    net.run()
    assert plugin.machine.slots.connection_bytes == 0


def test_announcements_of_strangers_cause_a_bounded_number_of_discovers() -> None:
    net, core, _ = besieged("core", limits=Limits(**NARROW))
    core.effects.clear()
    for number in range(1000):
        core.handle(announcement(number))
    assert len(net.wire) <= limits.DIRECTED_DISCOVERS + 1
    assert len(core.machine.peers) == 1


def test_an_unanswered_offer_to_a_neighbour_that_has_a_connection_is_not_given_up() -> None:
    operations = {"text": Terms(), "other": Terms()}
    net = Net()
    plugin = net.add_plugin(operations=operations, limits=Limits(**NARROW))
    core = net.add_core(text=text_constraint(minimum=1))
    net.start()
    plugin.do(plugin.plugin.send_offer("core", "offers", ["other"], net.now))
    net.wire.clear()
    net.now += 2 * timings.CONTESTED_AFTER
    for number in range(200):
        net.now += timings.CONTESTED_AFTER / 10
        plugin.handle(discover(number))
    assert plugin.machine.statistics.crowded_out > 100
    assert plugin.has_slot(core, "other")
    assert_sane(plugin)
