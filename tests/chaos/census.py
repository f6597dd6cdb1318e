"""What a process in the chaos knows of itself: its connections, and all that may leak."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orbitalis import Orbiter
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire.topics import WillTopic

__all__ = ["census", "connections", "unsettled"]


def connections(orbiters: Iterable[Orbiter]) -> list[list[str]]:
    """Return every connection: core, plugin, operation, identifier and state as this side believes."""
    found: list[list[str]] = []
    for orbiter in orbiters:
        for slot in orbiter._machine.slots:
            if slot.is_connection:
                pair = [orbiter.identifier, slot.remote_identifier]
                if slot.role is Role.PLUGIN:
                    pair.reverse()
                found.append([*pair, slot.operation_name, slot.connection_identifier, slot.state.value])
    return sorted(found)


def unsettled(orbiters: Iterable[Orbiter]) -> list[str]:
    """Return what is under way: handshakes, and subscriptions that are more or fewer than the connections need."""
    return [
        *(f"{slot!r}" for orbiter in orbiters for slot in orbiter._machine.slots if not slot.is_connection),
        *(f"{orbiter}: {topic}" for orbiter in orbiters for topic in _stray_subscriptions(orbiter)),
    ]


def census(orbiters: Sequence[Orbiter]) -> dict[str, Any]:
    """Count what there is after a collection of garbage."""
    gc.collect()
    statistics: Counter[str] = Counter()
    for orbiter in orbiters:
        statistics.update(asdict(orbiter.eventbus_client.statistics))
    return {
        "remotes": sum(len(list(orbiter._machine.peers.all())) for orbiter in orbiters),
        "tasks": Counter(_kind(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()),
        "loops": sum(orbiter._loop.is_running for orbiter in orbiters),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "memory": _memory(),
        "statistics": statistics,
    }


def _stray_subscriptions(orbiter: Orbiter) -> set[str]:
    """Return what an orbiter is subscribed to and need not be, or the other way round."""
    wanted = {*orbiter._protocol_filters(), *orbiter._responder.filters}
    for slot in orbiter._machine.slots:
        if slot.state is not SlotState.OFFERED:
            wanted.update(slot.local_topics)
        if slot.state is SlotState.CLOSING and slot.ack_topic is not None:
            wanted.add(slot.ack_topic)
        if slot.is_connection:
            wanted.add(WillTopic.join(slot.remote_identifier))
    return wanted ^ set(orbiter.eventbus_client._subscriptions)


def _kind(task: asyncio.Task[Any]) -> str:
    """Return what a task is, without the identifiers in its name."""
    return getattr(task.get_coro(), "__qualname__", "?")


def _memory() -> int:
    """Return the resident memory of this process in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS in /proc/self/status")
