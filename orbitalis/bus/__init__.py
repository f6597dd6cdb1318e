"""The event bus: clients that publish and subscribe, inside a process or over an MQTT broker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.client import EventBusClient
from orbitalis.bus.dispatch import QueueBounds
from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler
from orbitalis.bus.local import LocalEventBus, LocalEventBusClient, build_new_local_client
from orbitalis.bus.url import connect

if TYPE_CHECKING:
    from orbitalis.bus.mqtt import MqttEventBusClient
    from orbitalis.bus.several import SeveralEventBusClient

__all__ = [
    "BusStatistics",
    "CallbackEventHandler",
    "EventBusClient",
    "EventCallback",
    "EventHandler",
    "LocalEventBus",
    "LocalEventBusClient",
    "MqttEventBusClient",
    "QueueBounds",
    "SeveralEventBusClient",
    "build_new_local_client",
    "connect",
]


_IMPORTED_LATER = {"MqttEventBusClient": "mqtt", "SeveralEventBusClient": "several"}
"""The modules of what takes long to import, and few programs need."""


def __getattr__(name: str) -> object:
    """Import what takes long to import when it is first asked for."""
    if name in _IMPORTED_LATER:
        value: object = getattr(import_module(f"{__name__}.{_IMPORTED_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
