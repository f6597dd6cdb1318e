"""How a core executes operations: the modes of :meth:`OperationExecutor.execute` and their direct forms."""

from __future__ import annotations

import asyncio
import builtins
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Never, TypeAlias, TypeVar, cast, overload

from orbitalis.arguments import check_list, check_text, did_you_mean, nearest
from orbitalis.bus.dispatch import start_task
from orbitalis.core.turns import Turns
from orbitalis.errors import NoConnectionError
from orbitalis.log import FieldLogger
from orbitalis.message.payload import Publishable, kind_of, schema_of, wrap
from orbitalis.message.schema_difference import schema_differences
from orbitalis.message.schema_text import name_of
from orbitalis.operations.connection import Connection, fields_of
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation, no_operation
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.orbiter.scope import outside
from orbitalis.protocol.slots import Slot
from orbitalis_wire import channels

__all__ = ["AnyInput", "AnyOperation", "InputOf", "InputOfOperation", "OperationExecutor"]

InputOfOperation = TypeVar("InputOfOperation", bound=Publishable)
E = TypeVar("E", bound=Exception)

# No caller passes a function. But if a parameter may be one, mypy infers the type from the operation first. Then its
# error for a wrong input names the expected type, instead of saying that it cannot infer a type.
_Unused: TypeAlias = Callable[[InputOfOperation], Never]
InputOf: TypeAlias = InputOfOperation | _Unused[InputOfOperation]
"""What an operation takes."""
InputsOf: TypeAlias = list[InputOfOperation] | tuple[InputOfOperation, ...] | _Unused[InputOfOperation]
"""Several of what an operation takes."""
AnyInput: TypeAlias = Publishable | _Unused[Any]
"""What any operation takes."""

AnyOperation: TypeAlias = str | TypedOperation[Any, Any, Any]
"""The name of an operation, or the operation of a plugin class. With the latter, type checkers check the data."""

_logger = FieldLogger(logging.getLogger(__name__))

_GUESSES = 8
"""How many connections are tried at random before all are looked at."""


