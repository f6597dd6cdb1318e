"""One simulation from seed to verdict: who there is, what goes wrong, and whether all is well in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orbitalis.operations.constraint import Constraint
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire import timings
from tests.simulation.faults import KINDS, Plagues, calm
from tests.simulation.liveness import (
    assert_agreed,
    assert_has_what_there_is,
    assert_lends_what_is_allowed,
    assert_shared,
)
from tests.simulation.rules_at_random import policy_at_random, rules_at_random
from tests.simulation.safety import Safety
from tests.simulation.verdict import Verdict, what_broke
from tests.simulation.versions import Versions
from tests.simulation.world import World
from tests.support.machine_settings import Requirement, Terms
from tests.support.machines import Node

__all__ = ["Scenario", "simulate"]

_OPERATIONS = ("a", "b", "c")
_MARGIN = 3.0
"""Seconds for messages on their way and loops that look once a second."""


def simulate(seed: int, *, keep_trace: bool = False) -> Verdict:
    """Simulate what a seed says; the verdict shows the trace if something is wrong, or if it is to be kept."""
    scenario = Scenario(seed)
    world = scenario.world
    begin = world.now
    violation: str | None = None
    try:
        scenario.run()
    except Exception as error:  # whatever it is, it is to be shown with the seed and what led to it
        violation = what_broke(error)
    return Verdict(
        seed=seed,
        steps=world.steps,
        seconds=world.now - begin,
        violation=violation,
        trace=str(world.trace) if keep_trace or violation is not None else "",
    )


class Scenario:
    """One world with who lives in it."""

    def __init__(self, seed: int, world: World | None = None) -> None:
        self.world = world or World(seed)
        self.versions = Versions(seed)
        self.random = self.world.random
        self.world.inspector = Safety()
        # Of some seeds all durations are short, so that more happens in less time.
        self.is_quick = self.random.random() < 0.85
        self.durations: dict[str, Any] = (
            {
                "consider_others_dead_after": 8.0,
                "send_keepalive_before_timelimit": 3.0,
                "pending_requests_expire_after": 4.0,
                "graceful_close_timeout": 6.0,
            }
            if self.is_quick
            else {}
        )
        self._people()

    def _people(self) -> None:
        choose = self.random
        cores = [f"core{number}" for number in range(choose.randint(1, 3))]
        plugins = [f"plugin{number}" for number in range(choose.randint(1, 4))]
        for core in cores:
            names = choose.sample(_OPERATIONS, choose.randint(1, len(_OPERATIONS)))
            needs = {
                name: Requirement(Constraint(**self.versions.alternatives(), **rules_at_random(self.random, plugins)))
                for name in names
            }
            self.world.add_core(core, operation_requirements=needs, **self.durations)
            for name, requirement in needs.items():
                self.world.trace.introduce(core, name, requirement.constraint)
        for plugin in plugins:
            names = choose.sample(_OPERATIONS, choose.randint(1, len(_OPERATIONS)))
            operations = {
                name: Terms(policy=policy_at_random(self.random, cores), **self.versions.shape()) for name in names
            }
            self.world.add_plugin(plugin, operations=operations, **self.durations)
            for name, terms in operations.items():
                self.world.trace.introduce(plugin, name, terms.policy)

    def _twin_of(self, node: Node) -> Node:
        """Add a node that begins with the rules of another; an edit reaches only the one that is told of it."""
        settings = node.settings
        given = {name: getattr(settings, name) for name in settings.__dataclass_fields__ if name != "topics"}
        given["operations"] = {name: replace(terms) for name, terms in settings.operations.items()}
        given["operation_requirements"] = {
            name: replace(requirement) for name, requirement in settings.operation_requirements.items()
        }
        add = self.world.add_core if node.machine.role is Role.CORE else self.world.add_plugin
        return add(given.pop("identifier"), **given)

    def run(self) -> None:
        world, plagues = self.world, self.live()
        calm(world, plagues)
        world.run_until(world.last_arrival)
        self._recovers(plagues)
        self._is_quiet()
        self._misses_the_killed()
        self._ends()

    def live(self) -> Plagues:
        """Let everybody live with all that goes wrong, until it is over."""
        world, choose = self.world, self.random
        for node in list(world.nodes):
            world.after(choose.random() * 3, lambda node=node: world.begin(node))  # type: ignore[misc]
        duration = choose.choice([10.0, 40.0] if self.is_quick else [20.0, 150.0, 400.0])
        plagues = Plagues(world, duration, self._twin_of)
        # Few kinds at a time find more than all of them together: they do not hide each other.
        kinds = choose.sample(sorted(KINDS), choose.randint(1, 6))
        world.trace.note(world.now, "kinds of faults: %s", kinds)
        plagues.plan(kinds, choose.randint(1, 25))
        world.run_until(world.now + 3 + duration)
        return plagues

    # Once faults have stopped

    def _recovers(self, plagues: Plagues) -> None:
        """L1, L2, L3, L4, L6."""
        world = self.world
        settings = world.nodes[0].settings
        assert settings.consider_others_dead_after is not None
        assert settings.pending_requests_expire_after is not None
        assert settings.graceful_close_timeout is not None
        healed = world.now
        world.run_until(healed + settings.pending_requests_expire_after + _MARGIN)
        for node in world.nodes:
            late = [slot for slot in node.machine.slots if not slot.is_connection and slot.waiting_since < healed]
            assert late == [], f"L2: '{node.identifier}' still waits for {late}"
        world.run_until(max(world.now, healed + settings.consider_others_dead_after + _MARGIN))
        for node in world.nodes:
            for slot in node.machine.slots:
                # Of two with one identifier, the older is not heard until the newer is dead: that takes longer.
                if slot.is_connection and slot.opened_at < healed and not plagues.twins:
                    assert_shared(world.nodes, node, slot.key, "L3")
        # What had to be lost first is found again at the next discover.
        longest = max(settings.consider_others_dead_after, settings.graceful_close_timeout)
        interval = timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT
        world.run_until(healed + longest + settings.pending_requests_expire_after + 2 * interval + _MARGIN)
        self._settles(2 * interval)
        assert_agreed(world.nodes)
        assert_has_what_there_is(world.nodes)
        for node in world.nodes:
            assert_lends_what_is_allowed(node)

    def _settles(self, at_most: float) -> None:
        """Wait until nothing is under way: a plugin that is wanted by several is offered to all of them in turn."""
        end = self.world.now + at_most
        while self.world.now < end and any(node.machine.slots.pending_count for node in self.world.nodes):
            self.world.run_until(self.world.now + 0.1)

    def _is_quiet(self) -> None:
        """L7: a core that needs nothing asks seldom, and one that could take nothing more does not ask."""
        world = self.world
        begin, compliant = world.now, {node.identifier: node.requester.compliant for node in self._of_role(Role.CORE)}
        wants = {node.identifier: bool(node.wanted()) for node in self._of_role(Role.CORE)}
        window = 30.0
        world.run_until(begin + window)
        for identifier in compliant:
            asked = sum(1 for at, who in world.discovers if who == identifier and at > begin)
            interval = (
                timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT if compliant[identifier] else timings.DISCOVERING_INTERVAL
            )
            allowed = window / interval + 1 if wants[identifier] else 0
            assert asked <= allowed, f"L7: '{identifier}' has asked {asked} times in {window:g} s, not {allowed:g}"

    def _misses_the_killed(self) -> None:
        """L8: nothing is shared any more with one that was killed, once the grace is over; others are left alone."""
        world = self.world
        killed = self.random.choice(world.nodes)
        grace = killed.settings.suspicion_grace
        assert grace is not None
        while world.now < world.last_arrival:
            # A broker sends the last words of a client before its will, and a sign of life after it ends the suspicion.
            world.run_until(world.last_arrival)
        world.crash(killed)
        world.run_until(world.now + grace + 0.5)
        for node in world.nodes:
            if node is not killed:
                left = [slot for slot in node.machine.slots.of_remote(killed.identifier) if slot.is_connection]
                assert left == [], f"L8: '{node.identifier}' has {left} with '{killed.identifier}', which was killed"

    def _ends(self) -> None:
        """S5 for everybody."""
        world = self.world
        for node in world.nodes:
            world.stop(node)
        world.run_until(world.now + 1_000)
        for node in world.nodes:
            assert node.topics == node.wills == [], (
                f"S7: '{node.identifier}' has stopped, and is subscribed to {node.topics}"
            )
            assert all(slot.state is not SlotState.OPEN for slot in node.machine.slots)

    def _of_role(self, role: Role) -> list[Node]:
        return [node for node in self.world.nodes if node.machine.role is role]
