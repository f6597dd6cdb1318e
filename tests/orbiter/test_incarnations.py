"""What orbiters draw at random: their incarnations, and the identifiers of what proves those of others."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from orbitalis import Event
from orbitalis.message.event import IdentifierSource
from orbitalis.orbiter.identity import new_incarnation
from orbitalis.testing import Harness
from orbitalis_wire.messages import DiscoverMessage, KeepaliveRequestMessage, OfferMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs

LENGTH_OF_PREFIX = 20


def test_nothing_follows_from_the_order_of_incarnations() -> None:
    made = [new_incarnation() for _ in range(64)]
    assert len(set(made)) == 64
    assert all(len(bytes.fromhex(one)) == 16 for one in made)
    assert 0 < sum(before < after for before, after in pairwise(made)) < 63


async def test_each_start_has_an_incarnation_of_its_own(harness: Harness) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    seen = set()
    for _ in range(3):
        await harness.start(plugin)
        seen.add(plugin._incarnation)
        await plugin.stop()
    assert len(seen) == 3


def test_identifiers_that_cannot_be_guessed_are_known_again() -> None:
    source = IdentifierSource()
    made = [source.unguessable() for _ in range(64)]
    assert all(map(source.has_given, made))
    assert not any(map(IdentifierSource().has_given, made))
    ends = [int(one[LENGTH_OF_PREFIX:], 16) for one in made]
    assert len(set(ends)) == 64
    assert all(abs(after - before) > 1 << 32 for before, after in pairwise(ends))


async def test_discovers_offers_and_keepalive_requests_have_such_identifiers(harness: Harness) -> None:
    heard: dict[type[object], list[str]] = {}

    async def listen(topic: str, event: Event[Any]) -> None:
        heard.setdefault(type(event.payload), []).append(event.identifier)

    spy = harness.client()
    await spy.connect()
    for topic in ("$handshake.discover", "orbitalis/core/plugin/offer", "orbitalis/plugin/core/keepalive-request"):
        await spy.subscribe(topic, listen)
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=1))
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(core, plugin)
    await harness.advance(1)
    for _ in range(2):
        await core.send_keepalive_request("plugin")
        await core.send_discover_for_operations({"text": core.operation_requirements["text"].constraint})
        await harness.advance(1)
    for kind in (DiscoverMessage, KeepaliveRequestMessage):
        ends = [int(identifier[LENGTH_OF_PREFIX:], 16) for identifier in heard[kind]]
        assert abs(ends[0] - ends[1]) > 1 << 32, kind
    assert all(int(identifier[LENGTH_OF_PREFIX:], 16) > 1 << 48 for identifier in heard[OfferMessage])
    await spy.disconnect()
