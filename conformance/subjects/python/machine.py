"""Our state machines as a driver of the conformance tests: JSON lines in, JSON lines out."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from typing import Any

from conformance.subjects.python.machine_json import (
    MachineHeaders,
    config_from_json,
    effects_to_json,
    message_from_json,
)
from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.effects import Drain, Effect, Prepare
from orbitalis.protocol.machine import CoreMachine, Machine, PluginMachine
from orbitalis.protocol.slots import Slot

__all__ = ["Driver", "main"]


class Driver:
    """One machine after the other."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._role = ""
        self._slots: dict[tuple[str, str, str], Slot] = {}
        """What `prepare` and `drain` were about, by remote, operation and connection."""
        self._numbers = itertools.count(1)

    @property
    def machine(self) -> Machine:
        """The machine."""
        assert self._machine is not None, "make a machine first"
        return self._machine

    def call(self, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a line says; return the answer."""
        method = getattr(self, f"call_{name}", None)
        if method is None:
            raise ValueError(f"there is no call {name!r}")
        answer: dict[str, Any] = method(**content)
        return answer

    def _done(self, *effects: list[Effect], **more: object) -> dict[str, Any]:
        """Return an answer with effects."""
        found = [one for some in effects for one in some]
        for effect in found:
            if isinstance(effect, Prepare):
                self._slots[*effect.slot.key, effect.connection_identifier] = effect.slot
            elif isinstance(effect, Drain):
                self._slots[*effect.slot.key, effect.slot.connection_identifier] = effect.slot
        return {"effects": effects_to_json(found), **more}

    def call_make(self, role: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Make a machine."""
        made = config_from_json(role, config)
        prefix = f"python-{next(self._numbers)}-"
        numbers = itertools.count(1)

        def new_identifier() -> str:
            return f"{prefix}{next(numbers)}"

        given: dict[str, Any] = {
            "new_identifier": new_identifier,
            "new_challenge": new_identifier,
            "is_own": lambda identifier: identifier.startswith(prefix),
        }
        kind: Any = CoreMachine if role == "core" else PluginMachine
        self._machine, self._role = kind(made, **given), role
        self._slots.clear()
        return {"effects": [], "lacks": []}

    def call_configure(self, config: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Give the machine another configuration."""
        machine: Any = self.machine
        done = [machine.configure(config_from_json(self._role, config), now)]
        if isinstance(machine, PluginMachine):
            done += [machine.close_disallowed(slot, None, now) for slot in machine.pop_disallowed()]
        return self._done(*done)

    def call_start(self, now: float) -> dict[str, Any]:
        """Begin to take part."""
        return self._done(self.machine.start(now))

    def call_stop(self) -> dict[str, Any]:
        """Take part no more."""
        return self._done(self.machine.stop())

    def call_leave(self) -> dict[str, Any]:
        """Begin no new connections."""
        return self._done(self.machine.leave())

    def call_handle(
        self, topic: str, message: Mapping[str, Any], headers: Mapping[str, Any], now: float
    ) -> dict[str, Any]:
        """Take a message."""
        try:
            return self._done(self.machine.handle(topic, message_from_json(message), MachineHeaders(**headers), now))
        except RemoteProtocolError:
            return self._done(self.machine.take(), refused=True)

    def call_prepared(
        self, remote: str, operation: str, connection: str, setup_data: Mapping[str, str] | None, now: float
    ) -> dict[str, Any]:
        """Take the report that a preparation is done."""
        data = None if setup_data is None else bytes.fromhex(setup_data["hex"])
        slot = self._slots[remote, operation, connection]
        return self._done(self.machine.prepared(slot, connection, now, data))

    def call_preparation_failed(self, remote: str, operation: str, connection: str, now: float) -> dict[str, Any]:
        """Take the report that a preparation has failed."""
        slot = self._slots[remote, operation, connection]
        return self._done(self.machine.preparation_failed(slot, connection, now))

    def call_drained(self, remote: str, operation: str, connection: str, now: float) -> dict[str, Any]:
        """Take the report that data is handled."""
        return self._done(self.machine.drained(self._slots[remote, operation, connection], now))

    def call_data(self, remote: str, operation: str, headers: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Take note of an input or output."""
        slot = self.machine.slots.get(remote, operation)
        taken = slot is not None and self.machine.data_received(slot, MachineHeaders(**headers), now)
        return self._done(self.machine.take(), taken=taken)

    def call_tick(self, now: float) -> dict[str, Any]:
        """Do what is due."""
        machine = self.machine
        done = [machine.discard_expired(now), machine.lose_dead_remotes(now), machine.send_due_keepalives(now)]
        for slot in machine.overdue_closes(now):
            done.append(machine.close_gracelessly(*slot.key, slot.close_data, now))
        for slot in machine.unused_connections(now):
            done.append(machine.close_unused(slot, None, now))
        if isinstance(machine, CoreMachine):
            done.append(machine.discover_if_due(now))
        if isinstance(machine, PluginMachine):
            done.append(machine.update_operations(now))
        return self._done(*done)

    def call_reconnected(self, now: float) -> dict[str, Any]:
        """Take the report that the bus is back."""
        return self._done(self.machine.reconnected(now))

    def call_cancel_suspicions(self, remotes: list[str]) -> dict[str, Any]:
        """Take the report that a bus was lost."""
        return self._done(self.machine.cancel_suspicions(remotes))

    def call_close_gracefully(
        self, remote: str, operation: str, data: Mapping[str, str] | None, now: float
    ) -> dict[str, Any]:
        """Close a connection."""
        told = None if data is None else bytes.fromhex(data["hex"])
        return self._done(self.machine.close_gracefully(remote, operation, told, now))

    def call_close_gracelessly(
        self, remote: str, operation: str, data: Mapping[str, str] | None, now: float
    ) -> dict[str, Any]:
        """Close a connection at once."""
        told = None if data is None else bytes.fromhex(data["hex"])
        return self._done(self.machine.close_gracelessly(remote, operation, told, now))

    def call_close_here(self, remote: str, operation: str, now: float) -> dict[str, Any]:
        """Close a connection without a message."""
        return self._done(self.machine.close_here(remote, operation, now))

    def call_send_keepalive(self, remote: str, now: float) -> dict[str, Any]:
        """Send a keepalive."""
        return self._done(self.machine.send_keepalive(remote, now))

    def call_send_keepalive_request(self, remote: str, now: float) -> dict[str, Any]:
        """Send a keepalive request."""
        return self._done(self.machine.send_keepalive_request(remote, now))


def main() -> None:
    """Answer each line of standard input by one on standard output."""
    driver = Driver()
    for line in sys.stdin:
        content = json.loads(line)
        try:
            answer = driver.call(content.pop("call"), content)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
