"""A core or plugin as a process, of this implementation or of py-orbitalis: `program.py KIND IDENTIFIER PORT OPTIONS`.

What users write is the same for both, and which one it is depends on what the Python that runs it has. It prints a JSON
object a line for everything that happens, and reads commands, JSON lists, a line each. `program.py schemas` prints how
that implementation spells the schemas of the messages here.
"""

import asyncio
import importlib.util
import json
import logging
import os
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

IS_OLDER = importlib.util.find_spec("busline") is not None

if IS_OLDER:
    from busline.client.pubsub_client import PubSubClientBuilder
    from busline.event.event import Event
    from busline.event.message.avro_message import AvroMessageMixin
    from busline.event.message.number_message import Float32Message
    from busline.event.message.string_message import StringMessage
    from busline.event.registry import EventRegistry
    from busline.mqtt.mqtt_publisher import MqttPublisher
    from busline.mqtt.mqtt_subscriber import MqttSubscriber

    from orbitalis.core.core import Core
    from orbitalis.core.requirement import Constraint, OperationRequirement
    from orbitalis.core.sink import sink
    from orbitalis.orbiter.schemaspec import Input, Output
    from orbitalis.plugin.operation import Operation, Policy, operation
    from orbitalis.plugin.plugin import Plugin
else:
    from orbitalis import (
        AvroMessageMixin,
        Constraint,
        Core,
        Event,
        Float32Message,
        Input,
        Operation,
        OperationRequirement,
        Output,
        Plugin,
        Policy,
        StringMessage,
        connect,
        operation,
        sink,
    )


@dataclass(frozen=True)
class Reading(AvroMessageMixin):
    name: str
    values: list[float]


PROTOCOL = ("close_connection", "discover", "keepalive", "offer", "reply", "response")
MESSAGES = {"text": StringMessage, "number": Float32Message, "reading": Reading}

if IS_OLDER:
    # Its orbiters do not know what comes from other processes unless somebody says so.
    protocol = [
        kind for name in PROTOCOL for kind in vars(importlib.import_module(f"orbitalis.events.{name}")).values()
    ]
    for one in [*MESSAGES.values(), *protocol]:
        if isinstance(one, type) and issubclass(one, AvroMessageMixin):
            EventRegistry().add(one)


def report(event: str, **content: object) -> None:
    print(json.dumps({"event": event, **content}), flush=True)


def message(kind: str | None, content: Any) -> Any:
    if kind is None:
        return None
    return Reading(**content) if kind == "reading" else MESSAGES[kind](value=content)


def content(payload: Any) -> Any:
    return {"name": payload.name, "values": payload.values} if isinstance(payload, Reading) else payload.value


class Reporting:
    """What both roles report."""

    _said: ClassVar[dict[tuple[str, str], bytes | None]] = {}
    """What came with the close of a connection, where a hook of its own is told of that."""

    async def _on_close_connection(self, connection: Any, *data: bytes | None) -> None:
        await super()._on_close_connection(connection, *data)
        remote, name = connection.remote_identifier, connection.operation_name
        said = self._said.pop((remote, name), None) if IS_OLDER else data[0]
        report("closed", remote=remote, operation=name, data=said and said.decode())

    async def _on_graceful_close_connection(self, remote: str, name: str, data: bytes | None) -> None:
        self._said[remote, name] = data

    async def _on_graceless_close_connection(self, remote: str, name: str, data: bytes | None) -> None:
        self._said[remote, name] = data

    def _on_promote_pending_request_to_connection(self, pending_request: Any) -> None:
        report("connected", remote=pending_request.remote_identifier, operation=pending_request.operation_name)

    async def answer(self, command: str, *arguments: Any) -> Any:
        if command == "graceful":
            return await self.send_graceful_close_connection(*arguments[:2], data=arguments[2].encode())
        if command == "graceless":
            return await self.send_graceless_close_connection(*arguments[:2], data=arguments[2].encode())
        if command == "connections":
            return sorted([one.remote_identifier, one.operation_name] for one in self.retrieve_connections())
        if command == "execute":
            name, kind, given = arguments
            sent = await self.execute(name, message(kind, given), all=True)
            return sorted(sent)
        if command == "send":
            connections = self.retrieve_connections(operation_name="ticks")
            await self.send_result_to_all(connections, StringMessage(value=arguments[0]))
            return sorted(one.remote_identifier for one in connections)
        raise ValueError(command)


