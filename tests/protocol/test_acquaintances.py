"""What is known of remotes, and how long it is remembered."""

from __future__ import annotations

from typing import Any

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


def test_strangers_are_remembered_only_as_long_as_there_is_room() -> None:
    net = Net()
    plugin = net.add_plugin(maximum_known_remotes=10, consider_others_dead_after=None)
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
    assert len(plugin.machine.acquaintances) == 10
    assert plugin.machine.acquaintances.get("stranger99") is not None


def test_strangers_that_get_nothing_are_not_remembered_at_all() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(operations={})
    net.start()
    core.do(core.machine.reconnected(net.now))
    assert len(plugin.machine.acquaintances) == len(core.machine.acquaintances) == 0


def test_a_remote_that_was_dead_may_come_back_with_a_clock_that_is_slow() -> None:
    net, core, plugin = connected()
    plugin.crash()
    net.advance(121)
    plugin.incarnation = -1
    plugin.start()
    net.advance(5)
    assert core.connections() == ["plugin"]
