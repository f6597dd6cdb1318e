"""Messages of one's own: a dataclass whose Avro schema follows from its annotations, and one that has a schema."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    Event,
    Input,
    OperationRequirement,
    Output,
    Plugin,
    build_new_local_client,
    operation,
    sink,
)

__all__ = ["MeterCore", "MeterPlugin", "Question", "Reading", "main"]


@dataclass(frozen=True)
class Question(AvroMessageMixin):
    """Which meter is asked for; the schema is made of this class."""

    meter: str
    days: int = 1


@dataclass(frozen=True)
class Reading(AvroMessageMixin, schema=Path(__file__).with_name("Reading.avsc")):
    """What a meter shows; the schema is that of the file, and this class has its fields."""

    meter: str
    kwh: float
    history: list[float] = field(default_factory=list)


@dataclass
class MeterPlugin(Plugin):
    """Reads meters."""

    @operation(name="read", input=Input.from_message(Question), output=Output.from_message(Reading))
    async def read_event_handler(self, topic: str, event: Event[Question]) -> None:
        """Read a meter."""
        reading = Reading(meter=event.payload.meter, kwh=12.5, history=[0.5] * event.payload.days)
        await self.send_result_to_all(await self.retrieve_and_touch_connections("read", input_topic=topic), reading)


@dataclass
class MeterCore(Core):
    """Takes what meters show."""

    readings: asyncio.Queue[Reading] = field(default_factory=asyncio.Queue)

    @sink("read")
    async def read_sink(self, topic: str, event: Event[Reading]) -> None:
        """Take what a meter shows."""
        await self.readings.put(event.payload)


async def main() -> None:
    """Have a meter read."""
    print(json.loads(Question.avro_schema())["name"], json.loads(Reading.avro_schema())["name"])
    readings = Constraint(minimum=1, inputs=[Input.from_message(Question)], outputs=[Output.from_message(Reading)])
    core = MeterCore(
        eventbus_client=build_new_local_client(), operation_requirements={"read": OperationRequirement(readings)}
    )
    async with MeterPlugin(eventbus_client=build_new_local_client()), core:
        await core.compliant_event.wait()
        await core.execute("read", Question("cellar", days=3), any=True)
        print(await core.readings.get())


if __name__ == "__main__":
    asyncio.run(main())
