"""Peers that send no headers: they are served as the messages alone allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import CloseReason, ConnectionClosed
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import text_constraint
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


def test_older_peers_are_connected_and_written_json() -> None:
    for older in ("core", "plugin"):
        _, core, plugin = connected(older)
        newer = plugin if older == "core" else core
        last = (
            plugin.last_send(ConfirmConnectionMessage) if older == "core" else core.last_send(RequestOperationMessage)
        )
        assert last.encoding is Encoding.JSON
        remote = newer.machine.peers.all()[0]
        assert remote.incarnation is None


def test_an_older_core_gets_no_late_offer_and_hears_no_announcement() -> None:
    net = Net()
    net.announces = True
    core = net.add_core(has_headers=False, discovering_interval=1e9)
    core.start()
    core.tick()
    net.run()
    plugin = net.add_plugin(policy=Policy(maximum=0))
    plugin.start()
    core.ask()
    net.run()
    assert len(plugin.sent(AnnounceMessage)) == 1
    assert len(core.sent(DiscoverMessage)) == 2
    plugin.settings.operations["text"].policy.maximum = 1
    plugin.tick()
    assert plugin.sent(OfferMessage) == []
    core.ask()
    net.run()
    assert core.connections() == ["plugin"]


def test_an_older_core_that_has_started_anew_replaces_its_connection() -> None:
    net, core, plugin = connected("core")
    first = plugin.slot(core)
    core.crash()
    core.start()
    net.advance(3)
    assert core.connections() == ["plugin"]
    assert plugin.slot(core) is not first
    assert [closed.reason for closed in plugin.had(ConnectionClosed)] == [CloseReason.REMOTE_FORGOT]
    assert len(plugin.topics) == 2


def test_an_older_plugin_that_has_started_anew_replaces_its_connection() -> None:
    net, core, plugin = connected("plugin")
    first = core.slot(plugin)
    plugin.crash()
    plugin.start()
    net.advance(11)
    assert plugin.connections() == ["core"]
    assert core.connections() == ["plugin"]
    assert core.slot(plugin) is not first
    assert [closed.reason for closed in core.had(ConnectionClosed)] == [CloseReason.REMOTE_FORGOT]
    assert core.requester.compliant


def test_an_older_core_gets_a_slot_that_is_free_though_its_offer_has_expired() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin(policy=Policy(maximum=1))
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    plugin.do(plugin.machine.discard_expired(net.now + 60))
    assert not plugin.has_slot(core)
    net.wire.append(request)
    net.run()
    assert core.connections() == ["plugin"]
    # Now that none is free, another one comes too late.
    stranger = {
        "core_identifier": "stranger",
        "response_topic": "responses",
        "output_topic": "outputs",
        "core_side_close_operation_connection_topic": "closes",
    }
    plugin.handle(request.changed(topic="elsewhere", message=stranger))
    assert plugin.last_send(OperationNoLongerAvailableMessage).topic == "responses"
    assert plugin.machine.slots.count("text") == 1


def test_the_same_request_of_an_older_core_twice_makes_one_connection() -> None:
    _, core, plugin = connected("core")
    request = core.packet(core.last_send(RequestOperationMessage))
    before = plugin.slot(core)
    plugin.handle(request)
    assert plugin.slot(core) is before
    assert len(plugin.sent(ConfirmConnectionMessage)) == 2


def test_a_reject_of_an_older_core_frees_the_slot_but_ends_no_connection() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    net.deliver_until(OfferMessage)
    topic = plugin.settings.topics.reply("core")
    reject = RejectOperationMessage(core_identifier="core", operation_name="text")
    packet = replace(core.packet(core.last_send(DiscoverMessage)), topic=topic, message=reject)
    plugin.handle(packet)
    assert not plugin.has_slot(core)

    net, core, plugin = connected("core")
    plugin.handle(packet)
    assert plugin.connections() == ["core"]


def test_an_older_plugin_may_confirm_what_is_requested_and_nothing_else() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(has_headers=False)
    for node in net.nodes:
        node.start()
    core.tick()
    confirm = net.deliver_until(ConfirmConnectionMessage)
    core.handle(confirm.changed(message={"operation_name": "other"}))
    assert core.slot(plugin).state is SlotState.REQUESTED
    core.handle(confirm)
    core.handle(confirm)
    assert core.connections() == ["plugin"]
    assert core.had(ConnectionClosed) == []


def test_an_older_peer_that_is_known_to_send_headers_is_none() -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=1)), net.add_plugin()
    net.start()
    plugin.has_headers = False
    offer = plugin.packet(plugin.last_send(OfferMessage))
    core.handle(offer.changed(topic=core.settings.topics.offer_of_anybody))
    assert core.connections() == ["plugin"]
    assert core.had(ConnectionClosed) == []


def test_a_peer_that_begins_to_send_headers_has_started_anew() -> None:
    net, core, plugin = connected("plugin", text=text_constraint(minimum=1))
    plugin.crash()
    plugin.has_headers = True
    plugin.start()
    net.advance(11)
    assert core.connections() == ["plugin"]
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier
