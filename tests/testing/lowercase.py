"""A plugin and a core to test with, and tests that have a harness without pytest's help."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from orbitalis import (
    Constraint,
    Core,
    Event,
    Input,
    OperationRequirement,
    Output,
    Plugin,
    StringMessage,
    operation,
    sink,
)
from orbitalis.testing import Harness, run

__all__ = ["Lowercase", "Reader", "failure_of", "make_core", "make_plugin", "with_harness"]


@dataclass
class Lowercase(Plugin):
    """Takes some time for what it does, if it is told so."""

    takes: float = 0.0

    @operation(name="lowercase", input=Input.string(), output=Output.string())
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        """Send the text back in lower case."""
        if self.takes:
            await asyncio.sleep(self.takes)
        connections = await self.retrieve_and_touch_connections("lowercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.lower())


@dataclass
class Reader(Core):
    """Keeps what it is sent."""

    read: list[str] = field(default_factory=list)

    @sink("lowercase")
    async def take(self, topic: str, event: Event[StringMessage]) -> None:
        """Keep a text."""
        self.read.append(event.payload.value)


def make_plugin(harness: Harness, identifier: str = "plugin", **attributes) -> Lowercase:
    """Make a plugin on the bus of a harness."""
    return Lowercase(identifier=identifier, eventbus_client=harness.client(), **attributes)


def make_core(harness: Harness, *, takes: Input | None = None, gives: Output | None = None, **constraint) -> Reader:
    """Make a core on the bus of a harness that needs a plugin."""
    constraint = {"minimum": 1, **constraint}
    need = Constraint(inputs=[takes or Input.string()], outputs=[gives or Output.string()], **constraint)
    return Reader(
        identifier="core",
        operation_requirements={"lowercase": OperationRequirement(need)},
        eventbus_client=harness.client(),
    )


def with_harness(test: Callable[[Harness], Awaitable[None]]) -> Callable[[], None]:
    """Run a test on the virtual clock, with a harness."""

    def synchronous() -> None:
        async def main() -> None:
            async with Harness() as harness:
                await test(harness)

        run(main())

    return synchronous


async def failure_of(waiting: Awaitable[object]) -> str:
    """Return what a failure says."""
    with pytest.raises(AssertionError) as caught:
        await waiting
    return str(caught.value)
