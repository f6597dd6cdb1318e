"""Orbitalis: a distributed micro-kernel of cores and plugins that find each other over an event bus.

A module is imported when a name of it is first used, because pytest loads a part of this package in every run.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    """The installed version, or 'unknown' if the package is not installed."""

    from orbitalis.bus import (
        BusStatistics,
        CallbackEventHandler,
        EventBusClient,
        EventCallback,
        EventHandler,
        LocalEventBus,
        LocalEventBusClient,
        MqttEventBusClient,
        QueueBounds,
        SeveralEventBusClient,
        build_new_local_client,
        connect,
    )
    from orbitalis.core import Core, OperationExecutor, OperationRequester
    from orbitalis.errors import (
        AnswersNotSupportedError,
        BusError,
        BusNotConnectedError,
        BusRefusedError,
        BusUnavailableError,
        BusUrlError,
        ConnectionClosedError,
        EventTooLargeError,
        InvalidTopicError,
        LocalProtocolError,
        NobodyWaitsError,
        NoConnectionError,
        OperationFailedError,
        OrbitalisError,
        OrbiterStateError,
        OverloadedError,
        RemoteLostError,
        RemoteProtocolError,
        RequestError,
        RequestTimeoutError,
        UnexpectedAnswerError,
        WrongEventLoopError,
    )
    from orbitalis.message import (
        AvroMessageMixin,
        BytesMessage,
        CloseConnectionAckMessage,
        ConfirmConnectionMessage,
        DiscoverMessage,
        DiscoverQuery,
        Event,
        Float32Message,
        Float64Message,
        GracefulCloseConnectionMessage,
        GracelessCloseConnectionMessage,
        Input,
        Int32Message,
        Int64Message,
        KeepaliveMessage,
        KeepaliveRequestMessage,
        Message,
        OfferedOperation,
        OfferMessage,
        OperationNoLongerAvailableMessage,
        Output,
        Publishable,
        RejectOperationMessage,
        RequestOperationMessage,
        SchemaSpec,
        StringMessage,
        UndecodedPayload,
    )
    from orbitalis.message.field_annotations import (
        DateTimeMicro,
        DecimalDigits,
        Fixed,
        Float32,
        Int32,
        LocalDateTime,
        LocalDateTimeMicro,
        TimeMicro,
    )
    from orbitalis.operations import (
        Connection,
        Operation,
        OperationRequirement,
        OperationsProviderMixin,
        PendingRequest,
        TypedOperation,
        operation,
        output,
        periodic,
        sink,
        time_left,
    )
    from orbitalis.operations.constraint import Constraint
    from orbitalis.operations.explanation import CoreExplanation, PluginExplanation
    from orbitalis.operations.policy import Policy
    from orbitalis.orbiter import ConnectionAddedEvent, Orbiter, run, serve
    from orbitalis.plugin import Plugin
    from orbitalis.protocol.limits import Limits
    from orbitalis.protocol.transitions import CoreState, PluginState

__all__ = [
    "AnswersNotSupportedError",
    "AvroMessageMixin",
    "BusError",
    "BusNotConnectedError",
    "BusRefusedError",
    "BusStatistics",
    "BusUnavailableError",
    "BusUrlError",
    "BytesMessage",
    "CallbackEventHandler",
    "CloseConnectionAckMessage",
    "ConfirmConnectionMessage",
    "Connection",
    "ConnectionAddedEvent",
    "ConnectionClosedError",
    "Constraint",
    "Core",
    "CoreExplanation",
    "CoreState",
    "DateTimeMicro",
    "DecimalDigits",
    "DiscoverMessage",
    "DiscoverQuery",
    "Event",
    "EventBusClient",
    "EventCallback",
    "EventHandler",
    "EventTooLargeError",
    "Fixed",
    "Float32",
    "Float32Message",
    "Float64Message",
    "GracefulCloseConnectionMessage",
    "GracelessCloseConnectionMessage",
    "Input",
    "Int32",
    "Int32Message",
    "Int64Message",
    "InvalidTopicError",
    "KeepaliveMessage",
    "KeepaliveRequestMessage",
    "Limits",
    "LocalDateTime",
    "LocalDateTimeMicro",
    "LocalEventBus",
    "LocalEventBusClient",
    "LocalProtocolError",
    "Message",
    "MqttEventBusClient",
    "NoConnectionError",
    "NobodyWaitsError",
    "OfferMessage",
    "OfferedOperation",
    "Operation",
    "OperationExecutor",
    "OperationFailedError",
    "OperationNoLongerAvailableMessage",
    "OperationRequester",
    "OperationRequirement",
    "OperationsProviderMixin",
    "OrbitalisError",
    "Orbiter",
    "OrbiterStateError",
    "Output",
    "OverloadedError",
    "PendingRequest",
    "Plugin",
    "PluginExplanation",
    "PluginState",
    "Policy",
    "Publishable",
    "QueueBounds",
    "RejectOperationMessage",
    "RemoteLostError",
    "RemoteProtocolError",
    "RequestError",
    "RequestOperationMessage",
    "RequestTimeoutError",
    "SchemaSpec",
    "SeveralEventBusClient",
    "StringMessage",
    "TimeMicro",
    "TypedOperation",
    "UndecodedPayload",
    "UnexpectedAnswerError",
    "WrongEventLoopError",
    "build_new_local_client",
    "connect",
    "operation",
    "output",
    "periodic",
    "run",
    "serve",
    "sink",
    "time_left",
]

_HOMES = (
    "errors",
    "message",
    "message.field_annotations",
    "bus",
    "operations.constraint",
    "operations.policy",
    "operations.explanation",
    "protocol.limits",
    "protocol.transitions",
    "operations",
    "orbiter",
    "core",
    "plugin",
)
"""The modules that offer these names."""


def __getattr__(name: str) -> object:
    """Import the module of a name when the name is first used."""
    if name == "__version__":
        from orbitalis.installation import installed_version

        return installed_version()
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in module.__all__:
                value: object = getattr(module, name)
                globals()[name] = value
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


if os.path.exists(f"{__path__[0]}/state_machine/state_machine.py"):  # which is a file of py-orbitalis
    import warnings

    from orbitalis.installation import damage

    warnings.warn(str(damage()), RuntimeWarning, stacklevel=2)
