"""An orbiter that crashes again and again works after each start; two that live and replace each other do not."""

from __future__ import annotations

import pytest

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import RemoteLost
from orbitalis_wire.messages import KeepaliveMessage, KeepaliveRequestMessage
from tests.support.machines import Net, Node
from tests.support.restarts import NEVER, ONE, SOON, assert_work, connected, known, restart

_STARTS = 30


@pytest.mark.parametrize("is_cut", [False, True], ids=["unnoticed", "with-wills"])
@pytest.mark.parametrize("maximum", [None, 1])
@pytest.mark.parametrize("pause", [0.1, 1.0, SOON, 3.0])
@pytest.mark.parametrize("who", ["core", "plugin"])
def test_who_crashes_again_and_again_works_after_each_start(
    who: str, pause: float, maximum: int | None, *, is_cut: bool
) -> None:
    net, core, plugin = connected(plugin={"policy": Policy(maximum=maximum)})
    node, remote = (core, plugin) if who == "core" else (plugin, core)
    for _ in range(_STARTS):
        will = node.will()
        before = core.slot(plugin).connection_identifier
        node.crash()
        if is_cut:
            net.wire.append(will)
            net.run()
        node.start()
        node.tick()
        net.advance(min(pause, SOON))
        assert_work(core, plugin)
        assert core.slot(plugin).connection_identifier != before
        net.advance(max(pause - SOON, 0))
    assert remote.machine.namesakes.untold == []
    assert remote.machine.statistics.namesakes == 0
    assert len(known(remote, node).changed_at) <= 5, "however often it crashes, little is kept of it"


def test_of_a_few_restarts_nobody_is_asked_whether_the_one_before_lives() -> None:
    net, core, plugin = connected()
    for _ in range(4):
        restart(plugin)
        net.advance(1)
    assert core.sent(KeepaliveRequestMessage) == []
    restart(plugin)
    net.advance(1)
    assert len(core.sent(KeepaliveRequestMessage)) == 1


def _twins(role: str, maximum: int | None = None) -> tuple[Net, Node, tuple[Node, Node]]:
    """Return a net with two nodes of one identifier, of which the first one runs, and their remote."""
    net = Net()
    net.announces = True
    if role == "core":
        twins = net.add_core(text=ONE, **NEVER), net.add_core(text=ONE, **NEVER)
        remote = net.add_plugin(policy=Policy(maximum=maximum), **NEVER)
    else:
        policy = Policy(maximum=maximum)
        twins = net.add_plugin(policy=policy, **NEVER), net.add_plugin(policy=policy, **NEVER)
        remote = net.add_core(text=ONE, **NEVER)
    twins[1].incarnation = 1_000
    for node in (remote, twins[0]):
        node.start()
        node.tick()
    net.run()
    return net, remote, twins


@pytest.mark.parametrize("role", ["core", "plugin"])
def test_two_that_live_and_replace_each_other_are_told_and_wait(role: str) -> None:
    net, remote, twins = _twins(role)
    for number in range(1, 30):
        restart(twins[number % 2])
        net.advance(0.1)
    assert remote.machine.namesakes.untold == [twins[0].identifier]
    peer = known(remote, twins[0])
    assert len(remote.had(RemoteLost)) == 5
    assert peer.incarnation == "00001003", "the fifth start, from the second one on, is the last that counts"


@pytest.mark.parametrize("maximum", [None, 1])
@pytest.mark.parametrize("role", ["core", "plugin"])
def test_the_one_that_is_left_of_two_works_soon_after_its_wait(role: str, maximum: int | None) -> None:
    net, remote, twins = _twins(role, maximum)
    for number in range(1, 10):
        restart(twins[number % 2])
        net.advance(0.1)
    left = twins[1]
    twins[0].crash()
    assert known(remote, left).incarnation != left.incarnation_text, "it waits"
    net.advance(15 + SOON)
    assert_work(*((left, remote) if role == "core" else (remote, left)))


def test_one_that_crashes_again_and_again_beside_one_that_lives_is_told() -> None:
    net, core, twins = _twins("plugin")
    for _ in range(30):
        restart(twins[1])
        net.advance(0.1)
    assert core.machine.namesakes.untold == ["plugin"]
    assert len(core.had(RemoteLost)) == 5


def test_a_late_answer_of_one_that_has_crashed_does_not_show_that_it_lives() -> None:
    """It answers what was sent before it was replaced."""
    net, core, plugin = connected()
    for _ in range(5):
        restart(plugin)
        net.advance(0.1)
    core.do(core.machine.reconnected(net.now))
    packet = net.deliver_until(KeepaliveMessage)
    while packet.envelope.publisher_identifier != "plugin" or packet.envelope.correlation_identifier is None:
        packet = net.deliver_until(KeepaliveMessage)
    restart(plugin)
    net.advance(0.1)
    net.wire.append(packet)
    net.run()
    assert known(core, plugin).past_proven_at is None
    restart(plugin)
    net.advance(0.1)
    assert_work(core, plugin)
