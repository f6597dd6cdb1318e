"""The Python implementation as a subject of the conformance tests: reads what to do, and reports, in lines of JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orbitalis import (
    AvroMessageMixin,
    Connection,
    Constraint,
    Core,
    DateTimeMicro,
    Event,
    Float32,
    Input,
    Int32,
    Limits,
    Operation,
    OperationRequirement,
    Orbiter,
    Output,
    PendingRequest,
    Plugin,
    Policy,
    connect,
)
from orbitalis_wire import messages

__all__ = ["Session", "main"]

PROTOCOL_MESSAGES = (
    "StringMessage",
    "Int32Message",
    "Int64Message",
    "Float32Message",
    "Float64Message",
    "BytesMessage",
)
SETTINGS_OF_CORES = ("discovering_interval", "discovering_interval_when_compliant", "late_offers")
TYPES: Mapping[str, Any] = {
    "int": Int32,
    "long": int,
    "string": str,
    "float": Float32,
    "timestamp-micros": DateTimeMicro,
}
_classes: dict[str, type[Any]] = {}


def _settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a case as arguments."""
    return {**given, "limits": Limits(**given.get("limits", {}))}


def report(event: str, **content: object) -> None:
    """Write a line."""
    print(json.dumps({"event": event, **content}), flush=True)


# Messages


def class_of_schema(schema: str) -> type[Any] | None:
    """Return a message class for a user's schema; `None` unless that is a record of plain fields."""
    if schema not in _classes:
        try:
            record = json.loads(schema)
            fields = [_field(one) for one in record["fields"]]
        except (ValueError, KeyError, TypeError):
            return None
        if record["name"] in PROTOCOL_MESSAGES:
            return None
        _classes[schema] = _make_class(record["name"], schema, fields)
    return _classes[schema]


