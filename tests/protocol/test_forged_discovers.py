"""Anybody may publish discovers: what they say of their sender is believed when the sender itself says so."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import CloseReason, ConnectionClosed, RemoteLost
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire import timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    DiscoverMessage,
    KeepaliveMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

ONE = text_constraint(minimum=1, maximum=1)


def connected(**plugin: Any) -> tuple[Net, Node, Node]:
    """Return a net with a core and a plugin that are connected."""
    net = Net()
    nodes = net.add_core(text=ONE), net.add_plugin(**plugin)
    net.start()
    assert nodes[0].connections() == ["plugin"]
    return net, *nodes


def forged(core: Node, incarnation: str | None = "9", **message: Any) -> Packet:
    """Return a discover in a core's name, of an incarnation that it is not in."""
    return core.packet(core.last_send(DiscoverMessage)).changed(incarnation=incarnation, message=message)


@pytest.mark.parametrize("incarnation", ["9", "00000002", "00000000", "", None])
def test_it_ends_no_connection(incarnation: str | None) -> None:
    net, core, plugin = connected()
    before = core.slot(plugin).connection_identifier
    for _ in range(20):
        plugin.handle(forged(core, incarnation))
        net.run()
        net.advance(1)
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier == before
    assert not plugin.had(RemoteLost)
    assert not plugin.had(ConnectionClosed)
    net.advance(10 * timings.CONSIDERED_DEAD_AFTER)
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier == before


def test_the_core_refuses_what_is_offered_again_in_its_name() -> None:
    net, core, plugin = connected()
    plugin.handle(forged(core))
    net.run()
    assert len(plugin.sent(OfferMessage)) == 2
    assert [reject.description for reject in core.sent(RejectOperationMessage)] == ["connected already"]
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]


def test_it_changes_nothing_that_a_core_in_its_known_life_has_told() -> None:
    net, core, plugin = connected()
    remote = plugin.machine.peers.get("core")
    assert remote is not None
    told = remote.keepalive_topic, remote.keepalive_request_topic, remote.considers_me_dead_after
    elsewhere = {"core_keepalive_topic": "elsewhere", "core_keepalive_request_topic": "elsewhere"}
    plugin.handle(forged(core, **elsewhere, considered_dead_after=1e9))
    assert (remote.keepalive_topic, remote.keepalive_request_topic, remote.considers_me_dead_after) == told
    assert remote.incarnation == "00000001"
    plugin.effects.clear()
    net.advance(timings.CONSIDERED_DEAD_AFTER)
    assert plugin.sent(KeepaliveMessage)


def test_it_is_no_sign_of_life() -> None:
    net, core, plugin = connected()
    core.crash()
    while plugin.connections():
        assert net.now < 1_000 + 2 * timings.CONSIDERED_DEAD_AFTER
        plugin.handle(forged(core))
        net.advance(1)
    assert plugin.had(RemoteLost) == [RemoteLost(remote_identifier="core", reason=CloseReason.REMOTE_DEAD)]


def test_a_core_that_was_forged_before_it_was_known_is_served() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE), net.add_plugin(policy=Policy(maximum=1))
    plugin.start()
    core.start()
    core.tick()
    true = net.wire.pop()
    plugin.handle(true.changed(incarnation="9"))
    assert plugin.slot(core).state is SlotState.OFFERED
    net.wire.append(true)
    net.run()
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
    assert plugin.had(RemoteLost) == []
    assert_sane(plugin)


def test_until_a_core_speaks_for_itself_the_last_discover_in_its_name_counts() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE), net.add_plugin()
    plugin.start()
    core.start()
    core.tick()
    true = net.wire.pop()
    plugin.handle(true.changed(incarnation="9", message={"core_keepalive_topic": "elsewhere"}))
    plugin.handle(true)
    remote = plugin.machine.peers.get("core")
    assert remote is not None
    assert (remote.incarnation, remote.claim) == ("00000001", None)
    assert remote.keepalive_topic == "orbitalis/core/plugin/keepalive"


