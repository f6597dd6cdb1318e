"""py-orbitalis as a subject of the conformance tests. It runs in an environment of its own: see `tests/older`."""

import asyncio
import importlib
import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from busline.client.pubsub_client import PubSubClientBuilder
from busline.client.subscriber.event_handler.callback_event_handler import CallbackEventHandler
from busline.event.event import Event
from busline.event.message.avro_message import AvroMessageMixin
from busline.event.message.number_message import Float32Message, Float64Message, Int32Message, Int64Message
from busline.event.message.string_message import StringMessage
from busline.event.registry import EventRegistry
from busline.mqtt.mqtt_publisher import MqttPublisher
from busline.mqtt.mqtt_subscriber import MqttSubscriber

from orbitalis.core.core import Core
from orbitalis.core.requirement import Constraint, OperationRequirement
from orbitalis.orbiter.schemaspec import Input, Output
from orbitalis.plugin.operation import Operation, Policy
from orbitalis.plugin.plugin import Plugin

MESSAGES = {one.__name__: one for one in (StringMessage, Int32Message, Int64Message, Float32Message, Float64Message)}
LACKS = [
    "announcements",
    "avro",
    "cancels",
    "deadlines",
    "headers",
    "introspection",
    "late_offers",
    "limits",
    "older_peers",
    "requests",
    "resolution",
    "sequence_numbers",
    "topic_layout",
    "wills",
]
SETTINGS = (
    "close_connection_if_unused_after",
    "consider_others_dead_after",
    "graceful_close_timeout",
    "loop_interval",
    "pending_requests_expire_after",
    "send_keepalive_before_timelimit",
)

for name in ("close_connection", "discover", "keepalive", "offer", "reply", "response"):
    for kind in vars(importlib.import_module(f"orbitalis.events.{name}")).values():
        if isinstance(kind, type) and issubclass(kind, AvroMessageMixin):
            EventRegistry().add(kind)
for kind in MESSAGES.values():
    EventRegistry().add(kind)


def report(event: str, **content: object) -> None:
    """Write a line."""
    print(json.dumps({"event": event, **content}), flush=True)


def told(data: bytes | None) -> dict[str, str] | None:
    """Return bytes as JSON."""
    return None if data is None else {"hex": data.hex()}


def content_of(payload: Any) -> dict[str, Any]:
    """Return a message as JSON."""
    return {"type": None} if payload is None else {"type": type(payload).__name__, "value": payload.value}


def message_of(content: Any) -> Any:
    """Return a message, given as JSON."""
    return None if content is None else MESSAGES[content["type"]](value=content["value"])


class Reports:
    """What both roles report."""

    closing: dict[tuple[str, str], bytes | None]

    def _on_promote_pending_request_to_connection(self, pending_request: Any) -> None:
        report("connected", remote=pending_request.remote_identifier, operation=pending_request.operation_name)

    async def _on_graceful_close_connection(self, remote: str, operation: str, data: bytes | None) -> None:
        self.closing[remote, operation] = data

    async def _on_graceless_close_connection(self, remote: str, operation: str, data: bytes | None) -> None:
        self.closing[remote, operation] = data

    async def _on_close_connection(self, connection: Any) -> None:
        await super()._on_close_connection(connection)
        key = connection.remote_identifier, connection.operation_name
        report("closed", remote=key[0], operation=key[1], data=told(self.closing.pop(key, None)))


@dataclass(kw_only=True)
class SubjectPlugin(Reports, Plugin):
    """A plugin whose operations do what cases say."""

    closing: dict = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        report("set up", remote=core_identifier, operation=operation_name, data=told(setup_data))
        if setup_data == b"FAIL":
            raise ValueError("told to fail")
        if setup_data == b"SLOW":
            await self.released.wait()

    def add(self, name: str, content: dict) -> None:
        """Add an operation."""

        async def handle(topic: str, event: Event) -> None:
            connections = await self.retrieve_and_touch_connections(operation_name=name, input_topic=topic)
            for connection in connections:
                report("input", remote=connection.remote_identifier, operation=name, **content_of(event.payload))
            text = getattr(event.payload, "value", None)
            if content.get("does") != "lowercase" or not isinstance(text, str):
                return
            if text.startswith("SLOW"):
                await self.released.wait()
            if text.startswith("FAIL"):
                raise ValueError(text[5:])
            if not text.startswith("NONE"):
                await self.send_result_to_all(connections, StringMessage(value=text.lower()))
            if text.startswith("TWICE"):
                await self.send_result_to_all(connections, StringMessage(value="again"))

        self.with_operation(
            name,
            Operation(
                name=name,
                handler=CallbackEventHandler(handle),
                policy=policy_of(content),
                input=Input(**content["input"]),
                output=Output(**content["output"]),
            ),
        )


