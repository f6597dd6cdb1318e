"""Messages that are late, duplicated, or from somebody else than they say: they change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.effects import Send
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Terms, text_constraint
from tests.support.machines import Net, Node, Packet


def connected(**core: Any) -> tuple[Net, Node, Node]:
    """Return a net with a core and a plugin that are connected."""
    net = Net()
    nodes = net.add_core(**core), net.add_plugin()
    net.start()
    assert nodes[0].connections() == ["plugin"]
    return net, *nodes


def packet(sender: Node, topic: str, message: Any, **headers: Any) -> Packet:
    """Return a message of a node."""
    headers = {"incarnation": f"{sender.incarnation:08d}", **headers}
    return Packet(topic=topic, message=message, envelope=sender.envelope(**headers))


def confirmed(net: Net, core: Node, plugin: Node) -> Packet:
    """Return the confirm on its way to a core that waits for it."""
    for node in net.nodes:
        node.start()
    core.tick()
    return net.deliver_until(ConfirmConnectionMessage)


def test_a_second_confirm_is_ignored() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    confirm = confirmed(net, core, plugin)
    core.handle(confirm)
    before = len(core.effects)
    core.handle(confirm)
    assert core.effects[before:] == []
    assert core.connections() == ["plugin"]


def test_a_confirm_of_another_connection_is_refused_and_opens_nothing() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    confirm = confirmed(net, core, plugin)
    core.handle(confirm.changed(connection_identifier="another"))
    assert core.slot(plugin).state is SlotState.REQUESTED
    refusal = core.last_send(GracelessCloseConnectionMessage)
    assert refusal.topic == plugin.slot(core).incoming_close_topic
    assert refusal.connection_identifier == "another"
    core.handle(confirm)
    assert core.connections() == ["plugin"]


def test_a_confirm_that_comes_after_its_request_was_given_up_is_refused() -> None:
    net = Net()
    core, plugin = net.add_core(pending_requests_expire_after=5.0), net.add_plugin()
    confirm = confirmed(net, core, plugin)
    net.now += 5
    core.do(core.machine.discard_expired(net.now))
    assert not core.has_slot(plugin)
    core.handle(confirm)
    net.run()
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)


def test_a_notice_that_answers_another_request_is_ignored() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    confirm = confirmed(net, core, plugin)
    notice = OperationNoLongerAvailableMessage(plugin_identifier="plugin", operation_name="text")
    for headers in ({"correlation_identifier": "another"}, {"connection_identifier": "another"}):
        core.handle(packet(plugin, confirm.topic, notice, **headers))
        assert core.slot(plugin).state is SlotState.REQUESTED
    core.handle(packet(plugin, confirm.topic, notice, correlation_identifier=confirm.envelope.correlation_identifier))
    assert not core.has_slot(plugin)


def test_a_notice_does_not_end_a_connection() -> None:
    _, core, plugin = connected()
    notice = OperationNoLongerAvailableMessage(plugin_identifier="plugin", operation_name="text")
    core.handle(packet(plugin, core.settings.topics.response("plugin"), notice))
    assert core.connections() == ["plugin"]


def test_messages_of_an_earlier_life_are_ignored() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    late = confirmed(net, core, plugin)
    plugin.crash()
    core.machine.stop()
    core.start()
    plugin.start()
    core.tick()
    net.run()
    assert core.connections() == ["plugin"]
    before = core.slot(plugin)
    core.handle(late)
    topics = core.settings.topics
    close_topic = before.incoming_close_topic
    close = GracelessCloseConnectionMessage(from_identifier="plugin", operation_name="text", data=None)
    for stale in (
        packet(plugin, close_topic, close, incarnation="00000001"),
        packet(plugin, topics.keepalive("plugin"), KeepaliveMessage(from_identifier="plugin"), incarnation="00000001"),
        packet(plugin, close_topic, close, incarnation=None),
    ):
        core.handle(stale)
    assert core.slot(plugin) is before
    assert core.connections() == ["plugin"]


@pytest.mark.parametrize("reordered", [False, True])
def test_a_handshake_in_which_every_message_comes_twice_makes_one_connection(reordered: bool) -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    seen: list[Packet] = []
    while net.wire:
        one = net.deliver(-1 if reordered else 0)
        if one not in seen:
            seen.append(one)
            net.wire.append(one)
    net.advance(5)
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
    assert core.slot(plugin).connection_identifier == plugin.slot(core).connection_identifier
    assert len(core.topics) == len(plugin.topics) == 2


def test_a_reject_frees_only_the_slot_that_it_answers() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    net.deliver_until(OfferMessage)
    topic = plugin.settings.topics.reply("core")
    reject = RejectOperationMessage(core_identifier="core", operation_name="text")
    for answered in ("an older offer", None):
        plugin.handle(packet(core, topic, reject, correlation_identifier=answered))
        assert plugin.has_slot(core)
    plugin.handle(packet(core, topic, replace(reject, operation_name="unknown")))
    assert plugin.has_slot(core)
    offer = plugin.last_send(OfferMessage).event_identifier
    plugin.handle(packet(core, topic, reject, correlation_identifier=offer))
    assert not plugin.has_slot(core)
    plugin.handle(packet(core, topic, reject, correlation_identifier=offer))


def test_a_reject_without_the_connection_does_not_end_it() -> None:
    _, core, plugin = connected()
    topic = plugin.settings.topics.reply("core")
    reject = RejectOperationMessage(core_identifier="core", operation_name="text")
    for headers in ({}, {"connection_identifier": "another"}, {"correlation_identifier": "some offer"}):
        plugin.handle(packet(core, topic, reject, **headers))
        assert plugin.connections() == ["core"]
    mine = plugin.slot(core).connection_identifier
    plugin.handle(packet(core, topic, reject, connection_identifier=mine))
    assert plugin.connections() == []


def test_a_request_that_answers_no_offer_is_answered_that_nothing_is_available() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    unknown = request.changed(correlation_identifier="another")
    plugin.handle(unknown)
    assert plugin.slot(core).state is SlotState.OFFERED
    answer = plugin.last_send(OperationNoLongerAvailableMessage)
    assert answer.correlation_identifier == request.envelope.identifier
    plugin.handle(request)
    assert plugin.connections() == ["core"]
    second = request.changed(connection_identifier="another")
    plugin.handle(second)
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 2
    assert plugin.slot(core).connection_identifier == request.envelope.connection_identifier


def intruding(net: Net, victim: Node, topic: str, message: Any, **headers: Any) -> None:
    """Hand over a message whose topic says another sender than the message does; it has to be refused."""
    before = len(victim.effects), [slot.state for slot in victim.machine.slots]
    with pytest.raises(RemoteProtocolError, match=r"claims to come from .* which is for 'intruder' to publish to"):
        victim.handle(Packet(topic=topic, message=message, envelope=victim.envelope(**headers)))
    assert victim.machine.take() == []
    assert before == (len(victim.effects), [slot.state for slot in victim.machine.slots])


def test_no_message_is_taken_from_a_topic_that_is_for_another_sender() -> None:
    net, core, plugin = connected()
    connection = core.slot(plugin).connection_identifier
    mine = {"connection_identifier": connection, "incarnation": "00000009"}
    to_core, to_plugin = "orbitalis/core/intruder/", "orbitalis/plugin/intruder/"
    offer, confirm = plugin.last_send(OfferMessage).message, plugin.last_send(ConfirmConnectionMessage).message
    request = core.last_send(RequestOperationMessage).message
    reject = RejectOperationMessage(core_identifier="core", operation_name="text")
    notice = OperationNoLongerAvailableMessage(plugin_identifier="plugin", operation_name="text")
    for headers in (mine, {**mine, "incarnation": None}):
        intruding(net, core, to_core + "offer", offer, **headers)
        intruding(net, core, to_core + "response", confirm, **headers)
        intruding(net, core, to_core + "response", notice, **headers)
        intruding(net, plugin, to_plugin + "reply", request, **headers)
        intruding(net, plugin, to_plugin + "reply", reject, **headers)
        for victim, sender, start in ((core, "plugin", to_core), (plugin, "core", to_plugin)):
            close = f"{start}operations/text/close/{connection}"
            data: dict[str, Any] = {"from_identifier": sender, "operation_name": "text", "data": None}
            intruding(net, victim, close, GracelessCloseConnectionMessage(**data), **headers)
            intruding(net, victim, close, GracefulCloseConnectionMessage(ack_topic="x", **data), **headers)
            ack = CloseConnectionAckMessage(from_identifier=sender, operation_name="text")
            intruding(net, victim, close.replace("close", "close-ack"), ack, **headers)
            intruding(net, victim, start + "keepalive", KeepaliveMessage(from_identifier=sender), **headers)
            ask = KeepaliveRequestMessage(from_identifier=sender, keepalive_topic="x")
            intruding(net, victim, start + "keepalive-request", ask, **headers)


def test_a_topic_whose_sender_is_not_known_yet_is_for_peers_without_headers_alone() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    offer = net.deliver_until(OfferMessage)
    anonymous = offer.changed(topic=core.settings.topics.offer_of_anybody)
    with pytest.raises(RemoteProtocolError, match="which is for '-' to publish to"):
        core.handle(anonymous)
    assert not core.has_slot(plugin)
    core.handle(anonymous.changed(incarnation=None))
    assert core.has_slot(plugin)


def test_a_close_of_a_connection_comes_on_its_own_topic_and_from_its_own_remote() -> None:
    net, core, plugin = connected()
    other = net.add_core("other")
    net.start()
    topic, connection = plugin.slot(core).incoming_close_topic, plugin.slot(core).connection_identifier
    close = GracelessCloseConnectionMessage(from_identifier="other", operation_name="text", data=None)
    plugin.handle(packet(other, topic.replace("/core/", "/other/"), close, connection_identifier=connection))
    own = replace(close, from_identifier="core")
    plugin.handle(packet(core, topic, own, connection_identifier="another"))
    plugin.handle(packet(core, topic, replace(own, operation_name="unknown"), connection_identifier=connection))
    plugin.handle(packet(core, "somewhere else", own, connection_identifier=connection))
    assert plugin.connections() == ["core", "other"]
    plugin.handle(packet(core, topic, own, connection_identifier=connection))
    assert plugin.connections() == ["other"]


def test_nobody_is_taken_for_this_orbiter_itself() -> None:
    _, core, _ = connected()
    message = KeepaliveMessage(from_identifier="core")
    before = core.machine.statistics.ignored
    core.handle(packet(core, core.settings.topics.keepalive("core"), message))
    assert core.machine.peers.get("core") is None
    assert core.machine.statistics.ignored == before + 1


def test_a_message_for_the_other_role_is_ignored() -> None:
    _, core, plugin = connected()
    before = len(core.effects), len(plugin.effects)
    core.handle(packet(plugin, "elsewhere", core.last_send(DiscoverMessage).message))
    plugin.handle(packet(core, "elsewhere", plugin.last_send(OfferMessage).message))
    assert before == (len(core.effects), len(plugin.effects))


def test_what_breaks_the_protocol_keeps_no_effect_back() -> None:
    _, core, plugin = connected()
    request = core.packet(core.last_send(RequestOperationMessage), incarnation="00000002")
    with pytest.raises(RemoteProtocolError, match="contains a wildcard"):
        plugin.handle(request.changed(message={"response_topic": "#"}))
    effects = [type(effect).__name__ for effect in plugin.machine.take()]
    assert effects == ["RemoteLost", "ConnectionClosed", "Unsubscribe", "WatchWill"]


def test_data_is_taken_from_its_own_connection_while_that_is_open() -> None:
    net, core, plugin = connected()
    slot = plugin.slot(core)
    fits = {"incarnation": "00000001", "connection_identifier": slot.connection_identifier}

    def takes(**headers: Any) -> bool:
        return plugin.machine.data_received(slot, core.envelope(**headers), net.now)

    assert takes(**fits)
    assert takes()
    assert not takes(**{**fits, "connection_identifier": "another"})
    assert not takes(**{**fits, "incarnation": "00000000"})
    assert not takes(**{**fits, "incarnation": "00000002"})
    net.now += 10
    assert takes(**fits)
    assert slot.last_used == net.now
    plugin.do(plugin.machine.close_gracelessly("core", "text", None, net.now))
    assert not takes(**fits)


def test_after_its_stop_a_machine_reacts_to_nothing() -> None:
    net, core, plugin = connected(text=text_constraint(minimum=1))
    packets = [node.packet(send) for node in net.nodes for send in node.had(Send)]
    slots = {node: list(node.machine.slots) for node in net.nodes}
    for node in net.nodes:
        node.stop()
        node.effects.clear()
        assert node.machine.next_deadline() is None
        for one in packets:
            node.handle(one)
        for slot in slots[node]:
            node.do(node.machine.prepared(slot, slot.connection_identifier, net.now))
            assert not node.machine.data_received(slot, node.envelope(), net.now)
        node.tick()
        node.do(node.machine.reconnected(net.now))
        assert node.effects == []
        assert len(node.machine.slots) == len(node.machine.peers) == 0
    assert not core.requester.compliant
    core.settings.operation_requirements = {}
    plugin.settings.operations = {"other": Terms()}
    core.ask()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    assert core.effects == plugin.effects == []


def test_before_its_start_a_machine_reacts_to_nothing() -> None:
    net = Net()
    core = net.add_core(operation_requirements={})
    core.tick()
    core.settings.late_offers = False
    core.tick()
    assert core.effects == []
    assert not core.requester.compliant
