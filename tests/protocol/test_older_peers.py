"""Peers that send no headers: they are served as the messages alone allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orbitalis.message import Input, Output
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import CloseReason, ConnectionClosed, Send
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Packet
from tests.support.older_peers import connected
from tests.support.restarts import known


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


@pytest.mark.parametrize("stops", [False, True], ids=["is killed", "stops"])
@pytest.mark.parametrize("lives", [False, True], ids=["handshake first", "keepalive first"])
@pytest.mark.parametrize(
    ("older", "kind", "within"), [("core", RequestOperationMessage, 3.0), ("plugin", OfferMessage, 11.0)]
)
def test_what_an_older_peer_says_once_after_it_has_started_anew_counts(
    older: str, kind: type[object], within: float, lives: bool, stops: bool
) -> None:
    """What it has offered or requested it does not offer or request again until that expires, after a minute."""
    settings: dict[str, Any] = {
        "operation_requirements": {name: Requirement(text_constraint(minimum=1, maximum=1)) for name in ("a", "b")},
        "consider_others_dead_after": None,
    }
    net = Net()
    core = net.add_core(has_headers=older != "core", **settings)
    plugin = net.add_plugin(operations={"a": Terms(), "b": Terms()}, has_headers=older != "plugin")
    net.start()
    who, other = (core, plugin) if older == "core" else (plugin, core)
    (who.stop if stops else who.crash)()
    net.run()
    assert other.connections("a") == ([] if stops else [older])
    said: set[str] = set()

    def is_said_again(packet: Packet) -> bool:
        """Note what the peer has said; an older one has one offer for all that is asked for."""
        message = packet.message
        if not isinstance(message, kind):
            return False
        names = [message.operation_name] if isinstance(message, RequestOperationMessage) else ["all"]
        again = said.issuperset(names)
        said.update(names)
        return again

    net.loses = is_said_again
    who.start()
    if lives:
        topic = other.settings.topics.keepalive(older)
        alive = Packet(topic=topic, message=KeepaliveMessage(from_identifier=older), envelope=who.envelope())
        other.handle(alive)
    net.advance(within)
    for name in ("a", "b"):
        assert core.connections(name) == ["plugin"]
        assert plugin.connections(name) == ["core"]
    assert core.requester.compliant


@pytest.mark.parametrize("older", ["core", "plugin"])
def test_an_older_peer_may_have_several_bus_clients(older: str) -> None:
    net, core, plugin = connected(older)
    who, other = (core, plugin) if older == "core" else (plugin, core)
    slot = other.slot(who)
    topic = other.settings.topics.keepalive(older)
    for client in ("first", "second", "first"):
        net.now += 20
        envelope = who.envelope(publisher_identifier=client)
        other.handle(Packet(topic=topic, message=KeepaliveMessage(from_identifier=older), envelope=envelope))
        assert other.machine.data_received(slot, envelope, net.now)
        assert known(other, who).last_seen == net.now
    assert other.slot(who) is slot
    assert other.sent(KeepaliveRequestMessage) == []
    assert other.machine.statistics.namesakes == 0


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


def test_an_older_core_that_asks_again_keeps_its_connection_and_gets_its_confirm_again() -> None:
    _, core, plugin = connected("core")
    before, confirm = plugin.slot(core), plugin.last_send(ConfirmConnectionMessage)
    plugin.handle(core.packet(core.last_send(RequestOperationMessage)).changed(identifier="again"))
    assert plugin.slot(core) is before
    assert plugin.had(ConnectionClosed) == []
    again = plugin.last_send(ConfirmConnectionMessage)
    assert again is not confirm
    assert (again.topic, again.message) == (confirm.topic, confirm.message)


def test_an_older_core_that_asks_twice_while_its_operation_is_prepared_gets_one_connection() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin()
    plugin.prepares = False
    net.start()
    plugin.handle(core.packet(core.last_send(RequestOperationMessage)).changed(identifier="again"))
    plugin.finish_preparing()
    net.run()
    assert len(plugin.sent(ConfirmConnectionMessage)) == 1
    assert core.connections() == ["plugin"]


@pytest.mark.parametrize(
    "changed",
    [
        {"publisher_identifier": "core after its restart"},
        {"message": {"response_topic": "elsewhere"}},
        {"message": {"output_topic": "elsewhere"}},
        {"message": {"core_side_close_operation_connection_topic": "elsewhere"}},
    ],
    ids=["publisher", "response topic", "output topic", "close topic"],
)
def test_a_request_of_an_older_core_that_is_no_repetition_replaces_its_connection(changed: dict[str, Any]) -> None:
    _, core, plugin = connected("core")
    before = plugin.slot(core)
    plugin.handle(core.packet(core.last_send(RequestOperationMessage)).changed(identifier="other", **changed))
    assert plugin.slot(core) is not before
    assert [closed.reason for closed in plugin.had(ConnectionClosed)] == [CloseReason.REMOTE_FORGOT]


def test_an_older_core_that_asks_for_what_is_being_closed_gets_a_new_connection() -> None:
    net, core, plugin = connected("core")
    before = plugin.slot(core)
    plugin.do(plugin.machine.close_gracefully("core", "text", None, net.now))
    plugin.handle(core.packet(core.last_send(RequestOperationMessage)).changed(identifier="again"))
    assert plugin.slot(core) is not before
    assert plugin.connections() == ["core"]


@pytest.mark.parametrize("has_headers", [True, False])
def test_the_confirm_of_an_operation_without_input_names_an_input_topic_to_older_cores_alone(has_headers: bool) -> None:
    nothing, text = Input.no_input(), Output.string()
    net = Net()
    core = net.add_core(has_headers=has_headers, text=Constraint(minimum=1, inputs=[nothing], outputs=[text]))
    plugin = net.add_plugin(operations={"text": Terms(policy=Policy(), input=nothing, output=text)})
    net.start()
    assert core.connections() == ["plugin"]
    (confirm,) = plugin.sent(ConfirmConnectionMessage)
    assert (confirm.operation_input_topic is None) == has_headers
    # Nothing is to come there.
    assert confirm.operation_input_topic not in plugin.topics


def test_older_plugins_are_asked_for_what_they_lend_since_they_cannot_say_that_they_started_anew() -> None:
    net, core, plugin = connected("plugin", text=text_constraint(minimum=1, maximum=1))
    before = len(core.sent(DiscoverMessage))
    plugin.crash()
    plugin.start()
    net.advance(11)
    assert len(core.sent(DiscoverMessage)) == before + 1
    assert core.sent(DiscoverMessage)[-1].queries["text"].allowlist == ("plugin",)
    assert plugin.connections() == ["core"]
    assert [closed.reason for closed in core.had(ConnectionClosed)] == [CloseReason.REMOTE_FORGOT]
    # What has ended is not asked for.
    plugin.stop()
    net.run()
    core.settings.operation_requirements = {}
    before = len(core.sent(DiscoverMessage))
    net.advance(30)
    assert len(core.sent(DiscoverMessage)) == before


def test_an_older_plugin_that_lends_is_admitted_where_only_a_mandatory_one_is_missing() -> None:
    constraint = text_constraint(minimum=1, maximum=1, mandatory=["missing"])
    net = Net()
    core = net.add_core(text=constraint)
    net.add_plugin(has_headers=False)
    net.start()
    net.advance(3)
    assert core.sent(DiscoverMessage)[-1].queries["text"].allowlist == ("missing", "plugin")


def test_a_core_with_newer_plugins_asks_for_nothing_that_it_has() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=1))
    net.add_plugin()
    net.start()
    net.advance(60)
    assert len(core.sent(DiscoverMessage)) == 1


@pytest.mark.parametrize("rules", [{"mandatory": ["plugin"]}, {"allowlist": ["plugin"]}], ids=str)
def test_a_core_asks_plugins_that_it_names_for_a_keepalive_if_they_do_not_answer(rules: dict[str, Any]) -> None:
    net, core, plugin = connected("plugin", text=text_constraint(minimum=1, **rules))
    core.crash()
    core.start()
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.advance(2)
    net.loses = lambda packet: False
    assert [send.topic for send in core.had(Send) if isinstance(send.message, KeepaliveRequestMessage)] == [
        "$keepalive.plugin.request"
    ]
    assert [closed.reason for closed in plugin.had(ConnectionClosed)] == [CloseReason.REMOTE]
    net.advance(3)
    assert core.connections() == ["plugin"]


def test_a_plugin_that_starts_asks_cores_that_it_names_for_a_keepalive() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin(policy=Policy(allowlist=["core"]))
    net.start()
    plugin.crash()
    plugin.start()
    net.run()
    assert [closed.reason for closed in core.had(ConnectionClosed)] == [CloseReason.REMOTE]
    net.advance(3)
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
