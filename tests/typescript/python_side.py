"""Cores and plugins in Python, as the other side of those in TypeScript."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orbitalis import (
    Connection,
    Constraint,
    Core,
    Event,
    Input,
    MqttEventBusClient,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    connect,
)
from orbitalis.message.payload import schema_of
from orbitalis_wire.messages import StringMessage
from tests.support.broker import Broker

__all__ = ["PATIENCE", "TEXT", "PythonCore", "compliant", "lower", "python_core", "python_plugin"]

PATIENCE = 20.0
"""Seconds that something may take that has to happen."""
TEXT = {"schemas": [schema_of(StringMessage)]}
"""What an operation carries whose values are texts."""


@dataclass(kw_only=True, eq=False)
class PythonCore(Core):
    """A core that notes who is dead."""

    dead: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        self.dead.put_nowait(remote_identifier)


def python_core(broker: Broker, name: str, carried: Mapping[str, Any]) -> PythonCore:
    """Make a core that needs one plugin with an operation."""
    requirement = OperationRequirement(Constraint(inputs=[Input(**carried)], outputs=[Output(**carried)], minimum=1))
    return PythonCore(
        identifier="python-core",
        eventbus_client=connect(broker.url),
        operation_requirements={name: requirement},
        loop_interval=0.1,
        discovering_interval=0.2,
        suspicion_grace=0.4,
    )


def python_plugin(
    broker: Broker,
    name: str,
    carried: Mapping[str, Any],
    change: Callable[[Any], Awaitable[Any]],
    *,
    identifier: str = "python-plugin",
) -> Plugin:
    """Make a plugin with an operation whose output is made of its input."""
    # Tests in which a broker goes away need not wait long.
    client = MqttEventBusClient(broker.host, broker.port, reconnect_delay=0.2)
    plugin = Plugin(identifier=identifier, eventbus_client=client, loop_interval=0.1, suspicion_grace=0.4)

    async def handle(topic: str, event: Event[Any], connection: Connection) -> None:
        await plugin.send_result_to_all([connection], await change(event.payload))

    operation = Operation(name=name, handler=handle, input=Input(**carried), output=Output(**carried))
    return plugin.with_operation(name, operation)


async def lower(message: StringMessage) -> str:
    """Return a text in lower case, or fail if it says so."""
    if message.value == "FAIL":
        raise ValueError("told to fail")
    return message.value.lower()


async def compliant(core: Core) -> None:
    """Wait until a core has all that it needs."""
    async with asyncio.timeout(PATIENCE):
        await core.compliant_event.wait()
