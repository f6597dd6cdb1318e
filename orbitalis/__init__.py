"""Orbitalis: a distributed micro-kernel of cores and plugins that find each other over an event bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis.bus import (
    CallbackEventHandler,
    EventBusClient,
    EventHandler,
    LocalEventBus,
    LocalEventBusClient,
    build_new_local_client,
    connect,
)
from orbitalis.core import Core, OperationRequirement, sink
from orbitalis.errors import BusError, NoConnectionError, OrbitalisError, OrbiterStateError
from orbitalis.message import (
    Event,
    Float32Message,
    Float64Message,
    Input,
    Int32Message,
    Int64Message,
    Output,
    Publishable,
    StringMessage,
    UndecodedPayload,
)
from orbitalis.orbiter import Connection, Orbiter, PendingRequest
from orbitalis.plugin import Operation, Plugin, operation
from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.policy import Policy
from orbitalis.protocol.transitions import CoreState, PluginState

if TYPE_CHECKING:
    from orbitalis.message import AvroMessageMixin

__all__ = [
    "AvroMessageMixin",
    "BusError",
    "CallbackEventHandler",
    "Connection",
    "Constraint",
    "Core",
    "CoreState",
    "Event",
    "EventBusClient",
    "EventHandler",
    "Float32Message",
    "Float64Message",
    "Input",
    "Int32Message",
    "Int64Message",
    "LocalEventBus",
    "LocalEventBusClient",
    "NoConnectionError",
    "Operation",
    "OperationRequirement",
    "OrbitalisError",
    "Orbiter",
    "OrbiterStateError",
    "Output",
    "PendingRequest",
    "Plugin",
    "PluginState",
    "Policy",
    "Publishable",
    "StringMessage",
    "UndecodedPayload",
    "build_new_local_client",
    "connect",
    "operation",
    "sink",
]


def __getattr__(name: str) -> object:
    """Import what takes long to import when it is first asked for."""
    if name == "AvroMessageMixin":
        from orbitalis.message.avro_message import AvroMessageMixin

        return AvroMessageMixin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
