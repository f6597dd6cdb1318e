"""What is taken of others, by the part of a machine that decides it."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.errors import RemoteProtocolError
from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis.protocol.config import PluginConfig, TopicLayout
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.peers import Peer
from orbitalis.protocol.quotas import Quotas
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.transitions import Role, SlotTrigger
from orbitalis_wire import limits, timings
from tests.support.machine_settings import Terms

NOW = 1_000.0


class Alone:
    """Quotas of a plugin that names `friend`, and the handshakes that they count."""

    def __init__(self, **settings: Any) -> None:
        terms = Policy(allowlist=["friend"]).terms(Terms().input, Terms().output)
        topics = TopicLayout(Role.PLUGIN, "plugin")
        self.slots = SlotTable()
        self.statistics = OrbiterStatistics()
        config = PluginConfig(identifier="plugin", topics=topics, operations={"private": terms}, **settings)
        self.quotas = Quotas(config, self.slots, self.statistics)
        self.given_up: list[str] = []

    def offer(self, core: str, *, at: float = NOW, size: int = 0, opens: bool = False) -> Slot:
        """Take a slot for an offer to a core, and perhaps open its connection."""
        slot = Slot(
            role=Role.PLUGIN,
            remote_identifier=core,
            operation_name="text",
            input=Input.string(),
            output=Output.string(),
            created_at=at,
            waiting_since=at,
            size=size,
        )
        self.slots.add(slot, SlotTrigger.OFFER_SENT)
        if opens:
            self.slots.advance(slot, SlotTrigger.REQUEST_RECEIVED)
            self.slots.advance(slot, SlotTrigger.PREPARED)
        return slot

    def makes_room_for(self, core: str, *, at: float = NOW) -> bool:
        """Return whether there is room for one more handshake, perhaps after another has been given up."""
        return self.quotas.make_room_for_pending(core, at, self._give_up)

    def _give_up(self, slot: Slot) -> None:
        self.given_up.append(slot.remote_identifier)
        self.slots.advance(slot, SlotTrigger.EXPIRED)


def test_strangers_share_a_rate_and_those_that_are_named_have_one_more() -> None:
    alone = Alone(limits=Limits(stranger_events_per_second=1, remote_events_per_second=2))

    def admitted(sender: str) -> int:
        return sum(alone.quotas.admit(sender, None, is_proven=True, now=NOW) for _ in range(100))

    assert admitted("stranger") == timings.BURST
    assert admitted("another") == 0
    assert alone.statistics.too_fast_strangers == 190
    assert admitted("friend") == 2 * timings.BURST


def test_what_others_may_publish_in_the_name_of_a_peer_has_a_rate_of_its_own() -> None:
    alone = Alone(limits=Limits(remote_events_per_second=1))
    peer = Peer(identifier="core", last_seen=NOW)
    alone.offer("core")
    counts = [
        sum(alone.quotas.admit("core", peer, is_proven=is_proven, now=NOW) for _ in range(50))
        for is_proven in (False, True)
    ]
    assert counts == [timings.BURST] * 2
    assert alone.statistics.too_fast == 100 - 2 * timings.BURST


def test_a_message_is_about_so_many_operations_and_no_more() -> None:
    alone = Alone()
    alone.quotas.check_operations("core", limits.OPERATIONS_OF_MESSAGE)
    with pytest.raises(RemoteProtocolError, match=f"'core' sent a message about {limits.OPERATIONS_OF_MESSAGE + 1}"):
        alone.quotas.check_operations("core", limits.OPERATIONS_OF_MESSAGE + 1)


def test_new_schemas_are_read_at_a_rate_and_known_ones_at_any() -> None:
    alone = Alone(limits=Limits(unfamiliar_schema_bytes_per_second=10))
    new = [f'{{"type":"fixed","name":"q{number}","size":1}}' for number in range(20)]
    read = [schema for schema in new if alone.quotas.admit_schemas([schema], NOW)]
    assert 0 < len(read) < 5
    assert all(alone.quotas.admit_schemas([schema], NOW) for schema in read * 10)
    assert alone.statistics.unread_schemas == 20 - len(read)
    # What is not compared is not read; it has to be short all the same.
    assert alone.quotas.admit_schemas(new[-1:], NOW, are_compared=False)
    assert not alone.quotas.admit_schemas(["x" * limits.SCHEMA_BYTES, "x"], NOW, are_compared=False)


@pytest.mark.parametrize("bounds", [{"pending_requests": 2}, {"pending_bytes": 200}, {"known_remotes": 2}])
def test_the_oldest_handshake_makes_room_when_its_time_has_come(bounds: dict[str, int]) -> None:
    alone = Alone(limits=Limits(**bounds))
    for number in range(2):
        assert alone.makes_room_for("core")
        alone.offer(f"core{number}", at=NOW + number, size=100)
    assert not alone.makes_room_for("core", at=NOW + timings.CONTESTED_AFTER - 0.1)
    assert alone.statistics.turned_away == 1
    assert alone.makes_room_for("core", at=NOW + timings.CONTESTED_AFTER)
    assert alone.given_up == ["core0"]
    assert alone.statistics.crowded_out == 1


def test_for_one_that_is_named_a_handshake_makes_room_at_once() -> None:
    alone = Alone(limits=Limits(pending_requests=1))
    alone.offer("stranger")
    assert alone.makes_room_for("friend")
    assert alone.given_up == ["stranger"]
    alone.offer("friend")
    assert not alone.makes_room_for("stranger", at=NOW + 10)


def test_one_that_has_a_connection_is_spared() -> None:
    alone = Alone(limits=Limits(pending_requests=1))
    alone.offer("core", opens=True)
    second = Slot(
        role=Role.PLUGIN,
        remote_identifier="core",
        operation_name="other",
        input=Input.string(),
        output=Output.string(),
        created_at=NOW,
        waiting_since=NOW,
    )
    alone.slots.add(second, SlotTrigger.OFFER_SENT)
    assert not alone.makes_room_for("stranger", at=NOW + 10)
    assert alone.given_up == []


def test_when_connections_take_all_memory_only_those_that_are_named_get_one_more() -> None:
    alone = Alone(limits=Limits(connection_bytes=100))
    alone.offer("core", size=100, opens=True)
    assert not alone.makes_room_for("stranger")
    assert alone.statistics.turned_away == 1
    assert alone.makes_room_for("friend")


def test_when_it_is_closed_nothing_is_begun_and_nobody_gives_way() -> None:
    alone = Alone()
    alone.offer("core")
    alone.quotas.is_closed = True
    assert not alone.makes_room_for("friend", at=NOW + 10)
    assert alone.given_up == []
    assert alone.statistics.turned_away == 0