@dataclass(kw_only=True)
class SubjectCore(Reports, Core):
    """A core that requires what cases say."""

    closing: dict = field(default_factory=dict)

    def add(self, name: str, content: dict) -> None:
        """Add a requirement."""

        async def sink(topic: str, event: Event) -> None:
            found = self.retrieve_connections(operation_name=name, output_topic=topic)
            report("output", remote=found[0].remote_identifier, operation=name, **content_of(event.payload))

        rules = {
            key: content[key] for key in ("minimum", "maximum", "mandatory", "allowlist", "blocklist") if key in content
        }
        constraint = Constraint(
            inputs=[Input(**one) for one in content["inputs"]],
            outputs=[Output(**one) for one in content["outputs"]],
            **rules,
        )
        data = bytes.fromhex(content["setup_data"]["hex"]) if "setup_data" in content else None
        made = OperationRequirement(constraint, override_sink=CallbackEventHandler(sink), default_setup_data=data)
        self.operation_requirements[name] = made

    def _on_compliant(self) -> None:
        report("compliant")

    def _on_not_compliant(self) -> None:
        report("not compliant")


def policy_of(content: dict) -> Policy:
    """Return the policy of an operation."""
    return Policy(**{key: content[key] for key in ("maximum", "allowlist", "blocklist") if key in content})


async def do(session: dict, action: str, content: dict) -> object:
    """Do something; return its result."""
    orbiter = session.get("orbiter")
    if action == "start":
        config = content["config"]
        host, port = config["broker"]["host"], config["broker"]["port"]
        subscriber, publisher = (kind(hostname=host, port=port) for kind in (MqttSubscriber, MqttPublisher))
        bus = PubSubClientBuilder().with_subscriber(subscriber).with_publisher(publisher).build()
        given = {key: one for key, one in config["settings"].items() if key in SETTINGS}
        if config["role"] == "plugin":
            made = SubjectPlugin(identifier=config["identifier"], eventbus_client=bus, **given)
            wanted = config["operations"]
        else:
            given["discovering_interval"] = config["settings"]["discovering_interval"]
            made = SubjectCore(identifier=config["identifier"], eventbus_client=bus, operation_requirements={}, **given)
            wanted = config["requirements"]
        for name, one in wanted.items():
            made.add(name, one)
        session["orbiter"] = made
        return await made.start()
    if action == "stop":
        return await orbiter.stop()
    if action == "execute":
        plugin = content.get("plugin")
        how = {"all": True} if plugin is None else {"plugin_identifier": plugin}
        sent = await orbiter.execute(content["operation"], message_of(content["message"]), **how)
        if not sent:
            raise ValueError("there is no connection")
        return sorted(sent)
    if action == "send":
        connections = orbiter.retrieve_connections(operation_name=content["operation"])
        return await orbiter.send_result_to_all(connections, message_of(content["message"]))
    if action == "close":
        data = bytes.fromhex(content["data"]["hex"]) if content.get("data") else None
        how = content["how"]
        close = orbiter.send_graceful_close_connection if how == "graceful" else orbiter.send_graceless_close_connection
        return await close(content["remote"], content["operation"], data=data)
    if action == "set_policy":
        orbiter.with_custom_policy(content["operation"], policy_of(content))
        return None
    if action == "add_operation":
        return orbiter.add(content["name"], content["operation"])
    if action == "release":
        return orbiter.released.set()
    if action == "state":
        found = sorted([one.remote_identifier, one.operation_name] for one in orbiter.retrieve_connections())
        return {"connections": found, **({"compliant": orbiter.is_compliant()} if isinstance(orbiter, Core) else {})}
    raise ValueError(f"cannot {action}")


async def main() -> None:
    """Do what the tester says until the end of the input."""
    session: dict = {}
    loop = asyncio.get_running_loop()
    tasks = set()

    async def attend(number: int, action: str, content: dict) -> None:
        try:
            result = await do(session, action, content)
            report("done", id=number, result=result if action in ("state", "execute") else None)
        except Exception as error:
            report("failed", id=number, error=f"{type(error).__name__}: {error}")

    report("ready", subject="py-orbitalis 1.1.4", lacks=LACKS, reusable=False)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        content = json.loads(line)
        task = loop.create_task(attend(content.pop("id"), content.pop("do"), content))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    os._exit(0)  # its client stays connected


if __name__ == "__main__":
    asyncio.run(main())
