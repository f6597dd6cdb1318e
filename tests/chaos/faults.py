"""What goes wrong in chaos, and in which order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final, Protocol, TypeAlias

import aiomqtt

from orbitalis_wire import timings
from tests.chaos.proxy import Direction, Weather
from tests.chaos.stage import CORE, FAR, NEAR, PLUGINS, Stage

__all__ = ["Fault", "plan"]

Inflict: TypeAlias = Callable[[Stage], Awaitable[float]]
"""Lets something go wrong, and returns when it was over, on the clock of `time.monotonic`."""


class _InflictOnBroker(Protocol):
    """The same, with a broker that may keep what it has."""

    async def __call__(self, stage: Stage, is_persistent: bool) -> float: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    kind: str
    inflict: Inflict
    broker_kills: int = 0


# The broker


async def _back_at_once(stage: Stage, is_persistent: bool) -> float:
    await stage.kill_broker()
    await stage.start_broker(is_persistent=is_persistent)
    return time.monotonic()


async def _back_when_missed(stage: Stage, is_persistent: bool) -> float:
    """The broker comes back after somebody has tried to connect in vain."""
    proxy = stage.proxies[CORE]
    refused = proxy.refused
    await stage.kill_broker()
    await proxy.until(lambda: proxy.refused > refused)
    await stage.start_broker(is_persistent=is_persistent)
    return time.monotonic()


async def _back_when_all_are_dead(stage: Stage, is_persistent: bool) -> float:
    """The broker comes back after everybody has taken everybody else for dead."""
    since = time.monotonic()
    await stage.kill_broker()
    await stage.core.happens("dead", since)
    await stage.processes[NEAR].happens("dead", since)
    await stage.start_broker(is_persistent=is_persistent)
    return time.monotonic()


async def _killed_twice(stage: Stage, is_persistent: bool) -> float:
    """The broker is killed again as soon as somebody has found it."""
    proxy = stage.proxies[CORE]
    await stage.kill_broker()
    passed = proxy.passed
    await stage.start_broker(is_persistent=is_persistent)
    await proxy.until(lambda: proxy.passed > passed)
    return await _back_at_once(stage, is_persistent)


async def _old_events_follow(stage: Stage, is_persistent: bool) -> float:
    """After the broker is back, clients get events once more that they had before, as if it had kept them."""
    await stage.kill_broker()
    for proxy in stage.proxies.values():
        proxy.weather = Weather(repeats=True)
    await stage.start_broker(is_persistent=is_persistent)
    return time.monotonic()


BROKER_FAULTS: Final[dict[str, tuple[_InflictOnBroker, int, int]]] = {
    "back at once": (_back_at_once, 1, 9),
    "back when missed": (_back_when_missed, 1, 5),
    "back when all are taken for dead": (_back_when_all_are_dead, 1, 2),
    "killed again when found": (_killed_twice, 2, 1),
    "old events follow": (_old_events_follow, 1, 2),
}
"""By kind: what happens, how often that kills the broker, and how often it happens in proportion to the others."""


# Processes


async def _process_back_at_once(stage: Stage) -> float:
    name = _any_process(stage)
    await stage.kill(name)
    await stage.launch(name)
    return time.monotonic()


async def _process_back_when_dead(stage: Stage) -> float:
    """A process comes back after the others have taken its orbiters for dead."""
    name = _any_process(stage)
    since = time.monotonic()
    await stage.kill(name)
    for witness in {NEAR, FAR} if name == CORE else {CORE}:
        await stage.processes[witness].happens("dead", since)
    await stage.launch(name)
    return time.monotonic()


async def _old_events_await_the_process(stage: Stage) -> float:
    """What was delivered to a process that was killed is delivered once more to its successor."""
    name = stage.random.choice([CORE, NEAR])
    await stage.kill(name)
    stage.proxies[name].weather = Weather(repeats=True)
    await stage.launch(name)
    return time.monotonic()


async def _process_and_broker(stage: Stage) -> float:
    """A process is killed, and the broker in the midst of the handshakes of its successor."""
    name = _any_process(stage)
    await stage.kill(name)
    await stage.launch(name)
    await stage.processes[name].happens("handshake")
    return await _back_at_once(stage, stage.random.random() < 0.5)


async def _process_in_bad_weather(stage: Stage) -> float:
    """A process is killed, and much of the handshakes of its successor is lost."""
    name = stage.random.choice([CORE, NEAR])
    proxy = stage.proxies[name]
    await stage.kill(name)
    proxy.weather = Weather(loss=0.3, delay=0.02)
    await stage.launch(name)
    lost = proxy.lost
    await proxy.until(lambda: proxy.lost > lost + 20)
    stage.calm()
    return time.monotonic()


PROCESS_FAULTS: Final = (
    Fault("process killed, back at once", _process_back_at_once),
    Fault("process killed, back when taken for dead", _process_back_when_dead),
    Fault("process killed, old events await it", _old_events_await_the_process),
    Fault("process killed, and the broker in its handshakes", _process_and_broker, 1),
    Fault("process killed, handshakes lose events", _process_in_bad_weather),
)


# The way between clients and broker


async def _cut(stage: Stage) -> float:
    stage.proxies[_any_link(stage)].cut()
    return time.monotonic()


async def _cut_within_event(stage: Stage, direction: Direction) -> float:
    proxy = stage.proxies[_any_link(stage)]
    broken = proxy.broken
    proxy.cut_within_next_event(direction)
    await proxy.until(lambda: proxy.broken > broken)
    return time.monotonic()


async def _deaf(stage: Stage) -> float:
    """Nothing passes, nobody is told, and who connects again gets no answer."""
    proxy = stage.proxies[_any_link(stage)]
    unanswered, clients = proxy.unanswered, proxy.connections
    proxy.swallow(*Direction)
    proxy.weather = Weather(is_deaf=True)
    await proxy.until(lambda: proxy.unanswered >= unanswered + clients)
    stage.calm()
    return time.monotonic()


async def _swallow(stage: Stage, direction: Direction) -> float:
    """Connections pass nothing on any more in one direction; new ones do."""
    stage.proxies[_any_link(stage)].swallow(direction)
    return time.monotonic()


async def _weather(stage: Stage, weather: Weather) -> float:
    """It has to heal, or rather to go on working, while that lasts."""
    stage.proxies[_any_link(stage)].weather = weather
    return time.monotonic()


async def _loss(stage: Stage) -> float:
    proxy = stage.proxies[_any_link(stage)]
    lost = proxy.lost
    proxy.weather = Weather(loss=0.3)
    await proxy.until(lambda: proxy.lost > lost + 50)
    stage.calm()
    return time.monotonic()


LINK_FAULTS: Final = (
    Fault("link cut", _cut),
    Fault("link cut within an event to the broker", partial(_cut_within_event, direction=Direction.TO_BROKER)),
    Fault("link cut within an event to the client", partial(_cut_within_event, direction=Direction.TO_CLIENT)),
    Fault("link deaf, also for who connects again", _deaf),
    Fault("link half-open, to the broker", partial(_swallow, direction=Direction.TO_BROKER)),
    Fault("link half-open, to the client", partial(_swallow, direction=Direction.TO_CLIENT)),
    Fault("link slow, up to 50 ms later", partial(_weather, weather=Weather(delay=0.05))),
    Fault("link narrow, 3 bytes at a time", partial(_weather, weather=Weather(piece=3))),
    Fault("link loses 30 % of events", _loss),
)


# What makes the broker publish wills of clients that live, and must close nothing


async def _closing_nothing(stage: Stage, inflict: Inflict) -> float:
    """Let something happen that nobody may be taken for dead for, and wait until wills have had their consequences."""
    began = time.monotonic()
    await inflict(stage)
    await asyncio.sleep(1.25 * timings.SUSPICION_GRACE)
    for process in stage.processes.values():
        for event in ("dead", "not compliant"):
            assert not (found := process.find(event, began)), f"what lives was closed in {process.identifier}: {found}"
    return time.monotonic()


async def _restart(stage: Stage) -> float:
    """The broker is stopped, publishes the wills of all, and is there again at once."""
    await asyncio.to_thread(stage.broker.stop)
    await asyncio.to_thread(stage.broker.start)
    return time.monotonic()


async def _flap(stage: Stage) -> float:
    """All connections of a process are cut again and again, as soon as they have been made anew."""
    proxy = stage.proxies[_any_link(stage)]
    clients = proxy.connections
    for _ in range(3):
        passed = proxy.passed
        proxy.cut()
        await proxy.until(lambda passed=passed: proxy.passed >= passed + clients)  # type: ignore[misc]
    return time.monotonic()


async def _take_over(stage: Stage) -> float:
    """Somebody connects with the identifier of an orbiter's client, and leaves."""
    names = [CORE, *(one for some in PLUGINS.values() for one in some)]
    async with aiomqtt.Client(
        stage.broker.host,
        stage.broker.port,
        identifier=stage.random.choice(names),
        protocol=aiomqtt.ProtocolVersion.V5,
    ):
        return time.monotonic()


