"""Connections: looked at, touched, and closed in both ways with a few last words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from orbitalis import (
    Connection,
    Constraint,
    Core,
    Event,
    Input,
    Int64Message,
    OperationRequirement,
    Output,
    Plugin,
    build_new_local_client,
    operation,
)

__all__ = ["MyCore", "MyPlugin", "main"]


@dataclass
class MyPlugin(Plugin):
    """Touches its connections by hand, and says how they end."""

    handled: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    closed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @operation(name="my_operation", input=Input.from_message(Int64Message), output=Output.no_output())
    async def its_event_handler(self, topic: str, event: Event[Int64Message]) -> None:
        """Note that the connections of this topic are in use."""
        for connection in self.retrieve_connections(input_topic=topic, operation_name="my_operation"):
            async with connection.lock:
                connection.touch()
        # The same in a line:
        await self.retrieve_and_touch_connections(input_topic=topic, operation_name="my_operation")
        await self.handled.put(event.payload.value)

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        await self.closed.put(
            f"{connection.remote_identifier} has closed {connection.operation_name} and says {data!r}"
        )


@dataclass
class MyCore(Core):
    """Has last words where none are given."""

    async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        return f"goodbye, {remote_identifier}".encode()


async def main() -> None:
    """Open a connection three times, and close it in three ways."""
    plugin = MyPlugin(identifier="my_plugin", eventbus_client=build_new_local_client(), with_loop=False)
    constraint = Constraint(minimum=1, inputs=[Input.int64()], outputs=[Output.no_output()])
    core = MyCore(
        identifier="my_core",
        eventbus_client=build_new_local_client(),
        with_loop=False,
        operation_requirements={"my_operation": OperationRequirement(constraint)},
    )
    async with plugin, core:
        await core.compliant_event.wait()
        (connection,) = core.retrieve_connections()
        print(f"{connection.remote_identifier}, {connection.operation_name}, output: {connection.has_output}")
        await core.execute("my_operation", 1, any=True)
        await plugin.handled.get()

        await core.send_graceless_close_connection(remote_identifier="my_plugin", operation_name="my_operation")
        print("graceless:", await plugin.closed.get())

        await core.send_discover_based_on_requirements()
        await core.compliant_event.wait()
        await core.send_graceful_close_connection(
            remote_identifier="my_plugin", operation_name="my_operation", data=b"thank you"
        )
        print("graceful:", await plugin.closed.get())

        # At once instead of after a time: every connection is unused for at least 0 seconds.
        await core.not_compliant_event.wait()
        await core.send_discover_based_on_requirements()
        await core.compliant_event.wait()
        core.close_connection_if_unused_after = 0.0
        print("unused:", await core.close_unused_connections(), "-", await plugin.closed.get())


if __name__ == "__main__":
    asyncio.run(main())