@dataclass(kw_only=True)
class MixedPlugin(Reporting, Plugin):
    async def _give(self, name: str, topic: str, result: Any) -> None:
        connections = await self.retrieve_and_touch_connections(operation_name=name, input_topic=topic)
        await self.send_result_to_all(connections, result)

    @operation(name="lowercase", input=StringMessage, output=StringMessage)
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        await self._give("lowercase", topic, StringMessage(value=event.payload.value.lower()))

    @operation(name="half", input=Float32Message, output=Float32Message)
    async def half(self, topic: str, event: Event[Float32Message]) -> None:
        await self._give("half", topic, Float32Message(value=event.payload.value / 2))

    @operation(name="sort", input=Reading, output=Reading)
    async def sort(self, topic: str, event: Event[Reading]) -> None:
        given = event.payload
        await self._give("sort", topic, Reading(name=given.name, values=sorted(given.values)))

    @operation(name="ping", input=Input.empty())
    async def ping(self, topic: str, event: Event[Any]) -> None:
        report("pinged", payload=event.payload)

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        report("set up", remote=core_identifier, operation=operation_name, data=setup_data and setup_data.decode())


@dataclass(kw_only=True)
class MixedCore(Reporting, Core):
    @sink("lowercase")
    async def take_text(self, topic: str, event: Event[StringMessage]) -> None:
        report("result", operation="lowercase", value=content(event.payload))

    @sink("half")
    async def take_number(self, topic: str, event: Event[Float32Message]) -> None:
        report("result", operation="half", value=content(event.payload))

    @sink("sort")
    async def take_reading(self, topic: str, event: Event[Reading]) -> None:
        report("result", operation="sort", value=content(event.payload))

    @sink("ticks")
    async def take_tick(self, topic: str, event: Event[StringMessage]) -> None:
        report("result", operation="ticks", value=content(event.payload))

    def _on_compliant(self) -> None:
        report("compliant")

    def _on_not_compliant(self) -> None:
        report("not compliant")


SHAPES = {
    "lowercase": (Input.from_message(StringMessage), Output.from_message(StringMessage)),
    "half": (Input.from_message(Float32Message), Output.from_message(Float32Message)),
    "sort": (Input.from_message(Reading), Output.from_message(Reading)),
    "ping": (Input.empty(), Output.no_output()),
    "ticks": (Input.no_input(), Output.from_message(StringMessage)),
}


def client(port: str) -> Any:
    if not IS_OLDER:
        return connect(f"mqtt://127.0.0.1:{port}")
    publisher = MqttPublisher(hostname="127.0.0.1", port=int(port))
    subscriber = MqttSubscriber(hostname="127.0.0.1", port=int(port))
    return PubSubClientBuilder().with_subscriber(subscriber).with_publisher(publisher).build()


def plugin(identifier: str, port: str, options: dict[str, Any]) -> MixedPlugin:
    policies = options.pop("policies", {})
    made = MixedPlugin(identifier=identifier, eventbus_client=client(port), **options)
    made.with_operation(
        "ticks",
        Operation(
            name="ticks",
            handler=None,
            policy=Policy(),
            input=Input.no_input(),
            output=Output.from_message(StringMessage),
        ),
    )
    for name, policy in policies.items():
        made.with_custom_policy(name, Policy(**policy))
    return made


def core(identifier: str, port: str, options: dict[str, Any]) -> MixedCore:
    requirements = {}
    spellings = {}
    if not IS_OLDER:
        spellings = {"spellings": options.pop("spellings", [])}
        options["discovering_interval_when_compliant"] = 0.5
    for name, (rules, setup_data) in options.pop("requires").items():
        inputs, outputs = ([one] for one in SHAPES[name])
        requirements[name] = OperationRequirement(
            Constraint(inputs=inputs, outputs=outputs, **rules, **spellings),
            default_setup_data=setup_data and setup_data.encode(),
        )
    return MixedCore(
        identifier=identifier, eventbus_client=client(port), operation_requirements=requirements, **options
    )


async def main(kind: str, identifier: str, port: str, options: str) -> None:
    make = {"plugin": plugin, "core": core}[kind]
    orbiter = make(identifier, port, json.loads(options))
    loop = asyncio.get_running_loop()
    await orbiter.start()
    report("started")
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        command = json.loads(line) if line else ["stop"]
        if command == ["stop"]:
            break
        try:
            report("answer", value=await orbiter.answer(*command))
        except Exception as error:
            report("answer", value=f"{type(error).__name__}: {error}")
    await orbiter.stop()
    report("stopped")
    os._exit(0)  # a client of py-orbitalis stays connected


if __name__ == "__main__":
    logging.basicConfig(level=os.environ.get("LOG", "ERROR"), stream=sys.stderr)
    if sys.argv[1:] == ["schemas"]:
        print(json.dumps({name: kind.avro_schema() for name, kind in MESSAGES.items()}))
    else:
        asyncio.run(main(*sys.argv[1:]))
