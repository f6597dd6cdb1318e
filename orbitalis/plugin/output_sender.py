"""How a plugin publishes one output on several connections."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

from orbitalis.message.payload import kind_of
from orbitalis.message.schema import Output
from orbitalis.operations.answer import Answer
from orbitalis.operations.connection import Connection
from orbitalis.orbiter.runtime import Runtime
from orbitalis.protocol.machine import Machine

__all__ = ["OutputSender"]


class OutputSender:
    """Publishes the outputs of one plugin that are for several connections at a time."""

    __slots__ = ("_identifier", "_machine", "_runtime")

    def __init__(self, identifier: str, machine: Machine, runtime: Runtime) -> None:
        """Publish for the plugin with this identifier."""
        self._identifier = identifier
        self._machine = machine
        self._runtime = runtime

    def has_takers(self, operation_name: str) -> bool:
        """Return whether there is a core that takes outputs of an operation."""
        return bool(self._takers(operation_name, None))

    async def send(self, operation_name: str, message: object | None, core_identifier: str | None = None) -> int:
        """Publish an output to the cores that take those of an operation; return how many that are.

        It answers no input, and is a use of each connection.

        Raises:
            TypeError: A connection was made when the operation was declared to send something else.
            BusError: It could not be published to one of them.
        """
        takers = self._takers(operation_name, core_identifier)
        for connection in takers:
            connection.touch()
        tracing = self._runtime.tracing
        if tracing is None or not takers:
            await self.publish(takers, message, may_answer=False)
        else:
            work = partial(self.publish, takers, message, may_answer=False)
            await tracing.send(operation_name, [connection.slot for connection in takers], work)
        return len(takers)

    async def publish(self, connections: Sequence[Connection], message: object | None, *, may_answer: bool) -> None:
        """Publish an output to those of the connections that take one, and have not been closed meanwhile.

        With `may_answer`, it is the answer that the caller owes on one of them. One on which it cannot be published, or
        takes long, keeps back none of the others.

        Raises:
            TypeError: It is not what the operation of one of them is declared to send.
            BusError: It could not be published to one of them.
        """
        for one in connections:
            if one.has_output:
                self.check(one.operation_name, one.output, message)
        under_way: list[Awaitable[None]] = []
        failures: list[Exception] = []
        for one in connections:
            topic = one.output_topic
            if topic is not None and one.can_answer:
                answer = Answer.owed_by(topic, one.connection_identifier) if may_answer else None
                try:
                    waiting = self._runtime.publisher.start_output(topic, message, one.headers, answer)
                except Exception as error:
                    failures.append(error)
                else:
                    if waiting is not None:
                        under_way.append(waiting)
        await self._runtime.publisher.all_published(under_way, failures)

    def check(self, operation_name: str, declared: Output[Any], message: object | None) -> None:
        """Raise :class:`TypeError` for a message that an operation is not declared to send."""
        # Every operation may send an empty event as an answer, which says that there is no result.
        if message is not None and not declared.accepts_payload(message):
            raise TypeError(
                f"operation '{operation_name}' of '{self._identifier}' is declared to send {declared}, not "
                f"{kind_of(message)}"
            )

    def _takers(self, operation_name: str, core_identifier: str | None) -> list[Connection]:
        return [
            slot.view
            for slot in self._machine.slots.answerable_of_operation(operation_name)
            if slot.output_topic is not None
            and isinstance(slot.view, Connection)
            and core_identifier in (None, slot.remote_identifier)
        ]
