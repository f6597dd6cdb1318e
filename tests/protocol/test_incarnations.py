"""Orbiters that start anew, or are said to have: what is believed, of whom, and how soon they work again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import CloseReason, ConnectionClosed, RemoteLost, Send
from orbitalis_wire import limits
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet
from tests.support.restarts import NEVER, ONE, SOON, assert_work, connected, known, restart

# Restarts


@pytest.mark.parametrize("incarnation", [2, -3_600, 0])
@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("who", [("core",), ("plugin",), ("core", "plugin"), ("plugin", "core")])
def test_who_starts_anew_works_again_soon_whatever_its_incarnation(
    who: tuple[str, ...], *, stops: bool, incarnation: int
) -> None:
    net, core, plugin = connected()
    nodes = {"core": core, "plugin": plugin}
    before = core.slot(plugin).connection_identifier
    begin = net.now
    for name in who:
        restart(nodes[name], stops=stops, incarnation=incarnation)
    net.advance(SOON)
    assert net.now <= begin + SOON
    assert_work(core, plugin)
    assert core.slot(plugin).connection_identifier != before


@pytest.mark.parametrize("kind", [KeepaliveRequestMessage, KeepaliveMessage, DiscoverMessage])
@pytest.mark.parametrize("who", ["core", "plugin"])
def test_it_works_again_soon_though_each_kind_of_message_is_lost_once(who: str, kind: type[object]) -> None:
    """All but announcements: nobody can hear a plugin whose only message is lost."""
    net, core, plugin = connected()
    lost: list[Packet] = []

    def loses(packet: Packet) -> bool:
        is_reliable = kind is DiscoverMessage and not packet.topic.startswith("$")
        if isinstance(packet.message, kind) and not is_reliable and not lost:
            lost.append(packet)
            return True
        return False

    net.loses = loses
    restart(core if who == "core" else plugin)
    net.advance(SOON)
    assert_work(core, plugin)


def test_all_operations_are_lent_again_at_once_to_a_core_that_starts_anew() -> None:
    names = ("a", "b", "c")
    net, core, plugin = _with_operations(*names)
    core.effects.clear()
    restart(core)
    net.run()
    assert_work(core, plugin, *names)
    assert plugin.sent(OperationNoLongerAvailableMessage) == []
    assert len(core.sent(DiscoverMessage)) == 1


def _with_operations(*names: str) -> tuple[Net, Node, Node]:
    net = Net()
    net.announces = True
    core = net.add_core(operation_requirements={name: Requirement(ONE) for name in names}, **NEVER)
    plugin = net.add_plugin(operations={name: Terms(policy=Policy(maximum=1)) for name in names}, **NEVER)
    net.start()
    assert_work(core, plugin, *names)
    net.advance(1)
    return net, core, plugin


def test_what_a_core_does_not_ask_for_again_ends_as_well() -> None:
    """Nothing is offered to it, so it is asked for a keepalive."""
    net, core, plugin = connected()
    core.crash()
    core.settings.operation_requirements = {"other": Requirement(ONE)}
    core.start()
    core.tick()
    net.run()
    assert plugin.connections() == []
    assert [closed.reason for closed in plugin.had(ConnectionClosed)] == [CloseReason.REMOTE_RESTARTED]
    request = plugin.last_send(KeepaliveRequestMessage)
    assert core.last_send(KeepaliveMessage).correlation_identifier == request.event_identifier
    assert request.encoding is Encoding.JSON


def test_of_two_operations_one_that_is_not_asked_for_again_is_free() -> None:
    net, core, plugin = _with_operations("a", "b")
    core.crash()
    core.settings.operation_requirements = {"a": Requirement(ONE)}
    core.start()
    core.tick()
    net.run()
    assert_work(core, plugin, "a")
    assert not plugin.has_slot(core, "b")


def test_more_plugins_than_are_asked_at_a_time_are_noticed_as_well() -> None:
    net = Net()
    net.announces = True
    count = limits.DIRECTED_DISCOVERS + 20
    names = [f"plugin{number}" for number in range(count)]
    core = net.add_core(text=text_constraint(maximum=0, mandatory=names), **NEVER)
    plugins = [net.add_plugin(name, **NEVER) for name in names]
    net.start()
    assert len(core.connections()) == count
    net.advance(10)
    for plugin in plugins:
        restart(plugin)
    net.advance(SOON)
    assert sorted(core.connections()) == sorted(names)
    assert all(plugin.connections() == ["core"] for plugin in plugins)


def test_a_slot_that_was_only_offered_goes_over_to_the_core_that_starts_anew() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE, **NEVER), net.add_plugin(policy=Policy(maximum=1), **NEVER)
    net.start()
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()
    plugin.effects.clear()
    restart(core)
    net.run()
    assert_work(core, plugin)
    assert plugin.had(RemoteLost) == [], "nothing was agreed with the one before"


# Claims


def claims(net: Net, core: Node, plugin: Node) -> list[tuple[Node, Packet]]:
    """Return each message that proves nothing, to each side, in the name of the other in an unknown incarnation."""
    offer = plugin.packet(plugin.last_send(OfferMessage))
    request = core.packet(core.last_send(RequestOperationMessage))
    confirm = plugin.packet(plugin.last_send(ConfirmConnectionMessage))
    discover = next(send for send in core.had(Send) if isinstance(send.message, DiscoverMessage))
    reject = RejectOperationMessage(core_identifier="core", operation_name="text")
    gone = OperationNoLongerAvailableMessage(plugin_identifier="plugin", operation_name="text")
    found: list[tuple[Node, Packet]] = [
        (core, offer.changed(correlation_identifier=None)),
        (core, offer.changed(correlation_identifier="guessed")),
        (core, confirm),
        (core, replace(confirm, message=gone)),
        (plugin, request.changed(correlation_identifier=None)),
        (plugin, request.changed(correlation_identifier="guessed")),
        (plugin, replace(request, message=reject).changed(correlation_identifier=None)),
        (plugin, core.packet(discover)),
    ]
    for sender, receiver in ((core, plugin), (plugin, core)):
        topics, slot = receiver.settings.topics, receiver.slot(sender)
        name = sender.identifier
        answer = sender.settings.topics.keepalive(receiver.identifier)
        close = GracelessCloseConnectionMessage(from_identifier=name, operation_name="text", data=None)
        envelope = sender.envelope(incarnation="1", connection_identifier=slot.connection_identifier)
        for topic, message in (
            (topics.keepalive(name), KeepaliveMessage(from_identifier=name)),
            (topics.keepalive_request(name), KeepaliveRequestMessage(from_identifier=name, keepalive_topic=answer)),
            (slot.incoming_close_topic, close),
        ):
            found.append((receiver, Packet(topic=topic, message=message, envelope=envelope)))
    return found


def test_a_claim_ends_nothing_whatever_message_makes_it() -> None:
    net, core, plugin = connected()
    before = core.slot(plugin)
    for number, (receiver, packet) in enumerate(claims(net, core, plugin)):
        receiver.handle(packet.changed(incarnation=f"claimed{number}"))
        net.advance(3)
        assert core.slot(plugin) is before, packet
        assert_work(core, plugin)
        assert receiver.had(RemoteLost) == []
    assert known(core, plugin).incarnation == known(plugin, core).incarnation == "00000001"


@pytest.mark.parametrize("number", range(14))
def test_a_claim_that_proves_nothing_is_asked_for_a_keepalive(number: int) -> None:
    net, core, plugin = connected()
    receiver, packet = claims(net, core, plugin)[number]
    receiver.effects.clear()
    receiver.handle(packet.changed(incarnation="claimed"))
    is_offered_again = bool(receiver.sent(OfferMessage))
    assert len(receiver.sent(KeepaliveRequestMessage)) == (not is_offered_again)
    assert is_offered_again == isinstance(packet.message, DiscoverMessage)


def test_who_claims_is_asked_once_a_second() -> None:
    net, core, plugin = connected()
    keepalive = core.packet(core.last_send(RequestOperationMessage)).changed(
        topic=plugin.settings.topics.keepalive("core"), incarnation="claimed"
    )
    keepalive = replace(keepalive, message=KeepaliveMessage(from_identifier="core"))
    asked = []
    for _ in range(30):
        plugin.effects.clear()
        plugin.handle(keepalive)
        asked.append(len(plugin.sent(KeepaliveRequestMessage)))
        net.now += 0.125
    assert sum(asked) == 4


def test_who_has_told_no_topic_is_asked_on_that_of_our_layout() -> None:
    net = Net()
    core, plugin = net.add_core(**NEVER), net.add_plugin(**NEVER)
    for node in net.nodes:
        node.start()
    core.tick()
    net.deliver_until(OfferMessage)
    peer = known(plugin, core)
    peer.is_incarnation_certain, peer.keepalive_request_topic = True, None
    keepalive = KeepaliveMessage(from_identifier="core")
    plugin.handle(
        Packet(
            topic="orbitalis/plugin/core/keepalive", message=keepalive, envelope=core.envelope(incarnation="claimed")
        )
    )
    assert plugin.last_send(KeepaliveRequestMessage).topic == "orbitalis/core/plugin/keepalive-request"


def test_both_may_take_each_other_for_past_incarnations() -> None:
    """Neither would answer what the other asks, if a request of an unknown incarnation was not answered."""
    net, core, plugin = connected()
    for node, other in ((core, plugin), (plugin, core)):
        known(node, other).incarnation = "of before"
    core.do(core.machine.send_keepalive("plugin", net.now))
    net.advance(SOON)
    assert known(core, plugin).incarnation == known(plugin, core).incarnation == "00000001"
    assert_work(core, plugin)
