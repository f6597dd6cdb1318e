"""Who waits for an operation, whose turn it is, and who is remembered when there is no room for all.

Those that the user has named, and those that ask for what there is, come first. Finding out whose turn it is does not
take longer the more wait in vain.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orbitalis.message import Input
from orbitalis.operations.policy import Policy
from orbitalis.protocol.config import PluginConfig, TopicLayout
from orbitalis.protocol.handshake.provider import Provider
from orbitalis.protocol.peers import Peers, PeerTopics
from orbitalis.protocol.transitions import Role
from orbitalis.protocol.waiting_queries import AskingCore, WaitingQueries, size_of_query
from orbitalis_wire import limits, timings
from orbitalis_wire.messages import (
    DiscoverMessage,
    DiscoverQuery,
    KeepaliveMessage,
    OfferMessage,
    RejectOperationMessage,
)
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

CROWD = 300
ONE = text_constraint(minimum=1, maximum=1)


def discover(net: Net, identifier: str, *names: str, **rules: Any) -> Packet:
    """Return the discover of a core that is on no net."""
    need = Requirement(text_constraint(**{"minimum": 1, "maximum": 1, **rules}))
    core = Net().add_core(identifier, operation_requirements=dict.fromkeys(names or ("text",), need))
    core.start()
    core.tick()
    net.now += 1e-3
    return core.packet(core.last_send(DiscoverMessage))


def waiting(plugin: Node) -> dict[str, list[str]]:
    return {core: sorted(asking.queries) for core, asking in plugin.provider.waiting_queries._by_core.items()}


@pytest.fixture
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 4)


def full(*names: str, **operations: Policy) -> tuple[Net, Node]:
    """Return a plugin without a free slot, with which strangers have taken all places for what they ask for."""
    net = Net()
    given = {name: Terms(policy=policy) for name, policy in operations.items()}
    plugin = net.add_plugin(operations={"text": Terms(policy=Policy(maximum=0)), **given})
    net.start()
    for number in range(limits.WAITING_QUERIES):
        plugin.handle(discover(net, f"stranger{number}", *names))
    assert len(plugin.provider.waiting_queries) == limits.WAITING_QUERIES
    assert_sane(plugin)
    return net, plugin


@pytest.mark.usefixtures("few_places")
def test_a_named_core_displaces_the_last_stranger() -> None:
    net, plugin = full(private=Policy(allowlist=["friend"], maximum=0))
    plugin.handle(discover(net, "friend"))
    assert waiting(plugin) == {**{f"stranger{number}": ["text"] for number in range(3)}, "friend": ["text"]}
    plugin.handle(discover(net, "stranger9"))
    assert "stranger9" not in waiting(plugin)
    assert_sane(plugin)


@pytest.mark.usefixtures("few_places")
def test_one_who_is_named_displaces_no_other_who_is() -> None:
    names = [f"friend{number}" for number in range(6)]
    net, plugin = full(private=Policy(allowlist=names, maximum=0))
    for name in names:
        plugin.handle(discover(net, name, "text", "private"))
    assert waiting(plugin) == {name: ["private", "text"] for name in names[:2]}
    assert_sane(plugin)


@pytest.mark.usefixtures("few_places")
def test_a_query_for_an_operation_that_does_not_exist_is_the_first_to_yield() -> None:
    net, plugin = full("nothing")
    plugin.handle(discover(net, "asker", "text", "nothing"))
    assert waiting(plugin) == {**{f"stranger{number}": ["nothing"] for number in range(3)}, "asker": ["text"]}
    plugin.handle(discover(net, "another"))
    assert [*waiting(plugin)] == ["stranger0", "stranger1", "asker", "another"]
    plugin.handle(discover(net, "stranger2", "nothing"))
    assert "stranger2" not in waiting(plugin)
    assert_sane(plugin)


@pytest.mark.usefixtures("few_places")
def test_within_one_discover_what_exists_is_remembered_first() -> None:
    net, plugin = full("nothing")
    plugin.handle(discover(net, "asker", *(f"no{number}" for number in range(10)), "text"))
    assert waiting(plugin)["asker"] == ["text"]
    assert_sane(plugin)


@pytest.mark.usefixtures("few_places")
def test_an_operation_that_comes_or_goes_changes_who_yields() -> None:
    net, plugin = full("later")
    plugin.settings.operations = {**plugin.settings.operations, "later": Terms(policy=Policy(maximum=0))}
    plugin.tick()
    plugin.handle(discover(net, "asker"))
    assert "asker" not in waiting(plugin)
    plugin.settings.operations = {"text": Terms(policy=Policy(maximum=0))}
    plugin.tick()
    plugin.handle(discover(net, "asker"))
    assert "asker" in waiting(plugin)
    assert_sane(plugin)


@pytest.mark.usefixtures("few_places")
def test_who_asks_again_keeps_the_place_and_displaces_nobody() -> None:
    net, plugin = full()
    for number in (2, 0, 3, 1):
        plugin.handle(discover(net, f"stranger{number}", "text", "nothing"))
    assert list(plugin.provider.waiting_queries._by_operation["text"].waiting) == [
        f"stranger{number}" for number in range(4)
    ]
    assert_sane(plugin)


def test_one_core_takes_no_more_than_its_share_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 1000)
    monkeypatch.setattr(limits, "WAITING_QUERY_BYTES_OF_CORE", 30_000)
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=0))
    net.start()
    large = ["plugin", "x" * 5_000]
    plugin.handle(discover(net, "greedy", *(f"no{number}" for number in range(20)), allowlist=large))
    assert 3 <= len(plugin.provider.waiting_queries) <= 6
    assert plugin.provider.waiting_queries.bytes <= 30_000
    assert_sane(plugin)


def test_memory_that_strangers_take_is_given_to_a_named_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 1000)
    monkeypatch.setattr(limits, "WAITING_QUERY_BYTES", 60_000)
    net = Net()
    operations = {
        "text": Terms(policy=Policy(maximum=0)),
        "private": Terms(policy=Policy(allowlist=["friend"], maximum=0)),
    }
    plugin = net.add_plugin(operations=operations)
    net.start()
    for number in range(20):
        plugin.handle(discover(net, f"stranger{number}", allowlist=["plugin", "x" * 5_000]))
    before = len(plugin.provider.waiting_queries)
    assert before < 15
    plugin.handle(discover(net, "friend", "text", allowlist=["plugin", "x" * 20_000]))
    assert "friend" in waiting(plugin)
    assert len(plugin.provider.waiting_queries) < before
    assert plugin.provider.waiting_queries.bytes <= 60_000
    assert_sane(plugin)


# Whose turn it is


def alone(*names: str) -> WaitingQueries:
    """Return the part of a machine by itself, of a plugin that has these operations."""
    terms = Policy(allowlist=["friend"]).terms(Terms().input, Terms().output)
    topics = TopicLayout(Role.PLUGIN, "plugin")
    return WaitingQueries(PluginConfig(identifier="plugin", topics=topics, operations=dict.fromkeys(names, terms)))


def remember(queries: WaitingQueries, core: str, *names: str, at: float = 0.0, incarnation: str = "1") -> None:
    """Let a core wait for some operations; those in capitals are set aside."""
    topics = PeerTopics(keepalive_topic="k", keepalive_request_topic="r", considers_me_dead_after=120.0)
    asking = AskingCore(
        core_identifier=core,
        incarnation=incarnation,
        readable_encodings=(),
        asked_at=at,
        offer_topic="offers",
        topics=topics,
        is_certain=True,
    )
    query = DiscoverQuery(operation_name="x", inputs=(), outputs=(), allowlist=None, blocklist=None)
    queries.remember(asking, {name.lower(): (query, 300, name.islower()) for name in names})


def order(queries: WaitingQueries) -> str:
    """Return who comes when, each looked at once; afterwards all are looked at again."""
    found = ""
    while (first := queries.first("text")) is not None:
        found += first.core.core_identifier
        queries.set_aside(first)
    queries.operation_changed("text")
    return found


def test_a_place_is_kept_until_it_is_left() -> None:
    queries = alone("text")
    for core in "abcd":
        remember(queries, core, "text")
    of = {core: queries._by_operation["text"].waiting[core] for core in "abcd"}
    queries.set_aside(of["b"])
    queries.set_aside(of["b"])
    assert queries.put_off(of["a"])
    assert not queries.put_off(of["a"])
    assert queries.first("text") is of["c"]
    queries.resume("b", "text")
    assert order(queries) == "bcda"
    queries.heard("a")
    assert order(queries) == "abcd"
    queries.fulfil("a", "text")
    queries.forget("c")
    remember(queries, "a", "text")
    assert order(queries) == "bda"
    for core in "abd":
        queries.fulfil(core, "text")
    assert queries.first("text") is None
    assert len(queries) == queries.bytes == 0


def test_those_set_aside_wait_until_the_core_asks_again_or_the_operation_has_changed() -> None:
    queries = alone("text")
    remember(queries, "a", "TEXT")
    remember(queries, "b", "text")
    assert order(queries) == "b"
    assert order(queries) == "ab"
    remember(queries, "a", "TEXT")
    assert order(queries) == "b"
    remember(queries, "a", "text")
    assert order(queries) == "ab"


def test_a_core_that_asks_in_another_incarnation_comes_last() -> None:
    queries = alone("text")
    for core in "ab":
        remember(queries, core, "text")
    remember(queries, "a", "text", incarnation="1")
    assert order(queries) == "ab"
    remember(queries, "a", "text", incarnation="2")
    assert order(queries) == "ba"


def test_what_a_core_waits_for_is_forgotten_after_a_time() -> None:
    queries = alone("text")
    remember(queries, "a", "text", "other", at=0.0)
    remember(queries, "b", "text", at=1.0)
    remember(queries, "a", "other", at=2.0)
    assert queries.deadlines.next() == 1.0 + timings.LATE_OFFERS_KEPT_FOR
    queries.discard_expired(1.0 + timings.LATE_OFFERS_KEPT_FOR)
    assert queries.of_core("b") is None
    assert queries.of_core("a") is not None
    queries.discard_expired(2.0 + timings.LATE_OFFERS_KEPT_FOR)
    assert queries.deadlines.next() is None
    assert len(queries) == queries.bytes == 0


def test_turns_that_were_left_take_no_room() -> None:
    queries = alone("text")
    for core in "abc":
        remember(queries, core, "text")
    for _ in range(1_000):
        assert order(queries) == "abc"
    assert len(queries._by_operation["text"].turns) == 3


def test_every_text_of_a_core_that_asks_counts() -> None:
    long = "x" * 1_000

    def size(identifier: str, /, *exact: str, **told: str) -> int:
        queries = alone("text")
        topics = PeerTopics(
            keepalive_topic=told.get("keepalive_topic", ""),
            keepalive_request_topic=told.get("keepalive_request_topic", ""),
            considers_me_dead_after=120.0,
        )
        asking = AskingCore(
            core_identifier=identifier,
            incarnation=told.get("incarnation", ""),
            readable_encodings=(),
            asked_at=0.0,
            offer_topic=told.get("offer_topic", ""),
            topics=topics,
            is_certain=True,
            exact_schemas={"text": exact},
        )
        query = DiscoverQuery(operation_name="x", inputs=(), outputs=(), allowlist=None, blocklist=None)
        queries.remember(asking, {"text": (query, 300, True)})
        return queries.bytes

    for name in ("keepalive_topic", "keepalive_request_topic", "offer_topic", "incarnation"):
        assert size("a", **{name: long}) - size("a") == 1_000
    assert size("a" + long) - size("a") == 1_000
    assert size("a", long, "") - size("a", "", "") == 1_000


def test_every_text_of_a_query_counts() -> None:
    empty = DiscoverQuery(operation_name="", inputs=(), outputs=(), allowlist=None, blocklist=None)
    long = "x" * 1_000
    nothing = sys.getsizeof("")
    schemas = Input(schemas=[long, long]), Input(schemas=[long])
    for fields, least in (
        ({"operation_name": long}, 1_000),
        ({"inputs": schemas}, 3_000),
        ({"outputs": schemas}, 3_000),
        ({"allowlist": (long, "")}, 1_000),
        ({"blocklist": (long, long)}, 2_000),
        ({"allowlist": ("",) * 100}, 100 * nothing),
        ({"inputs": (Input(schemas=()),) * 100}, 5_000),
        ({"inputs": (Input(schemas=("",) * 100),)}, 100 * nothing),
    ):
        assert size_of_query("", replace(empty, **fields)) - size_of_query("", empty) >= least
    assert size_of_query(long, empty) - size_of_query("", empty) >= 1_000


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note from now on whom plugins look at."""
    looks: list[str] = []

    def note(of: type[object], name: str) -> None:
        function: Callable[..., Any] = getattr(of, name)

        def look(part: object, *arguments: Any) -> Any:
            looks.append(f"{name} {arguments[0]}")
            return function(part, *arguments)

        monkeypatch.setattr(of, name, look)

    note(Peers, "status")
    note(Provider, "_suited")
    return looks


def reject(net: Net, plugin: Node, core: str) -> None:
    """Let a core ask, and reject what it is offered."""
    packet = discover(net, core)
    plugin.handle(packet)
    message = RejectOperationMessage(core_identifier=core, operation_name="text", description=None)
    offer = plugin.last_send(OfferMessage).event_identifier
    envelope = replace(packet.envelope, correlation_identifier=offer)
    plugin.handle(Packet(topic=f"orbitalis/plugin/{core}/reply", message=message, envelope=envelope))


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
    rules = {"inputs": [Input.int64()]} if kind == "misfits" else {}
    for number in range(CROWD):
        plugin.handle(discover(net, f"waiting{number}", **rules))
    assert len(plugin.provider.waiting_queries) == CROWD
    if kind == "silent":
        net.now += timings.CONSIDERED_DEAD_AFTER
        policy.maximum = 1
        plugin.tick()
    looks = looked_at(monkeypatch)
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
    cores[0].do(cores[0].core.discover({"text": text_constraint(inputs=[Input.int64()]).terms()}, net.now))
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
