"""A plugin that changes texts, and a core that has it do so."""

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
    build_new_local_client,
    operation,
    sink,
)

__all__ = ["TextCore", "TextProcessorPlugin", "main"]


@dataclass
class TextProcessorPlugin(Plugin):
    """Writes texts in lower case, or in upper case."""

    @operation(
        name="lowercase",
        input=Input.from_message(StringMessage),
        output=Output.from_message(StringMessage),
    )
    async def lowercase_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Answer each connection by hand."""
        connections = await self.retrieve_and_touch_connections(input_topic=topic, operation_name="lowercase")
        for connection in connections:
            if connection.output_topic is not None:  # None if the core takes no output
                await self.eventbus_client.publish(connection.output_topic, event.payload.value.lower())

    @operation(name="uppercase", input=Input.string(), output=Output.string())
    async def uppercase_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Do the same in fewer words."""
        connections = await self.retrieve_and_touch_connections("uppercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.upper())


@dataclass
class TextCore(Core):
    """Takes the texts that come back."""

    texts: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @sink("lowercase")
    async def lowercase_sink(self, topic: str, event: Event[StringMessage]) -> None:
        """Take a text in lower case."""
        await self.texts.put(event.payload.value)

    @sink(operation_name="uppercase")
    async def uppercase_sink(self, topic: str, event: Event[StringMessage]) -> None:
        """Take a text in upper case."""
        await self.texts.put(event.payload.value)


async def main() -> None:
    """Have a text changed twice."""
    texts = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    core = TextCore(
        identifier="core",
        eventbus_client=build_new_local_client(),
        operation_requirements={
            "lowercase": OperationRequirement(texts),
            "uppercase": OperationRequirement(texts),
        },
    )
    plugin = TextProcessorPlugin(identifier="text_processor", eventbus_client=build_new_local_client())

    await plugin.start()
    await core.start()
    await core.compliant_event.wait()

    for operation_name in ("lowercase", "uppercase"):
        await core.execute(operation_name, "Hello", plugin_identifier="text_processor")
        print(f"{operation_name}: {await core.texts.get()}")

    await core.stop()
    await plugin.stop()


if __name__ == "__main__":
    asyncio.run(main())
