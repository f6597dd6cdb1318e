"""Plugins that announce themselves: nobody waits for a discover to everybody, and nobody is taken in."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import CloseReason, ConnectionClosed, MessageReceived, RemoteLost, Send
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire import channels, limits, timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    KeepaliveMessage,
    OfferMessage,
    RequestOperationMessage,
)
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

ONE = text_constraint(minimum=1, maximum=1)


def announcing() -> Net:
    """Return a net on which plugins announce themselves."""
    net = Net()
    net.announces = True
    return net


def patient(net: Net, identifier: str = "core", **settings: Any) -> Node:
    """Add a core that asks everybody once, as nobody is there yet, and never again; start it."""
    defaults = {"discovering_interval": 1e9, "discovering_interval_when_compliant": 1e9}
    core = net.add_core(identifier, **{**defaults, **settings})
    core.start()
    core.tick()
    net.run()
    return core


def started(net: Net, identifier: str = "plugin", **settings: Any) -> Node:
    """Add a plugin and start it."""
    plugin = net.add_plugin(identifier, **settings)
    plugin.start()
    net.run()
    return plugin


def directed(core: Node) -> list[Send]:
    return [send for send in core.had(Send) if send.channel is channels.DIRECTED_DISCOVER]


def announcement(plugin: Node, **headers: Any) -> Packet:
    """Return the last announcement of a plugin, also one that was changed."""
    return plugin.packet(plugin.last_send(AnnounceMessage)).changed(**headers)


def test_a_plugin_that_starts_late_is_connected_at_once() -> None:
    net = announcing()
    core = patient(net, text=ONE)
    plugin = started(net, operations={"text": Terms(), "other": Terms()})
    assert core.connections() == ["plugin"]
    (sent,) = plugin.sent(AnnounceMessage)
    assert sent == AnnounceMessage(
        plugin_identifier="plugin",
        operation_names=["text", "other"],
        discover_topic="orbitalis/plugin/-/discover",
    )
    assert plugin.last_send(AnnounceMessage).topic == "$handshake.announce"
    (send,) = directed(core)
    assert send.topic == "orbitalis/plugin/core/discover"
    assert send.encoding is Encoding.JSON
    assert send.late_offers
    assert send.correlation_identifier == plugin.last_send(AnnounceMessage).event_identifier
    assert core.had(MessageReceived)[0].message == sent


def test_nobody_else_is_asked() -> None:
    net = announcing()
    core = patient(net)
    first = started(net, "first")
    second = started(net, "second")
    assert core.connections() == ["first", "second"]
    assert len(first.had(MessageReceived)) == len(second.had(MessageReceived)) == 2
    assert len(core.sent(DiscoverMessage)) == 3


@pytest.mark.parametrize(
    "needs",
    [
        {"other": Requirement(ONE)},
        {"text": Requirement(text_constraint(minimum=1, blocklist=["plugin"]))},
        {"text": Requirement(text_constraint(minimum=1, allowlist=["another"]))},
        {"text": Requirement(text_constraint(maximum=0, mandatory=["another"]))},
        {},
    ],
)
def test_a_plugin_that_has_nothing_to_give_is_not_asked(needs: dict[str, Requirement]) -> None:
    net = announcing()
    core = patient(net, operation_requirements=needs)
    plugin = started(net)
    assert directed(core) == []
    assert len(plugin.had(MessageReceived)) == 0


def test_a_core_that_has_all_it_wants_asks_nobody() -> None:
    net = announcing()
    core = patient(net, text=ONE)
    started(net, "first")
    started(net, "second")
    assert core.connections() == ["first"]
    assert len(directed(core)) == 1


def test_everything_that_is_wanted_of_the_plugin_is_asked_at_once() -> None:
    net = announcing()
    needs = {
        "text": Requirement(ONE),
        "other": Requirement(ONE),
        "third": Requirement(text_constraint(minimum=1, blocklist=["plugin"])),
    }
    core = patient(net, operation_requirements=needs)
    plugin = started(net)
    assert list(core.sent(DiscoverMessage)[-1].queries) == ["text", "other"]
    # What it had not then, it remembers.
    plugin.settings.operations = {"text": Terms(), "other": Terms()}
    plugin.tick()
    net.run()
    assert core.connections("other") == ["plugin"]


def test_a_discover_to_everybody_that_is_due_serves_as_well() -> None:
    net = announcing()
    core = net.add_core(text=ONE)
    core.start()
    plugin = started(net)
    assert core.connections() == ["plugin"]
    assert directed(core) == []
    assert len(plugin.sent(OfferMessage)) == 1


def test_operations_that_are_added_are_announced_together_and_policies_never() -> None:
    net = announcing()
    plugin = started(net)
    core = patient(net, operation_requirements={"a": Requirement(ONE), "b": Requirement(ONE)}, late_offers=False)
    assert core.connections("a") == []
    plugin.settings.operations = {"text": Terms(), "a": Terms(), "b": Terms()}
    plugin.tick()
    net.run()
    assert core.connections("a") == core.connections("b") == ["plugin"]
    assert len(plugin.sent(AnnounceMessage)) == 2
    plugin.settings.operations["a"].policy.maximum = 7
    plugin.tick()
    plugin.tick()
    assert len(plugin.sent(AnnounceMessage)) == 2
    plugin.settings.operations = {"text": Terms()}
    plugin.tick()
    assert len(plugin.sent(AnnounceMessage)) == 2
    plugin.settings.operations = {"text": Terms(), "a": Terms()}
    plugin.tick()
    assert len(plugin.sent(AnnounceMessage)) == 3


def test_a_plugin_that_was_cut_off_announces_itself_again_unless_it_is_leaving() -> None:
    net = announcing()
    plugin = started(net)
    plugin.do(plugin.machine.reconnected(net.now))
    assert len(plugin.sent(AnnounceMessage)) == 2
    plugin.do(plugin.machine.leave())
    plugin.do(plugin.machine.reconnected(net.now))
    assert len(plugin.sent(AnnounceMessage)) == 2


def test_a_core_that_is_leaving_asks_nobody() -> None:
    net = announcing()
    core = patient(net)
    core.do(core.machine.leave())
    asked = len(core.sent(DiscoverMessage))
    started(net)
    assert len(core.sent(DiscoverMessage)) == asked
    assert core.connections() == []


# Restarts


def restarted(**settings: Any) -> tuple[Net, Node, Node]:
    """Return a core that has all it wants of a plugin, which has crashed and come back before anybody noticed."""
    net = announcing()
    core = patient(net, **{"text": ONE, **settings})
    plugin = started(net)
    assert core.connections() == ["plugin"]
    core.effects.clear()
    plugin.crash()
    plugin.start()
    return net, core, plugin


def test_a_core_at_its_maximum_notices_at_once_that_a_plugin_has_started_anew() -> None:
    net, core, plugin = restarted()
    old = core.slot(plugin)
    net.run()
    assert [closed.reason for closed in core.had(ConnectionClosed)] == [CloseReason.REMOTE_RESTARTED]
    assert len(core.had(RemoteLost)) == 1
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
    assert core.slot(plugin) is not old
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier
    assert core.requester.compliant
    assert len(core.sent(DiscoverMessage)) == 1


def test_a_mandatory_plugin_that_has_started_anew_is_noticed_as_well() -> None:
    net, core, _ = restarted(text=text_constraint(maximum=0, mandatory=["plugin"]))
    net.run()
    assert len(core.had(ConnectionClosed)) == 1
    assert core.connections() == ["plugin"]


def test_a_plugin_that_has_started_anew_with_nothing_to_give_says_so() -> None:
    net, core, plugin = restarted()
    plugin.settings.operations = {}
    net.run()
    assert len(plugin.sent(KeepaliveMessage)) == 1
    assert core.connections() == []
    assert not core.requester.compliant
    assert_sane(core)


def test_a_request_to_the_earlier_life_is_given_up() -> None:
    net = announcing()
    core, plugin = patient(net, text=ONE), net.add_plugin()
    plugin.start()
    net.deliver_until(RequestOperationMessage)
    assert core.slot(plugin).state is SlotState.REQUESTED
    plugin.crash()
    plugin.start()
    net.run()
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]


def test_an_announcement_alone_ends_nothing() -> None:
    """Anybody can publish one. The plugin that lives answers that it does."""
    net, core, plugin = restarted()
    net.run()
    core.effects.clear()
    slot = core.slot(plugin)
    for incarnation in ("00000009", "z", None, "00000001", "", "00000002"):
        net.wire.append(announcement(plugin, incarnation=incarnation))
        net.run()
    assert core.slot(plugin) is slot
    assert core.had(ConnectionClosed) == []
    assert core.had(RemoteLost) == []
    assert plugin.connections() == ["core"]
    assert len(directed(core)) == 4, "once for each incarnation that is neither current nor past"
    # What the real plugin says is believed afterwards as before.
    plugin.do(plugin.machine.send_keepalive("core", net.now))
    remote = core.machine.peers.get("plugin")
    assert remote is not None
    assert remote.incarnation == "00000002"
    assert_sane(core)
    assert_sane(plugin)


def test_an_announcement_of_an_earlier_life_is_ignored() -> None:
    net, core, plugin = restarted()
    net.run()
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()
    core.effects.clear()
    core.handle(announcement(plugin, incarnation="00000001"))
    assert core.effects == []
    core.handle(announcement(plugin))
    assert len(directed(core)) == 1


def test_an_announcement_is_no_sign_of_life() -> None:
    net, core, plugin = restarted()
    net.run()
    net.nodes.remove(plugin)
    forged = announcement(plugin)
    for _ in range(int(timings.CONSIDERED_DEAD_AFTER) + 1):
        net.now += 1
        core.tick()
        core.handle(forged)
    assert core.connections() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"plugin_identifier": "other"},
        {"plugin_identifier": "a/b"},
        {"plugin_identifier": ""},
        {"discover_topic": "orbitalis/other/-/discover"},
        {"discover_topic": "orbitalis/plugin/other/discover"},
        {"discover_topic": "orbitalis/plugin/-/reply"},
        {"discover_topic": "orbitalis/#"},
        {"discover_topic": ""},
    ],
)
def test_what_an_announcement_tells_is_held_against_who_tells_it(fields: dict[str, str]) -> None:
    net = announcing()
    core = patient(net, text=ONE)
    plugin = net.add_plugin()
    plugin.start()
    net.wire.clear()
    with pytest.raises(RemoteProtocolError):
        core.handle(announcement(plugin).changed(message=fields))
    assert directed(core) == []
    assert len(core.machine.peers) == 0


def test_invented_plugins_leave_nothing_behind_and_are_not_all_asked() -> None:
    net = announcing()
    core = patient(net)
    plugin = net.add_plugin()
    plugin.start()
    net.wire.clear()
    for number in range(3 * limits.DIRECTED_DISCOVERS):
        invented = {"plugin_identifier": f"p{number}", "discover_topic": f"orbitalis/p{number}/-/discover"}
        core.handle(announcement(plugin).changed(message=invented))
    assert len(directed(core)) == limits.DIRECTED_DISCOVERS
    assert len(core.machine.peers) == len(core.machine.slots) == 0
    net.now += timings.DIRECTED_DISCOVERS_INTERVAL
    core.handle(announcement(plugin))
    net.run()
    assert core.connections() == ["plugin"]
    assert_sane(core)


# What is meant for one plugin alone


def test_an_offer_that_is_under_way_is_not_repeated() -> None:
    """The core has asked everybody before it heard of the plugin, which was there already."""
    net = announcing()
    core, plugin = net.add_core(text=ONE, discovering_interval=1e9), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    net.run()
    assert len(core.sent(DiscoverMessage)) == 2
    assert len(plugin.sent(OfferMessage)) == len(core.sent(RequestOperationMessage)) == 1
    assert plugin.sent(KeepaliveMessage) == []
    assert core.connections() == ["plugin"]


def test_a_directed_discover_of_another_incarnation_has_an_offer_repeated() -> None:
    """The one before has asked everybody, and ended before it has taken its offer."""
    net = announcing()
    core, plugin = net.add_core(text=ONE), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    asked = net.deliver_until(DiscoverMessage)
    while not isinstance(asked.message, DiscoverMessage) or asked.topic != channels.DISCOVER.address:
        asked = net.deliver_until(DiscoverMessage)
    plugin.handle(asked)
    assert len(plugin.sent(OfferMessage)) == 1

    plugin.handle(asked.changed(topic="orbitalis/plugin/core/discover", incarnation="another"))

    assert len(plugin.sent(OfferMessage)) == 2


def test_a_directed_discover_without_an_offer_is_answered_by_a_keepalive() -> None:
    net = announcing()
    core = patient(net, text=ONE)
    plugin = started(net, policy=Policy(maximum=0))
    (send,) = plugin.had(Send)[1:]
    assert send.topic == "orbitalis/core/plugin/keepalive"
    assert send.correlation_identifier == core.last_send(DiscoverMessage).event_identifier
    assert send.open_connections == ()
    assert len(plugin.machine.peers) == 0
    plugin.settings.operations["text"].policy.maximum = 1
    plugin.tick()
    net.run()
    assert core.connections() == ["plugin"]


def test_a_peer_that_knows_no_announcements_is_found_as_before() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=2))
    older = net.add_plugin("older", has_headers=False)
    net.start()
    assert core.connections() == ["older"]
    net.announces = True
    started(net)
    assert core.connections() == ["older", "plugin"]
    assert older.connections() == ["core"]
