"""Whom a plugin lends its operations to, and operations that are added, changed and removed while it runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    Event,
    Input,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    StringMessage,
    build_new_local_client,
    operation,
)

__all__ = ["LowercaseTextProcessorPlugin", "main"]


@dataclass
class LowercaseTextProcessorPlugin(Plugin):
    """Is lent to two cores at a time, unless somebody decides otherwise."""

    @operation(
        name="lowercase",
        input=Input.from_message(StringMessage),
        output=Output.from_message(StringMessage),
        default_policy=Policy(maximum=2),
    )
    async def lowercase_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Write a text in lower case."""
        connections = await self.retrieve_and_touch_connections("lowercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.lower())


def core(identifier: str, operation_name: str) -> Core:
    """Return a core that could do with an operation."""
    texts = Constraint(inputs=[Input.no_input(), Input.string()], outputs=[Output.string()])
    return Core(
        identifier=identifier,
        eventbus_client=build_new_local_client(),
        with_loop=False,
        operation_requirements={operation_name: OperationRequirement(texts)},
    )


async def main() -> None:
    """Change policies and operations."""
    default = LowercaseTextProcessorPlugin(eventbus_client=build_new_local_client())
    print(f"default: {default.operations['lowercase'].policy}")

    plugin = LowercaseTextProcessorPlugin(
        identifier="plugin", eventbus_client=build_new_local_client(), with_loop=False
    ).with_custom_policy(operation_name="lowercase", policy=Policy(allowlist=["my_core"]))
    my_core, other = core("my_core", "lowercase"), core("other", "lowercase")
    async with plugin, other, my_core:
        await my_core.new_connection_added_event.wait()
        print(f"custom: {[one.remote_identifier for one in plugin.retrieve_connections()]}")

        plugin.operations["lowercase"].policy.allowlist = ["my_core", "other"]
        plugin.update_operations()  # a plugin with a loop does this itself
        await other.send_discover_based_on_requirements()
        await other.new_connection_added_event.wait()
        print(f"edited: {[one.remote_identifier for one in plugin.retrieve_connections()]}")

        heard: asyncio.Queue[str] = asyncio.Queue()
        plugin.operations["hello"] = Operation(
            name="hello",
            input=Input.no_input(),
            handler=None,
            output=Output.from_message(StringMessage),
            policy=Policy.no_constraints(),
        )
        plugin.update_operations()
        guest = core("guest", "hello")
        guest.operation_sinks["hello"] = CallbackEventHandler(lambda topic, event: heard.put(event.payload.value))
        async with guest:
            await guest.new_connection_added_event.wait()
            await plugin.send_result_to_all(plugin.retrieve_connections(operation_name="hello"), "hello")
            print(f"added: {await heard.get()}")
        del plugin.operations["hello"]
        print(f"removed: {list(plugin.operations)}")


if __name__ == "__main__":
    asyncio.run(main())
