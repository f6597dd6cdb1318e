"""A policy that becomes stricter ends what it does not allow any more: connections gracefully, the newest first."""

from __future__ import annotations

import time

import pytest

from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import ConnectionClosed, ObstacleMet, Send
from orbitalis.protocol.obstacles import ObstacleKind
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    OperationNoLongerAvailableMessage,
    RequestOperationMessage,
)
from tests.support.machines import Net, Node


def lent(net: Net, plugin: Node, *cores: str) -> list[Node]:
    """Start a plugin, and cores one after the other; each gets the operation."""
    plugin.start()
    started: list[Node] = []
    for identifier in cores:
        net.now += 1
        started.append(net.add_core(identifier))
        started[-1].start()
        started[-1].ask()
        net.run()
    assert plugin.connections() == list(cores)
    return started


def edit(plugin: Node, **rules: object) -> None:
    plugin.settings.operations["text"].policy = Policy(**rules)  # type: ignore[arg-type]  # rules of tests
    plugin.configure()


def closed(plugin: Node) -> list[str | None]:
    """Return to whom graceful closes were sent, in order."""
    return [
        send.remote_identifier for send in plugin.had(Send) if isinstance(send.message, GracefulCloseConnectionMessage)
    ]


def test_a_lower_maximum_ends_the_newest_connections_gracefully() -> None:
    net = Net()
    plugin = net.add_plugin()
    cores = lent(net, plugin, "a", "b", "c", "d")

    edit(plugin, maximum=2)

    assert closed(plugin) == ["d", "c"]
    assert [plugin.slot(core).state for core in cores] == [SlotState.OPEN] * 2 + [SlotState.CLOSING] * 2
    net.run()
    assert plugin.connections() == ["a", "b"]
    assert [core.requester.compliant for core in cores] == [True, True, False, False]


def test_a_list_ends_the_connections_of_those_that_it_does_not_admit() -> None:
    net = Net()
    plugin = net.add_plugin()
    lent(net, plugin, "a", "b", "c")

    edit(plugin, blocklist=["b"])
    net.run()
    assert plugin.connections() == ["a", "c"]

    edit(plugin, allowlist=["c"])
    net.run()
    assert plugin.connections() == ["c"]


def test_those_that_a_list_excludes_do_not_count_for_the_maximum() -> None:
    net = Net()
    plugin = net.add_plugin()
    lent(net, plugin, "a", "b", "c")

    edit(plugin, blocklist=["a"], maximum=2)

    assert closed(plugin) == ["a"]


def test_what_is_about_to_end_does_not_count_for_the_maximum() -> None:
    net = Net()
    plugin = net.add_plugin()
    lent(net, plugin, "a", "b")
    plugin.do(plugin.machine.close_gracefully("a", "text", None, net.now))

    edit(plugin, maximum=1)

    assert closed(plugin) == ["a"]
    assert plugin.connections() == ["b"]


def test_another_edit_that_is_as_lenient_ends_nothing() -> None:
    net = Net()
    plugin = net.add_plugin()
    lent(net, plugin, "a", "b")

    edit(plugin, maximum=2)
    edit(plugin, allowlist=["a", "b", "c"])

    assert closed(plugin) == []


def test_a_connection_that_is_allowed_again_meanwhile_stays() -> None:
    net = Net()
    plugin = net.add_plugin()
    net.watches_settings = False
    lent(net, plugin, "a")
    machine = plugin.plugin
    for maximum in (0, 1):
        plugin.settings.operations["text"].policy = Policy(maximum=maximum)
        plugin.do(machine.configure(plugin.settings.plugin_config(), net.now))
        if maximum == 0:
            (slot,) = machine.pop_disallowed()

    # Its data was asked for, which takes a while.
    plugin.do(machine.close_disallowed(slot, None, net.now))

    assert slot.is_open


@pytest.mark.parametrize("is_gone", [False, True], ids=["excluded", "gone"])
def test_an_offer_that_is_not_allowed_any_more_is_withdrawn(*, is_gone: bool) -> None:
    net = Net()
    plugin, core = net.add_plugin(), net.add_core()
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    assert plugin.slot(core).state is SlotState.OFFERED

    if is_gone:
        plugin.settings.operations = {}
        plugin.configure()
    else:
        edit(plugin, blocklist=["core"])

    assert not plugin.has_slot(core)
    net.wire.insert(0, request)
    net.run()
    assert plugin.sent(OperationNoLongerAvailableMessage)
    assert not core.has_slot(plugin)


def test_a_request_that_is_not_allowed_any_more_is_refused_while_it_is_prepared() -> None:
    net = Net()
    plugin, core = net.add_plugin(), net.add_core()
    plugin.prepares = False
    net.start()
    assert plugin.slot(core).state is SlotState.PREPARING

    edit(plugin, maximum=0)
    plugin.finish_preparing()
    net.run()

    assert not plugin.has_slot(core)
    assert not core.has_slot(plugin)
    assert plugin.sent(OperationNoLongerAvailableMessage)
    assert not plugin.sent(ConfirmConnectionMessage)
    assert not plugin.had(ConnectionClosed)


def test_what_a_list_takes_from_one_core_is_offered_to_one_that_waits() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=1))
    (a,) = lent(net, plugin, "a")
    b = net.add_core("b")
    b.start()
    b.ask()
    net.run()
    assert not b.requester.compliant

    edit(plugin, maximum=1, blocklist=["a"])
    net.run()

    assert plugin.connections() == ["b"]
    assert not a.requester.compliant


def test_many_connections_end_in_no_time() -> None:
    net = Net()
    net.watches_settings = False
    plugin = net.add_plugin()
    plugin.start()
    cores = [net.add_core(f"core{number}") for number in range(3)]
    for core in cores:
        core.start()
        core.ask()
        net.run()
    slots = plugin.machine.slots
    for number in range(5_000):
        slot = Slot(
            role=Role.PLUGIN,
            remote_identifier=f"other{number}",
            operation_name="text",
            input=Input.string(),
            output=Output.string(),
            created_at=net.now,
            waiting_since=net.now,
            remote_close_topic="close",
        )
        slots.add(slot, SlotTrigger.OFFER_SENT)
        slots.advance(slot, SlotTrigger.REQUEST_RECEIVED)
        slots.advance(slot, SlotTrigger.PREPARED)
        slot.opened_at = net.now + 1
    before = time.process_time()

    edit(plugin, maximum=3)

    assert plugin.connections() == ["core0", "core1", "core2"]
    assert len(closed(plugin)) == 5_000
    assert time.process_time() - before < 10  # with a look at all for each it takes minutes


def test_both_sides_note_why_a_connection_was_ended() -> None:
    net = Net()
    plugin = net.add_plugin()
    first, second = lent(net, plugin, "a", "b")

    edit(plugin, maximum=1)
    net.run()
    edit(plugin, blocklist=["a"])
    net.run()

    assert {core: str(met) for (core, _), met in plugin.machine.obstacles.found.items()} == {
        "a": "the core is on the blocklist of the operation's policy",
        "b": "the maximum of 1 is reached: it is lent or offered to 'a'",
    }
    assert [effect.remote_identifier for effect in plugin.had(ObstacleMet)] == ["b", "a"]
    for core in (first, second):
        (met,) = core.machine.obstacles.found.values()
        assert (met.kind, str(met)) == (ObstacleKind.UNAVAILABLE, "the plugin has closed the connection")