GENTLE_FAULTS: Final = (
    Fault("broker stopped and started again", partial(_closing_nothing, inflict=_restart)),
    Fault("link flaps", partial(_closing_nothing, inflict=_flap)),
    Fault("client taken over", partial(_closing_nothing, inflict=_take_over)),
)


def _any_process(stage: Stage) -> str:
    return stage.random.choice([CORE, NEAR, FAR])


def _any_link(stage: Stage) -> str:
    return stage.random.choice(list(stage.proxies))


def plan(broker_kills: int, random: Random) -> list[Fault]:
    """Return faults in a random order that kill the broker so often.

    Half of them are survived by a broker's memory. Processes are killed in the first half only, so that those which are
    there in the end have lived through many faults.
    """
    processes = [PROCESS_FAULTS[number % len(PROCESS_FAULTS)] for number in range(max(1, broker_kills // 5))]
    links = [LINK_FAULTS[number % len(LINK_FAULTS)] for number in range(max(1, broker_kills // 3))]
    brokers = _broker_faults(broker_kills - sum(fault.broker_kills for fault in processes), random)
    gentle = [GENTLE_FAULTS[number % len(GENTLE_FAULTS)] for number in range(max(1, broker_kills // 5))]
    others = [*brokers, *links, *gentle]
    random.shuffle(others)
    first = [*processes, *others[: len(others) // 2]]
    random.shuffle(first)
    return first + others[len(others) // 2 :]


def _broker_faults(kills: int, random: Random) -> list[Fault]:
    names, shares = list(BROKER_FAULTS), [share for *_, share in BROKER_FAULTS.values()]
    found: list[Fault] = []
    while kills > 0:
        (name,) = random.choices(names, shares)
        inflict, times, _ = BROKER_FAULTS[name]
        if times > kills:
            continue
        is_persistent = len(found) % 2 == 0
        memory = "persistent" if is_persistent else "forgetful"
        found.append(Fault(f"{memory} broker killed, {name}", partial(inflict, is_persistent=is_persistent), times))
        kills -= times
    return found
