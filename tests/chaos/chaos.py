"""A core and ten plugins live through one fault after the other, and are as before in the end."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.faults import plan
from tests.chaos.stage import ChaosProcess, Healing, Stage
from tests.chaos.traffic import REQUEST_TIMEOUT

__all__ = ["ChaosError", "Record", "endure"]

_WARM_UP = 5
"""Faults that a process lives through before it is looked at for the first time."""
_MEMORY_GROWTH = 8 * 1024
"""KiB by which a process may grow afterwards, whatever it lives through."""
_OBJECTS_GROWTH = 2000
"""Objects by which it may."""
_THREADS_GROWTH = (os.cpu_count() or 1) + 4
"""Threads by which it may: as many as asyncio's own executor keeps once it needed them."""
_MOMENT = 0.2
"""Seconds between two looks at what is left."""
_STANDING = ("MqttEventBusClient._keep",)
"""Tasks of which every orbiter has one for as long as it runs."""
_OVERTIME = 5.0
"""Seconds that a busy machine may take to end a request whose time is over."""


class ChaosError(AssertionError):
    """Something is not as it should be after a fault, or in the end."""


@dataclass(kw_only=True)
class Record:
    """What has happened in one chaos."""

    seed: int
    faults: list[tuple[str, Healing]] = field(default_factory=list[tuple[str, Healing]])
    """Those that were survived, by kind."""
    broker_kills: int = 0
    process_kills: int = 0
    seconds: float = 0.0
    processes: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = field(
        default_factory=dict[str, tuple[int, dict[str, Any], dict[str, Any]]]
    )
    """By name: how many faults the last life of a process has survived, and what it was like before and after them."""
    traffic: dict[str, int] = field(default_factory=dict[str, int])
    """How the requests and executions of the core's last life ended."""
    longest_request: float = 0.0
    """Seconds."""
    packets: dict[str, int] = field(default_factory=dict[str, int])
    """What the proxies did to packets and connections."""


async def endure(
    record: Record, broker_kills: int, *, patience: float, watch: Callable[[str, Healing], None] | None = None
) -> None:
    """Have everybody live through faults that the seed of a record decides, among them so many deaths of the broker.

    The record is filled as it goes.

    Raises:
        ChaosError: It does not heal within `patience` seconds, or has left something behind.
    """
    random = Random(record.seed)
    began = time.monotonic()
    kind = "the beginning"
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with Stage(Path(folder), random, patience) as stage:
                await stage.healed(time.monotonic(), time.monotonic())
                for fault in plan(broker_kills, random):
                    kind = fault.kind
                    lives = dict(stage.processes)
                    fault_began = time.monotonic()
                    healing = await stage.healed(fault_began, await fault.inflict(stage))
                    stage.calm()
                    record.faults.append((kind, healing))
                    record.broker_kills += fault.broker_kills
                    record.process_kills += sum(stage.processes[name] is not one for name, one in lives.items())
                    await _age(stage, lives)
                    if watch is not None:
                        watch(kind, healing)
                kind = "the end"
                await _close(stage, record)
    except AssertionError as error:
        raise ChaosError(
            f"seed {record.seed}, after {len(record.faults)} faults, {kind}: {error}\n"
            f"again: make chaos ARGS='--broker-kills {broker_kills} --seed {record.seed}'"
        ) from error
    finally:
        record.seconds = time.monotonic() - began


async def _age(stage: Stage, lives: dict[str, ChaosProcess]) -> None:
    """Count the fault for those who survived it, and look at those who are warm."""
    warm = False
    for name, process in stage.processes.items():
        process.survived += process is lives[name]
        warm = warm or (process.survived == _WARM_UP and process.baseline is None)
    if warm:
        found = await _look(stage)
        for name, process in stage.processes.items():
            if process.survived == _WARM_UP and process.baseline is None:
                process.baseline = found[name]


async def _look(stage: Stage) -> dict[str, dict[str, Any]]:
    """Look at everybody while nothing is going on."""
    await stage.core.ask("pause")
    await stage.settled()
    found = await stage.ask_all("census")
    await stage.core.ask("resume")
    return found


async def _close(stage: Stage, record: Record) -> None:
    """Hold everybody against what they were like before, and have them stop."""
    deadline = time.monotonic() + stage.patience
    while True:
        found = await _look(stage)
        for name, process in stage.processes.items():
            if process.baseline is not None:
                record.processes[name] = (process.survived, process.baseline, found[name])
        left = [
            f"{name}: {problem}"
            for name, (_, before, after) in record.processes.items()
            for problem in _left_behind(before, after)
        ]
        # What was just being done when the others had settled is done a moment later.
        if not left or time.monotonic() > deadline:
            break
        await asyncio.sleep(_MOMENT)
    traffic = await stage.core.ask("traffic")
    record.traffic, record.longest_request = traffic["outcomes"], traffic["longest"]
    for proxy in stage.proxies.values():
        for what, times in proxy.counts().items():
            record.packets[what] = record.packets.get(what, 0) + times
    problems = [*(f"unexpected: {one['text']}\n{one['trace']}" for one in stage.unexpected()), *left]
    if record.longest_request > REQUEST_TIMEOUT + _OVERTIME:
        problems.append(f"a request took {record.longest_request:.1f} s, though it may take {REQUEST_TIMEOUT} s")
    for process in stage.processes.values():
        status = await process.stop()
        tasks = (await process.happens("stopped"))["tasks"]
        if status or tasks:
            problems.append(f"{process.identifier} ended with status {status} and {tasks} tasks")
    if problems:
        raise AssertionError("\n".join(problems))


def _left_behind(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say what is more than it was."""
    problems = [
        f"tasks: {before['tasks'].get(kind, 0)} of {kind} before, {count} after"
        for kind, count in after["tasks"].items()
        if count > before["tasks"].get(kind, 0)
    ]
    problems += [
        f"tasks: {before['tasks'][kind]} of {kind} before, {after['tasks'].get(kind, 0)} after"
        for kind in _STANDING
        if after["tasks"].get(kind, 0) < before["tasks"][kind]
    ]
    if after["loops"] < before["loops"]:
        problems.append(f"loops: {before['loops']} before, {after['loops']} after")
    problems += [
        f"{what}: {before[what]} before, {after[what]} after"
        for what in ("files", "remotes")
        if after[what] > before[what]
    ]
    for what, growth, unit in (
        ("memory", _MEMORY_GROWTH, " KiB"),
        ("objects", _OBJECTS_GROWTH, ""),
        ("threads", _THREADS_GROWTH, ""),
    ):
        if after[what] > before[what] + growth:
            problems.append(f"{what}: {before[what]}{unit} before, {after[what]}{unit} after")
    return problems
