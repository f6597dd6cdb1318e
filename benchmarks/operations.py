"""What a connection costs where one core and one plugin have many, each for another operation."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import Bus, start_compliant
from orbitalis import Constraint, Core, Event, Input, Operation, OperationRequirement, Output, Plugin

__all__ = ["connect", "main"]


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes = settings.pick((100, 1_000, 10_000), (10, 20))
    samples = interleaved(settings.pick(3, 1), {f"{size}": partial(fresh, connect, size) for size in sizes})
    rows = [
        (
            f"{size:,}",
            f"{samples.median(f'{size}', 'cost') * 1e6:,.0f}",
            f"{samples.ratio(f'{size}', f'{sizes[0]}', 'cost'):.2f}",
        )
        for size in sizes
    ]
    show(("operations", "us a connection", f"against {sizes[0]}"), rows)


async def connect(operations: int) -> Numbers:
    """Connect a core and a plugin by so many operations."""

    async def handle(topic: str, event: Event[Any]) -> None:
        """Take an input."""

    bus, names = Bus(), [f"operation{number}" for number in range(operations)]
    plugin = Plugin(identifier="plugin", eventbus_client=bus.client(), with_loop=False)
    # A discover asks for a thousand operations at most, and the one after `discovering_interval` for others.
    core = Core(identifier="core", eventbus_client=bus.client())
    for name in names:
        plugin.with_operation(name, Operation(name=name, handler=handle, input=Input.string(), output=Output.string()))
        constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
        core.operation_requirements[name] = OperationRequirement(constraint)
    await plugin.start()
    settle()
    with Stopwatch() as watch:
        await start_compliant(core)
    assert len(core.retrieve_connections()) == operations
    return {"cost": watch.cpu / operations}
