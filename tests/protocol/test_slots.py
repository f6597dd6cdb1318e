"""Slots: counted with what is under way on both sides, free again when that comes to nothing, and never lost."""

from __future__ import annotations

import random

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import ConnectionClosed, PendingRequestDiscarded, Send
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net


@pytest.mark.parametrize("seed", range(5))
def test_a_core_never_takes_more_than_its_maximum(seed: int) -> None:
    chance = random.Random(seed)
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=1))
    plugins = [net.add_plugin(f"plugin{number}") for number in range(10)]
    for node in net.nodes:
        node.start()
    core.tick()
    while net.wire:
        net.deliver(chance.randrange(len(net.wire)))
        assert core.machine.slots.count("text") <= 1
    assert len(core.connections()) == 1
    assert sum(len(plugin.connections()) for plugin in plugins) == 1
    assert sum(len(plugin.machine.slots) for plugin in plugins) == 1
    assert len(core.sent(RequestOperationMessage)) == 1
    assert len(core.sent(RejectOperationMessage)) == 9


@pytest.mark.parametrize("seed", range(5))
def test_a_plugin_never_gives_more_than_its_policys_maximum(seed: int) -> None:
    chance = random.Random(seed)
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=3))
    cores = [net.add_core(f"core{number}") for number in range(10)]
    for node in net.nodes:
        node.start()
    for core in cores:
        core.tick()
    while net.wire:
        net.deliver(chance.randrange(len(net.wire)))
        assert plugin.machine.slots.count("text") <= 3
    assert len(plugin.connections()) == 3
    assert sum(core.requester.compliant for core in cores) == 3


def test_an_offer_holds_its_slot_until_it_expires() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=1))
    first = net.add_core("first", discovering_interval=1_000.0)
    second = net.add_core("second")
    net.loses = lambda packet: packet.topic.startswith("orbitalis/first/")
    for node in net.nodes:
        node.start()
    first.tick()
    net.run()
    second.tick()
    net.run()
    assert plugin.slot(first).state is SlotState.OFFERED
    assert not plugin.has_slot(second)

    net.advance(59.5)
    assert plugin.has_slot(first)
    assert not second.requester.compliant
    net.advance(2.5)
    assert not plugin.has_slot(first)
    assert second.requester.compliant
    assert len(plugin.had(PendingRequestDiscarded)) == 1


def test_a_request_holds_its_slot_until_it_expires_and_is_then_taken_back() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=1))
    deaf, second = net.add_plugin("deaf"), net.add_plugin("second")
    net.loses = lambda packet: isinstance(packet.message, RequestOperationMessage) and "/deaf/" in packet.topic
    net.start()
    assert core.slot(deaf).state is SlotState.REQUESTED
    assert not core.has_slot(second)

    net.loses = lambda packet: "deaf" in packet.topic and not isinstance(packet.message, RejectOperationMessage)
    net.advance(59.5)
    assert not core.requester.compliant
    deaf.settings.operations = {}
    net.advance(3)
    assert core.connections() == ["second"]
    assert not deaf.has_slot(core)
    assert core.last_send(RejectOperationMessage).connection_identifier is not None


def test_a_confirm_that_is_lost_leaves_no_connection_that_one_side_alone_believes_in() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, ConfirmConnectionMessage)
    net.start()
    assert plugin.connections() == ["core"]
    assert core.slot(plugin).state is SlotState.REQUESTED
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.advance(60)
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)
    assert len(plugin.had(ConnectionClosed)) == 1
    net.loses = lambda packet: False
    net.advance(2)
    assert core.connections() == ["plugin"]


def test_a_reject_frees_the_slot() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=1))
    plugins = [net.add_plugin("first"), net.add_plugin("second", policy=Policy(maximum=1))]
    net.start()
    assert not plugins[1].has_slot(core)
    other = net.add_core("other", text=text_constraint(minimum=1, allowlist=["second"]))
    net.start()
    assert other.connections() == ["second"]


def test_offers_that_are_not_answered_are_offered_again_for_the_same_slot() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(policy=Policy(maximum=1))
    net.loses = lambda packet: isinstance(packet.message, OfferMessage)
    net.start()
    slot = plugin.slot(core)
    net.advance(4)
    assert len(plugin.sent(OfferMessage)) == 3
    net.loses = lambda packet: False
    net.advance(2)
    assert core.connections() == ["plugin"]
    assert plugin.slot(core) is slot


def test_a_request_that_is_lost_is_sent_again_when_the_offer_is_repeated() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=2))
    net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, RequestOperationMessage)
    net.start()
    net.loses = lambda packet: False
    net.advance(2)
    assert core.connections() == ["plugin"]
    first, second = (send for send in core.sent(RequestOperationMessage))
    assert first == second
    assert len({slot.connection_identifier for slot in core.machine.slots}) == 1


def test_a_request_that_repeats_the_one_of_a_connection_is_confirmed_again() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()
    before = plugin.slot(core)
    core.do([core.last_send(RequestOperationMessage)])
    net.run()
    assert len(plugin.sent(ConfirmConnectionMessage)) == 2
    assert plugin.slot(core) is before
    assert core.connections() == ["plugin"]


def test_a_request_for_a_slot_that_expired_is_answered_that_it_comes_too_late() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(pending_requests_expire_after=10.0)
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    net.now += 11
    plugin.tick()
    net.wire.append(request)
    net.run()
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)


def test_an_expired_preparation_is_told_to_the_core() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(pending_requests_expire_after=10.0)
    plugin.prepares = False
    for node in net.nodes:
        node.start()
    core.tick()
    net.run()
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.advance(10)
    assert not core.has_slot(plugin)
    plugin.finish_preparing()
    assert plugin.connections() == []
    assert plugin.topics == []


