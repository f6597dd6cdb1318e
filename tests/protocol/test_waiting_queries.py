"""Who is remembered when there is no room for all: whom the user has named, and who asks for what there is."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis.protocol.policy import Policy
from orbitalis_wire import limits
from orbitalis_wire.messages import DiscoverMessage
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

ONE = text_constraint(minimum=1, maximum=1)


def discover(net: Net, identifier: str, *names: str, **rules: Any) -> Packet:
    """Return the discover of a core that is on no net."""
    need = Requirement(text_constraint(minimum=1, maximum=1, **rules))
    core = Net().add_core(identifier, operation_requirements=dict.fromkeys(names or ("text",), need))
    core.start()
    core.tick()
    net.now += 1e-3
    return core.packet(core.last_send(DiscoverMessage))


def waiting(plugin: Node) -> dict[str, list[str]]:
    return {core: sorted(wish.queries) for core, wish in plugin.plugin.wishes._by_core.items()}


def full(*names: str, **operations: Policy) -> tuple[Net, Node]:
    """Return a plugin without a free slot, with which strangers have taken all places for what they ask for."""
    net = Net()
    given = {name: Terms(policy=policy) for name, policy in operations.items()}
    plugin = net.add_plugin(operations={"text": Terms(policy=Policy(maximum=0)), **given})
    net.start()
    for number in range(limits.WAITING_QUERIES):
        plugin.handle(discover(net, f"stranger{number}", *names))
    assert len(plugin.plugin.wishes) == limits.WAITING_QUERIES
    assert_sane(plugin)
    return net, plugin


@pytest.fixture(autouse=True)
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 4)


def test_a_named_core_displaces_the_last_stranger() -> None:
    net, plugin = full(private=Policy(allowlist=["friend"], maximum=0))
    plugin.handle(discover(net, "friend"))
    assert waiting(plugin) == {**{f"stranger{number}": ["text"] for number in range(3)}, "friend": ["text"]}
    plugin.handle(discover(net, "stranger9"))
    assert "stranger9" not in waiting(plugin)
    assert_sane(plugin)


def test_one_who_is_named_displaces_no_other_who_is() -> None:
    names = [f"friend{number}" for number in range(6)]
    net, plugin = full(private=Policy(allowlist=names, maximum=0))
    for name in names:
        plugin.handle(discover(net, name, "text", "private"))
    assert waiting(plugin) == {name: ["private", "text"] for name in names[:2]}
    assert_sane(plugin)


def test_a_query_for_an_operation_that_does_not_exist_is_the_first_to_yield() -> None:
    net, plugin = full("nothing")
    plugin.handle(discover(net, "asker", "text", "nothing"))
    assert waiting(plugin) == {**{f"stranger{number}": ["nothing"] for number in range(3)}, "asker": ["text"]}
    plugin.handle(discover(net, "another"))
    assert [*waiting(plugin)] == ["stranger0", "stranger1", "asker", "another"]
    plugin.handle(discover(net, "stranger2", "nothing"))
    assert "stranger2" not in waiting(plugin)
    assert_sane(plugin)


def test_within_one_discover_what_exists_is_remembered_first() -> None:
    net, plugin = full("nothing")
    plugin.handle(discover(net, "asker", *(f"no{number}" for number in range(10)), "text"))
    assert waiting(plugin)["asker"] == ["text"]
    assert_sane(plugin)


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


def test_who_asks_again_keeps_the_place_and_displaces_nobody() -> None:
    net, plugin = full()
    for number in (2, 0, 3, 1):
        plugin.handle(discover(net, f"stranger{number}", "text", "nothing"))
    assert list(plugin.plugin.wishes._by_operation["text"]) == [f"stranger{number}" for number in range(4)]
    assert_sane(plugin)


def test_one_core_takes_no_more_than_its_share_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_QUERIES", 1000)
    monkeypatch.setattr(limits, "WAITING_QUERY_BYTES_OF_CORE", 30_000)
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=0))
    net.start()
    large = ["plugin", "x" * 5_000]
    plugin.handle(discover(net, "greedy", *(f"no{number}" for number in range(20)), allowlist=large))
    assert 3 <= len(plugin.plugin.wishes) <= 6
    assert plugin.plugin.wishes.bytes <= 30_000
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
    before = len(plugin.plugin.wishes)
    assert before < 15
    plugin.handle(discover(net, "friend", "text", allowlist=["plugin", "x" * 20_000]))
    assert "friend" in waiting(plugin)
    assert len(plugin.plugin.wishes) < before
    assert plugin.plugin.wishes.bytes <= 60_000
    assert_sane(plugin)
