"""`orbitalis call`: executes an operation as a core that is there for one request, and shows the answer."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orbitalis.arguments import did_you_mean
from orbitalis.bus.client import EventBusClient
from orbitalis.cli.asking import client_of, nobody, of_all, of_one, operator_of, run_async
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.inputs import ABSENT, input_of, parsed, stdin_lines
from orbitalis.cli.messages import class_for, json_of
from orbitalis.cli.schemas import shape_shown
from orbitalis.cli.showing import print_json
from orbitalis.core.core import Core
from orbitalis.errors import NoConnectionError, RequestError
from orbitalis.message.event import new_identifier
from orbitalis.message.schema import Input, Output
from orbitalis.operating import InfoAnswer
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.requirements import OperationRequirement
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.messages import OperationInfo

__all__ = ["run"]

_WITHIN: Final = 2.0
"""Seconds for which the schemas are awaited."""
_GOODBYE: Final = 2.0
"""Seconds for which plugins may acknowledge that the connection is closed."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one input at one plugin."""

    plugin: str
    answer: object = None
    error: str | None = None

    def as_object(self) -> dict[str, object]:
        """Return what JSON has for it."""
        told = {"answer": self.answer} if self.error is None else {"error": self.error}
        return {"plugin": self.plugin, **told}


def run(options: argparse.Namespace) -> int:
    """Call an operation."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    # Before anything is asked: what is no JSON need not be looked at any further.
    value = ABSENT if options.input is None or options.input == "-" else parsed(options.input)
    targets = await _targets(options)
    operations = {plugin: info.operations[options.operation] for plugin, info in targets.items()}
    if options.input != "-":
        _check(options.operation, operations, value)
    client = client_of(options.bus)
    call = _Call(client, options, operations)
    async with call.core:
        try:
            await call.connect()
            if options.input != "-":
                return _show(options, await call.execute(value))
            return await _execute_lines(call)
        finally:
            await call.core.leave(_GOODBYE)


async def _targets(options: argparse.Namespace) -> dict[str, InfoAnswer]:
    """Return the plugins that come into question.

    Raises:
        CommandError: There is none, or it is not said which one is meant.
    """
    name = options.operation
    asking = argparse.Namespace(
        bus=options.bus if options.operator_bus is None else options.operator_bus,
        identifier=options.operator_identifier,
    )
    async with operator_of(asking) as operator:
        if options.plugin is not None:
            info = await of_one(operator, operator.info, options.plugin, _WITHIN)
            if name not in info.operations:
                hint = did_you_mean(name, sorted(info.operations))
                raise CommandError(Exit.NOBODY, f"{info.role} '{options.plugin}' has no operation '{name}'{hint}")
            return {options.plugin: info}
        infos = await of_all(operator.info, _WITHIN)
    found = {plugin: info for plugin, info in infos.items() if name in info.operations}
    if not found:
        if not infos:
            raise nobody("no orbiter answers", None, ())
        known = sorted({one for info in infos.values() for one in info.operations})
        raise CommandError(Exit.NOBODY, f"no plugin has an operation '{name}'{did_you_mean(name, known)}")
    if not options.all:
        _check_is_one(name, found)
    return found


def _check_is_one(name: str, found: Mapping[str, InfoAnswer]) -> None:
    """Raise unless it makes no difference which of the plugins is called."""
    shapes: dict[str, list[str]] = {}
    for plugin, info in found.items():
        one = info.operations[name]
        shapes.setdefault(f"takes {shape_shown(one.input)} and gives {shape_shown(one.output)}", []).append(plugin)
    if len(shapes) > 1:
        lines = "".join(f"\n  {', '.join(plugins)}: {shape}" for shape, plugins in shapes.items())
        raise CommandError(
            Exit.MISUSED, f"plugins have different operations '{name}': say which one with --plugin, or --all{lines}"
        )


def _check(name: str, operations: Mapping[str, OperationInfo], value: object) -> None:
    """Raise for an input that one of the plugins does not take."""
    for operation in operations.values():
        input_of(name, operation, value)


class _Call:
    """A core that calls one operation."""

    def __init__(
        self, client: EventBusClient, options: argparse.Namespace, operations: Mapping[str, OperationInfo]
    ) -> None:
        self._name: str = options.operation
        self._timeout: float = options.timeout
        self._is_all: bool = options.all
        self._operations = operations
        for operation in operations.values():
            self._learn(operation.output.schemas)
        plugins = list(operations)
        is_any = len(plugins) > 1 and not options.all
        constraint = Constraint(
            minimum=1 if is_any else 0,
            maximum=1 if is_any else 0,
            mandatory=[] if is_any else plugins,
            allowlist=plugins,
            inputs=[Input.from_wire(one.input) for one in operations.values()],
            outputs=[Output.from_wire(one.output) for one in operations.values()],
        )
        try:
            self.core = Core(
                identifier=f"call-{new_identifier()[:12]}" if options.identifier is None else options.identifier,
                eventbus_client=client,
                operation_requirements={self._name: OperationRequirement(constraint)},
                operation_sinks={self._name: _ignore},
            )
        except ValueError as error:
            raise CommandError(Exit.MISUSED, str(error)) from None

    def _learn(self, schemas: Iterable[str]) -> None:
        """Be able to read what is written with these schemas."""
        for schema in schemas:
            try:
                class_for(schema)
            except ValueError as error:
                raise CommandError(
                    Exit.FAILED, f"operation '{self._name}' gives what cannot be read: {error}"
                ) from None

    async def connect(self) -> None:
        """Wait for the connections.

        Raises:
            CommandError: There is none in time; the text says why.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self.core.compliant_event.wait()
        except TimeoutError:
            if not self._connected():
                raise CommandError(
                    Exit.FAILED, f"no connection within {self._timeout:g} s: {self._why_not()}"
                ) from None

    def _why_not(self) -> str:
        found = self.core.explain().of_operation(self._name)
        return "nothing is known of it" if found is None else found.line()

    def _connected(self) -> list[str]:
        return [one.remote_identifier for one in self.core.retrieve_connections(operation_name=self._name)]

    async def execute(self, value: object) -> list[_Outcome]:
        """Send what JSON stands for to all plugins, or to the one that is connected; return what came of it.

        Raises:
            CommandError: It is not what the operation takes.
        """
        connected = self._connected()
        if not self._is_all:
            return [await self._execute_at(plugin, value) for plugin in connected[:1] or list(self._operations)[:1]]
        return list(await asyncio.gather(*(self._execute_at(plugin, value) for plugin in self._operations)))

    async def _execute_at(self, plugin: str, value: object) -> _Outcome:
        operation = self._operations[plugin]
        message = input_of(self._name, operation, value)
        try:
            if not _has_output(operation):
                await self.core.execute(self._name, message, plugin_identifier=plugin)
                return _Outcome(plugin)
            answer = await self.core.request(
                self._name,
                message,
                plugin_identifier=plugin,
                timeout=self._timeout,
            )
            return _Outcome(plugin, json_of(answer))
        except NoConnectionError:
            return _Outcome(plugin, error=f"no connection within {self._timeout:g} s: {self._why_not()}")
        except (RequestError, EncodeError) as error:
            return _Outcome(plugin, error=str(error))


def _has_output(operation: OperationInfo) -> bool:
    output = operation.output
    return bool(output.schemas) or output.support_empty_schema or output.support_undefined_schema


async def _ignore(topic: str, event: object) -> None:
    """Take an output that answers nothing."""


def _show(options: argparse.Namespace, outcomes: Sequence[_Outcome]) -> int:
    failed = [one for one in outcomes if one.error is not None]
    if options.all:
        print_json([one.as_object() for one in outcomes])
    elif failed:
        raise CommandError(Exit.FAILED, str(failed[0].error))
    elif options.json:
        print_json(outcomes[0].as_object())
    else:
        print_json(outcomes[0].answer)
    return Exit.FAILED if failed else Exit.OK


async def _execute_lines(call: _Call) -> int:
    """Execute each line of standard input, and write a line for each: what came of it, at each plugin."""
    status = Exit.OK
    async for number, line in stdin_lines():
        try:
            outcomes = await call.execute(parsed(line))
        except CommandError as error:
            print_json({"line": number, "error": str(error)}, is_line=True)
            status = max(status, error.status)
            continue
        for one in outcomes:
            print_json({"line": number, **one.as_object()}, is_line=True)
            if one.error is not None:
                status = max(status, Exit.FAILED)
    return status
