"""A plugin with a loop of its own, which says hello again and again.

The loop that every orbiter has (`random_numbers.py`) is simpler: it can be paused, and ends with the orbiter by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from orbitalis import (
    CallbackEventHandler,
    Constraint,
    Core,
    Input,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    StringMessage,
    build_new_local_client,
)

__all__ = ["HelloSenderPlugin", "main"]


@dataclass
class HelloSenderPlugin(Plugin):
    """Has one operation, which takes nothing and says hello by itself."""

    period: float = 0.01
    """Seconds between two hellos."""
    __stop_custom_loop: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["hello"] = Operation(
            name="hello",
            input=Input.no_input(),
            handler=None,
            output=Output.from_message(StringMessage),
            policy=Policy.no_constraints(),
        )

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        await super()._internal_start(*args, **kwargs)
        self.__stop_custom_loop.clear()
        self.__task = asyncio.create_task(self.__custom_loop())

    async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
        self.__stop_custom_loop.set()
        await self.__task
        await super()._internal_stop(*args, **kwargs)

    async def __custom_loop(self) -> None:
        while not self.__stop_custom_loop.is_set():
            connections = await self.retrieve_and_touch_connections(operation_name="hello")
            await self.send_result_to_all(connections, "hello")
            await asyncio.sleep(self.period)


async def main() -> None:
    """Hear hello twice, from a plugin that was started twice."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    greetings = Constraint(minimum=1, inputs=[Input.no_input()], outputs=[Output.string()])
    core = Core(
        identifier="core",
        eventbus_client=build_new_local_client(),
        loop_interval=0.01,
        discovering_interval=0.02,
        operation_requirements={"hello": OperationRequirement(greetings)},
    ).with_operation_sink("hello", CallbackEventHandler(lambda topic, event: heard.put(event.payload.value)))
    plugin = HelloSenderPlugin(identifier="hello", eventbus_client=build_new_local_client(), with_loop=False)
    async with core:
        for _ in range(2):
            async with plugin:
                print(await heard.get())
            await core.not_compliant_event.wait()
            while not heard.empty():
                heard.get_nowait()


if __name__ == "__main__":
    asyncio.run(main())
