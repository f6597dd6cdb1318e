"""Traces of machines in simulated worlds, for machines of any language: `python -m tests.simulation.recording`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from conformance.subjects.python.machine_json import (
    config_to_json,
    effects_to_json,
    headers_to_json,
    message_to_json,
)
from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.effects import Effect
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.slots import Slot
from orbitalis_conformance.values import to_json
from tests.simulation.scenario import Scenario
from tests.simulation.world import World
from tests.support.machines import Node

__all__ = ["main", "traces"]

LONGEST: Final = 120
"""Calls of one trace, at most."""


class Recorder:
    """Writes down what happens to the machine of one node, and what follows."""

    def __init__(self, node: Node, name: str) -> None:
        self.trace: dict[str, Any] = {
            "trace": name,
            "role": node.machine.role.value,
            "config": config_to_json(node._config),
            "steps": [],
        }
        self.is_over = False
        """Whether nothing more is written down."""
        self._node = node
        self._whole: dict[str, Any] | None = None
        """The step whose parts are going on."""
        self._wrap(node._machine)
        self._compose(node, "tick", lambda: {"call": "tick", "now": node.net.now})
        self._compose(node, "configure", lambda: {"call": "configure", "config": _config_of(node), "now": node.net.now})

    def _wrap(self, machine: Machine) -> None:
        for name, describe in _CALLS.items():
            if hasattr(machine, name):
                setattr(machine, name, self._recorded(name, getattr(machine, name), describe))

    def _recorded(self, name: str, method: Callable[..., Any], describe: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            step = None if self._whole is not None and name in _PARTS else {"call": name, **describe(*arguments)}
            if step is not None and self._whole is not None:
                self.is_over = True  # something else in the midst of what a driver does at once
            try:
                effects: list[Effect] = method(*arguments)
            except RemoteProtocolError:
                self._note(step, [], refused=True)
                raise
            self._note(step, effects)
            return effects

        return call

    def _note(self, step: dict[str, Any] | None, effects: list[Effect], **more: object) -> None:
        steps: list[dict[str, Any]] = self.trace["steps"]
        if self.is_over or len(steps) >= LONGEST:
            self.is_over = True
            return
        told = effects_to_json(effects)
        if step is None:
            assert self._whole is not None
            self._whole["effects"] += told
        elif step["call"] == "take":  # what was still done of a message that was refused
            steps[-1]["effects"] += told
        else:
            steps.append({**step, "effects": told, **more})

    def _compose(self, node: Node, name: str, describe: Callable[[], dict[str, Any]]) -> None:
        whole = getattr(node, name)

        def call() -> None:
            self._whole = {**describe(), "effects": []}
            whole()
            step, self._whole = self._whole, None
            if not self.is_over:
                self.trace["steps"].append(step)

        setattr(node, name, call)


def _config_of(node: Node) -> dict[str, Any]:
    settings = node.settings
    is_core = node._machine.role.value == "core"
    return config_to_json(settings.core_config() if is_core else settings.plugin_config())


def _of_slot(slot: Slot, connection: str) -> dict[str, Any]:
    return {"remote": slot.remote_identifier, "operation": slot.operation_name, "connection": connection}


def _close(remote: str, operation: str, data: bytes | None, now: float) -> dict[str, Any]:
    return {"remote": remote, "operation": operation, "data": to_json(data), "now": now}


_CALLS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "start": lambda now: {"now": now},
    "stop": dict,
    "leave": dict,
    "take": dict,
    "handle": lambda topic, message, headers, now: {
        "topic": topic,
        "message": message_to_json(message),
        "headers": headers_to_json(headers),
        "now": now,
    },
    "prepared": lambda slot, connection, now, data: {
        **_of_slot(slot, connection),
        "setup_data": to_json(data),
        "now": now,
    },
    "preparation_failed": lambda slot, connection, now: {**_of_slot(slot, connection), "now": now},
    "drained": lambda slot, now: {**_of_slot(slot, slot.connection_identifier), "now": now},
    "reconnected": lambda now: {"now": now},
    "cancel_suspicions": lambda remotes: {"remotes": list(remotes)},
    "close_gracefully": _close,
    "close_gracelessly": _close,
    # What a driver does in one call.
    "discard_expired": lambda now: {},
    "lose_dead_remotes": lambda now: {},
    "send_due_keepalives": lambda now: {},
    "close_unused": lambda slot, data, now: {},
    "discover_if_due": lambda now: {},
    "update_operations": lambda now: {},
    "configure": lambda config, now: {},
    "close_disallowed": lambda slot, data, now: {},
}
"""By method of a machine: what a step says of a call."""
_PARTS: Final = frozenset(
    {
        "discard_expired",
        "lose_dead_remotes",
        "send_due_keepalives",
        "close_gracelessly",
        "close_gracefully",
        "close_unused",
        "discover_if_due",
        "update_operations",
        "configure",
        "close_disallowed",
    }
)
"""Methods that are parts of `tick` or `configure` while one of these goes on."""


class RecordingWorld(World):
    """A world in which each machine is recorded."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.recorders: list[Recorder] = []

    def new_identifier(self) -> str:
        """Return an identifier by whose form one knows that a machine has made it."""
        return f"made-{next(self._numbers)}"

    def _add(self, node: Node) -> Node:
        self.recorders.append(Recorder(node, f"seed {self._seed}, {node.identifier}, {len(self.recorders)}"))
        return super()._add(node)


def traces(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield so many traces of worlds, from the seed `first` on; the same ones each time."""
    made, seed = 0, first
    while made < count:
        world = RecordingWorld(seed)
        scenario = Scenario(seed, world)
        seed += 1
        scenario.live()
        for node in list(world.nodes):
            world.stop(node)
        for recorder in world.recorders:
            if recorder.trace["steps"] and made < count:
                made += 1
                yield recorder.trace


def main() -> None:
    """Write traces to standard output, one a line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.recording", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=2000, help="how many traces")
    options = parser.parse_args()
    for trace in traces(options.first, options.count):
        sys.stdout.write(json.dumps(trace) + "\n")


if __name__ == "__main__":
    main()
