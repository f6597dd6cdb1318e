"""Orbitalis: a distributed micro-kernel of cores and plugins that find each other over an event bus.

Nothing is imported before it is asked for: pytest loads a part of this package in every run, whether or not it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orbitalis.bus import (
        CallbackEventHandler,
        EventBusClient,
        EventHandler,
        LocalEventBus,
        LocalEventBusClient,
        SeveralEventBusClient,
        build_new_local_client,
        connect,
    )
    from orbitalis.core import Core, OperationRequirement, sink
    from orbitalis.errors import (
        AnswersNotSupportedError,
        BusError,
        ConnectionClosedError,
        NoConnectionError,
        OperationFailedError,
        OrbitalisError,
        OrbiterStateError,
        RemoteLostError,
        RequestError,
        RequestTimeoutError,
        UnexpectedAnswerError,
    )
    from orbitalis.message import (
        AvroMessageMixin,
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
    from orbitalis.orbiter import Connection, Orbiter, PendingRequest, run, serve
    from orbitalis.plugin import Operation, Plugin, operation
    from orbitalis.protocol.constraint import Constraint
    from orbitalis.protocol.policy import Policy
    from orbitalis.protocol.transitions import CoreState, PluginState

__all__ = [
    "AnswersNotSupportedError",
    "AvroMessageMixin",
    "BusError",
    "CallbackEventHandler",
    "Connection",
    "ConnectionClosedError",
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
    "OperationFailedError",
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
    "RemoteLostError",
    "RequestError",
    "RequestTimeoutError",
    "SeveralEventBusClient",
    "StringMessage",
    "UndecodedPayload",
    "UnexpectedAnswerError",
    "build_new_local_client",
    "connect",
    "operation",
    "run",
    "serve",
    "sink",
]

_HOMES = (
    "errors",
    "message",
    "bus",
    "protocol.constraint",
    "protocol.policy",
    "protocol.transitions",
    "orbiter",
    "core",
    "plugin",
)
"""The modules that offer these names."""


def __getattr__(name: str) -> object:
    """Import what is offered when it is first asked for."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in module.__all__:
                value: object = getattr(module, name)
                globals()[name] = value
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
