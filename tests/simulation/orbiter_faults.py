"""What goes wrong in a simulation over asyncio: kinds of faults, of which each seed has some."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from orbitalis.core import Core
from orbitalis.operations.policy import Policy
from orbitalis.orbiter import Orbiter
from orbitalis.plugin import Plugin
from tests.simulation.inhabitants import Inhabitant
from tests.simulation.orbiter_safety import OrbiterSafety
from tests.simulation.shaky_bus import ShakyBus, Weather
from tests.simulation.shaky_orbiters import OPERATIONS
from tests.simulation.shuffling_loop import ShufflingEventLoop

__all__ = ["KINDS", "OrbiterPlagues"]


class OrbiterPlagues:
    """Makes things go wrong among inhabitants."""

    def __init__(
        self, inhabitants: list[Inhabitant], bus: ShakyBus, safety: OrbiterSafety, chance: random.Random
    ) -> None:
        self._inhabitants = inhabitants
        self._bus = bus
        self._safety = safety
        self._random = chance
        self._texts = 0
        self.are_over = False
        """Whether whatever is still planned has to be left out."""

    def plan(self, kinds: list[str], count: int, duration: float) -> None:
        """Have faults of some kinds happen within a time."""
        for _ in range(count):
            kind = self._random.choice(kinds)
            asyncio.get_running_loop().call_later(self._random.random() * duration, self._happen, kind)

    def _happen(self, kind: str) -> None:
        if not self.are_over:
            KINDS[kind](self)

    def _any(self) -> Inhabitant:
        return self._random.choice(self._inhabitants)

    def _while(self) -> float:
        """Return for how long something goes wrong: mostly for moments, at times beyond every timer."""
        return self._random.choice([0.05, 0.5, 2.0, 10.0, 40.0]) * (0.5 + self._random.random())

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, lambda: None if self.are_over else what())

    # The bus

    def losing(self) -> None:
        """Lose many events."""
        self._weather(replace(self._bus.weather, loss=self._random.choice([0.1, 0.3, 0.7])))

    def repeating(self) -> None:
        """Deliver many events twice."""
        self._weather(replace(self._bus.weather, duplication=self._random.choice([0.2, 0.6])))

    def reordering(self) -> None:
        """Delay events so much that they overtake each other."""
        self._weather(replace(self._bus.weather, delay=self._random.choice([0.01, 0.2, 1.0, 5.0])))

    def delaying(self) -> None:
        """Delay some events beyond timers."""
        longest = self._random.choice([5.0, 80.0])
        self._weather(replace(self._bus.weather, long_delays=0.15, longest_delay=longest))

    def slowing(self) -> None:
        """Let the calls of clients take a while."""
        self._weather(replace(self._bus.weather, slowness=self._random.choice([0.01, 0.3, 3.0])))

    def refusing(self) -> None:
        """Let calls of clients fail."""
        self._weather(replace(self._bus.weather, refusals=self._random.choice([0.05, 0.3])))

    def clearing(self) -> None:
        """Let the bus be as it should be."""
        self._weather(Weather())

    def _weather(self, weather: Weather) -> None:
        self._bus.note("%s", weather)
        self._bus.weather = weather

    def cutting_one_way(self) -> None:
        """Let nothing pass from one orbiter to another."""
        sender, receiver = self._any().identifier, self._any().identifier
        self._cut({(sender, receiver)}, "from %s to %s", sender, receiver)

    def cutting_off(self) -> None:
        """Let nothing pass from or to one orbiter."""
        lonely = self._any().identifier
        others = {one.identifier for one in self._inhabitants} - {lonely}
        pairs = {pair for other in others for pair in ((lonely, other), (other, lonely))}
        self._cut(pairs, "from or to %s", lonely)

    def _cut(self, pairs: set[tuple[str, str]], where: str, *who: str) -> None:
        seconds = self._while()
        self._bus.note("nothing passes " + where + " for %s s", *who, seconds)
        self._bus.blocked |= pairs
        self._later(seconds, lambda: self._bus.blocked.difference_update(pairs))

    def reconnecting(self) -> None:
        """Tell one orbiter that the bus was away."""
        one = self._any()
        if one.client.on_reconnected is not None:
            self._bus.note("%s is told that the bus was away", one.identifier)
            one.client.on_reconnected()

    def stalling(self) -> None:
        """Keep the event loop from doing anything."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ShufflingEventLoop)
        seconds = min(self._while(), 12.0)
        self._bus.note("nothing happens for %s s", seconds)
        loop.stall(seconds)

    # Lives

    def crashing(self) -> None:
        """End an orbiter without a word, and start another with its identifier sooner or later."""
        one = self._any()
        one.crash_soon()
        self._return_later(one)

    def cancelling_everything(self) -> None:
        """Cancel all tasks of an orbiter, and stop it."""
        one = self._any()
        one.cancel_everything()
        one.call("stop", one.orbiter.stop())
        self._return_later(one)

    def stopping(self) -> None:
        """Stop an orbiter, perhaps half, and start it again sooner or later."""
        one = self._any()
        self._call(one, "stop", one.orbiter.stop())
        self._return_later(one)

    def leaving(self) -> None:
        """Let an orbiter close all connections, perhaps half; then it stops."""
        one = self._any()
        self._call(one, "leave", one.orbiter.leave(self._random.choice([0.0, 0.1, 2.0, 10.0])))
        self._later(self._while() / 2, lambda: self._call(one, "stop", one.orbiter.stop()))
        self._return_later(one)

    def restarting(self) -> None:
        """Stop an orbiter and start it at once, from two tasks."""
        one = self._any()
        self._call(one, "stop", one.orbiter.stop())
        self._call(one, "start", one.orbiter.start())

    def _return_later(self, one: Inhabitant) -> None:
        self._later(self._while(), lambda: self._call(one, "start", one.orbiter.start()))

    # Users

    def _call(self, one: Inhabitant, name: str, coroutine: Coroutine[Any, Any, object]) -> None:
        chance = self._random
        cancel_at: tuple[int, ...] = ()
        if chance.random() < 0.3:
            first = chance.randint(1, 12)
            cancel_at = (first,) if chance.random() < 0.7 else (first, first + chance.randint(1, 3))
        one.call(name, coroutine, cancel_at=cancel_at, late=chance.random() < 0.5)

    def requesting(self) -> None:
        """Ask for answers."""
        for _ in range(self._random.randint(1, 5)):
            self._call_one(self._any_core(), ("request",))

    def executing(self) -> None:
        """Send inputs."""
        for _ in range(self._random.randint(1, 5)):
            self._call_one(self._any_core(), ("execute",))

    def closing(self) -> None:
        """Close a connection, in either way, from either side."""
        self._call_one(self._any(), ("close gracefully", "close gracelessly", "close here"))

    def _any_core(self) -> Inhabitant:
        return self._random.choice([one for one in self._inhabitants if one.is_core])

    def _call_one(self, one: Inhabitant, names: tuple[str, ...]) -> None:
        name = self._random.choice(names)
        coroutine = self.call_of(one.orbiter, name)
        if coroutine is not None:
            self._call(one, name, coroutine)

    def call_of(self, orbiter: Orbiter, name: str) -> Coroutine[Any, Any, object] | None:
        """Return what a user may do with an orbiter, if that is possible now."""
        chance = self._random
        if name == "request" and isinstance(orbiter, Core):
            return self.request(orbiter, chance.choice(OPERATIONS[:2]), chance.choice([0.0, 0.3, 5.0, 30.0]))
        if name == "execute" and isinstance(orbiter, Core):
            self._texts += 1
            mode: dict[str, Any] = {chance.choice(["any", "all", "distribute"]): True}
            texts = [f"text {self._texts} {number}" for number in range(chance.randint(1, 3))]
            return orbiter.execute(chance.choice(OPERATIONS), texts, chance.random() < 0.3, **mode)
        connections = sorted(
            orbiter.retrieve_connections(), key=lambda one: (one.remote_identifier, one.operation_name)
        )
        if not connections:
            return None
        key = (one := chance.choice(connections)).remote_identifier, one.operation_name
        if name == "close gracefully":
            return orbiter.send_graceful_close_connection(*key)
        if name == "close gracelessly":
            return orbiter.send_graceless_close_connection(*key)
        return orbiter._close_self_side_connection(*key)

    async def request(self, core: Core, name: str, timeout: float, **options: Any) -> str:
        """Ask for an answer, and hold it against the question."""
        self._texts += 1
        text = f"text {self._texts}"
        answer: Any = await core.request(name, text, timeout=timeout, **options)
        assert answer.value == text, f"asked with {text!r}, answered with {answer.value!r}"
        return text

    def sending_keepalives(self) -> None:
        """Send keepalives to all."""
        one = self._any()
        self._call(one, "keepalives", one.orbiter.send_all_keepalive_based_on_connections())

    def editing(self) -> None:
        """Change a policy or a constraint, whatever is under way."""
        chance, orbiter = self._random, self._any().orbiter
        roles = Plugin if isinstance(orbiter, Core) else Core
        others = [other.identifier for other in self._inhabitants if isinstance(other.orbiter, roles)]
        some = chance.sample(others, chance.randint(0, len(others)))
        maximum = chance.choice([None, 0, 1, 2, 3])
        self._safety.edited(orbiter)
        if isinstance(orbiter, Plugin):
            lists = chance.choice([{}, {"allowlist": some}, {"blocklist": some}])
            name = chance.choice(sorted(orbiter.operations))
            policy = orbiter.operations[name].policy = Policy(maximum=maximum, **lists)
            self._bus.note("%s has another policy for %s: %s", orbiter.identifier, name, policy)
            if orbiter.is_running:
                orbiter.update_operations()
        elif isinstance(orbiter, Core):
            name = chance.choice(sorted(orbiter.operation_requirements))
            requirement = orbiter.operation_requirements[name]
            minimum = chance.randint(0, 2 if maximum is None else maximum)
            allowed = some if chance.random() < 0.5 else None
            requirement.constraint = replace(
                requirement.constraint, minimum=minimum, maximum=maximum, allowlist=allowed, blocklist=None
            )
            self._bus.note("%s has another constraint for %s: %s", orbiter.identifier, name, requirement.constraint)
            if orbiter.is_running:
                orbiter.update_compliant()


KINDS: Final[dict[str, Callable[[OrbiterPlagues], None]]] = {
    name: method
    for name, method in vars(OrbiterPlagues).items()
    if name.endswith(("ing", "one_way", "off", "everything"))
}
"""Every kind of fault by name."""