def test_nothing_expires_where_that_is_switched_off() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(pending_requests_expire_after=None)
    net.loses = lambda packet: isinstance(packet.message, OfferMessage)
    net.start()
    net.loses = lambda packet: isinstance(packet.message, OfferMessage | DiscoverMessage)
    net.advance(100)
    assert plugin.has_slot(core)


def test_handshakes_under_way_are_bounded_on_both_sides() -> None:
    net = Net()
    plugin = net.add_plugin(limits=Limits(pending_requests=5))
    cores = [net.add_core(f"core{number}") for number in range(10)]
    net.loses = lambda packet: isinstance(packet.message, OfferMessage)
    for node in net.nodes:
        node.start()
    for core in cores:
        core.tick()
    net.run()
    assert plugin.machine.slots.pending_count == len(plugin.machine.slots) == 5

    net = Net()
    core = net.add_core(limits=Limits(pending_requests=5))
    for number in range(10):
        net.add_plugin(f"plugin{number}")
    core.prepares = False
    net.start()
    assert core.machine.slots.pending_count == len(core.machine.slots) == 5
    assert core.last_send(RejectOperationMessage).message.description == "too many requests are under way"  # type: ignore[union-attr]


def test_an_offer_that_nobody_asked_for_takes_slots_as_any_other() -> None:
    net = Net()
    core = net.add_core(operation_requirements={"text": Requirement(text_constraint(minimum=0, maximum=0))})
    plugin = net.add_plugin(operations={"text": Terms(policy=Policy(maximum=1)), "more": Terms()})
    net.start()
    topic = core.settings.topics.offer_of_anybody
    plugin.do(plugin.plugin.send_offer("core", topic, ["text", "more", "unknown"], net.now))
    assert len(plugin.machine.slots) == 2
    plugin.do(plugin.plugin.send_offer("stranger", "stranger/offers", ["text"], net.now))
    assert len(plugin.machine.slots) == 2
    net.run()
    assert len(plugin.machine.slots) == 0
    assert len(plugin.sent(OfferMessage)) == 1


def test_a_core_that_was_offered_something_unasked_is_watched_like_any_other() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.start()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    assert plugin.connections() == ["core"]
    core.crash()
    net.advance(121)
    assert plugin.connections() == []


def test_a_request_takes_up_the_last_of_several_offers() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(pending_requests_expire_after=5.0)
    core.prepares = False
    net.start()
    assert core.slot(plugin).state is SlotState.PREPARING
    net.advance(5)
    assert not plugin.has_slot(core)
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    core.prepares = True
    core.finish_preparing()
    net.run()
    assert core.connections() == ["plugin"]
    assert plugin.sent(OperationNoLongerAvailableMessage) == []


def test_the_time_for_an_answer_counts_from_the_message_that_is_to_be_answered() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    core.prepares = plugin.prepares = False
    net.start()
    net.advance(50)
    core.prepares = True
    core.finish_preparing()
    net.run()
    assert core.slot(plugin).state is SlotState.REQUESTED
    assert plugin.slot(core).state is SlotState.PREPARING
    net.loses = lambda packet: True
    net.advance(59)
    assert core.has_slot(plugin)
    assert plugin.has_slot(core)
    net.advance(1)
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)


def test_a_confirm_that_was_lost_while_the_bus_was_away_is_asked_for_when_it_is_back() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, ConfirmConnectionMessage)
    net.start()
    assert plugin.connections() == ["core"]
    assert core.slot(plugin).state is SlotState.REQUESTED
    net.loses = lambda packet: not isinstance(packet.message, RequestOperationMessage | ConfirmConnectionMessage)
    core.do(core.machine.reconnected(net.now))
    net.run()
    assert core.connections() == ["plugin"]


def test_of_two_requests_for_the_same_the_last_one_is_answered() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    plugin.prepares = False
    net.start()
    core.do(core.machine.reconnected(net.now))
    net.run()
    assert len(core.sent(RequestOperationMessage)) > 1
    plugin.finish_preparing(fails=True)
    (answer,) = [send for send in plugin.had(Send) if isinstance(send.message, OperationNoLongerAvailableMessage)]
    assert answer.correlation_identifier == core.last_send(RequestOperationMessage).event_identifier
    net.run()
    assert not core.has_slot(plugin)


def test_what_a_remote_has_told_is_counted_on_both_sides() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    core.prepares = plugin.prepares = False
    core.setup_data = bytes(2_000)
    for node in net.nodes:
        node.start()
    core.tick()
    offer = net.deliver_until(OfferMessage)
    core.handle(offer.changed(message={"reply_topic": "r" * 1_000}))
    slot = core.slot(plugin)
    told = sum(map(len, (*slot.input.schemas, *slot.output.schemas)))
    assert core.machine.slots.pending_bytes == slot.size > told + 1_000
    core.finish_preparing()
    request = net.wire.pop()
    plugin.handle(request.changed(message={"response_topic": "a" * 1_000, "output_topic": "o" * 1_000}))
    slot = plugin.slot(core)
    assert plugin.machine.slots.pending_bytes == slot.size > told + 4_000
    plugin.finish_preparing()
    assert plugin.machine.slots.pending_bytes == 0
    assert told + 2_000 < plugin.machine.slots.connection_bytes == slot.size < told + 4_000
    confirm = net.deliver_until(ConfirmConnectionMessage)
    topic = "plugin_side_close_operation_connection_topic"
    before = core.slot(plugin).size
    core.handle(confirm.changed(message={topic: "c" * 1_000}))
    assert core.machine.slots.connection_bytes == core.slot(plugin).size > before + 1_000
