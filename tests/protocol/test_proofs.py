"""What proves that an orbiter has started anew, and what becomes of the incarnation before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orbitalis.protocol.effects import CloseReason, RemoteLost, Send
from orbitalis.protocol.machine import CoreMachine, PluginMachine
from orbitalis.protocol.peers import IncarnationStatus
from orbitalis_wire import limits, timings
from orbitalis_wire.channels import DIRECTED_DISCOVER
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node, Packet
from tests.support.restarts import NEVER, ONE, assert_work, connected, known, restart

# Proofs


def proofs(net: Net, core: Node, plugin: Node) -> dict[str, tuple[Node, Callable[[str], Packet]]]:
    """Return who gets each proof, and what makes it of the identifier that it answers."""
    offer = plugin.packet(plugin.last_send(OfferMessage))
    request = core.packet(core.last_send(RequestOperationMessage))
    reject = replace(request, message=RejectOperationMessage(core_identifier="core", operation_name="text"))
    at_core, at_plugin = core.settings.topics.keepalive("plugin"), plugin.settings.topics.keepalive("core")
    of_plugin = replace(offer, topic=at_core, message=KeepaliveMessage(from_identifier="plugin"))
    of_core = replace(request, topic=at_plugin, message=KeepaliveMessage(from_identifier="core"))

    def answering(packet: Packet) -> Callable[[str], Packet]:
        return lambda identifier: packet.changed(correlation_identifier=identifier, incarnation="next")

    return {
        "offer": (core, answering(offer)),
        "keepalive of a plugin": (core, answering(of_plugin)),
        "keepalive of a core": (plugin, answering(of_core)),
        "request": (plugin, answering(request)),
        "reject": (plugin, answering(reject)),
    }


def challenges(net: Net, core: Node, plugin: Node) -> dict[str, str]:
    """Have everything sent now that proves something when it is answered; return the identifiers."""
    core.do(core.core.discover(core.requester.requirements, net.now))
    everyone = core.last_send(DiscoverMessage).event_identifier
    core.do(core.machine.send_keepalive_request("plugin", net.now))
    plugin.do(plugin.machine.send_keepalive_request("core", net.now))
    core.handle(plugin.packet(plugin.last_send(AnnounceMessage)).changed(incarnation="next"))
    directed = core.last_send(DiscoverMessage)
    assert directed.channel is DIRECTED_DISCOVER
    plugin.handle(
        core.packet(core.last_send(DiscoverMessage)).changed(
            topic=core.settings.discover_topic,
            incarnation="next",
            message={"queries": _queries(core)},
        )
    )
    net.wire.clear()
    return {
        "discover": everyone,
        "directed discover": directed.event_identifier,
        "keepalive request of the core": core.last_send(KeepaliveRequestMessage).event_identifier,
        "keepalive request of the plugin": plugin.last_send(KeepaliveRequestMessage).event_identifier,
        "offer": plugin.last_send(OfferMessage).event_identifier,
        "announcement": plugin.last_send(AnnounceMessage).event_identifier,
        "request": core.last_send(RequestOperationMessage).event_identifier,
    }


def _queries(core: Node) -> dict[str, Any]:
    first: Any = core.sent(DiscoverMessage)[0]
    return dict(first.queries)


PROVEN = {
    ("offer", "discover"),
    ("offer", "directed discover"),
    ("keepalive of a plugin", "discover"),
    ("keepalive of a plugin", "directed discover"),
    ("keepalive of a plugin", "keepalive request of the core"),
    ("keepalive of a core", "keepalive request of the plugin"),
    ("request", "offer"),
    ("reject", "offer"),
}
CHALLENGES = (
    "discover",
    "directed discover",
    "keepalive request of the core",
    "keepalive request of the plugin",
    "offer",
    "announcement",
    "request",
)


@pytest.mark.parametrize("answered", CHALLENGES)
@pytest.mark.parametrize("proof", ["offer", "keepalive of a plugin", "keepalive of a core", "request", "reject"])
def test_an_answer_proves_what_it_can_be_an_answer_to(proof: str, answered: str) -> None:
    net, core, plugin = connected()
    identifier = challenges(net, core, plugin)[answered]
    receiver, answer = proofs(net, core, plugin)[proof]
    sender = plugin if receiver is core else core
    receiver.handle(answer(identifier))
    is_proven = (proof, answered) in PROVEN
    assert (known(receiver, sender).incarnation == "next") is is_proven
    lost = [RemoteLost(remote_identifier=sender.identifier, reason=CloseReason.REMOTE_RESTARTED)]
    assert receiver.had(RemoteLost) == (lost if is_proven else [])
    assert known(receiver, sender).past_incarnations == (("00000001",) if is_proven else ())


@pytest.mark.parametrize("proof", sorted(PROVEN))
def test_an_answer_proves_nothing_once_its_time_is_over(proof: tuple[str, str]) -> None:
    for late in (0.0, 0.01):
        net, core, plugin = connected()
        identifier = challenges(net, core, plugin)[proof[1]]
        receiver, answer = proofs(net, core, plugin)[proof[0]]
        net.now += timings.CHALLENGE_ANSWERED_WITHIN + late
        receiver.handle(answer(identifier))
        assert bool(receiver.had(RemoteLost)) is (not late)


def test_an_answer_to_what_another_was_sent_proves_nothing() -> None:
    net, core, plugin = connected(core={"text": text_constraint(minimum=1)})
    other = net.add_plugin("other", **NEVER)
    other.start()
    net.run()
    core.do(core.machine.send_keepalive_request("other", net.now))
    identifier = core.last_send(KeepaliveRequestMessage).event_identifier
    _, answer = proofs(net, core, plugin)["keepalive of a plugin"]
    core.handle(answer(identifier))
    assert known(core, plugin).incarnation == "00000001"


def test_an_answer_where_anybody_may_publish_proves_nothing() -> None:
    net, core, plugin = connected()
    identifier = challenges(net, core, plugin)["offer"]
    _, answer = proofs(net, core, plugin)["request"]
    plugin.handle(answer(identifier).changed(topic=plugin.settings.discover_topic))
    assert known(plugin, core).incarnation == "00000001"


def test_an_answer_to_what_was_sent_before_the_one_that_lives_was_heard_proves_nothing() -> None:
    """An answer of an incarnation in between, which the bus has held back, would shut out the one that lives."""
    net, core, plugin = connected()
    held_back = challenges(net, core, plugin)["discover"]
    _, answer = proofs(net, core, plugin)["offer"]
    net.now += 1
    restart(plugin)
    net.run()
    assert_work(core, plugin)
    core.handle(answer(held_back))
    net.advance(3)
    assert known(core, plugin).incarnation == "00000002"
    assert_work(core, plugin)


def test_the_identifiers_of_challenges_cannot_be_guessed() -> None:
    net = Net()
    net.announces = True
    core, plugin = net.add_core(**NEVER), net.add_plugin(**NEVER)
    sources: dict[str, Any] = {
        "new_identifier": net.new_identifier,
        "new_challenge": lambda: f"secret {net.new_identifier()}",
        "is_own": lambda identifier: True,
    }
    core._machine = CoreMachine(core.settings.core_config(), **sources)
    plugin._machine = PluginMachine(plugin.settings.plugin_config(), **sources)
    core.start()
    core.tick()
    net.run()
    plugin.start()
    net.run()
    core.do(core.machine.send_keepalive_request("plugin", net.now))
    sent = [send for node in net.nodes for send in node.had(Send)]
    kinds = {type(send.message) for send in sent if send.event_identifier.startswith("secret")}
    assert kinds == {DiscoverMessage, OfferMessage, KeepaliveRequestMessage}
    assert all(send.event_identifier.startswith("secret") for send in sent if type(send.message) in kinds)
    assert DIRECTED_DISCOVER in {send.channel for send in sent}


# Incarnations that have ended


def test_a_past_incarnation_is_not_heard_and_proves_nothing() -> None:
    net, core, plugin = connected()
    close = core.packet(core.last_send(RequestOperationMessage)).changed(incarnation="00000001")
    restart(core)
    net.run()
    plugin.do(plugin.machine.send_keepalive_request("core", net.now))
    identifier = plugin.last_send(KeepaliveRequestMessage).event_identifier
    net.wire.clear()
    _, answer = proofs(net, core, plugin)["keepalive of a core"]
    plugin.effects.clear()
    plugin.handle(answer(identifier).changed(incarnation="00000001"))
    plugin.handle(close)
    assert plugin.effects == []
    assert known(plugin, core).incarnation == "00000002"


def test_so_many_past_incarnations_are_known_and_no_more() -> None:
    net, core, plugin = connected()
    for number in range(2, limits.PAST_INCARNATIONS + 3):
        net.advance(20)
        restart(plugin, incarnation=number)
        net.run()
        assert_work(core, plugin)
    peer = known(core, plugin)
    assert peer.past_incarnations == tuple(f"{number:08d}" for number in range(2, limits.PAST_INCARNATIONS + 2))
    assert peer.status(plugin.envelope(incarnation="00000002")) is IncarnationStatus.PAST
    assert peer.status(plugin.envelope(incarnation="00000001")) is IncarnationStatus.UNKNOWN


def test_data_of_an_incarnation_that_is_not_current_is_not_taken() -> None:
    net, core, plugin = connected()
    slot = plugin.slot(core)
    for incarnation, is_taken in (("00000001", True), ("claimed", False), ("00000000", False)):
        known(plugin, core).past_incarnations = ("00000000",)
        headers = core.envelope(incarnation=incarnation, connection_identifier=slot.connection_identifier)
        assert plugin.machine.data_received(slot, headers, net.now) is is_taken


# Older peers


def test_a_peer_that_sends_headers_proves_nothing_without_them() -> None:
    """Who cannot read what it was asked could do the same."""
    net, core, plugin = connected()
    offer = challenges(net, core, plugin)["offer"]
    _, answer = proofs(net, core, plugin)["reject"]
    known(plugin, core).told_encoding = Encoding.JSON
    for correlation in ("guessed", None, offer):
        without = answer("").changed(incarnation=None, readable_encodings=None)
        plugin.handle(without.changed(correlation_identifier=correlation))
    assert plugin.connections() == ["core"]


BEFORE = ("json", "avro:6d06e770ed3a748a")
"""What peers of version 1.0 read."""


def test_a_plugin_of_version_1_0_proves_by_an_offer_that_it_was_asked_for() -> None:
    net = Net()
    core, plugin = net.add_core(text=ONE, **NEVER), net.add_plugin(**NEVER)
    net.start()
    net.now += timings.CHALLENGE_ANSWERED_WITHIN + 1
    known(core, plugin).told_encoding = Encoding.JSON
    offer = plugin.packet(plugin.last_send(OfferMessage)).changed(
        incarnation="next", correlation_identifier=None, readable_encodings=BEFORE
    )
    core.handle(offer)
    assert known(core, plugin).incarnation == "00000001", "it was not asked of late"
    core.do(core.core.discover(core.requester.requirements, net.now))
    core.handle(offer.changed(readable_encodings=tuple(Encoding)))
    assert known(core, plugin).incarnation == "00000001", "it can name what it answers"
    core.handle(offer)
    assert known(core, plugin).incarnation == "next"


def test_a_peer_of_this_version_proves_nothing_as_one_of_version_1_0() -> None:
    net, core, plugin = connected()
    core.do(core.core.discover(core.requester.requirements, net.now))
    offer = plugin.packet(plugin.last_send(OfferMessage))
    core.handle(offer.changed(incarnation="next", correlation_identifier=None, readable_encodings=BEFORE))
    assert known(core, plugin).incarnation == "00000001"