def test_a_core_that_has_started_anew_takes_its_slot_over_with_its_request() -> None:
    net, core, plugin = connected(policy=Policy(maximum=1))
    rival = net.add_core("rival", text=ONE)
    rival.start()
    rival.tick()
    net.run()
    first = plugin.slot(core).connection_identifier
    core.crash()
    core.start()
    core.tick()
    net.deliver_until(RequestOperationMessage)
    assert plugin.slot(core).connection_identifier == first
    assert plugin.had(ConnectionClosed) == []

    net.wire.append(core.packet(core.last_send(RequestOperationMessage)))
    net.run()
    assert [closed.reason for closed in plugin.had(ConnectionClosed)] == [CloseReason.REMOTE_RESTARTED]
    assert core.connections() == ["plugin"]
    assert plugin.slot(core).connection_identifier == core.slot(plugin).connection_identifier != first
    assert not plugin.has_slot(rival)


@pytest.mark.parametrize("state", [SlotState.PREPARING, SlotState.CLOSING, SlotState.DRAINING])
def test_a_slot_in_any_state_can_be_taken_over(state: SlotState) -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE), net.add_plugin(policy=Policy(maximum=1))
    plugin.prepares = state is not SlotState.PREPARING
    plugin.drains = False
    net.start()
    if state is SlotState.CLOSING:
        plugin.do(plugin.machine.close_gracefully("core", "text", None, net.now))
    elif state is SlotState.DRAINING:
        core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
        net.run()
    assert plugin.slot(core).state is state
    net.wire.clear()
    core.crash()
    plugin.prepares = True
    core.start()
    core.tick()
    net.run()
    assert core.connections() == ["plugin"]
    assert plugin.slot(core).connection_identifier == core.slot(plugin).connection_identifier
    assert_sane(plugin)
    assert_sane(core)


def test_what_the_next_life_told_counts_once_it_is_certain() -> None:
    net, core, plugin = connected()
    core.crash()
    core.settings.consider_others_dead_after = 7.0
    core.start()
    core.tick()
    net.deliver_until(RequestOperationMessage)
    remote = plugin.machine.peers.get("core")
    assert remote is not None
    assert remote.considers_me_dead_after == timings.CONSIDERED_DEAD_AFTER
    net.wire.append(core.packet(core.last_send(RequestOperationMessage)))
    net.run()
    assert (remote.considers_me_dead_after, remote.incarnation, remote.claim) == (7.0, "00000002", None)


def test_of_an_event_that_claims_a_next_life_nothing_is_kept_but_what_it_says() -> None:
    _, core, plugin = connected()
    plugin.handle(forged(core).changed(serialized_payload=b"x" * 1_000_000))
    remote = plugin.machine.peers.get("core")
    assert remote is not None
    assert remote.claim is not None
    assert len(repr(remote.claim)) < 1_000


def test_while_there_may_be_a_next_life_it_is_written_what_every_peer_reads() -> None:
    net, core, plugin = connected()
    plugin.handle(forged(core))
    assert plugin.last_send(OfferMessage).encoding is Encoding.JSON
    net.run()
    assert core.connections() == ["plugin"]


def test_what_the_next_incarnation_waits_for_is_kept_when_it_is_certain() -> None:
    net = Net()
    needs = {name: Requirement(ONE) for name in ("a", "b")}
    operations = {name: Terms(policy=Policy(maximum=1)) for name in ("a", "b")}
    holder = net.add_core("holder", operation_requirements={"b": Requirement(ONE)})
    plugin = net.add_plugin(operations=operations)
    net.start()
    core = net.add_core(operation_requirements=needs)
    net.start()
    assert plugin.connections("a") == ["core"]
    assert plugin.connections("b") == ["holder"]
    core.crash()
    core.start()
    core.tick()
    net.run()
    holder.do(holder.machine.close_gracelessly("plugin", "b", None, net.now))
    holder.crash()
    net.run()
    assert core.connections("a") == core.connections("b") == ["plugin"]