def _field(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return name and annotation of a field, and its default if it has one."""
    kind = given["type"]
    name = str(kind.get("logicalType", kind["type"])) if isinstance(kind, dict) else str(kind)
    defaults = (field(default=given["default"]),) if "default" in given else ()
    return (given["name"], TYPES[name], *defaults)


def _make_class(name: str, schema: str, fields: list[tuple[Any, ...]]) -> type[Any]:
    namespace: dict[str, Any] = {"__annotations__": {one[0]: one[1] for one in fields}}
    namespace |= {one[0]: one[2].default for one in fields if len(one) > 2}
    base: Any = AvroMessageMixin
    made = type(base)(name, (base,), namespace, schema=schema)
    return dataclass(frozen=True)(made)


def know(content: Mapping[str, Any]) -> None:
    """Have message classes for all schemas of a set."""
    for schema in content["schemas"]:
        class_of_schema(schema)


def input_of(content: Mapping[str, Any]) -> Input:
    """Return a set of schemas."""
    know(content)
    exact = content.get("exact", False)
    return Input(**{**content, "schemas": tuple(content["schemas"]), "exact": exact})


def output_of(content: Mapping[str, Any]) -> Output:
    """Return a set of schemas."""
    know(content)
    exact = content.get("exact", False)
    return Output(**{**content, "schemas": tuple(content["schemas"]), "exact": exact})


def message_of(content: Mapping[str, Any] | None) -> Any:
    """Return a message, given as JSON; `None` is an empty event."""
    if content is None:
        return None
    if "schema" in content:
        made = class_of_schema(content["schema"])
        assert made is not None, content
        return made(**content["fields"])
    value = content["value"]
    if isinstance(value, Mapping):
        value = bytes.fromhex(value["hex"])
    elif isinstance(value, str) and content["type"].startswith("Float"):
        value = float(value)
    return getattr(messages, content["type"])(value=value)


def content_of(payload: Any) -> dict[str, Any]:
    """Return a message as JSON."""
    if payload is None:
        return {"type": None}
    fields = getattr(payload, "__dataclass_fields__", {})
    if type(payload).__name__ == "UndecodedPayload":
        return {"type": payload.message_type, "payload": {"hex": payload.serialized_payload.hex()}}
    if type(payload).__name__ in PROTOCOL_MESSAGES:
        return {"type": type(payload).__name__, "value": _plain(payload.value)}
    return {"type": type(payload).__name__, "fields": {name: _plain(getattr(payload, name)) for name in fields}}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | str) else str(value)


# Orbiters


class Reports:
    """What both roles report."""

    async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
        slot = pending_request.slot
        report(
            "connected",
            remote=slot.remote_identifier,
            operation=slot.operation_name,
            connection=slot.connection_identifier,
        )

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        told = None if data is None else {"hex": data.hex()}
        report("closed", remote=connection.remote_identifier, operation=connection.operation_name, data=told)

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        report("dead", remote=remote_identifier)


@dataclass
class SubjectPlugin(Reports, Plugin):
    """A plugin whose operations do what cases say."""

    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        told = None if setup_data is None else {"hex": setup_data.hex()}
        report("set up", remote=core_identifier, operation=operation_name, data=told)
        if setup_data == b"FAIL":
            raise ValueError("told to fail")
        if setup_data == b"SLOW":
            await self.released.wait()

    def add(self, name: str, content: Mapping[str, Any]) -> None:
        """Add an operation."""
        does = content.get("does", "lowercase")

        async def handle(topic: str, event: Event[Any], connection: Connection) -> None:
            report("input", remote=connection.remote_identifier, operation=name, **content_of(event.payload))
            await self._do(does, connection, event)

        taken = input_of(content["input"])
        self.with_operation(
            name,
            Operation(
                name=name,
                handler=handle if taken.expects_something else None,
                input=taken,
                output=output_of(content["output"]),
                policy=policy_of(content),
            ),
        )

    async def _do(self, does: str, connection: Connection, event: Event[Any]) -> None:
        text = getattr(event.payload, "value", None)
        if does != "lowercase" or not isinstance(text, str):
            return
        if text.startswith("SLOW"):
            await self.released.wait()
        if text.startswith("FAIL"):
            raise ValueError(text[5:] or "told to fail")
        if text.startswith("NONE"):
            if event.answer_requested:
                await self.send_answer(connection, event, None)
            return
        await self.send_result_to_all([connection], text.lower())
        if text.startswith("TWICE"):
            await self.send_result_to_all([connection], "again")


@dataclass
class SubjectCore(Reports, Core):
    """A core that requires what cases say."""

    def add(self, name: str, content: Mapping[str, Any]) -> None:
        """Add a requirement."""

        async def sink(topic: str, event: Event[Any], connection: Connection) -> None:
            report("output", remote=connection.remote_identifier, operation=name, **content_of(event.payload))

        constraint = Constraint(
            inputs=[input_of(one) for one in content["inputs"]],
            outputs=[output_of(one) for one in content["outputs"]],
            minimum=content.get("minimum", 0),
            maximum=content.get("maximum"),
            mandatory=content.get("mandatory", []),
            allowlist=content.get("allowlist"),
            blocklist=content.get("blocklist"),
        )
        setup = content.get("setup_data")
        data = None if setup is None else bytes.fromhex(setup["hex"])
        self.operation_requirements[name] = OperationRequirement(constraint, sink, data)

    async def _on_compliant(self) -> None:
        report("compliant")

    async def _on_not_compliant(self) -> None:
        report("not compliant")


def policy_of(content: Mapping[str, Any]) -> Policy:
    """Return the policy of an operation."""
    return Policy(
        maximum=content.get("maximum"), allowlist=content.get("allowlist"), blocklist=content.get("blocklist")
    )


# What the tester asks for


class Session:
    """One orbiter after the other."""

    orbiter: Orbiter | None = None

    async def do(self, action: str, content: Mapping[str, Any]) -> object:
        """Do something; return its result."""
        method = getattr(self, f"do_{action}", None)
        if method is None:
            raise ValueError(f"there is no action {action!r}")
        result: object = await method(**content)
        return result

    @property
    def _plugin(self) -> SubjectPlugin:
        assert isinstance(self.orbiter, SubjectPlugin)
        return self.orbiter

    @property
    def _core(self) -> SubjectCore:
        assert isinstance(self.orbiter, SubjectCore)
        return self.orbiter

    @property
    def _orbiter(self) -> Orbiter:
        assert self.orbiter is not None
        return self.orbiter

    async def do_start(self, config: Mapping[str, Any]) -> None:
        """Make an orbiter, and have it take part."""
        broker = config["broker"]
        bus = connect(f"mqtt://{broker['host']}:{broker['port']}")
        settings = _settings_of(config["settings"])
        if config["role"] == "plugin":
            given = {name: one for name, one in settings.items() if name not in SETTINGS_OF_CORES}
            made: Any = SubjectPlugin(identifier=config["identifier"], eventbus_client=bus, **given)
            wanted = config["operations"]
        else:
            made = SubjectCore(identifier=config["identifier"], eventbus_client=bus, **settings)
            wanted = config["requirements"]
        for name, one in wanted.items():
            made.add(name, one)
        self.orbiter = made
        await made.start()

    async def do_stop(self) -> None:
        """Stop in order."""
        await self._orbiter.stop()

    async def do_reset(self) -> None:
        """Stop what runs, for another configuration."""
        if self.orbiter is not None:
            if isinstance(self.orbiter, SubjectPlugin):
                self.orbiter.released.set()
            await self.orbiter.stop()
            self.orbiter = None

    async def do_execute(self, operation: str, message: Any, plugin: str | None = None) -> object:
        """Send an input, and wait for nothing."""
        data = message_of(message)
        if plugin is None:
            return await self._core.execute(operation, data, all=True)
        return await self._core.execute(operation, data, plugin_identifier=plugin)

    async def do_request(
        self, operation: str, message: Any, plugin: str | None = None, timeout: float = 10.0
    ) -> object:
        """Send an input, and wait for the answer."""
        answer = await self._core.request(operation, message_of(message), plugin_identifier=plugin, timeout=timeout)
        return content_of(answer)

    async def do_send(self, operation: str, message: Any, core: str | None = None) -> None:
        """Send an output on the plugin's own account."""
        connections = self._plugin.retrieve_connections(operation_name=operation, remote_identifier=core)
        await self._plugin.send_result_to_all(connections, message_of(message))

    async def do_close(self, remote: str, operation: str, how: str, data: Any = None) -> None:
        """Close a connection."""
        told = None if data is None else bytes.fromhex(data["hex"])
        if how == "graceful":
            await self._orbiter.send_graceful_close_connection(remote, operation, told)
        else:
            await self._orbiter.send_graceless_close_connection(remote, operation, told)

    async def do_leave(self, timeout: float = 5.0) -> object:
        """Close everything gracefully."""
        return await self._orbiter.leave(timeout)

    async def do_set_policy(self, operation: str, **policy: Any) -> None:
        """Change whom an operation is lent to."""
        self._plugin.with_custom_policy(operation, policy_of(policy))

    async def do_add_operation(self, name: str, operation: Mapping[str, Any]) -> None:
        """Add an operation, or give it another input or output."""
        self._plugin.add(name, operation)

    async def do_set_requirement(self, name: str, requirement: Mapping[str, Any]) -> None:
        """Add a requirement, or change one."""
        self._core.add(name, requirement)

    async def do_release(self) -> None:
        """Let what was told to be slow go on."""
        self._plugin.released.set()

    async def do_state(self) -> object:
        """Return what is connected."""
        orbiter = self._orbiter
        found = sorted([one.remote_identifier, one.operation_name] for one in orbiter.retrieve_connections())
        state: dict[str, object] = {"connections": found}
        if isinstance(orbiter, SubjectCore):
            state["compliant"] = orbiter.is_compliant()
        return state


async def main() -> None:
    """Do what the tester says until the end of the input."""
    session = Session()
    running: dict[int, asyncio.Task[None]] = {}
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    report("ready", subject="orbitalis for Python", lacks=[], reusable=True)

    async def attend(number: int, action: str, content: Mapping[str, Any]) -> None:
        try:
            report("done", id=number, result=await session.do(action, content))
        except asyncio.CancelledError:
            report("failed", id=number, error="CancelledError")
        except Exception as error:
            report("failed", id=number, error=f"{type(error).__name__}: {error}")
        finally:
            running.pop(number, None)

    while line := await reader.readline():
        content = json.loads(line)
        action, number = content.pop("do"), content.pop("id")
        if action == "cancel":
            if content["number"] in running:
                running[content["number"]].cancel()
            report("done", id=number, result=None)
            continue
        running[number] = loop.create_task(attend(number, action, content))


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    asyncio.run(main())
