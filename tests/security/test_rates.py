"""What may come in a second, and what of it may be kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.orbiter.narrator import Narrator
from orbitalis.plugin import Plugin
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.quotas import RateLimiter
from orbitalis.protocol.waiting_queries import size_of_query
from orbitalis_wire import limits, timings
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.messages import DiscoverMessage, KeepaliveMessage
from orbitalis_wire.topics import CloseAckTopic, CloseTopic, KeepaliveRequestTopic, OperationInputTopic
from tests.security.hostile import discover, hostile_schemas, large_discover
from tests.security.test_flood import besieged
from tests.support.invariants import assert_sane
from tests.support.machines import Net, Node, Packet


def test_a_burst_passes_and_then_a_steady_rate() -> None:
    limiter = RateLimiter()
    assert sum(limiter.admits(5.0, 10) for _ in range(1000)) == pytest.approx(10 * timings.BURST, abs=1)
    assert sum(limiter.admits(6.0, 10) for _ in range(1000)) == pytest.approx(10, abs=1)
    assert sum(limiter.admits(1e9, 10) for _ in range(1000)) == pytest.approx(10 * timings.BURST, abs=1)


def keepalive(node: Node, number: int, **headers: Any) -> Packet:
    envelope = node.envelope(identifier=f"e{number}", incarnation="00000001", **headers)
    message = KeepaliveMessage(from_identifier=node.identifier)
    return Packet(topic=f"orbitalis/plugin/{node.identifier}/keepalive", message=message, envelope=envelope)


def test_one_remote_that_sends_too_much_is_not_heard_and_no_other_pays_for_it() -> None:
    net, plugin, loud = besieged("plugin", limits=Limits(remote_events_per_second=10))
    quiet = net.add_core("quiet")
    net.start()
    for number in range(1000):
        plugin.handle(keepalive(loud, number))
    assert plugin.machine.statistics.too_fast >= 1000 - 10 * timings.BURST
    assert plugin.machine.data_received(plugin.slot(loud), loud.envelope(incarnation="00000001"), net.now)
    dropped = plugin.machine.statistics.too_fast
    plugin.handle(keepalive(quiet, 1))
    assert plugin.machine.statistics.too_fast == dropped


def test_discovers_in_the_name_of_a_remote_do_not_use_up_what_it_may_send() -> None:
    _, plugin, core = besieged("plugin", limits=Limits(remote_events_per_second=10))
    for number in range(1000):
        packet = discover(number)
        message = {"core_identifier": "core"}
        plugin.handle(packet.changed(message=message, incarnation="00000001"))
    dropped = plugin.machine.statistics.too_fast
    assert dropped > 800
    plugin.handle(keepalive(core, 1))
    assert plugin.machine.statistics.too_fast == dropped


def test_a_flood_of_schemas_leaves_those_that_are_known_alone() -> None:
    net, plugin, _ = besieged("plugin", limits=Limits(unfamiliar_schema_bytes_per_second=1000))
    for number in range(50):
        plugin.handle(hostile_schemas(number))
    assert plugin.machine.statistics.unread_schemas > 40
    net.add_core("neighbour")
    net.start()
    assert "neighbour" in plugin.connections()
    assert_sane(plugin)


def test_what_cores_wait_for_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERY_BYTES", 100_000)
    _, plugin, _ = besieged("plugin", limits=Limits(unfamiliar_schema_bytes_per_second=1e9))
    for number in range(200):
        plugin.handle(large_discover(number))
    queries = plugin.provider.waiting_queries
    assert 0 < queries.bytes <= 100_000
    assert 0 < len(queries) < 20
    assert_sane(plugin)
    for number in range(200):
        queries.forget(f"invented-{number}".ljust(limits.IDENTIFIER_BYTES, "x"))
    assert queries.bytes == 0


def test_a_remote_keeps_no_long_headers_here() -> None:
    _, plugin, _ = besieged("plugin")
    packet = discover(1)
    long = "x" * 100_000
    plugin.handle(
        replace(packet, envelope=replace(packet.envelope, publisher_identifier=long, traceparent=long)).changed(
            readable_encodings=[long], open_connections=[long], message_type=long
        )
    )
    assert 0 < plugin.provider.waiting_queries.bytes < 10_000


def test_topics_of_the_layout_may_be_told_and_longer_ones_may_not() -> None:
    name = "x" * limits.IDENTIFIER_BYTES
    own = {"operation_name": name, "connection_identifier": name}
    pair = {"recipient_identifier": name, "sender_identifier": name}
    for topic in (
        CloseTopic.build(**pair, **own),
        CloseAckTopic.build(**pair, **own),
        KeepaliveRequestTopic.build(**pair),
        OperationInputTopic.build(plugin_identifier=name, core_identifier=name, **own),
    ):
        assert len(topic) <= limits.TOLD_TOPIC_BYTES
    _, plugin, _ = besieged("plugin")
    for field in ("offer_topic", "core_keepalive_topic", "core_keepalive_request_topic"):
        told = discover(1).changed(message={field: "x" * (limits.TOLD_TOPIC_BYTES + 1)})
        with pytest.raises(RemoteProtocolError, match="longer than"):
            plugin.handle(told)
    assert plugin.machine.statistics.refused == 3
    assert len(plugin.machine.slots) == 1


def test_limits_that_were_reached_are_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    statistics = OrbiterStatistics()
    narrator = Narrator("plugin", Plugin()._machine.obstacles, statistics, print)
    narrator.limits_reached()
    for _ in range(1000):
        statistics.too_fast += 1
        narrator.limits_reached()
    (record,) = caplog.records
    assert "1 messages of remotes that send too many" in record.getMessage()


@pytest.mark.parametrize("bound", ["known_remotes", "remote_events_per_second"])
async def test_a_bound_is_positive(bound: str) -> None:
    options: dict[str, Any] = {bound: 0}
    with pytest.raises(ValueError, match=bound):
        Plugin(limits=Limits(**options))


def test_sizes_are_about_right() -> None:
    message = large_discover(1).message
    assert isinstance(message, DiscoverMessage)
    written = len(CODEC_BY_CLASS[DiscoverMessage].encode(message))
    assert written / 2 < sum(size_of_query(name, query) for name, query in message.queries.items()) < written * 2


def test_a_net_without_floods_counts_nothing_but_what_is_late() -> None:
    net = Net()
    nodes = [net.add_core(f"core{number}") for number in range(5)] + [net.add_plugin(f"plugin{n}") for n in range(5)]
    net.start()
    net.advance(600)
    for node in nodes:
        assert replace(node.machine.statistics, ignored=0) == OrbiterStatistics()


def test_what_is_too_much_has_no_effect() -> None:
    _, plugin, core = besieged("plugin", limits=Limits(remote_events_per_second=10))
    plugin.effects.clear()
    for number in range(1000):
        plugin.handle(keepalive(core, number))
    assert len(plugin.effects) <= 10 * timings.BURST + 1


def test_more_schemas_than_one_operation_has_reason_to_name_fit_nothing() -> None:
    _, plugin, _ = besieged("plugin")
    packet = discover(1)
    (query,) = packet.message.queries.values()  # type: ignore[union-attr]
    (taken,) = query.inputs
    many = replace(taken, schemas=tuple(taken.schemas) * (limits.SCHEMA_BYTES // len(taken.schemas[0]) + 1))
    plugin.handle(packet.changed(message={"queries": {"text": replace(query, inputs=[many])}}))
    assert plugin.machine.statistics.unread_schemas == 1
    assert len(plugin.machine.slots) == 1
    assert len(plugin.provider.waiting_queries) == 0
