"""Explains why an orbiter is alone: it is on the bus of its process, and no other orbiter is there."""

from __future__ import annotations

from typing import Final

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.url import ENVIRONMENT_VARIABLE, is_left_alone
from orbitalis.protocol.machine import Machine

__all__ = ["PATIENCE", "why_alone"]

PATIENCE: Final = 10.0
"""Seconds for which an orbiter may be alone before the log says so: time for a few discovers."""


def why_alone(machine: Machine, client: EventBusClient, others: str) -> str | None:
    """Return why an orbiter has heard of no other, or `None` if its bus is not the reason; it waits for `others`."""
    if machine.peers or not is_left_alone(client):
        return None
    return (
        f"it is on the bus within this process, and no other is there: for {others} in other processes, set the "
        f"environment variable {ENVIRONMENT_VARIABLE} in each, such as to mqtt://localhost:1883"
    )
