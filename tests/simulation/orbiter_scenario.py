"""One simulation over asyncio from seed to verdict: real orbiters, what goes wrong, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from unittest import mock

from orbitalis import Constraint, OperationRequirement, Output
from orbitalis.message.event import Event
from orbitalis.operations.policy import Policy
from orbitalis.testing.pending_tasks import describe_tasks
from tests.simulation.data import check_numbers
from tests.simulation.eavesdropping import Eavesdropper
from tests.simulation.inhabitants import Inhabitant
from tests.simulation.liveness import assert_agreed, assert_has_what_there_is, assert_lends_what_is_allowed, is_shared
from tests.simulation.orbiter_faults import KINDS, OrbiterPlagues
from tests.simulation.orbiter_safety import (
    OrbiterSafety,
    assert_nobody_is_on,
    assert_nothing_is_left_of,
    check_published,
)
from tests.simulation.rules_at_random import policy_at_random, rules_at_random
from tests.simulation.shaky_bus import ShakyBus, ShakyBusClient, Weather
from tests.simulation.shaky_orbiters import (
    MISCHIEFS,
    OPERATIONS,
    Moods,
    ShakyCore,
    ShakyPlugin,
    inputs_of,
    outputs_of,
)
from tests.simulation.shuffling_loop import STYLES, ShufflingEventLoop, knowing_all_tasks
from tests.simulation.trace import Trace
from tests.simulation.verdict import Verdict, what_broke
from tests.simulation.versions import Versions

__all__ = ["simulate_over_asyncio"]

_DURATIONS: Final[dict[str, Any]] = {
    "consider_others_dead_after": 5.0,
    "send_keepalive_before_timelimit": 2.0,
    "pending_requests_expire_after": 3.0,
    "graceful_close_timeout": 4.0,
}
_INTERVALS: Final[dict[str, Any]] = {"discovering_interval": 1.0, "discovering_interval_when_compliant": 3.0}
_MARGIN: Final = 3.0
"""Seconds for loops that look once a second."""
_LONGEST_CALL: Final = 60.0
"""Seconds within which every call of a user ends once faults have stopped: requests have a timeout of 30."""
_LONGEST_STOP: Final = 30.0
_EAGERNESS: Final = (1.0, 0.5)
"""How many of the tasks of a world begin at once, where some do."""
_ALL_ARE_LOOKED_AT: Final = 50
"""How often everybody is looked at, though nothing has happened to them: each so many times that the time passes."""


def simulate_over_asyncio(seed: int, *, keep_trace: bool = False, eager: bool = False) -> Verdict:
    """Simulate what a seed says; the verdict shows the trace if something is wrong, or if it is to be kept.

    With `eager`, all or some of the tasks that are made by the event loop begin at once; needs Python 3.12.
    """
    ears = Eavesdropper()
    scenario: _Scenario | None = None
    violation: str | None = None
    with ears.listening(), _chance(seed):
        try:
            scenario = _Scenario(seed, ears, eager=eager)
            scenario.run()
        except Exception as error:  # whatever it is, it is to be shown with the seed and what led to it
            violation = what_broke(error)
        assert scenario is not None
        if scenario.broken is not None:
            violation = scenario.broken
        trace, steps, seconds = scenario.trace, scenario.bus.events, scenario.loop.time()
        scenario.close(is_broken=violation is not None)
        del scenario
    if violation is None and ears.heard:
        violation = "\n".join(ears.heard)
    return Verdict(
        seed=seed,
        steps=steps,
        seconds=seconds,
        violation=violation,
        trace=str(trace) if keep_trace or violation is not None else "",
        options="--asyncio --eager " if eager else "--asyncio ",
    )


@contextmanager
def _chance(seed: int) -> Generator[None]:
    """Let a seed decide over what the library leaves to chance: choices, identifiers, and which task goes on."""
    before = random.getstate()
    random.seed(seed)
    try:
        with (
            mock.patch("orbitalis.message.event._prefix", f"{seed:020x}"),
            mock.patch(
                "orbitalis.message.event._new_prefix", map("{:020x}".format, itertools.count(seed + 1)).__next__
            ),
            mock.patch("orbitalis.message.event._numbers", itertools.count(1)),
            knowing_all_tasks(),
        ):
            yield
    finally:
        random.setstate(before)


class _Scenario:
    def __init__(self, seed: int, ears: Eavesdropper, *, eager: bool) -> None:
        self.random = random.Random(seed)
        self.trace = Trace(1_500)
        self.broken: str | None = None
        style = self.random.choice(STYLES)
        self.loop = ShufflingEventLoop(seed, style, eagerness=random.Random(seed).choice(_EAGERNESS) if eager else 0.0)
        self.loop.set_exception_handler(ears.take)
        self.loop.before_time_passes = partial(self._check, is_idle=True)
        self.bus = ShakyBus(self.loop, self.random, self.trace)
        self.bus.on_publish = self._on_publish
        self.bus.on_sent = self._on_sent
        self._numbers: dict[tuple[str, str | None, int], str] = {}
        """By topic, connection and number: which event has it."""
        self.moods = Moods(self.random, self.trace)
        self.safety = OrbiterSafety()
        self.inhabitants: list[Inhabitant] = []
        self._checks = 0
        self.versions = Versions(seed)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._live())
        except RuntimeError:
            if self.broken is None:
                raise

    def close(self, *, is_broken: bool) -> None:
        """Leave nothing behind, whatever has happened."""
        if is_broken:
            self.loop.before_time_passes = lambda: None
            self.bus.on_publish = lambda client, topic, event: None
            self.bus.on_sent = lambda topic, event: None
            self.loop.set_exception_handler(lambda loop, context: None)
            for _ in range(20):
                if not (tasks := asyncio.all_tasks(self.loop)):
                    break
                for task in tasks:
                    task.cancel()
                self.loop.run_until_complete(asyncio.wait(tasks, timeout=2))
        asyncio.set_event_loop(None)
        self.loop.close()

    # Looking

    def _break(self, text: str) -> None:
        if self.broken is None:
            self.broken = text
            self.bus.note("here it broke")
            self.loop.stop()

    def _check(self, *, is_idle: bool = False) -> None:
        """Look at those to whom something has happened, and every now and then at all."""
        self._checks += 1
        identifiers, self.bus.touched = self.bus.touched, set()
        for one in self.inhabitants:
            if one.identifier in identifiers or self._checks % _ALL_ARE_LOOKED_AT == 0:
                self._look_at(one, is_idle=is_idle)

    def _look_at(self, one: Inhabitant, *, is_idle: bool) -> None:
        try:
            self.safety.check(one, is_idle=is_idle)
        except Exception as error:
            self._break(what_broke(error))

    def _on_publish(self, client: ShakyBusClient, topic: str, event: Event[Any]) -> None:
        one = next(one for one in self.inhabitants if one.client is client)
        try:
            check_published(one, client, topic, event)
        except Exception as error:
            self._break(what_broke(error))
        # Not now, since this is in the midst of what changes it.
        self.loop.call_soon(partial(self._look_at, one, is_idle=False))

    def _on_sent(self, topic: str, event: Event[Any]) -> None:
        try:
            check_numbers(self._numbers, topic, event)
        except Exception as error:
            self._break(what_broke(error))

    # Who there is

    def _people(self) -> None:
        choose = self.random
        cores = [f"core{number}" for number in range(choose.choice([1, 1, 1, 2, 2, 3]))]
        plugins = [f"plugin{number}" for number in range(choose.choice([1, 1, 2, 2, 3, 5]))]
        for core in cores:
            needs = {
                name: OperationRequirement(self._constraint(name, plugins))
                for name in choose.sample(OPERATIONS, choose.randint(1, len(OPERATIONS)))
            }
            for name, requirement in needs.items():
                self.trace.introduce(core, name, requirement.constraint)
            versions = {name: need.constraint.inputs[0].schemas[0] for name, need in needs.items()}
            options = {"versions": versions if self.versions.are_many else {}, **_INTERVALS, **self._options()}
            self._add(core, partial(ShakyCore, identifier=core, operation_requirements=needs, **options))
        for plugin in plugins:
            lends = choose.sample(OPERATIONS, choose.randint(1, len(OPERATIONS)))
            policies = {name: policy_at_random(self.random, cores) for name in lends}
            for name, policy in policies.items():
                self.trace.introduce(plugin, name, policy)
            shapes = {name: self._shape(name) for name in lends} if self.versions.are_many else {}
            options = {"versions": shapes, **self._options()}
            self._add(plugin, partial(self._plugin, identifier=plugin, policies=policies, **options))

    def _add(self, identifier: str, make: Any) -> None:
        self.inhabitants.append(
            Inhabitant(identifier, self.bus, lambda client: make(eventbus_client=client), self._break)
        )

    def _options(self) -> dict[str, Any]:
        choose = self.random
        return {
            "moods": self.moods,
            "raise_exceptions": choose.random() < 0.3,
            "close_connection_if_unused_after": choose.choice([None, None, None, 4.0]),
            **_DURATIONS,
        }

    @staticmethod
    def _plugin(*, policies: dict[str, Policy], **options: Any) -> ShakyPlugin:
        plugin = ShakyPlugin(lends=tuple(policies), **options)
        for name, policy in policies.items():
            plugin.operations[name].policy = policy
        return plugin

    def _constraint(self, name: str, plugins: list[str]) -> Constraint:
        rules = rules_at_random(self.random, plugins)
        shape = self._shape(name)
        return Constraint(inputs=[shape["input"]], outputs=[shape["output"]], **rules)

    def _shape(self, name: str) -> dict[str, Any]:
        """Return what an operation takes and gives, as one side knows it."""
        if not self.versions.are_many:
            return {"input": inputs_of(name), "output": outputs_of(name)}
        shape = self.versions.shape()
        return {**shape, "output": Output.no_output()} if name == "swallow" else shape

    # What happens

    async def _live(self) -> None:
        choose = self.random
        self._people()
        plagues = OrbiterPlagues(self.inhabitants, self.bus, self.safety, choose)
        duration = choose.choice([5.0, 20.0])
        # Few kinds at a time find more than all of them together: they do not hide each other.
        kinds = choose.sample(sorted(KINDS), choose.randint(1, 6))
        self.moods.rate = choose.choice([0.0, 0.02, 0.1, 0.3])
        self.moods.kinds = choose.sample(sorted(MISCHIEFS), choose.randint(1, 4))
        self.moods.calls = [
            lambda orbiter: orbiter.stop(),
            lambda orbiter: orbiter.leave(2.0),
            *[partial(self._call_within, plagues, name) for name in ("request", "execute", "close gracefully") * 2],
        ]
        self.bus.note("kinds of faults: %s; of mischief: %s of %s calls", kinds, self.moods.kinds, self.moods.rate)
        for one in self.inhabitants:
            self.loop.call_later(choose.random() * 3, self._start, one)
        plagues.plan(kinds, choose.randint(1, 25), duration)
        plagues.plan(["requesting", "executing"], choose.randint(0, 6), duration)
        await asyncio.sleep(3 + duration)
        await self._calm(plagues)
        await self._recover()
        await self._work(plagues)
        await self._end()

    async def _call_within(self, plagues: OrbiterPlagues, name: str, orbiter: Any) -> None:
        coroutine = plagues.call_of(orbiter, name)
        if coroutine is not None:
            await coroutine

    def _start(self, one: Inhabitant) -> None:
        one.call("start", one.orbiter.start())

    async def _calm(self, plagues: OrbiterPlagues) -> None:
        """Let all faults end: everybody lives, and the bus does its work. L5: every call of a user ends."""
        self.bus.note("all faults end")
        plagues.are_over = True
        self.bus.weather = Weather()
        self.bus.blocked.clear()
        self.moods.release()
        await self._all_end(_LONGEST_CALL)
        end = self.loop.time() + _LONGEST_CALL
        while self.moods.under_way:  # a hook may have stopped its orbiter
            assert self.loop.time() < end, "what hooks have called does not end"
            await asyncio.sleep(0.1)
        for one in self.inhabitants:
            if one.machine.leaving or one.is_maimed:
                await one.call("stop", one.orbiter.stop()).task
            if not one.orbiter.is_running:
                await one.call("start", one.orbiter.start()).task
            assert one.orbiter.is_running, f"'{one.identifier}' cannot be started"
        await asyncio.sleep(max(0.0, self.bus.last_arrival - self.loop.time()))

    async def _all_end(self, within: float) -> None:
        calls = [call for one in self.inhabitants for call in one.calls]
        if calls:
            await asyncio.wait([call.task for call in calls], timeout=within)
        late = [str(call) for call in calls if not call.task.done()]
        pending = describe_tasks(call.task for call in calls if not call.task.done())
        assert not late, f"L5: these do not end: {late}\n{pending}"
        for one in self.inhabitants:
            one.calls.clear()

    # Once faults have stopped

    async def _recover(self) -> None:
        """L1, L2, L3, L4, L6."""
        healed, interval = self.loop.time(), _INTERVALS["discovering_interval_when_compliant"]
        await asyncio.sleep(_DURATIONS["pending_requests_expire_after"] + _MARGIN)
        for one in self.inhabitants:
            late = [slot for slot in one.machine.slots if not slot.is_connection and slot.waiting_since < healed]
            assert late == [], f"L2: '{one.identifier}' still waits for {late}"
        await asyncio.sleep(max(0.0, healed + _DURATIONS["consider_others_dead_after"] + _MARGIN - self.loop.time()))
        for one in self.inhabitants:
            for slot in one.machine.slots:
                if slot.is_connection and slot.opened_at < healed:
                    assert is_shared(self.inhabitants, one, slot.key), f"L3: '{one.identifier}' alone has {slot.key}"
        # What is not used may come and go; nobody closes it from now on.
        for one in self.inhabitants:
            one.orbiter.close_connection_if_unused_after = None
        longest = max(_DURATIONS["consider_others_dead_after"], _DURATIONS["graceful_close_timeout"])
        await asyncio.sleep(longest + _DURATIONS["pending_requests_expire_after"] + 2 * interval)
        end = self.loop.time() + 2 * interval
        while self.loop.time() < end and any(  # noqa: ASYNC110 - there is no event to wait for
            one.machine.slots.pending_count for one in self.inhabitants
        ):
            await asyncio.sleep(0.1)
        assert_agreed(self.inhabitants)
        assert_has_what_there_is(self.inhabitants)
        for one in self.inhabitants:
            assert_lends_what_is_allowed(one)

    async def _work(self, plagues: OrbiterPlagues) -> None:
        """Every connection carries inputs and outputs."""
        for one in self.inhabitants:
            if isinstance(core := one.orbiter, ShakyCore):
                for connection in core.retrieve_connections():
                    name, plugin = connection.operation_name, connection.remote_identifier
                    if connection.has_output:
                        request = plagues.request(core, name, 5.0, plugin_identifier=plugin)
                        answer = await one.call(f"request to {plugin}", request).task
                        assert isinstance(answer, str), f"{core} asked {connection}, which works: {answer}"

    async def _end(self) -> None:
        """S5 for everybody."""
        for one in self.inhabitants:
            if self.random.random() < 0.3:
                one.call("leave", one.orbiter.leave(5.0))
        await asyncio.sleep(self.random.choice([0.0, 0.01, 6.0]))
        for one in self.inhabitants:
            one.call("stop", one.orbiter.stop())
        await self._all_end(_LONGEST_STOP)
        # Whatever a timer could still do would be seen.
        await asyncio.sleep(1_000)
        for one in self.inhabitants:
            assert_nothing_is_left_of(one)
        assert_nobody_is_on(self.bus)
        assert asyncio.all_tasks() == {asyncio.current_task()}, f"S5: {asyncio.all_tasks()}"
        assert self.loop.timers() == [], f"S5: timers are set: {self.loop.timers()}"
