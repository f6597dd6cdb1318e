"""A plugin that sends a random number now and then, from within its loop."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orbitalis import (
    Constraint,
    Core,
    Event,
    Input,
    Int64Message,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    build_new_local_client,
    sink,
)

__all__ = ["NumberCore", "RandomNumberPlugin", "main"]


@dataclass
class RandomNumberPlugin(Plugin):
    """Has one operation, which takes nothing and gives numbers by itself."""

    period: timedelta = timedelta(seconds=0.02)
    last_sent: datetime | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["randint"] = Operation(
            name="randint",
            input=Input.no_input(),
            handler=None,
            output=Output.from_message(Int64Message),
            policy=Policy.no_constraints(),
        )

    async def _on_loop_iteration(self) -> None:
        """Send a number if it is time to; the loop has to be on, and to turn often enough."""
        now = datetime.now(UTC)
        if self.last_sent is None or now - self.last_sent >= self.period:
            self.last_sent = now
            connections = await self.retrieve_and_touch_connections(operation_name="randint")
            await self.send_result_to_all(connections, random.randint(0, 100))


@dataclass
class NumberCore(Core):
    """Takes the numbers."""

    numbers: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    @sink("randint")
    async def randint_sink(self, topic: str, event: Event[Int64Message]) -> None:
        """Take a number."""
        await self.numbers.put(event.payload.value)


async def main() -> None:
    """Take three numbers."""
    numbers = Constraint(minimum=1, inputs=[Input.no_input()], outputs=[Output.int64()])
    core = NumberCore(
        identifier="core",
        eventbus_client=build_new_local_client(),
        operation_requirements={"randint": OperationRequirement(numbers)},
    )
    plugin = RandomNumberPlugin(
        identifier="random_numbers", eventbus_client=build_new_local_client(), loop_interval=0.01
    )
    async with plugin, core:
        taken = [await core.numbers.get() for _ in range(3)]
        print(f"{len(taken)} numbers, all from 0 to 100: {all(0 <= number <= 100 for number in taken)}")
        plugin.pause_loop()
        plugin.resume_loop()
        await core.numbers.get()
        print("and more after a pause")


if __name__ == "__main__":
    asyncio.run(main())
