"""The four ways to give a core a sink, and who takes an output where there are several."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from examples.guide.text_processor import TextProcessorPlugin
from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    Event,
    EventHandler,
    Input,
    OperationRequirement,
    Output,
    StringMessage,
    build_new_local_client,
    sink,
)

__all__ = ["AttributeCore", "DecoratedCore", "NotingHandler", "main"]

Taken = asyncio.Queue[str]


@dataclass
class DecoratedCore(Core):
    """Has a method that is a sink."""

    taken: Taken = field(default_factory=asyncio.Queue)

    @sink("lowercase")
    async def my_operation_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Take a text."""
        await self.taken.put(f"@sink: {event.payload.value}")


@dataclass
class AttributeCore(Core):
    """Adds a sink to the attribute."""

    taken: Taken = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operation_sinks["lowercase"] = CallbackEventHandler(
            lambda topic, event: self.taken.put(f"operation_sinks: {event.payload.value}")
        )


class NotingHandler(EventHandler):
    """An event handler of one's own, with something to remember."""

    def __init__(self, way: str, taken: Taken) -> None:
        """Say `way` with each text, and put it into `taken`."""
        self.way = way
        self.taken = taken

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Take a text."""
        await self.taken.put(f"{self.way}: {event.payload.value}")


def needs(override_sink: EventHandler | None = None) -> dict[str, OperationRequirement]:
    """Return what all the cores need."""
    texts = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    return {"lowercase": OperationRequirement(texts, override_sink=override_sink)}


async def main() -> None:
    """Have a text changed by a core of each kind."""
    taken: Taken = asyncio.Queue()
    cores = [
        DecoratedCore(taken=taken, eventbus_client=build_new_local_client(), operation_requirements=needs()),
        AttributeCore(taken=taken, eventbus_client=build_new_local_client(), operation_requirements=needs()),
        Core(eventbus_client=build_new_local_client(), operation_requirements=needs()).with_operation_sink(
            operation_name="lowercase", handler=NotingHandler("with_operation_sink", taken)
        ),
        # It comes before the sink that the class has.
        DecoratedCore(
            taken=taken,
            eventbus_client=build_new_local_client(),
            operation_requirements=needs(override_sink=NotingHandler("override_sink", taken)),
        ),
    ]
    async with TextProcessorPlugin(eventbus_client=build_new_local_client(), with_loop=False):
        for core in cores:
            async with core:
                await core.compliant_event.wait()
                await core.execute("lowercase", "HELLO", any=True)
                print(await taken.get())


if __name__ == "__main__":
    asyncio.run(main())
