"""Two plugins that lend the same operation with different inputs, and a core that sends each what it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from orbitalis import (
    Constraint,
    Core,
    CoreState,
    Event,
    Input,
    Int64Message,
    OperationRequirement,
    Output,
    Plugin,
    StringMessage,
    build_new_local_client,
    operation,
)

__all__ = ["MyCore", "SaveIntegerPlugin", "SaveStringPlugin", "main"]


@dataclass
class SaveIntegerPlugin(Plugin):
    """Keeps the last integer that it was sent."""

    vault: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    @operation(name="save", input=Input.int64(), output=Output.no_output())
    async def save_integer_event_handler(self, topic: str, event: Event[Int64Message]) -> None:
        """Keep an integer."""
        await self.vault.put(event.payload.value)


@dataclass
class SaveStringPlugin(Plugin):
    """Keeps the last text that it was sent."""

    vault: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @operation(name="save", input=Input.string(), output=Output.no_output())
    async def save_string_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Keep a text."""
        await self.vault.put(event.payload.value)


@dataclass
class MyCore(Core):
    """Looks at the input of each connection."""

    async def execute_dynamically(self) -> None:
        """Send 42 to those that take an integer, and a text to those that take one."""
        for connection in self.retrieve_connections(operation_name="save"):
            if connection.input_topic is None:  # the same as: not connection.has_input
                continue
            if connection.input.is_compatible_with_schema(Int64Message.avro_schema()):
                await self.eventbus_client.publish(connection.input_topic, 42)
            if connection.input.is_compatible_with_schema(StringMessage.avro_schema()):
                await self.eventbus_client.publish(connection.input_topic, "hello")


async def main() -> None:
    """Send both plugins what they take."""
    int_plugin = SaveIntegerPlugin(
        identifier="int_plugin", eventbus_client=build_new_local_client(), raise_exceptions=True, with_loop=False
    )
    str_plugin = SaveStringPlugin(
        identifier="str_plugin", eventbus_client=build_new_local_client(), raise_exceptions=True, with_loop=False
    )
    core = MyCore(
        eventbus_client=build_new_local_client(),
        with_loop=False,
        raise_exceptions=True,
        operation_requirements={
            "save": OperationRequirement(
                Constraint(
                    inputs=[Input.int64(), Input.string()],
                    outputs=[Output.no_output()],
                    mandatory=["int_plugin", "str_plugin"],
                )
            )
        },
    )
    async with int_plugin, str_plugin, core:
        await core.compliant_event.wait()
        assert core.state == CoreState.COMPLIANT

        await core.execute_dynamically()
        print(await int_plugin.vault.get(), await str_plugin.vault.get())

        # An execution finds by itself who takes what it sends.
        print(await core.execute("save", 43, all=True), await int_plugin.vault.get())


if __name__ == "__main__":
    asyncio.run(main())
