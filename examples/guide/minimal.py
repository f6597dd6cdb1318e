"""The least that a plugin and a core are: one operation, one sink."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

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

__all__ = ["LowercasePlugin", "MyCore", "main"]


@dataclass
class LowercasePlugin(Plugin):
    """Writes texts in lower case."""

    @operation(name="lowercase", input=Input.string(), output=Output.string())
    async def lowercase_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Answer the core that has sent a text."""
        connections = await self.retrieve_and_touch_connections("lowercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.lower())


@dataclass
class MyCore(Core):
    """Takes the texts that come back."""

    texts: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @sink("lowercase")
    async def lowercase_sink(self, topic: str, event: Event[StringMessage]) -> None:
        """Take a text."""
        await self.texts.put(event.payload.value)


async def main() -> None:
    """Have a text written in lower case."""
    texts = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    core = MyCore(operation_requirements={"lowercase": OperationRequirement(texts)})
    async with LowercasePlugin(), core:
        await core.compliant_event.wait()
        await core.execute("lowercase", "HELLO", any=True)
        print(await core.texts.get())


if __name__ == "__main__":
    asyncio.run(main())
