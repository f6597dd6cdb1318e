"""The handshake between a core and plugins, message by message, and who is connected in the end."""

from __future__ import annotations

import pytest

from orbitalis.message import Input
from orbitalis.protocol.effects import ComplianceChanged, ConnectionOpened, MessageReceived, Prepare, Send
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
from tests.support.machines import Net, Node


def kinds(node: Node) -> list[str]:
    return [type(send.message).__name__.removesuffix("Message") for send in node.had(Send)]


def test_a_core_and_a_plugin_become_connected_in_four_steps() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    core.setup_data = b"setup"
    net.start()

    assert kinds(core) == ["Discover", "RequestOperation"]
    assert kinds(plugin) == ["Offer", "ConfirmConnection"]
    assert core.connections() == ["plugin"]
    assert plugin.connections() == ["core"]
    assert core.requester.compliant

    mine, theirs = core.slot(plugin), plugin.slot(core)
    assert mine.connection_identifier == theirs.connection_identifier
    assert mine.input_topic == theirs.input_topic
    assert mine.output_topic == theirs.output_topic
    assert mine.incoming_close_topic == theirs.remote_close_topic
    assert mine.remote_close_topic == theirs.incoming_close_topic
    (request,) = core.sent(RequestOperationMessage)
    assert request.setup_data == b"setup"
    assert mine.setup_data is theirs.setup_data is None  # it is not needed any more
    assert {mine.output_topic, mine.incoming_close_topic} == set(core.topics)
    assert {theirs.input_topic, theirs.incoming_close_topic} == set(plugin.topics)


def test_every_topic_names_recipient_and_sender() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()

    for send in core.had(Send)[1:]:
        assert send.topic.startswith("orbitalis/plugin/core/")
    for send in plugin.had(Send):
        assert send.topic.startswith("orbitalis/core/plugin/")
    assert core.slot(plugin).input_topic == f"orbitalis/plugin/core/operations/text/input/{connection(core, plugin)}"


def connection(node: Node, remote: Node) -> str:
    return node.slot(remote).connection_identifier


def test_each_answer_names_the_event_that_it_answers() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()

    offer, request = plugin.last_send(OfferMessage), core.last_send(RequestOperationMessage)
    assert request.correlation_identifier == offer.event_identifier
    assert plugin.last_send(ConfirmConnectionMessage).correlation_identifier == request.event_identifier
    assert request.connection_identifier == connection(core, plugin)


def test_what_is_told_to_users_comes_in_the_order_of_the_guide() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()

    def story(node: Node) -> list[str]:
        return [
            type(effect.message).__name__ if isinstance(effect, MessageReceived | Send) else type(effect).__name__
            for effect in node.effects
        ]

    assert story(plugin) == [
        "DiscoverMessage",
        "OfferMessage",
        "RequestOperationMessage",
        "Prepare",
        "WatchWill",
        "ConnectionOpened",
        "ConfirmConnectionMessage",
    ]
    assert story(core) == [
        "ComplianceChanged",
        "DiscoverMessage",
        "OfferMessage",
        "Prepare",
        "RequestOperationMessage",
        "ConfirmConnectionMessage",
        "WatchWill",
        "ConnectionOpened",
        "ComplianceChanged",
    ]


def test_nothing_is_sent_before_its_topics_are_subscribed() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    core.prepares = plugin.prepares = False
    net.start()
    assert core.slot(plugin).state is SlotState.PREPARING
    assert core.sent(RequestOperationMessage) == []
    core.finish_preparing()
    net.run()
    assert core.slot(plugin).state is SlotState.REQUESTED
    assert plugin.sent(ConfirmConnectionMessage) == []
    assert plugin.connections() == []
    plugin.finish_preparing()
    assert plugin.connections() == ["core"]
    net.run()
    assert core.connections() == ["plugin"]


@pytest.mark.parametrize("who", ["core", "plugin"])
def test_a_preparation_that_fails_leaves_nothing_on_either_side(who: str) -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    failing = core if who == "core" else plugin
    failing.prepares = False
    net.start()
    failing.finish_preparing(fails=True)
    net.run()
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)
    assert core.topics == plugin.topics == []
    if who == "plugin":
        assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    failing.prepares = True
    net.advance(5)
    assert core.connections() == ["plugin"]


def test_one_operation_that_is_not_required_does_not_touch_the_others() -> None:
    net = Net()
    core = net.add_core()
    plugin = net.add_plugin(operations={"text": Terms(), "other": Terms()})
    net.loses = lambda packet: isinstance(packet.message, DiscoverMessage)
    net.start()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["other", "text"], net.now))
    net.run()
    assert core.connections() == ["plugin"]
    assert [message.operation_name for message in core.sent(RejectOperationMessage)] == ["other"]
    assert not plugin.has_slot(core, "other")


def test_operations_of_one_plugin_are_offered_together_and_requested_each_by_itself() -> None:
    net = Net()
    requirements = {name: Requirement(text_constraint(minimum=1)) for name in ("a", "b", "c")}
    core = net.add_core(operation_requirements=requirements)
    plugin = net.add_plugin(operations={"a": Terms(), "b": Terms(input=Input.int64()), "c": Terms()})
    net.start()

    (offer,) = plugin.sent(OfferMessage)
    assert [offered.name for offered in offer.offered_operations] == ["a", "c"]
    assert [request.operation_name for request in core.sent(RequestOperationMessage)] == ["a", "c"]
    assert not core.requester.compliant
    assert core.requester.is_compliant_for("a")
    assert not core.requester.is_compliant_for("b")


