"""Why there is no connection: each side notes it where it refuses or something comes to nothing, once, then counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import ObstacleMet
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.obstacles import Obstacle, ObstacleKind, Obstacles
from orbitalis.protocol.slots import SlotTable
from orbitalis_wire import limits
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node


def light(level: str, name: str = "Light") -> str:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": "level", "type": level}]})


def told(plugin: Node) -> list[str]:
    """Return what a plugin was to tell, in order."""
    return [f"{one.obstacle.kind}: {one.obstacle}" for one in plugin.had(ObstacleMet)]


def met(node: Node, remote: Node) -> Obstacle | None:
    return node.machine.obstacles.found.get((remote.identifier, "text"))


def kind(node: Node, remote: Node) -> ObstacleKind | None:
    obstacle = met(node, remote)
    return None if obstacle is None else obstacle.kind


DIFFERENT = text_constraint(minimum=1, inputs=[Input.from_schema(light("long"))])


# Plugin


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        (
            {"inputs": [Input.int64()]},
            Policy(),
            "schemas: input: the schema is called 'StringMessage' here and 'Int64Message' there",
        ),
        ({"outputs": [Output.no_output()]}, Policy(), "schemas: output: 'StringMessage' here and 'nothing' there"),
        ({}, Policy(blocklist=["core"]), "policy: the core is on the blocklist of the operation's policy"),
        ({}, Policy(allowlist=["other"]), "policy: the core is not on the allowlist of the operation's policy"),
        ({"blocklist": ["plugin"]}, Policy(), "constraint: the core's constraint excludes this plugin"),
        ({"allowlist": ["other"]}, Policy(), "constraint: the core's constraint excludes this plugin"),
        ({}, Policy(maximum=0), "maximum: the maximum of 0 is reached: it is lent or offered to nobody"),
    ],
)
def test_a_plugin_says_once_why_it_does_not_offer_an_operation(
    rules: dict[str, Any], policy: Policy, expected: str
) -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=1, **rules)), net.add_plugin(policy=policy)
    net.start()
    assert told(plugin) == [expected]

    net.advance(60)

    assert told(plugin) == [expected]
    obstacle = met(plugin, core)
    assert obstacle is not None
    assert obstacle.count > 10
    assert kind(core, plugin) is None


def test_differences_are_told_field_by_field() -> None:
    net = Net()
    terms = Terms(input=Input.from_schema(light("int")))
    net.add_core(text=DIFFERENT)
    plugin = net.add_plugin(operations={"text": terms})
    net.start()
    expected = "schemas: input: only the same schema matches: field 'level' is 'int' here and 'long' there"
    assert told(plugin) == [expected]


def test_a_plugin_says_who_holds_the_maximum() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=7))
    net.start()
    for number in range(8):
        core = net.add_core(f"core{number}")
        core.start()
        core.ask()
        net.run()
    holders = ", ".join(f"'core{number}'" for number in range(5))
    assert told(plugin) == [f"maximum: the maximum of 7 is reached: it is lent or offered to {holders} and 2 more"]


def test_each_core_and_each_reason_is_told_of() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(maximum=0))
    one, other = net.add_core("one"), net.add_core("other")
    net.start()
    assert [effect.remote_identifier for effect in plugin.had(ObstacleMet)] == ["one", "other"]

    plugin.settings.operations["text"].policy = Policy(blocklist=["one", "other"])
    for node in (one, other, one, other):
        node.ask()
        net.run()
    plugin.settings.operations["text"].policy = Policy(maximum=0)
    one.ask()
    net.run()

    assert [effect.obstacle.kind for effect in plugin.had(ObstacleMet)] == ["maximum"] * 2 + ["policy"] * 2
    assert kind(plugin, one) is ObstacleKind.MAXIMUM


def test_schemas_that_differ_in_another_way_are_told_of_again() -> None:
    net = Net()
    core, plugin = net.add_core(text=DIFFERENT), net.add_plugin()
    net.start()
    core.settings.operation_requirements["text"].constraint.inputs = [Input.from_schema(light("float"))]
    for _ in range(3):
        core.ask()
        net.run()
    assert len(told(plugin)) == 2


def test_an_operation_that_there_is_not_is_not_told_of() -> None:
    net = Net()
    net.add_core(operation_requirements={"other": Requirement(text_constraint(minimum=1, allowlist=["x"]))})
    plugin = net.add_plugin()
    net.start()
    assert not plugin.had(ObstacleMet)
    assert not plugin.machine.obstacles.found


def test_a_handshake_that_succeeds_notes_nothing() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()
    net.advance(60)
    assert core.connections() == ["plugin"]
    assert not core.machine.obstacles.found
    assert not plugin.machine.obstacles.found


def test_an_obstacle_is_forgotten_when_it_is_overcome_and_told_when_it_is_met_again() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(policy=Policy(maximum=0))
    net.start()
    plugin.settings.operations["text"].policy = Policy()
    net.advance(5)
    assert core.connections() == ["plugin"]
    assert met(plugin, core) is None

    plugin.settings.operations["text"].policy = Policy(maximum=0)
    plugin.configure()
    net.advance(5)

    assert [effect.obstacle.kind for effect in plugin.had(ObstacleMet)] == ["maximum", "maximum"]


def test_a_policy_that_changed_since_the_offer_is_told_of() -> None:
    net = Net()
    net.watches_settings = False
    core, plugin = net.add_core(), net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    net.deliver_until(RequestOperationMessage)
    plugin.settings.operations["text"].policy = Policy(blocklist=["core"])
    plugin.configure()
    core.ask()
    net.run()
    assert told(plugin) == ["policy: the core is on the blocklist of the operation's policy"]


def test_a_plugin_notes_an_offer_that_the_core_did_not_answer() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, OfferMessage)
    net.start()
    net.advance(61)
    assert kind(plugin, core) is ObstacleKind.UNANSWERED
    assert told(plugin) == []


def test_a_plugin_notes_what_a_core_said_that_rejected_its_offer() -> None:
    net = Net()
    core, plugin = net.add_core(text=DIFFERENT), net.add_plugin()
    net.start()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    assert str(met(plugin, core)) == "the core rejected the offer: 'input or output does not fit'"


# Core


def test_a_core_notes_an_offer_whose_schemas_differ() -> None:
    net = Net()
    core, plugin = net.add_core(text=DIFFERENT), net.add_plugin()
    net.start()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    assert str(met(core, plugin)) == "input: the schema is called 'Light' here and 'StringMessage' there"
    assert kind(core, plugin) is ObstacleKind.SCHEMAS


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"blocklist": ["plugin"]}, ObstacleKind.CONSTRAINT),
        ({"maximum": 0}, ObstacleKind.NOT_NEEDED),
    ],
)
def test_a_core_notes_an_offer_that_it_does_not_take(rules: dict[str, Any], expected: ObstacleKind) -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=0, **rules)), net.add_plugin()
    net.start()
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    assert kind(core, plugin) is expected


def test_a_core_notes_that_an_operation_is_no_longer_available() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    plugin.prepares = False
    net.start()
    plugin.finish_preparing(fails=True)
    net.run()
    assert plugin.sent(OperationNoLongerAvailableMessage)
    assert kind(core, plugin) is ObstacleKind.UNAVAILABLE
    assert kind(plugin, core) is ObstacleKind.PREPARATION


def test_a_core_notes_a_request_that_was_not_answered() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.loses = lambda packet: isinstance(packet.message, ConfirmConnectionMessage)
    net.start()
    net.advance(61)
    assert kind(core, plugin) is ObstacleKind.UNANSWERED


@pytest.mark.parametrize("role", ["core", "plugin"])
def test_a_preparation_that_does_not_end_is_noted(role: str) -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    side, other = (core, plugin) if role == "core" else (plugin, core)
    side.prepares = False
    net.start()
    net.advance(61)
    assert kind(side, other) is ObstacleKind.PREPARATION
    assert str(met(side, other)) == "its preparation did not end in time"


def test_a_core_knows_which_plugins_have_announced_what_it_needs_and_what_became_of_it() -> None:
    net = Net()
    net.announces = True
    core = net.add_core()
    net.start()
    mute, unfit = net.add_plugin("mute"), net.add_plugin("unfit", policy=Policy(maximum=0))
    net.loses = lambda packet: packet.envelope.publisher_identifier == "mute" and packet.topic != "$handshake.announce"
    for plugin in (mute, unfit):
        plugin.start()
    net.run()
    assert core.requester.silent == {"mute": ("text",)}
    assert core.requester.heard_of == {"unfit": ("text",)}


def test_a_core_notes_that_a_plugin_was_lost() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin()
    net.start()
    plugin.crash()
    net.advance(200)
    assert kind(core, plugin) is ObstacleKind.UNAVAILABLE
    assert str(met(core, plugin)) == "the plugin was lost: it is dead, or has started anew"


# Bounds


def test_strangers_cannot_fill_what_is_kept() -> None:
    net = Net()
    plugin = net.add_plugin(policy=Policy(allowlist=["friend"]), limits=Limits(stranger_events_per_second=1e9))
    friend, core = net.add_core("friend", text=DIFFERENT), net.add_core()
    net.start()
    obstacles = plugin.machine.obstacles
    for number in range(limits.OBSTACLES + 200):
        obstacles.note(
            Obstacle(
                remote_identifier=f"stranger{number}", operation_name="text", kind=ObstacleKind.POLICY, detail="no"
            )
        )
    assert len(obstacles.found) == limits.OBSTACLES
    assert met(plugin, friend) is not None
    assert met(plugin, core) is None
    assert obstacles.bytes == sum(one.size for one in obstacles.found.values()) <= limits.OBSTACLE_BYTES


def test_large_schemas_are_bounded_in_all() -> None:
    net = Net()
    config = net.add_plugin().settings.plugin_config()
    obstacles = Obstacles(config, SlotTable())
    for number in range(100):
        there = ((Input.from_schema(f'"{number}{"x" * 60_000}"'),), (Output.string(),))
        here = ((Input.string(),), (Output.string(),))
        obstacles.note(
            Obstacle(
                remote_identifier=f"core{number}",
                operation_name="text",
                kind=ObstacleKind.SCHEMAS,
                here=here,
                there=there,
            )
        )
    assert 10 < len(obstacles.found) < 20
    assert obstacles.bytes == sum(one.size for one in obstacles.found.values()) <= limits.OBSTACLE_BYTES
    assert "core99" in {remote for remote, _ in obstacles.found}


def test_what_is_too_large_to_be_kept_is_told_all_the_same() -> None:
    obstacles = Obstacles(Net().add_plugin().settings.plugin_config(), SlotTable())
    many = tuple(Input.empty() for _ in range(10_000))
    obstacle = Obstacle(
        remote_identifier="core",
        operation_name="text",
        kind=ObstacleKind.SCHEMAS,
        here=((Input.string(),), (Output.string(),)),
        there=(many, (Output.string(),)),
    )
    assert obstacles.note(obstacle)
    assert not obstacles.found
    assert len(str(obstacle)) < 1_000


def test_a_detail_is_cut_off() -> None:
    obstacles = Obstacles(Net().add_plugin().settings.plugin_config(), SlotTable())
    obstacles.note(
        Obstacle(remote_identifier="core", operation_name="text", kind=ObstacleKind.PREPARATION, detail="x" * 10_000)
    )
    assert len(str(obstacles.found["core", "text"])) == 300


def test_nothing_is_kept_after_a_stop() -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(policy=Policy(maximum=0))
    net.start()
    assert met(plugin, core) is not None
    plugin.stop()
    assert plugin.machine.obstacles.found == {}
    assert plugin.machine.obstacles.bytes == 0
