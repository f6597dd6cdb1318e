"""A core or plugin as a process: `python -m tests.processes.program KIND IDENTIFIER BUS OPTIONS`.

It prints a JSON object a line for everything that happens, and reads commands, JSON lists, a line each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from orbitalis import (
    Connection,
    Constraint,
    Core,
    Event,
    Input,
    OperationRequirement,
    OrbitalisError,
    Orbiter,
    Output,
    Plugin,
    Policy,
    StringMessage,
    connect,
    operation,
    output,
    periodic,
    sink,
)


def report(event: str, **content: object) -> None:
    print(json.dumps({"event": event, **content}), flush=True)


@dataclass
class TextPlugin(Plugin):
    @operation(name="lowercase", input=Input.string(), output=Output.string(), default_policy=Policy(maximum=1))
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        if event.payload.value == "FAIL":
            raise ValueError("told to fail")
        if event.payload.value == "WAIT":
            report("waiting")
            await asyncio.Event().wait()
        connections = await self.retrieve_and_touch_connections("lowercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.lower())

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        report("closed", remote=connection.remote_identifier)

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        report("dead", remote=remote_identifier)


@dataclass
class TextCore(Core):
    @sink("lowercase")
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        report("result", value=event.payload.value)

    async def _on_compliant(self) -> None:
        report("compliant")

    async def _on_not_compliant(self) -> None:
        report("not compliant")

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        report("closed", remote=connection.remote_identifier)

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        report("dead", remote=remote_identifier)


@dataclass
class Sensor(Plugin):
    """Sends on its own: a number ten times a second, and what it is told to."""

    count: int = 0
    spoken = output(str)

    @periodic(0.1)
    async def counted(self) -> int:
        self.count += 1
        report("called", count=self.count)
        return self.count


@dataclass
class SensorCore(Core):
    @sink(Sensor.counted)
    async def take_count(self, count: int) -> None:
        report("counted", count=count)

    @sink(Sensor.spoken)
    async def take_spoken(self, text: str) -> None:
        report("spoken", text=text)

    async def _on_compliant(self) -> None:
        report("compliant")

    async def _on_not_compliant(self) -> None:
        report("not compliant")


def make(kind: str, identifier: str, bus: str, options: dict[str, Any]) -> Orbiter:
    if kind == "plugin":
        return TextPlugin(identifier=identifier, eventbus_client=connect(bus), **options)
    if kind == "sensor":
        return Sensor(identifier=identifier, eventbus_client=connect(bus), **options)
    if kind == "sensor core":
        core = SensorCore(identifier=identifier, eventbus_client=connect(bus), **options)
        return core.with_requirement(Sensor.counted, minimum=1).with_requirement(Sensor.spoken, minimum=1)
    constraint = Constraint(
        minimum=1, maximum=options.pop("maximum", None), inputs=[Input.string()], outputs=[Output.string()]
    )
    requirements = {"lowercase": OperationRequirement(constraint)}
    return TextCore(identifier=identifier, eventbus_client=connect(bus), operation_requirements=requirements, **options)


async def answer(orbiter: Orbiter, command: str, *arguments: str) -> object:
    if command == "execute":
        assert isinstance(orbiter, Core)
        return await orbiter.execute("lowercase", arguments[0], any=True)
    if command == "request":
        assert isinstance(orbiter, Core)
        results = (orbiter.request("lowercase", text, result_type=StringMessage) for text in arguments)
        return [result.value for result in await asyncio.gather(*results)]
    if command == "send":
        assert isinstance(orbiter, Sensor)
        return await orbiter.send(Sensor.spoken, arguments[0])
    if command == "nap":
        await asyncio.sleep(0.1)
        return None
    if command == "connections":
        return sorted(connection.remote_identifier for connection in orbiter.retrieve_connections())
    if command == "topics":
        connections = orbiter.retrieve_connections()
        return [
            topic
            for one in connections
            for topic in (one.incoming_close_connection_topic, one.close_connection_to_remote_topic)
        ] + [topic for one in connections for topic in (one.input_topic, one.output_topic) if topic]
    if command == "statistics":
        return orbiter.eventbus_client.statistics.malformed
    raise ValueError(command)


async def main(kind: str, identifier: str, bus: str, options: str) -> None:
    orbiter = make(kind, identifier, bus, json.loads(options))
    loop = asyncio.get_running_loop()
    async with orbiter:
        report("started")
        while True:
            line = await loop.run_in_executor(None, sys.stdin.readline)
            command = json.loads(line) if line else ["stop"]
            if command == ["stop"]:
                break
            try:
                report("answer", value=await answer(orbiter, *command))
            except OrbitalisError as error:
                report("answer", value=f"{type(error).__name__}: {error}")
    report("stopped", tasks=len(asyncio.all_tasks()) - 1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
