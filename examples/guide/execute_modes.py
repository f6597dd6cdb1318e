"""Every way to execute an operation."""

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
)

__all__ = ["WorkerPlugin", "main"]


@dataclass
class WorkerPlugin(Plugin):
    """Puts down what it was given to do."""

    done: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)

    @operation(name="work", input=Input.string())
    async def work_event_handler(self, topic: str, event: Event[StringMessage]) -> None:
        """Do a piece of work."""
        await self.done.put((self.identifier, event.payload.value))


async def main() -> None:
    """Have two workers work."""
    done: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def show(mode: str, pieces: int) -> None:
        """Print who did what, or how much was done where chance decides who."""
        work = sorted([await done.get() for _ in range(pieces)])
        if "any" in mode:
            print(f"{mode}: {', '.join(text for _, text in work)} from one of them")
        else:
            print(f"{mode}: {', '.join(f'{identifier} {text}' for identifier, text in work)}")

    workers = [
        WorkerPlugin(identifier=name, done=done, eventbus_client=build_new_local_client(), with_loop=False)
        for name in ("a", "b")
    ]
    constraint = Constraint(mandatory=["a", "b"], inputs=[Input.string()], outputs=[Output.no_output()])
    core = Core(
        identifier="core",
        eventbus_client=build_new_local_client(),
        operation_requirements={"work": OperationRequirement(constraint)},
    )
    async with workers[0], workers[1], core:
        await core.compliant_event.wait()

        await core.execute("work", "x", any=True)
        await show("any", 1)
        await core.execute("work", "x", all=True)
        await show("all", 2)
        await core.execute("work", "x", plugin_identifier="a")
        await show("plugin_identifier", 1)
        await core.execute("work", ["x", "x", "x", "x"], distribute=True)
        await show("distribute", 4)

        # Each mode takes a list, too, and sends each of its messages.
        await core.execute("work", ["x", "y"], all=True)
        await show("all, a list", 4)

        # Who knows the mode beforehand calls it by its name.
        await core.execute_sending_any("work", "x")
        await show("execute_sending_any", 1)
        await core.execute_sending_all("work", "x")
        await show("execute_sending_all", 2)
        await core.execute_using_plugin("work", "b", "x")
        await show("execute_using_plugin", 1)
        await core.execute_distributed("work", ["x", "x"])
        await show("execute_distributed", 2)

        # Nobody waits until it is published.
        await core.execute("work", "x", fire_and_forget=True, all=True)
        await show("fire_and_forget", 2)

        # Without a look at connections; the topic is up to the caller.
        connection = core.retrieve_connections(remote_identifier="b")[0]
        assert connection.input_topic is not None
        await core.sudo_execute(topic=connection.input_topic, data="x")
        await show("sudo_execute", 1)

        try:
            await core.execute("work", "x")
        except ValueError as error:
            print(f"without a mode: {error}")


if __name__ == "__main__":
    asyncio.run(main())
