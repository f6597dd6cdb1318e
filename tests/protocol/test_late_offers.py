"""Late offers: what could not be offered when a core asked is offered once it can be."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import Send
from orbitalis.protocol.limits import Limits
from orbitalis_wire import limits, timings
from orbitalis_wire.messages import (
    DiscoverMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
)
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

ONE = text_constraint(minimum=1, maximum=1)


def crowd(*identifiers: str, maximum: int | None = 1, **settings: Any) -> tuple[Net, Node, list[Node]]:
    """Return a plugin that lends `maximum` slots, and cores that ask for one once, in this order, and never again."""
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=maximum))
    cores = [net.add_core(one, text=ONE, discovering_interval=1e9, **settings) for one in identifiers]
    for node in net.nodes:
        node.start()
    for core in cores:
        core.tick()
        net.run()
    return net, plugin, cores


def close(net: Net, plugin: Node, core: Node) -> None:
    """Let a core that needs the plugin no more close its connection."""
    core.settings.operation_requirements = {}
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()


def waiting(plugin: Node, operation_name: str = "text") -> list[str]:
    queue = plugin.provider.waiting_queries._by_operation.get(operation_name)
    return [] if queue is None else list(queue.waiting)


def offers(plugin: Node, core: Node) -> int:
    topic = f"orbitalis/{core.identifier}/plugin/offer"
    return sum(send.topic == topic for send in plugin.had(Send) if isinstance(send.message, OfferMessage))


def test_a_slot_that_becomes_free_is_offered_at_once_to_who_has_waited_longest() -> None:
    net, plugin, (first, second, third) = crowd("first", "second", "third")
    assert plugin.connections() == ["first"]
    assert waiting(plugin) == ["second", "third"]
    close(net, plugin, first)
    assert plugin.connections() == ["second"]
    assert offers(plugin, third) == 0
    close(net, plugin, second)
    assert third.connections() == ["plugin"]
    assert waiting(plugin) == []


def test_asking_again_costs_nobody_the_place() -> None:
    net, plugin, (first, second, third) = crowd("first", "second", "third")
    second.ask()
    net.run()
    assert waiting(plugin) == ["second", "third"]
    assert len(third.sent(DiscoverMessage)) == 1
    assert first.connections() == ["plugin"]


def test_a_core_that_does_not_want_late_offers_gets_none() -> None:
    for late_offers in (False, None):
        net, plugin, (first, second) = crowd("first", "second", late_offers=late_offers)
        assert waiting(plugin) == []
        close(net, plugin, first)
        assert second.connections() == []
        assert offers(plugin, second) == 0


def test_a_later_discover_takes_back_what_it_does_not_repeat() -> None:
    net, plugin, (_, second) = crowd("first", "second")
    second.settings.late_offers = False
    second.ask()
    net.run()
    assert waiting(plugin) == []

    net, plugin, (_, second) = crowd("first", "second")
    second.do(second.core.discover({"other": ONE.terms()}, net.now))
    net.run()
    assert waiting(plugin) == []
    assert waiting(plugin, "other") == ["second"]


def test_a_core_that_stops_takes_everything_back() -> None:
    net, plugin, (first, second) = crowd("first", "second")
    second.stop()
    net.run()
    assert waiting(plugin) == []
    assert second.sent(DiscoverMessage)[-1].queries == {}
    close(net, plugin, first)
    assert offers(plugin, second) == 0
    # There is nothing to take back a second time, nor where nothing was asked for.
    second.start()
    second.settings.operation_requirements = {}
    second.tick()
    second.stop()
    assert len(second.sent(DiscoverMessage)) == 2


def test_a_core_that_has_started_anew_has_asked_for_nothing_yet() -> None:
    net, plugin, (first, second) = crowd("first", "second")
    second.crash()
    second.settings.operation_requirements = {"other": Requirement(ONE)}
    second.start()
    second.tick()
    net.run()
    assert waiting(plugin) == []
    assert waiting(plugin, "other") == ["second"]
    close(net, plugin, first)
    assert offers(plugin, second) == 0


def test_what_is_asked_for_is_forgotten_with_a_core_that_is_dead_or_after_a_time() -> None:
    needs = {"text": Requirement(ONE), "other": Requirement(ONE)}
    net, plugin, (first, _) = crowd("first", "second", operation_requirements=needs)
    assert waiting(plugin, "other") == ["first", "second"]
    net.nodes.remove(first)
    net.advance(timings.CONSIDERED_DEAD_AFTER)
    assert waiting(plugin, "other") == ["second"]
    assert plugin.connections() == ["second"]
    net.now += timings.LATE_OFFERS_KEPT_FOR
    plugin.do(plugin.machine.discard_expired(net.now))
    assert waiting(plugin, "other") == []
    assert plugin.provider.waiting_queries.deadlines.next() is None


def test_a_changed_policy_is_an_occasion() -> None:
    def replace(plugin: Node) -> None:
        plugin.settings.operations = {"text": Terms(policy=Policy(maximum=2))}

    def edit(plugin: Node) -> None:
        plugin.settings.operations["text"].policy.maximum = 2

    for change in (replace, edit):
        net, plugin, (_, second, third) = crowd("first", "second", "third")
        change(plugin)
        plugin.tick()
        net.run()
        assert second.connections() == ["plugin"]
        assert third.connections() == []


def test_a_core_that_is_admitted_now_is_offered_what_it_asked_for() -> None:
    net = Net()
    policy = Policy(blocklist=["core"])
    core, plugin = net.add_core(text=ONE, discovering_interval=1e9), net.add_plugin(policy=policy)
    net.start()
    assert core.connections() == []
    assert policy.blocklist is not None
    policy.blocklist.clear()
    plugin.tick()
    net.run()
    assert core.connections() == ["plugin"]


def test_an_operation_that_is_added_is_offered_if_it_fits() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE, discovering_interval=1e9), net.add_plugin(operations={})
    excluded = net.add_core("excluded", text=text_constraint(minimum=1, blocklist=["plugin"]))
    net.start()
    assert waiting(plugin) == ["core"]
    plugin.settings.operations = {"text": Terms(input=text_constraint().inputs[0].no_input())}
    plugin.tick()
    net.run()
    assert core.connections() == []
    plugin.settings.operations = {"text": Terms()}
    plugin.tick()
    net.run()
    assert core.connections() == ["plugin"]
    assert excluded.connections() == []


def test_all_that_has_become_free_is_in_one_offer() -> None:
    net = Net()
    needs = {name: Requirement(ONE) for name in ("a", "b", "c")}
    core, plugin = net.add_core(operation_requirements=needs, discovering_interval=1e9), net.add_plugin(operations={})
    net.start()
    plugin.settings.operations = {"a": Terms(), "b": Terms(), "d": Terms()}
    plugin.tick()
    net.run()
    assert [[one.name for one in offer.offered_operations] for offer in plugin.sent(OfferMessage)] == [["a", "b"]]
    assert sorted(core.connections("a") + core.connections("b")) == ["plugin", "plugin"]
    plugin.tick()
    assert len(plugin.sent(OfferMessage)) == 1


def test_no_more_is_offered_than_is_free() -> None:
    _, plugin, cores = crowd(*(f"core{number}" for number in range(6)), maximum=2)
    assert len(cores) == 6
    plugin.settings.operations["text"].policy.maximum = 4
    plugin.tick()
    assert plugin.machine.slots.count("text") == 4
    assert len(plugin.sent(OfferMessage)) == 4
    assert_sane(plugin)


@pytest.mark.parametrize("late_offers", [True, False])
def test_a_core_takes_a_late_offer_only_for_what_it_still_needs(late_offers: bool) -> None:
    net, plugin, (first, second, third) = crowd("first", "second", "third", late_offers=late_offers)
    second.settings.operation_requirements = {}
    close(net, plugin, first)
    if late_offers:
        assert len(second.sent(RejectOperationMessage)) == 1
    assert second.connections() == []
    assert third.connections() == (["plugin"] if late_offers else [])


def test_an_offer_that_is_rejected_is_not_repeated_before_the_core_asks_again() -> None:
    net, plugin, (first, second) = crowd("first", "second")
    needs, second.settings.operation_requirements = second.settings.operation_requirements, {}
    close(net, plugin, first)
    assert offers(plugin, second) == 1
    for _ in range(3):
        plugin.settings.operations["text"].policy.maximum = (plugin.settings.operations["text"].policy.maximum or 0) + 1
        plugin.tick()
        net.advance(100)
    assert offers(plugin, second) == 1
    second.settings.operation_requirements = needs
    second.ask()
    net.run()
    assert second.connections() == ["plugin"]


def test_an_offer_that_nobody_answers_goes_to_the_next() -> None:
    net, plugin, (first, second, third) = crowd("first", "second", "third")
    net.nodes.remove(second)
    close(net, plugin, first)
    assert third.connections() == []
    net.advance(timings.PENDING_REQUESTS_EXPIRE_AFTER)
    assert third.connections() == ["plugin"]
    assert offers(plugin, second) == 1
    assert waiting(plugin) == []


def test_a_core_whose_operation_cannot_be_set_up_is_not_offered_it_again_and_again() -> None:
    net, plugin, (first, second, third) = crowd("first", "second", "third")
    plugin.prepares = False
    close(net, plugin, first)
    plugin.finish_preparing(fails=True)
    net.run()
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    plugin.finish_preparing()
    net.run()
    assert (second.connections(), third.connections()) == ([], ["plugin"])
    assert offers(plugin, second) == 1


def test_what_the_policy_took_back_is_offered_when_it_allows_that_again() -> None:
    net, plugin, (first, second) = crowd("first", "second")
    second.prepares = False
    close(net, plugin, first)
    policy = plugin.settings.operations["text"].policy
    policy.blocklist = ["second"]
    second.finish_preparing()
    net.run()
    assert second.connections() == []
    assert waiting(plugin) == ["second"]
    policy.blocklist = None
    plugin.tick()
    second.finish_preparing()
    net.run()
    second.finish_preparing()
    net.run()
    assert second.connections() == ["plugin"]


def test_a_policy_that_is_changed_back_before_the_next_iteration_has_changed() -> None:
    net, plugin, _ = crowd("first", maximum=2)
    plugin.tick()
    plugin.settings.operations["text"].policy.maximum = 1
    second = net.add_core("second", text=ONE, discovering_interval=1e9)
    second.start()
    second.tick()
    net.run()
    assert waiting(plugin) == ["second"]
    plugin.settings.operations["text"].policy.maximum = 2
    plugin.tick()
    net.run()
    assert second.connections() == ["plugin"]


def test_those_who_may_be_dead_come_last() -> None:
    net, plugin, (first, silent, second) = crowd("first", "silent", "second")
    net.nodes.remove(silent)
    net.advance(timings.CONSIDERED_DEAD_AFTER - 1)
    second.ask()
    net.advance(2)
    assert waiting(plugin) == ["silent", "second"]
    close(net, plugin, first)
    assert second.connections() == ["plugin"]
    assert offers(plugin, silent) == 0


def test_a_connection_that_is_open_is_waited_for_by_nobody() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()
    core.ask()
    net.run()
    assert core.connections() == ["plugin"]
    assert waiting(plugin) == []


def test_a_late_offer_begins_a_new_acquaintance() -> None:
    """The plugin may never have answered this core, which has been silent since it asked."""
    net, plugin, (first, second) = crowd("first", "second")
    net.advance(timings.CONSIDERED_DEAD_AFTER * 3)
    assert plugin.machine.peers.get("second") is None
    close(net, plugin, first)
    net.advance(1)
    assert second.connections() == ["plugin"]
    assert_sane(plugin)


def test_a_handshake_that_ends_makes_room_for_one_of_another_operation() -> None:
    net = Net()
    needs = {"a": Requirement(ONE), "b": Requirement(ONE)}
    operations = {"a": Terms(), "b": Terms()}
    core = net.add_core(operation_requirements=needs, discovering_interval=1e9)
    plugin = net.add_plugin(operations=operations, limits=Limits(pending_requests=1))
    net.start()
    assert core.connections("a") == core.connections("b") == ["plugin"]
    assert len(plugin.sent(OfferMessage)) == 2


def test_of_a_core_that_is_not_known_the_last_discover_counts() -> None:
    """A forged one, of an incarnation that is yet to come, counts only until the next."""
    _, plugin, (_, second) = crowd("first", "second")
    true = second.packet(second.last_send(DiscoverMessage))
    for incarnation in ("00000009", "00000001"):
        plugin.handle(true.changed(incarnation=incarnation))
        (query,) = plugin.provider.waiting_queries._by_operation["text"].waiting.values()
        assert query.core.incarnation == incarnation


def test_a_core_that_is_leaving_takes_everything_back_at_once() -> None:
    net, plugin, (first, second) = crowd("first", "second")
    second.do(second.machine.leave())
    net.run()
    assert waiting(plugin) == []
    plugin.do(plugin.machine.leave())
    first.do(first.machine.close_gracelessly("plugin", "text", None, net.now))
    plugin.settings.operations = {"text": Terms(), "other": Terms()}
    plugin.tick()
    net.run()
    assert len(plugin.sent(OfferMessage)) == 1


# Strangers


def discover_of(net: Net, identifier: str, **fields: Any) -> Packet:
    """Return the discover of a core that is on no net."""
    stranger = Net().add_core(identifier, **{"text": ONE, **fields})
    stranger.start()
    stranger.tick()
    net.now += 1e-3
    return stranger.packet(stranger.last_send(DiscoverMessage))


def test_what_is_remembered_of_strangers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 5)
    net, plugin, (_, second) = crowd("first", "second")
    for number in range(20):
        plugin.handle(discover_of(net, f"stranger{number}"))
        assert_sane(plugin)
    assert waiting(plugin) == ["second", *(f"stranger{number}" for number in range(4))]
    assert len(plugin.machine.peers) == 1
    # Those that are remembered keep their place, and the others get one that is left.
    plugin.handle(discover_of(net, "stranger0"))
    second.stop()
    net.run()
    plugin.handle(discover_of(net, "stranger19"))
    assert waiting(plugin) == [*(f"stranger{number}" for number in range(4)), "stranger19"]
    net.now += timings.LATE_OFFERS_KEPT_FOR
    plugin.tick()
    assert len(plugin.provider.waiting_queries) == 0
    assert_sane(plugin)


def test_a_query_that_is_too_large_is_answered_but_not_remembered() -> None:
    net, plugin, _ = crowd("first")
    large = text_constraint(minimum=1, allowlist=["plugin", "x" * limits.SCHEMA_BYTES])
    plugin.handle(discover_of(net, "second"))
    plugin.handle(discover_of(net, "second", text=large))
    assert waiting(plugin) == []
    assert_sane(plugin)
