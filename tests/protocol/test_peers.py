"""What is known of remotes, and how long it is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.protocol.config import CoreConfig, TopicLayout
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.peers import Claim, IncarnationStatus, Peer, Peers, PeerTopics
from orbitalis.protocol.transitions import Role
from orbitalis_wire import timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import DiscoverMessage, OfferMessage
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node

ONE = text_constraint(minimum=1, maximum=1)


def connected(*, core: dict[str, Any] | None = None, plugin: dict[str, Any] | None = None) -> tuple[Net, Node, Node]:
    """Return a net with a core, which wants no more than it has, and a plugin; they are connected."""
    net = Net()
    nodes = net.add_core(**{"text": ONE, **(core or {})}), net.add_plugin(**(plugin or {}))
    net.start()
    assert nodes[0].connections() == ["plugin"]
    return net, *nodes


def test_a_remote_that_reads_avro_is_written_avro_until_it_starts_anew() -> None:
    _, core, plugin = connected()
    assert core.last_send(DiscoverMessage).encoding is Encoding.JSON
    assert plugin.last_send(OfferMessage).encoding is Encoding.AVRO
    discover = core.packet(core.last_send(DiscoverMessage))
    plugin.handle(discover.changed(incarnation="00000002", readable_encodings=None))
    assert plugin.last_send(OfferMessage).encoding is Encoding.JSON


def test_a_remote_with_another_envelope_is_written_json() -> None:
    _, core, plugin = connected()
    discover = core.packet(core.last_send(DiscoverMessage))
    plugin.handle(discover.changed(incarnation="00000002", readable_encodings=("json", "avro:0123456789abcdef")))
    assert plugin.last_send(OfferMessage).encoding is Encoding.JSON


@pytest.mark.parametrize(
    ("readable", "written", "is_of_version_1_1"),
    [
        (tuple(Encoding), Encoding.AVRO, True),
        (tuple(reversed(Encoding)), Encoding.AVRO, True),
        (("json", Encoding.AVRO_1_0.value), Encoding.AVRO_1_0, False),
        (("json",), Encoding.JSON, False),
        ((), Encoding.JSON, False),
        (None, Encoding.JSON, False),
        (("avro:0123456789abcdef", *Encoding), Encoding.AVRO, True),
    ],
)
def test_a_remote_is_written_the_newest_envelope_that_both_know(
    readable: tuple[str, ...] | None, written: Encoding, is_of_version_1_1: bool
) -> None:
    net = Net()
    plugin = net.add_plugin()
    plugin.start()
    core = net.add_core(text=ONE)
    core.start()
    core.tick()

    plugin.handle(net.deliver_until(DiscoverMessage).changed(readable_encodings=readable))

    assert plugin.last_send(OfferMessage).encoding is written
    peer = plugin.machine.peers.get("core")
    assert peer is not None
    assert peer.is_of_version_1_1 is is_of_version_1_1


def test_strangers_are_remembered_only_as_long_as_there_is_room() -> None:
    net = Net()
    plugin = net.add_plugin(limits=Limits(known_remotes=10), consider_others_dead_after=None)
    plugin.start()
    core = net.add_core("stranger", text=ONE)
    core.start()
    core.tick()
    discover = net.deliver_until(DiscoverMessage)
    for number in range(100):
        identifier = f"stranger{number}"
        topics = {"core_keepalive_topic": "keepalives", "core_keepalive_request_topic": "requests"}
        plugin.handle(discover.changed(message={"core_identifier": identifier, "offer_topic": "offers", **topics}))
        assert plugin.machine.slots.has_remote(identifier)
        plugin.do(plugin.machine.discard_expired(net.now + 60))
    assert len(plugin.machine.slots) == 0
    assert len(plugin.machine.peers) == 10
    assert plugin.machine.peers.get("stranger99") is not None


def test_strangers_that_get_nothing_are_not_remembered_at_all() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(operations={})
    net.start()
    core.do(core.machine.reconnected(net.now))
    assert len(plugin.machine.peers) == len(core.machine.peers) == 0


def test_a_remote_that_was_dead_comes_back_in_any_incarnation() -> None:
    net, core, plugin = connected()
    plugin.crash()
    net.advance(121)
    plugin.incarnation = -1
    plugin.start()
    net.advance(5)
    assert core.connections() == ["plugin"]


# The part of a machine by itself


def alone(**settings: Any) -> Peers:
    """Return the peers of a core that names `friend`."""
    config = CoreConfig(
        identifier="core",
        topics=TopicLayout(Role.CORE, "core"),
        requirements={"text": text_constraint(mandatory=["friend"]).terms()},
        **settings,
    )
    return Peers(config, OrbiterStatistics())


def meet(peers: Peers, identifier: str, now: float = 0.0, *, is_certain: bool = True, **headers: Any) -> Peer:
    return peers.meet(identifier, Net().add_plugin(identifier).envelope(**headers), now, is_certain=is_certain)


def status(peers: Peers, identifier: str, incarnation: str | None) -> IncarnationStatus:
    return peers.status(identifier, Net().add_plugin(identifier).envelope(incarnation=incarnation))


def topics(considers_me_dead_after: float = 120.0) -> PeerTopics:
    return PeerTopics(keepalive_topic="k", keepalive_request_topic="r", considers_me_dead_after=considers_me_dead_after)


def test_of_a_peer_that_is_known_for_sure_other_incarnations_are_unknown_unless_they_have_ended() -> None:
    peers = alone()
    assert status(peers, "stranger", "5") is IncarnationStatus.CURRENT
    meet(peers, "plugin", incarnation="5", is_certain=False)
    assert {status(peers, "plugin", one) for one in ("4", "5", "6", None)} == {IncarnationStatus.CURRENT}
    peer = meet(peers, "plugin", incarnation="5")
    peer.past_incarnations = ("3",)
    assert {status(peers, "plugin", one) for one in ("4", "6", "", None)} == {IncarnationStatus.UNKNOWN}
    assert status(peers, "plugin", "5") is IncarnationStatus.CURRENT
    assert status(peers, "plugin", "3") is IncarnationStatus.PAST


def test_an_older_peer_has_one_incarnation_as_long_as_it_sends_no_headers() -> None:
    peers = alone()
    assert meet(peers, "plugin").incarnation is None
    assert status(peers, "plugin", None) is IncarnationStatus.CURRENT
    assert status(peers, "plugin", "one") is IncarnationStatus.UNKNOWN, "one with headers is another"


def test_of_a_peer_that_is_dead_any_incarnation_is_heard() -> None:
    peers = alone(consider_others_dead_after=10.0)
    meet(peers, "plugin", incarnation="5")
    (dead,) = peers.pop_dead(10.0)
    assert dead.identifier == "plugin"
    assert status(peers, "plugin", "4") is IncarnationStatus.CURRENT
    assert not meet(peers, "plugin", 11.0, incarnation="4").is_dead


def test_a_claim_is_taken_over_when_its_incarnation_is_certain() -> None:
    peers = alone()
    peer = meet(peers, "plugin", incarnation="5")
    peers.told(peer, topics(1.0))
    peer.claim = Claim(incarnation="6", heard_at=0.0, topics=topics(2.0))
    meet(peers, "plugin", incarnation="5")
    assert peer.considers_me_dead_after == 1.0
    meet(peers, "plugin", incarnation="6", is_certain=False)
    assert peer.claim is not None
    meet(peers, "plugin", incarnation="6")
    assert peer.claim is None
    assert peer.considers_me_dead_after == 2.0


def test_a_claim_that_was_not_heard_for_long_is_forgotten() -> None:
    peers = alone()
    peer = meet(peers, "plugin", incarnation="5")
    peer.claim = Claim(incarnation="6", heard_at=10.0)
    meet(peers, "plugin", 10.0 + timings.CHALLENGE_ANSWERED_WITHIN - 0.1, incarnation="5")
    assert peer.claim is not None
    meet(peers, "plugin", 10.0 + timings.CHALLENGE_ANSWERED_WITHIN, incarnation="5")
    assert peer.claim is None


def test_a_peer_is_asked_for_a_keepalive_once_in_each_silence_and_dead_after_it() -> None:
    peers = alone(consider_others_dead_after=10.0, send_keepalive_before_timelimit=4.0)
    peer = meet(peers, "plugin")
    peers.seen(peer, 5.0)
    assert peers.pop_probes_due(12.9) == []
    assert peers.pop_probes_due(13.0) == [peer]
    assert peers.pop_probes_due(14.0) == []
    assert not peers.is_silent(peer, 14.0)
    peers.seen(peer, 14.0)
    assert peers.pop_dead(15.0) == []
    assert peers.pop_probes_due(22.0) == [peer]
    assert peers.next_deadline() == 24.0
    assert peers.pop_dead(24.0) == [peer]
    assert peers.is_silent(peer, 24.0)
    assert peers.pop_dead(1e6) == []
    assert peers.next_deadline() is None


@pytest.mark.parametrize("dead_after", [120.0, None])
def test_keepalives_are_owed_from_the_first_connection_to_the_last(dead_after: float | None) -> None:
    peers = alone(consider_others_dead_after=dead_after, send_keepalive_before_timelimit=4.0)
    peer = meet(peers, "plugin")
    peers.told(peer, topics(10.0))
    assert peers.pop_keepalives_due(50.0) == []
    for _ in range(2):
        peers.connected("plugin", 50.0)
    peers.disconnected("plugin")
    assert peers.next_deadline() == 56.0
    assert peers.pop_keepalives_due(55.9) == []
    assert peers.pop_keepalives_due(56.0) == [peer]
    peer.last_keepalive_sent = 56.0
    assert peers.pop_keepalives_due(61.9) == []
    assert peers.pop_keepalives_due(62.0) == [peer]
    peers.disconnected("plugin")
    assert peers.pop_keepalives_due(1_000.0) == []


def test_a_reconciliation_is_asked_for_at_its_time_and_once() -> None:
    peers = alone(consider_others_dead_after=None)
    peer = meet(peers, "plugin")
    peers.reconcile_later(peer, 5.0)
    assert peers.next_deadline() == 5.0
    assert peers.pop_probes_due(5.0) == [peer]
    assert peers.pop_probes_due(6.0) == []
    assert peers.next_deadline() is None


def test_a_peer_with_which_nothing_is_shared_makes_room_unless_it_is_named() -> None:
    peers = alone(limits=Limits(known_remotes=3))
    for identifier in ("friend", "engaged", "parted"):
        meet(peers, identifier)
        peers.parted(identifier)
    peers.engaged("engaged")
    meet(peers, "new")
    assert [peer.identifier for peer in peers.all()] == ["friend", "engaged", "new"]
    peers.parted("new")
    meet(peers, "newer")
    assert [peer.identifier for peer in peers.all()] == ["friend", "engaged", "newer"]