class OperationExecutor(Orbiter):
    """The part of a core that sends inputs to plugins and does not wait for answers.

    An execution uses the open connections of the operation whose input accepts the message. It ends when the inputs are
    published, and not when the plugins have handled them. With `fire_and_forget` it ends at once, and failures to
    publish are logged. Inputs are published in the order of the calls.
    """

    operation_requirements: dict[str, OperationRequirement]
    _executions: set[asyncio.Task[object]]
    """Publications that nobody waits for."""

    @overload
    async def execute(
        self,
        operation_name: str,
        data: Publishable | Sequence[Publishable] = None,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
        distribute: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute(
        self,
        operation_name: TypedOperation[Any, None, Any],
        data: None = None,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
    ) -> list[str]: ...
    @overload
    async def execute(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        data: InputsOf[InputOfOperation],
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
        distribute: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        data: InputOf[InputOfOperation],
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
    ) -> list[str]: ...
    async def execute(
        self,
        operation_name: AnyOperation,
        data: AnyInput | Sequence[AnyInput] = None,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
        distribute: bool = False,
    ) -> list[str]:
        """Execute an operation in one of four modes, and return the identifiers of the plugins that got an input.

        `await core.execute(TextPlugin.lowercase, "HELLO", any=True)` sends one text, and the sink gets the outputs. The
        operation may also be a name, but with `TextPlugin.lowercase` type checkers check `data`. With
        `fire_and_forget` it returns at once, and failures are logged.

        - `any`: send the message to one plugin, chosen at random, if possible one that is not suspected to be dead;
        - `all`: send the message to every plugin;
        - `plugin_identifier`: send the message to that plugin;
        - `distribute`: send each message of a list to one plugin, so that all plugins get equally many.

        In every mode, `data` is one message or a list of messages, each of which is sent as the mode says. If no plugin
        accepts one of the messages, nothing is sent. `any` and `distribute` return one identifier for each message, in
        the order of the messages. The other modes return one identifier for each plugin.

        Raises:
            ValueError: Not exactly one mode is given.
            NoConnectionError: There is no suitable connection.
            TypeError: `data` is not a message, or the operation does not take it.
            BusError: A message could not be published.
        """
        if builtins.sum((any, all, distribute, plugin_identifier is not None)) != 1:
            raise ValueError("give exactly one mode: any=True, all=True, distribute=True or plugin_identifier='...'")
        name = _name_of(operation_name)
        messages = [_message_of(operation_name, value) for value in _as_values(data)]
        if distribute:
            return await self._distribute(name, messages, fire_and_forget)
        inputs: list[tuple[Slot, object | None]] = []
        for message in messages:
            if all:
                inputs += [(slot, message) for slot in self._accepting(name, self._open_slots(name), message)]
            elif plugin_identifier is not None:
                inputs.append((self._slot_of(name, plugin_identifier, message), message))
            else:
                inputs.append((self._any_slot(name, message), message))
        await self._send(inputs, fire_and_forget)
        identifiers = [slot.remote_identifier for slot, _ in inputs]
        return identifiers if any else list(dict.fromkeys(identifiers))

    @overload
    async def execute_using_plugin(
        self,
        operation_name: str,
        plugin_identifier: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_using_plugin(
        self,
        operation_name: TypedOperation[Any, None, Any],
        plugin_identifier: str,
        data: None = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_using_plugin(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        plugin_identifier: str,
        data: InputOf[InputOfOperation],
        fire_and_forget: bool = False,
    ) -> str: ...
    async def execute_using_plugin(
        self,
        operation_name: AnyOperation,
        plugin_identifier: str,
        data: AnyInput = None,
        fire_and_forget: bool = False,
    ) -> str:
        """Send `data` to the named plugin, and return its identifier. See :meth:`execute`."""
        message = _message_of(operation_name, data)
        slot = self._slot_of(_name_of(operation_name), plugin_identifier, message)
        await self._send([(slot, message)], fire_and_forget)
        return plugin_identifier

    @overload
    async def execute_sending_any(
        self,
        operation_name: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_sending_any(
        self,
        operation_name: TypedOperation[Any, None, Any],
        data: None = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_sending_any(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        data: InputOf[InputOfOperation],
        fire_and_forget: bool = False,
    ) -> str: ...
    async def execute_sending_any(
        self, operation_name: AnyOperation, data: AnyInput = None, fire_and_forget: bool = False
    ) -> str:
        """Send `data` to one plugin chosen at random, and return its identifier. See :meth:`execute`."""
        if isinstance(operation_name, str):
            name, message = operation_name, wrap(data)
        else:
            name, message = _name_of(operation_name), operation_name.message(data)
        slot = self._any_slot(name, message)
        if fire_and_forget or self._executions or self._runtime.tracing is not None:
            await self._send([(slot, message)], fire_and_forget)
            return slot.remote_identifier
        waiting = self._publish(slot, message)
        # A sender that publishes in a loop must let handlers run in between, or their queues overflow.
        await (asyncio.sleep(0) if waiting is None else waiting)
        return slot.remote_identifier

    @overload
    async def execute_sending_all(
        self,
        operation_name: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute_sending_all(
        self,
        operation_name: TypedOperation[Any, None, Any],
        data: None = None,
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute_sending_all(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        data: InputOf[InputOfOperation],
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    async def execute_sending_all(
        self, operation_name: AnyOperation, data: AnyInput = None, fire_and_forget: bool = False
    ) -> list[str]:
        """Send `data` to every plugin, and return their identifiers. See :meth:`execute`."""
        name, message = _name_of(operation_name), _message_of(operation_name, data)
        chosen = self._accepting(name, self._open_slots(name), message)
        await self._send([(slot, message) for slot in chosen], fire_and_forget)
        return [slot.remote_identifier for slot in chosen]

    @overload
    async def execute_distributed(
        self,
        operation_name: str,
        data: list[Any] | tuple[Any, ...],
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute_distributed(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, Any],
        data: InputsOf[InputOfOperation],
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    async def execute_distributed(
        self,
        operation_name: AnyOperation,
        data: list[Any] | tuple[Any, ...] | _Unused[Any],
        fire_and_forget: bool = False,
    ) -> list[str]:
        """Send each message to one plugin, so that all plugins get equally many. See :meth:`execute`.

        Returns the identifiers of the plugins in the order of the messages. If no plugin accepts one of the messages,
        nothing is sent.

        Raises:
            TypeError: `data` is one message instead of a list of messages.
        """
        check_list("data", data)
        messages = [_message_of(operation_name, value) for value in _as_values(data)]
        return await self._distribute(_name_of(operation_name), messages, fire_and_forget)

    async def sudo_execute(self, topic: str, data: Publishable = None) -> None:
        """Publish an input to a topic, even without a connection.

        Raises:
            BusError: The input could not be published.
        """
        await self.eventbus_client.publish(topic, data, channel=channels.OPERATION_INPUT)

    async def _distribute(self, name: str, messages: Sequence[object | None], fire_and_forget: bool) -> list[str]:
        slots = self._open_slots(name)
        if not slots:
            raise self._unsent(name, self._no_connection(name))
        turns = Turns(self._machine.slots.open_by_input(name), self._machine.peers.suspected)
        inputs: list[tuple[Slot, object | None]] = []
        for message in messages:
            slot = turns.next(message)
            if slot is None:
                slot = self._accepting(name, slots, message)[0]  # raises an error that says why there is none
            inputs.append((slot, message))
        await self._send(inputs, fire_and_forget)
        return [slot.remote_identifier for slot, _ in inputs]

    # Choosing

    def _open_slots(self, operation_name: str) -> Sequence[Slot]:
        """Return the open connections of an operation."""
        return self._machine.slots.open_of_operation(operation_name)

    def _open_slot(self, operation_name: str, plugin_identifier: str) -> Slot | None:
        """Return the open connection of an operation with one plugin."""
        slot = self._machine.slots.get(plugin_identifier, operation_name)
        return slot if slot is not None and slot.is_open else None

    def _slot_of(self, operation_name: str, plugin_identifier: str, message: object | None) -> Slot:
        if type(plugin_identifier) is not str:
            check_text("plugin_identifier", plugin_identifier)
        slot = self._open_slot(operation_name, plugin_identifier)
        return self._accepting(operation_name, [] if slot is None else [slot], message, plugin_identifier)[0]

    def _any_slot(self, operation_name: str, message: object | None) -> Slot:
        """Return a random connection that accepts a message. If there are many, it looks only at some of them."""
        slots = self._machine.slots.open_of_operation(operation_name)
        count = len(slots)
        suspected = self._machine.peers.suspected
        for _ in range(_GUESSES if count else 0):
            slot = slots[int(_random() * count)]
            if suspected and slot.remote_identifier in suspected:
                continue
            if slot.input_topic is not None and slot.input.accepts_payload(message):
                return slot
        return self._one_of(self._accepting(operation_name, slots, message))

    def _one_of(self, slots: Sequence[Slot]) -> Slot:
        """Return a random one of some connections, if possible one whose remote is not suspected to be dead."""
        suspected = self._machine.peers.suspected
        return random.choice([slot for slot in slots if slot.remote_identifier not in suspected] or slots)

    def _accepting(
        self, operation_name: str, slots: Sequence[Slot], message: object | None, plugin_identifier: str | None = None
    ) -> Sequence[Slot]:
        """Return the connections that accept a message: all of them, or only those with one plugin.

        Raises:
            NoConnectionError: There is no such connection.
        """
        accepting = [slot for slot in slots if _accepts(slot, message)]
        if accepting:
            return accepting
        if not slots:
            raise self._unsent(operation_name, self._no_connection(operation_name, plugin_identifier))
        whose = "" if plugin_identifier is None else f" with plugin '{plugin_identifier}'"
        if not any(slot.input.has_input for slot in slots):
            text = (
                f"operation '{operation_name}' takes no input{whose}, so it can neither be executed nor requested: its "
                "plugin sends outputs on its own, and a sink takes them"
            )
        else:
            text = (
                f"'{self.identifier}' has {len(slots)} connections for operation '{operation_name}'{whose}, but none "
                f"whose input accepts {kind_of(message)}; accepted are "
                f"{' or '.join(sorted({str(slot.input) for slot in slots}))}{_namesake(slots, message)}"
            )
        raise self._unsent(operation_name, NoConnectionError(text))

    def _no_connection(self, operation_name: str, plugin_identifier: str | None = None) -> NoConnectionError:
        whose = "" if plugin_identifier is None else f" with plugin '{plugin_identifier}'"
        plugins = [slot.remote_identifier for slot in self._machine.slots.open_of_operation(operation_name)]
        required = self.operation_requirements
        if operation_name not in required:
            known = ", ".join(f"'{name}'" for name in required) or "none"
            near = nearest(operation_name, required)
            advice = f"it does not require that operation, and so asks nobody for it; it requires {known}{near}"
        elif not self.is_running:
            advice = "it is not running; start it first, as `async with core:` does"
        elif plugin_identifier is not None and plugins:
            advice = f"there are connections with others{did_you_mean(plugin_identifier, plugins)}"
        else:
            advice = "wait until one has been added, or handle that there is none"
        return NoConnectionError(
            f"'{self.identifier}' has no connection for operation '{operation_name}'{whose}: {advice}"
        )

    def _unsent(self, operation_name: str, error: E) -> E:
        """Tell the trace why an input is not sent, and return an error that says so."""
        if self._runtime.tracing is not None:
            self._runtime.tracing.unsent(operation_name, error)
        return error

    # Sending

    async def _send(
        self, inputs: Sequence[tuple[Slot, object | None]], fire_and_forget: bool, *, is_traced: bool = False
    ) -> None:
        """Publish inputs. If one cannot be published, the others are published all the same."""
        tracing = self._runtime.tracing
        if tracing is not None and inputs and not is_traced:
            work = partial(self._send, inputs, fire_and_forget, is_traced=True)
            await tracing.send(inputs[0][0].operation_name, [slot for slot, _ in inputs], work)
            return
        if asyncio.get_running_loop() is not self._home.loop:
            self._home.check()
        under_way: list[Awaitable[None]] = []
        failures: list[Exception] = []
        for slot, message in inputs:
            try:
                waiting = self._publish(slot, message)
            except Exception as error:
                if fire_and_forget:
                    self._log_failure(error, slot)
                else:
                    failures.append(error)
                continue
            if waiting is not None and fire_and_forget:
                self._leave_alone(waiting, slot)
            elif waiting is not None:
                under_way.append(waiting)
        if not fire_and_forget:
            await self._runtime.publisher.all_published(under_way, failures)

    def _publish(
        self,
        slot: Slot,
        message: object | None,
        identifier: str | None = None,
        answer_requested: bool | None = None,
        answer_within: float | None = None,
    ) -> Awaitable[None] | None:
        """Publish an input on a connection. Return an awaitable, or `None` if it is published already."""
        connection, topic = slot.view, slot.input_topic
        if topic is None or type(connection) is not Connection:
            return None
        slot.last_used = self._runtime.now()
        waiting = self._runtime.publisher.send(
            topic,
            message,
            connection.headers,
            identifier=identifier,
            answer_requested=answer_requested,
            answer_within=answer_within,
        )
        self._operation_statistics[slot.operation_name].executions += 1
        return waiting

    def _leave_alone(self, waiting: Awaitable[None], slot: Slot) -> None:
        """Publish something that nobody waits for."""
        name = f"execution of {self.identifier}"
        task = start_task(self._wait_or_log(waiting, slot), asyncio.get_running_loop(), name, outside())
        if not task.done():
            self._executions.add(task)
            task.add_done_callback(self._executions.discard)

    async def _wait_or_log(self, waiting: Awaitable[None], slot: Slot) -> None:
        try:
            await waiting
        except Exception as error:
            self._log_failure(error, slot)

    def _log_failure(self, error: Exception, slot: Slot) -> None:
        _logger.error(
            "an execution of operation %s by %s failed, and nobody waits for it",
            slot.operation_name,
            self.identifier,
            exc_info=error,
            extra={"orbiter": self.identifier, **fields_of(slot)},
        )

    def _cancel_executions(self) -> None:
        """Cancel the publications that nobody waits for."""
        for task in self._executions:
            task.cancel()

    async def _end_executions(self) -> None:
        """Wait until the cancelled publications have ended."""
        if self._executions:
            await asyncio.wait(self._executions)


_random = random.random


def _as_values(data: object) -> Sequence[object]:
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return cast("Sequence[object]", data)
    return [data]


def _name_of(operation: AnyOperation) -> str:
    if isinstance(operation, str):
        return operation
    if is_typed_operation(operation):
        return operation.name
    raise no_operation(operation)


def _message_of(operation: AnyOperation, value: object) -> object | None:
    """Return the message to be sent for a value."""
    return operation.message(value) if is_typed_operation(operation) else wrap(value)


def _namesake(slots: Sequence[Slot], message: object | None) -> str:
    """Return how the schema of a message differs from one of the same name that is accepted, if there is one."""
    if message is None:
        return ""
    mine = schema_of(type(message))
    accepted = {schema for slot in slots for schema in slot.input.schemas if name_of(schema) == name_of(mine)}
    differences = schema_differences([mine], sorted(accepted))
    if not differences:
        return ""
    name = name_of(mine)
    return (
        f". The {name} that is given here has another schema than the {name} that is accepted there: "
        f"{'; '.join(differences)}. Is its class defined twice?"
    )


def _accepts(slot: Slot, message: object | None) -> bool:
    """Return whether a message can be sent as an input of a connection."""
    return slot.input_topic is not None and slot.input.accepts_payload(message)
