"""Whose turn it is when something becomes free, and that finding out does not take longer the more wait in vain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis.message import Input
from orbitalis.protocol.policy import Policy
from orbitalis.protocol.turns import Turns
from orbitalis_wire import timings
from orbitalis_wire.messages import DiscoverMessage, KeepaliveMessage, OfferMessage, RejectOperationMessage
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Terms, text_constraint
from tests.support.machines import Net, Node, Packet

CROWD = 300
ONE = text_constraint(minimum=1, maximum=1)


def order(turns: Turns) -> str:
    found = ""
    while (first := turns.first()) is not None:
        found += first
        turns.set_aside(first)
    turns.join_all()
    return found


def test_a_place_is_kept_until_it_is_left() -> None:
    turns = Turns()
    for identifier in "abcd":
        turns.join(identifier)
    turns.set_aside("b")
    turns.set_aside("b")
    assert turns.put_off("a")
    assert not turns.put_off("a")
    assert turns.first() == "c"
    turns.join("b")
    assert order(turns) == "bcda"
    turns.join("a")
    assert order(turns) == "abcd"
    turns.leave("a")
    turns.leave("c")
    turns.join("a")
    assert order(turns) == "bda"
    for identifier in "abd":
        turns.leave(identifier)
    assert turns.first() is None


def discover(net: Net, identifier: str, **needs: Any) -> Packet:
    """Return the discover of a core that is on no net."""
    core = Net().add_core(identifier, **{"text": ONE, **needs})
    core.start()
    core.tick()
    net.now += 1e-3
    return core.packet(core.last_send(DiscoverMessage))


def looked_at(plugin: Node, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note from now on whom a plugin looks at."""
    looks: list[str] = []
    standing, suited = plugin.machine.acquaintances.standing, plugin.plugin._suited

    def noting(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def look(*arguments: Any) -> Any:
            looks.append(f"{kind} {arguments[0]}")
            return function(*arguments)

        return look

    monkeypatch.setattr(plugin.machine.acquaintances, "standing", noting("standing", standing))
    monkeypatch.setattr(plugin.plugin, "_suited", noting("suited", suited))
    return looks


def reject(net: Net, plugin: Node, core: str) -> None:
    """Let a core ask, and reject what it is offered."""
    packet = discover(net, core)
    plugin.handle(packet)
    message = RejectOperationMessage(core_identifier=core, operation_name="text", description=None)
    plugin.handle(Packet(topic=f"orbitalis/plugin/{core}/reply", message=message, envelope=packet.envelope))


@pytest.mark.parametrize("kind", ["misfits", "not admitted", "offered already", "silent"])
def test_a_slot_that_becomes_free_costs_the_same_however_many_wait_in_vain(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = Net()
    policy = Policy(blocklist=[f"waiting{number}" for number in range(CROWD)]) if kind == "not admitted" else Policy()
    plugin = net.add_plugin(policy=policy)
    net.start()
    if kind == "silent":
        policy.maximum = 0
    need = text_constraint(minimum=1, inputs=[Input.int64()]) if kind == "misfits" else ONE
    for number in range(CROWD):
        plugin.handle(discover(net, f"waiting{number}", text=need))
    assert len(plugin.plugin.wishes) == CROWD
    if kind == "silent":
        net.now += timings.CONSIDERED_DEAD_AFTER
        policy.maximum = 1
        plugin.tick()
    looks = looked_at(plugin, monkeypatch)
    for _ in range(10):
        if kind == "silent":
            (offered,) = plugin.machine.slots
            message = RejectOperationMessage(
                core_identifier=offered.remote_identifier, operation_name="text", description=None
            )
            envelope = plugin.envelope(incarnation="00000001", correlation_identifier=offered.offer_identifiers[-1])
            topic = f"orbitalis/plugin/{offered.remote_identifier}/reply"
            plugin.handle(Packet(topic=topic, message=message, envelope=envelope))
        else:
            reject(net, plugin, "other")
    assert len(looks) < 10 * 10
    assert_sane(plugin)


def test_those_that_were_looked_at_in_vain_are_looked_at_when_the_operation_has_changed() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(allowlist=["nobody"]))
    cores = [net.add_core(f"core{number}", discovering_interval=1e9) for number in range(3)]
    net.start()
    cores[0].do(cores[0].core.discover({"text": text_constraint(inputs=[Input.int64()])}, net.now))
    net.run()
    plugin.settings.operations["text"].policy.allowlist = None
    plugin.tick()
    net.run()
    assert plugin.connections() == ["core1", "core2"]
    plugin.settings.operations = {"text": Terms(input=Input.int64())}
    plugin.tick()
    assert [one.name for offer in plugin.sent(OfferMessage)[2:] for one in offer.offered_operations] == ["text"]
    assert plugin.has_slot(cores[0])


def test_who_may_have_been_dead_and_is_heard_comes_at_its_place_again() -> None:
    net = Net()
    policy = Policy(maximum=1)
    plugin = net.add_plugin(policy=policy)
    net.start()
    reject(net, plugin, "first")
    net.add_core("holder", discovering_interval=1e9)
    net.start()
    plugin.handle(discover(net, "first"))
    net.advance(timings.CONSIDERED_DEAD_AFTER)
    for identifier in ("second", "third"):
        plugin.handle(discover(net, identifier))
    policy.maximum = 2
    plugin.tick()
    assert {slot.remote_identifier for slot in plugin.machine.slots} == {"holder", "second"}
    envelope = plugin.envelope(incarnation="00000001")
    keepalive = KeepaliveMessage(from_identifier="first")
    plugin.handle(Packet(topic="orbitalis/plugin/first/keepalive", message=keepalive, envelope=envelope))
    policy.maximum = 3
    plugin.tick()
    assert {slot.remote_identifier for slot in plugin.machine.slots} == {"holder", "second", "first"}
    assert_sane(plugin)
