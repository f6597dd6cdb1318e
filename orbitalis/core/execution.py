"""How a core executes operations: the modes of :meth:`OperationExecutor.execute` and their direct forms."""

from __future__ import annotations

import asyncio
import builtins
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast, overload

from orbitalis.bus.client import EventBusClient
from orbitalis.core.requirement import OperationRequirement
from orbitalis.errors import NoConnectionError
from orbitalis.log import FieldLogger
from orbitalis.message.payload import Publishable, kind_of, wrap
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.typed_operation import TypedOperation, is_typed_operation
from orbitalis.protocol.slot import Slot
from orbitalis_wire import channels

__all__ = ["AnyOperation", "OperationExecutor", "accepts", "choose", "named"]

I = TypeVar("I", bound=Publishable)  # noqa: E741 - as Input

AnyOperation: TypeAlias = str | TypedOperation[Any, Any, Any]
"""The name of an operation, or the operation of a plugin class, against which type checkers hold what is sent."""

_logger = FieldLogger(logging.getLogger(__name__))

_GUESSES = 8
"""How many connections are tried by chance before all are looked at."""


class OperationExecutor(ABC):
    """Something that sends inputs to the plugins it is connected with.

    Which connections come into question: the open ones of the operation whose input accepts what is sent. An execution
    ends when the inputs are published, not when the plugins are done with them. With `fire_and_forget` it ends at
    once, and failures to publish are logged. Inputs go out in the order of the calls.
    """

    identifier: str
    eventbus_client: EventBusClient
    operation_requirements: dict[str, OperationRequirement]

    def __init__(self) -> None:
        self._executions: set[asyncio.Task[None]] = set()

    @abstractmethod
    def _open_slots(self, operation_name: str) -> Sequence[Slot]:
        """Return the open connections of an operation, without looking at each."""

    @abstractmethod
    def _open_slot(self, operation_name: str, plugin_identifier: str) -> Slot | None:
        """Return the open connection of an operation with one plugin."""

    @abstractmethod
    def _connection(self, slot: Slot) -> Connection:
        """Return what users see of an open connection."""

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
        operation_name: TypedOperation[Any, I, Any],
        data: I,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
    ) -> list[str]: ...
    @overload
    async def execute(
        self,
        operation_name: TypedOperation[Any, I, Any],
        data: list[I] | tuple[I, ...],
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
        operation_name: str,
        data: Publishable | Sequence[Publishable] = None,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
        distribute: bool = False,
    ) -> list[str]: ...
    async def execute(
        self,
        operation_name: AnyOperation,
        data: Publishable | Sequence[Publishable] = None,
        fire_and_forget: bool = False,
        *,
        any: bool = False,
        all: bool = False,
        plugin_identifier: str | None = None,
        distribute: bool = False,
    ) -> list[str]:
        """Execute an operation in one of four modes; return the identifiers of the plugins that were sent something.

        The operation is given by its name, or as `TextPlugin.lowercase`: then type checkers hold `data` against it.

        - `any`: send the message to one plugin, chosen at random;
        - `all`: send it to every plugin;
        - `plugin_identifier`: send it to that plugin;
        - `distribute`: send the messages of a list each to one plugin, to all of them equally often.

        In every mode `data` is one message or a list of them, each of which is sent as the mode says; nothing is sent
        if there is one that nobody accepts. `any` and `distribute` return an identifier for each message, in their
        order, the others one for each plugin.

        Raises:
            ValueError: Not exactly one mode is given.
            NoConnectionError: No connection comes into question.
            TypeError: `data` is no message, or not one that the given operation takes.
            BusError: It could not be published.
        """
        if builtins.sum((any, all, distribute, plugin_identifier is not None)) != 1:
            raise ValueError("give exactly one mode: any=True, all=True, distribute=True or plugin_identifier='...'")
        name, messages = named(operation_name, _as_messages(data))
        if distribute:
            return await self.execute_distributed(name, messages, fire_and_forget)
        inputs: list[tuple[Slot, Publishable]] = []
        for message in messages:
            if all:
                chosen = self._accepting(name, self._open_slots(name), message)
            elif plugin_identifier is not None:
                chosen = [self._slot_of(name, plugin_identifier, message)]
            else:
                chosen = [self._any_slot(name, message)]
            inputs += [(slot, message) for slot in chosen]
        await self._send(inputs, fire_and_forget)
        identifiers = [slot.remote_identifier for slot, _ in inputs]
        return identifiers if any else list(dict.fromkeys(identifiers))

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
        operation_name: TypedOperation[Any, I, Any],
        plugin_identifier: str,
        data: I,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_using_plugin(
        self,
        operation_name: str,
        plugin_identifier: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    async def execute_using_plugin(
        self,
        operation_name: AnyOperation,
        plugin_identifier: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> str:
        """Send `data` to one plugin, and return its identifier; see :meth:`execute`."""
        name, (message,) = named(operation_name, [data])
        await self._send([(self._slot_of(name, plugin_identifier, message), message)], fire_and_forget)
        return plugin_identifier

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
        operation_name: TypedOperation[Any, I, Any],
        data: I,
        fire_and_forget: bool = False,
    ) -> str: ...
    @overload
    async def execute_sending_any(
        self,
        operation_name: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> str: ...
    async def execute_sending_any(
        self, operation_name: AnyOperation, data: Publishable = None, fire_and_forget: bool = False
    ) -> str:
        """Send `data` to one plugin chosen at random, and return its identifier; see :meth:`execute`."""
        name, (message,) = named(operation_name, [data])
        chosen = self._any_slot(name, message)
        await self._send([(chosen, message)], fire_and_forget)
        return chosen.remote_identifier

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
        operation_name: TypedOperation[Any, I, Any],
        data: I,
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute_sending_all(
        self,
        operation_name: str,
        data: Publishable = None,
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    async def execute_sending_all(
        self, operation_name: AnyOperation, data: Publishable = None, fire_and_forget: bool = False
    ) -> list[str]:
        """Send `data` to every plugin, and return their identifiers; see :meth:`execute`."""
        name, (message,) = named(operation_name, [data])
        chosen = self._accepting(name, self._open_slots(name), message)
        await self._send([(slot, message) for slot in chosen], fire_and_forget)
        return [slot.remote_identifier for slot in chosen]

    @overload
    async def execute_distributed(
        self,
        operation_name: TypedOperation[Any, I, Any],
        data: list[I] | tuple[I, ...],
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    @overload
    async def execute_distributed(
        self,
        operation_name: str,
        data: Sequence[Publishable],
        fire_and_forget: bool = False,
    ) -> list[str]: ...
    async def execute_distributed(
        self, operation_name: AnyOperation, data: Sequence[Publishable], fire_and_forget: bool = False
    ) -> list[str]:
        """Send each message to one plugin, to all of them equally often; see :meth:`execute`.

        Returns the identifiers of the plugins in the order of the messages. Nothing is sent if there is a message
        that no plugin accepts.
        """
        name, messages = named(operation_name, data)
        slots = list(self._open_slots(name))
        if not slots:
            raise self._no_connection(name)
        random.shuffle(slots)
        load = dict.fromkeys(slots, 0)
        inputs: list[tuple[Slot, Publishable]] = []
        for message in messages:
            chosen = min(self._accepting(name, slots, message), key=load.__getitem__)
            load[chosen] += 1
            inputs.append((chosen, message))
        await self._send(inputs, fire_and_forget)
        return [slot.remote_identifier for slot, _ in inputs]

    async def sudo_execute(self, topic: str, data: Publishable = None) -> None:
        """Publish an input to a topic, whether there is a connection or not.

        Raises:
            BusError: It could not be published.
        """
        await self.eventbus_client.publish(topic, data, channel=channels.OPERATION_INPUT)

    def _slot_of(self, operation_name: str, plugin_identifier: str, data: Publishable) -> Slot:
        slot = self._open_slot(operation_name, plugin_identifier)
        slots = [] if slot is None else [slot]
        return self._accepting(operation_name, slots, data, f" with plugin '{plugin_identifier}'")[0]

    def _any_slot(self, operation_name: str, data: Publishable) -> Slot:
        slots, payload = self._open_slots(operation_name), wrap(data)
        chosen = choose(slots, lambda slot: accepts(slot, payload))
        return self._accepting(operation_name, slots, data)[0] if chosen is None else chosen

    def _accepting(
        self, operation_name: str, slots: Sequence[Slot], data: Publishable, whose: str = ""
    ) -> Sequence[Slot]:
        payload = wrap(data)
        accepting = [slot for slot in slots if accepts(slot, payload)]
        if accepting:
            return accepting
        if not slots:
            raise self._no_connection(operation_name, whose)
        raise NoConnectionError(
            f"'{self.identifier}' has {len(slots)} connections for operation '{operation_name}'{whose}, but none "
            f"whose input accepts {kind_of(payload)}; accepted are "
            f"{' or '.join(sorted({str(slot.input) for slot in slots}))}"
        )

    def _no_connection(self, operation_name: str, whose: str = "") -> NoConnectionError:
        if operation_name not in self.operation_requirements:
            known = ", ".join(f"'{name}'" for name in self.operation_requirements) or "none"
            advice = f"it does not require that operation, and so asks nobody for it; it requires {known}"
        else:
            advice = "wait until one has been added, or handle that there is none"
        return NoConnectionError(
            f"'{self.identifier}' has no connection for operation '{operation_name}'{whose}: {advice}"
        )

    async def _send(self, inputs: Sequence[tuple[Slot, Publishable]], fire_and_forget: bool) -> None:
        connected = [(self._connection(slot), data) for slot, data in inputs]
        for connection, _ in connected:
            connection.touch()
        if not fire_and_forget:
            await asyncio.gather(*(self._publish(connection, data) for connection, data in connected))
            return
        # Each in a task that is made now, as those of `gather` are: tasks begin in the order in which they are made.
        for connection, data in connected:
            task = asyncio.create_task(self._publish_or_log(connection, data), name=f"execution of {self.identifier}")
            self._executions.add(task)
            task.add_done_callback(self._executions.discard)

    async def _let_executions_begin(self) -> None:
        """Let what is published that nobody waits for go first."""
        if self._executions:
            await asyncio.sleep(0)

    async def _publish(self, connection: Connection, data: Publishable) -> None:
        if connection.input_topic is not None:
            await self.eventbus_client.publish(connection.input_topic, data, stamp=connection.stamp)

    async def _publish_or_log(self, connection: Connection, data: Publishable) -> None:
        try:
            await self._publish(connection, data)
        except Exception:
            _logger.exception(
                "an execution of %s failed, which nobody waits for",
                self.identifier,
                extra={"orbiter": self.identifier},
            )

    def _cancel_executions(self) -> None:
        """Publish nothing more that nobody waits for."""
        for task in self._executions:
            task.cancel()

    async def _end_executions(self) -> None:
        """Wait for what was cancelled."""
        if self._executions:
            await asyncio.wait(self._executions)


def _as_messages(data: Publishable | Sequence[Publishable]) -> Sequence[Publishable]:
    return data if isinstance(data, Sequence) and not isinstance(data, str | bytes) else [data]


def named(operation: AnyOperation, data: Sequence[Publishable]) -> tuple[str, Sequence[Publishable]]:
    """Return the name of an operation, and the messages to be sent for values."""
    if isinstance(operation, str):
        return operation, data
    if is_typed_operation(operation):
        return operation.name, [cast(Publishable, operation.message(value)) for value in data]
    raise TypeError(f"expected the name of an operation, or an operation of a plugin class, got {operation!r}")


def choose(slots: Sequence[Slot], suits: Callable[[Slot], bool]) -> Slot | None:
    """Return a connection that suits, chosen at random; if many do, only some are looked at."""
    for _ in range(min(len(slots), _GUESSES)):
        if suits(chosen := random.choice(slots)):
            return chosen
    suiting = [slot for slot in slots if suits(slot)]
    return random.choice(suiting) if suiting else None


def accepts(slot: Slot, payload: object | None) -> bool:
    """Return whether a payload can be sent as an input of a connection."""
    return slot.input_topic is not None and slot.input.accepts_payload(payload)
