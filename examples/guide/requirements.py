"""What a core can demand of the operations that it needs, and which plugins meet that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    Input,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    build_new_local_client,
)

__all__ = ["main", "requirements"]


@dataclass(frozen=True)
class Operation1InputV1Message(AvroMessageMixin):
    """What `operation1` takes in its first version."""

    text: str


@dataclass(frozen=True)
class Operation1InputV2Message(AvroMessageMixin):
    """What `operation1` takes in its second version."""

    text: str
    urgent: bool


@dataclass(frozen=True)
class Operation2OutputMessage(AvroMessageMixin):
    """What `operation2` gives."""

    result: str


@dataclass(frozen=True)
class Operation3OutputMessage(AvroMessageMixin):
    """What `operation3` reports."""

    report: str


def requirements() -> dict[str, OperationRequirement]:
    """Return what the core needs."""
    return {
        # plugin1 and at least two more, up to five, which take nothing or one of two messages, and give nothing.
        "operation1": OperationRequirement(
            Constraint(
                minimum=2,
                maximum=5,
                mandatory=["plugin1"],
                inputs=[
                    Input.no_input(),
                    Input.from_message(Operation1InputV1Message),
                    Input.from_message(Operation1InputV2Message),
                ],
                outputs=[Output.no_output()],
            )
        ),
        # Any number of two plugins, which take empty events and give a message.
        "operation2": OperationRequirement(
            Constraint(
                minimum=0,
                allowlist=["plugin1", "plugin2"],
                inputs=[Input.empty()],
                outputs=[Output.from_message(Operation2OutputMessage)],
            )
        ),
        # Plugins that report by themselves, except one.
        "operation3": OperationRequirement(
            Constraint(
                blocklist=["plugin2"],
                inputs=[Input.no_input()],
                outputs=[Output.from_message(Operation3OutputMessage)],
            )
        ),
    }


def plugin(number: int, operation1_input: Input) -> Plugin:
    """Return a plugin with all three operations, which does nothing."""

    def handler(topic: str, event: Any) -> None:
        """Do nothing."""

    made = Plugin(identifier=f"plugin{number}", eventbus_client=build_new_local_client(), with_loop=False)
    return (
        made.with_operation(
            "operation1",
            Operation(
                name="operation1", handler=handler if operation1_input.has_input else None, input=operation1_input
            ),
        )
        .with_operation(
            "operation2",
            Operation(
                name="operation2",
                handler=handler,
                input=Input.empty(),
                output=Output.from_message(Operation2OutputMessage),
            ),
        )
        .with_operation(
            "operation3",
            Operation(name="operation3", output=Output.from_message(Operation3OutputMessage)),
        )
    )


async def main() -> None:
    """Show who is connected for what."""
    inputs = [
        Input.no_input(),
        Input.from_message(Operation1InputV1Message),
        Input.from_message(Operation1InputV2Message),
        Input.string(),  # nobody asks for that
    ]
    plugins = [plugin(number, one) for number, one in enumerate(inputs, start=1)]
    core = Core(identifier="core", eventbus_client=build_new_local_client(), operation_requirements=requirements())
    for one in plugins:
        await one.start()
    async with core:
        await core.compliant_event.wait()
        for _ in range(8):  # three for operation1, two for operation2, three for operation3
            await core.new_connection_added_event.wait()
        for name in requirements():
            connections = core.retrieve_connections(operation_name=name)
            print(f"{name}: {', '.join(sorted(one.remote_identifier for one in connections))}")
    for one in plugins:
        await one.stop()


if __name__ == "__main__":
    asyncio.run(main())
