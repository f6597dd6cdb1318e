"""A home that needs lamps, and the ways in which it executes their operations."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from examples.guide.lamps import LampXPlugin, StatusMessage
from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, build_new_local_client, sink

__all__ = ["SmartHomeCore", "main"]


@dataclass
class SmartHomeCore(Core):
    """Keeps what its lamps say."""

    lamp_status: dict[str, str] = field(default_factory=dict)
    answers: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @sink(operation_name="get_status")
    async def get_status_sink(self, topic: str, event: Event[StatusMessage]) -> None:
        """Take how a lamp is."""
        self.lamp_status[event.payload.lamp_identifier] = event.payload.status
        await self.answers.put(event.payload.lamp_identifier)


def lamp(identifier: str, kw: float) -> LampXPlugin:
    """Return a lamp of brand X."""
    return LampXPlugin(
        identifier=identifier, eventbus_client=build_new_local_client(), raise_exceptions=True, with_loop=False, kw=kw
    )


async def main() -> None:
    """Build the home, wait for its lamps, and use them in every way."""
    # 1. Initialization
    switch = Constraint(minimum=1, inputs=[Input.empty()], outputs=[Output.no_output()])
    status = Constraint(minimum=1, inputs=[Input.empty()], outputs=[Output.from_schema(StatusMessage.avro_schema())])
    smart_home = SmartHomeCore(
        identifier="smart_home",
        eventbus_client=build_new_local_client(),
        raise_exceptions=True,
        with_loop=False,
        operation_requirements={
            "turn_on": OperationRequirement(switch),
            "turn_off": OperationRequirement(switch),
            "get_status": OperationRequirement(status),
        },
    )
    plugin1, plugin2 = lamp("plugin1", 24), lamp("plugin2", 42)

    # 2. Start: a core without its loop discovers once, so the plugins come first.
    await plugin1.start()
    await plugin2.start()
    await smart_home.start()

    # 3. Two lamps with three operations each are six connections.
    for _ in range(6):
        await smart_home.new_connection_added_event.wait()

    # 4. Execution
    await smart_home.execute_using_plugin(operation_name="turn_on", plugin_identifier="plugin1")
    print(f"plugin1 is {await plugin1.changes.get()}, plugin2 is {plugin2.status}")
    await smart_home.execute_using_plugin(operation_name="turn_off", plugin_identifier="plugin1")
    await plugin1.changes.get()

    chosen = await smart_home.execute_sending_any(operation_name="turn_on")
    lucky = plugin1 if chosen == "plugin1" else plugin2
    await lucky.changes.get()
    print(f"any: one of two is on: {plugin1.is_on != plugin2.is_on}, the one that was chosen: {lucky.is_on}")

    plugins = await smart_home.execute_sending_all(operation_name="turn_on")
    await asyncio.gather(plugin1.changes.get(), plugin2.changes.get())
    print(f"all: {', '.join(sorted(plugins))}: both are on: {plugin1.is_on and plugin2.is_on}")

    plugins = await smart_home.execute_distributed(operation_name="turn_on", data=[None, None, None, None])
    for plugin in (plugin1, plugin2, plugin1, plugin2):
        await plugin.changes.get()
    print(f"distributed: {', '.join(sorted(plugins))}")

    await smart_home.execute_sending_all("get_status")
    await asyncio.gather(smart_home.answers.get(), smart_home.answers.get())
    print(f"status: {dict(sorted(smart_home.lamp_status.items()))}")

    for orbiter in (smart_home, plugin1, plugin2):
        await orbiter.stop()


if __name__ == "__main__":
    asyncio.run(main())