def test_mandatory_plugins_are_counted_neither_in_the_minimum_nor_in_the_maximum() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=2, mandatory=["m1", "m2"]))
    for identifier in ("m1", "p1", "p2", "p3", "p4"):
        net.add_plugin(identifier)
    net.start()
    assert core.connections() == ["m1", "p1", "p2"]
    assert not core.requester.compliant

    late = net.add_plugin("m2")
    net.start()
    net.advance(10)
    assert sorted(core.connections()) == ["m1", "m2", "p1", "p2"]
    assert core.requester.compliant
    assert late.connections() == ["core"]


def test_where_only_mandatory_plugins_are_missing_they_alone_are_asked() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=0, maximum=1, mandatory=["m"]))
    plugin = net.add_plugin("p")
    net.start()
    assert core.connections() == ["p"]
    net.advance(core.settings.discovering_interval)
    assert list(core.sent(DiscoverMessage)[-1].queries["text"].allowlist or ()) == ["m"]
    assert len(plugin.sent(OfferMessage)) == 1


def test_nothing_is_discovered_when_nothing_more_is_wanted() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, maximum=1))
    net.add_plugin()
    net.start()
    net.advance(100)
    assert len(core.sent(DiscoverMessage)) == 1


def test_a_core_that_could_take_more_discovers_less_often_once_it_is_compliant() -> None:
    net = Net()
    core = net.add_core(discovering_interval=2.0, discovering_interval_when_compliant=10.0)
    net.start()
    net.advance(19)
    assert len(core.sent(DiscoverMessage)) == 10
    net.add_plugin().start()
    net.advance(1)
    assert core.requester.compliant
    net.advance(100)
    assert len(core.sent(DiscoverMessage)) == 21


def test_a_core_without_needs_is_compliant_from_the_start() -> None:
    net = Net()
    core = net.add_core(operation_requirements={})
    net.start()
    assert core.had(ComplianceChanged) == [ComplianceChanged(compliant=True)]
    assert core.had(Send) == []


def test_requirements_can_be_edited_while_the_core_runs() -> None:
    net = Net()
    requirements = {"text": Requirement(text_constraint(minimum=1))}
    core = net.add_core(operation_requirements=requirements)
    net.add_plugin(operations={"text": Terms(), "more": Terms()})
    net.start()
    requirements["more"] = Requirement(text_constraint(minimum=1))
    assert not core.requester.compliant
    net.advance(3)
    assert core.requester.compliant
    requirements["text"].constraint.minimum = 2
    assert not core.requester.compliant
    del requirements["text"]
    assert core.requester.compliant


def test_a_policy_that_changed_since_the_offer_counts() -> None:
    net = Net()
    terms = Terms()
    core, plugin = net.add_core(), net.add_plugin(operations={"text": terms})
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    terms.policy.blocklist = ["core"]
    net.wire.insert(0, request)
    net.run()
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)


def test_an_operation_that_is_gone_since_the_offer_is_no_longer_available() -> None:
    net = Net()
    operations = {"text": Terms()}
    core, plugin = net.add_core(), net.add_plugin(operations=operations)
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    del operations["text"]
    net.wire.insert(0, request)
    net.run()
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    assert not core.has_slot(plugin)
    assert not plugin.has_slot(core)


def test_a_required_operation_whose_name_no_topic_can_hold_is_rejected_alone() -> None:
    net = Net()
    requirements = {name: Requirement(text_constraint(minimum=1)) for name in ("a/b", "text")}
    core = net.add_core(operation_requirements=requirements)
    plugin = net.add_plugin(operations={"a/b": Terms(), "text": Terms()})
    net.start()
    assert core.connections() == ["plugin"]
    assert [(reject.operation_name, "cannot be in a level" in str(reject.description)) for reject in rejects(core)] == [
        ("a/b", True)
    ]
    assert not plugin.has_slot(core, "a/b")
    assert len(core.had(Prepare)) == len(core.had(ConnectionOpened)) == 1


def rejects(core: Node) -> list[RejectOperationMessage]:
    return core.sent(RejectOperationMessage)


def test_an_output_for_a_request_is_ahead_of_its_confirm() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    core.prepares = False
    core.start()
    plugin.start()
    core.tick()
    net.run()
    slot = core.slot(plugin)

    def is_ahead(identifier: str | None) -> bool:
        return core.machine.is_ahead_of_confirm(slot, plugin.envelope(connection_identifier=identifier))

    assert not is_ahead(slot.connection_identifier)
    core.finish_preparing()
    assert slot.state is SlotState.REQUESTED
    assert is_ahead(slot.connection_identifier)
    assert is_ahead(None)
    assert not is_ahead("another")
    assert not core.machine.data_received(slot, plugin.envelope(), net.now)
    net.run()
    assert slot.is_open
    assert not is_ahead(slot.connection_identifier)
    assert core.machine.data_received(slot, plugin.envelope(), net.now)
