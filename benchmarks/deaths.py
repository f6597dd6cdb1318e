"""How soon a killed process is noticed over MQTT: from SIGKILL to suspected, and to its connections being closed."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from benchmarks.broker import running_broker
from benchmarks.measuring import Numbers, Settings, fresh, show
from benchmarks.mortals import Lender, topics_of
from benchmarks.stage import TextPlugin
from orbitalis import Connection, Core, Orbiter, connect
from tests.support.processes import ReportingProcess

__all__ = ["main", "notice_deaths"]

_PATIENCE = 120.0
_POLL = 0.01


def main(settings: Settings) -> None:
    """Measure and print."""
    rounds, connections = settings.pick((250, 200), (2, 5))
    with running_broker() as broker:
        numbers = fresh(notice_deaths, broker.url, rounds, connections)
    show(
        (f"{2 * rounds} kills, {connections} connections", "median, ms", "99 %, ms", "longest, ms"),
        [
            (what, *(f"{numbers[f'{what}: {which}'] * 1000:,.0f}" for which in ("median", "99 %", "longest")))
            for what in ("plugin suspected", "core not compliant", "core suspected", "plugin without connection")
        ],
    )


@dataclass(eq=False)
class _Deaths(logging.Handler):
    """When what was noticed, from the log and from hooks."""

    noticed: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        super().__init__()

    def emit(self, record: logging.LogRecord) -> None:
        if "suspects that" in str(record.msg):
            self.note(f"suspected {getattr(record, 'remote', '')}")

    def note(self, what: str) -> None:
        self.noticed.setdefault(what, time.monotonic())


@dataclass(eq=False)
class _WatchingCore(Core):
    deaths: _Deaths = field(default_factory=_Deaths)

    async def _on_not_compliant(self) -> None:
        self.deaths.note("not compliant")


@dataclass(eq=False)
class _WatchingPlugin(Lender):
    deaths: _Deaths = field(default_factory=_Deaths)

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        self.deaths.note(f"closed {connection.remote_identifier}")


async def notice_deaths(url: str, rounds: int, connections: int) -> Numbers:
    """Have a core and a plugin here, each with so many connections, notice again and again that a remote is dead."""
    deaths = _Deaths()
    logger = logging.getLogger("orbitalis")
    logger.addHandler(deaths)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    core = _WatchingCore(identifier="watcher", eventbus_client=connect(url), deaths=deaths, **topics_of("plugin"))
    core.with_requirement(TextPlugin.lowercase, minimum=connections)
    plugin = _WatchingPlugin(identifier="lender", eventbus_client=connect(url), deaths=deaths, **topics_of("core"))
    times: dict[str, list[float]] = {}
    async with ReportingProcess("mortals", "benchmarks.mortals", url) as mortals, core, plugin:

        async def fork(kind: str, *identifiers: str) -> int:
            mortals.tell(kind, *identifiers)
            return int((await mortals.expect("forked"))["process"])

        others = range(connections - 1)
        await fork("plugin", *(f"plugin{number}" for number in others))
        await fork("core", *(f"core{number}" for number in others))
        for number in range(rounds):
            names = f"mortal-plugin{number}", f"mortal-core{number}"
            victims = [await fork("plugin", names[0]), await fork("core", names[1])]
            await _until(lambda: _is_ready(core, connections) and _is_ready(plugin, connections))
            await asyncio.sleep(random.random() / 10)
            deaths.noticed.clear()
            wanted = {
                "plugin suspected": f"suspected {names[0]}",
                "core not compliant": "not compliant",
                "core suspected": f"suspected {names[1]}",
                "plugin without connection": f"closed {names[1]}",
            }
            killed: dict[str, float] = {}
            for victim, whats in zip(victims, (list(wanted)[:2], list(wanted)[2:]), strict=True):
                killed |= dict.fromkeys(whats, time.monotonic())
                os.kill(victim, signal.SIGKILL)
            await _until(partial(_has_all, deaths.noticed, set(wanted.values())))
            for what, noticed in wanted.items():
                times.setdefault(what, []).append(deaths.noticed[noticed] - killed[what])
        assert mortals._process is not None
        assert mortals._process.stdin is not None
        mortals._process.stdin.close()
        await mortals._process.wait()
    return {
        f"{what}: {which}": value
        for what, found in times.items()
        for which, value in (
            ("median", statistics.median(found)),
            ("99 %", sorted(found)[max(0, -(-99 * len(found) // 100) - 1)]),
            ("longest", max(found)),
        )
    }


def _has_all(noticed: Mapping[str, float], wanted: set[str]) -> bool:
    return noticed.keys() >= wanted


def _is_ready(orbiter: Orbiter, connections: int) -> bool:
    """Return whether an orbiter has all its connections, and listens for the will of each remote."""
    wills = orbiter._runtime._wills
    return len(orbiter.remote_identifiers) == connections == len(wills.listening) and not wills._changed


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_POLL)
