"""A core and a plugin that do not have the same versions of their messages, with an operation for each pair."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, Plugin
from orbitalis.bus import EventBusClient
from orbitalis.operations import Operation
from tests.support.events import until
from tests.support.orbiters import running

__all__ = ["EvolvingPlugin", "Pair", "evolving"]


@dataclass(frozen=True)
class Pair:
    """A schema with which a core writes inputs and a plugin outputs, and the one by which the other side reads them."""

    writer: Any
    """A message class."""
    reader: Any
    """Another one."""


@dataclass
class EvolvingPlugin(Plugin):
    """Keeps its inputs, and answers each with what a test says."""

    inputs: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)

    def provide(self, name: str, pair: Pair) -> None:
        """Have an operation."""

        async def keep(topic: str, event: Event[Any]) -> None:
            self.inputs.setdefault(name, []).append(event.payload)
            connections = await self.retrieve_and_touch_connections(name, input_topic=topic)
            await self.send_result_to_all(connections, self.answers[name])

        self.operations[name] = Operation(
            name=name, handler=keep, input=Input.from_message(pair.reader), output=Output.from_message(pair.writer)
        )


@asynccontextmanager
async def evolving(
    new_client: Callable[[], EventBusClient], pairs: Mapping[str, Pair], connected: int
) -> AsyncIterator[tuple[Core, EvolvingPlugin]]:
    """Give a core that needs an operation of each pair, and a plugin that has it, with so many connections."""
    plugin = EvolvingPlugin(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    for name, pair in pairs.items():
        plugin.provide(name, pair)
    needs = {
        name: OperationRequirement(
            Constraint(inputs=[Input.from_message(pair.writer)], outputs=[Output.from_message(pair.reader)])
        )
        for name, pair in pairs.items()
    }
    core = Core(identifier="core", eventbus_client=new_client(), operation_requirements=needs, with_loop=False)
    async with running(plugin, core):
        await until(lambda: len(core.retrieve_connections()) >= connected)
        yield core, plugin
