"""How a core asks for an answer: :meth:`OperationRequester.request` and what ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, overload

from orbitalis.core.execution import AnyOperation, OperationExecutor, accepts, choose, named
from orbitalis.errors import (
    AnswersNotSupportedError,
    BusError,
    ConnectionClosedError,
    NoConnectionError,
    OperationFailedError,
    RemoteLostError,
    RequestError,
    RequestTimeoutError,
    UnexpectedAnswerError,
)
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable, kind_of, wrap
from orbitalis.orbiter.carrier import Carrier
from orbitalis.orbiter.typed_operation import TypedOperation, is_typed_operation
from orbitalis.protocol.awaited_answers import AwaitedAnswer, AwaitedAnswers
from orbitalis.protocol.core import CoreProtocol
from orbitalis.protocol.effects import CloseReason
from orbitalis.protocol.slot import Slot
from orbitalis_wire import timings
from orbitalis_wire.messages import OperationErrorMessage

__all__ = ["OperationRequester"]

I = TypeVar("I", bound=Publishable)  # noqa: E741 - input, as in TypedOperation
R = TypeVar("R")

_Outcome: TypeAlias = Event[Any] | RequestError
_Awaited: TypeAlias = AwaitedAnswer[asyncio.Future[_Outcome]]

_logger = FieldLogger(logging.getLogger(__name__))

_LOST: Final = (CloseReason.REMOTE_DEAD, CloseReason.REMOTE_RESTARTED)


class OperationRequester(OperationExecutor):
    """Something that sends inputs to the plugins it is connected with, and waits for their answers.

    An answer is an output with the header `correlation_identifier`. It reaches the request that waits for it ahead of
    all outputs that wait for a sink, so that a sink may request, and never reaches a sink.
    """

    _machine: CoreProtocol
    _carrier: Carrier

    def __init__(self) -> None:
        super().__init__()
        self._awaited: AwaitedAnswers[asyncio.Future[_Outcome]] = AwaitedAnswers()
        self.dropped_answers = 0
        """How many answers came for which nobody waited any more: late ones and duplicates."""

    @overload
    async def request(
        self,
        operation_name: TypedOperation[Any, None, R],
        data: None = None,
        /,
        *,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> R: ...
    @overload
    async def request(
        self,
        operation_name: TypedOperation[Any, I, R],
        data: I,
        /,
        *,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> R: ...
    @overload
    async def request(
        self,
        operation_name: str,
        data: Publishable = None,
        /,
        *,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> object | None: ...
    @overload
    async def request(
        self,
        operation_name: str,
        data: Publishable = None,
        /,
        *,
        result_type: type[R],
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> R: ...
    async def request(
        self,
        operation_name: AnyOperation,
        data: Publishable = None,
        /,
        *,
        result_type: type[object] = object,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> object | None:
        """Execute an operation at one plugin, and return what it answers with (`None`: an empty event).

        The operation is given as `TextPlugin.lowercase`, which gives the result that its method returns, or by its
        name, which gives a message.
        `plugin_identifier` names the plugin; by default one is chosen at random. `timeout` is in seconds, and `None`
        waits without limit. `result_type` is the class of which the answer has to be.

        Raises:
            NoConnectionError: No connection comes into question: the input does not fit, or there is no output.
            AnswersNotSupportedError: Those that do are with peers that cannot say what an output answers.
            OperationFailedError: The plugin's handler raised.
            UnexpectedAnswerError: The answer is no result of the operation, or not of class `result_type`.
            RequestTimeoutError: There was no answer in time.
            RemoteLostError: The plugin is dead or has started anew.
            ConnectionClosedError: The connection was closed, by either side.
            OrbiterStateError: Too many requests wait for an answer.
            ValueError: The timeout is negative.
            TypeError: `data` is no message, or not one that the given operation takes.
            BusError: The input could not be published.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must not be negative, got {timeout}")
        name, (message,) = named(operation_name, [data])
        slot, topic = self._choose_for_answer(name, message, plugin_identifier)
        stamp = self._connection(slot).stamp
        event = self.eventbus_client.event_for(topic, message, answer_requested=True, stamp=stamp)
        outcome = await self._ask(slot, topic, event, timeout)
        if isinstance(outcome, RequestError):
            raise outcome
        result: object = outcome.payload
        if is_typed_operation(operation_name):
            try:
                return operation_name.result(result)
            except TypeError as error:
                raise UnexpectedAnswerError(*slot.key, f"answered with {kind_of(result)}: {error}") from None
        if not isinstance(result, result_type):
            raise UnexpectedAnswerError(
                *slot.key, f"answered with {kind_of(result)}, expected a {result_type.__name__}"
            )
        return result

    # Sending

    def _choose_for_answer(
        self, operation_name: str, data: Publishable, plugin_identifier: str | None
    ) -> tuple[Slot, str]:
        """Return the connection to use, with its input topic."""
        whose = "" if plugin_identifier is None else f" with plugin '{plugin_identifier}'"
        slots: Sequence[Slot]
        if plugin_identifier is None:
            slots = self._open_slots(operation_name)
        else:
            slot = self._open_slot(operation_name, plugin_identifier)
            slots = [] if slot is None else [slot]
        payload = wrap(data)
        chosen = choose(
            slots, lambda slot: accepts(slot, payload) and slot.output_topic is not None and self._can_answer(slot)
        )
        if chosen is None or chosen.input_topic is None:
            self._fail_to_choose(self._accepting(operation_name, slots, data, whose), whose)
        return chosen, chosen.input_topic

    def _fail_to_choose(self, accepting: Sequence[Slot], whose: str) -> NoReturn:
        """Say why no connection that accepts the input can be used."""
        with_output = [slot for slot in accepting if slot.output_topic is not None]
        if not with_output:
            raise NoConnectionError(
                f"'{self.identifier}' has no connection for operation '{accepting[0].operation_name}'{whose} that has "
                "an output, so there cannot be an answer: use execute(), or require an output"
            )
        raise AnswersNotSupportedError(
            *with_output[0].key,
            "answers need the headers of the envelope, and this peer sends none: use execute(), and a sink",
        )

    def _can_answer(self, slot: Slot) -> bool:
        remote = self._machine.acquaintances.get(slot.remote_identifier)
        return remote is not None and remote.sends_headers

    async def _ask(self, slot: Slot, topic: str, event: Event[Any], timeout: float | None) -> _Outcome:
        waiter: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        awaited = self._awaited.add(event.identifier, slot, waiter)
        connection = self._connection(slot)
        connection.touch()
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                try:
                    await self._let_executions_begin()
                    await self.eventbus_client.publish(topic, event, stamp=connection.stamp)
                except BusError:
                    if not waiter.done():
                        raise
                return await waiter
        except TimeoutError:
            if not limit.expired():
                raise
            if waiter.done() and not waiter.cancelled():
                return waiter.result()
            return self._timed_out(awaited, timeout)
        finally:
            self._awaited.remove(awaited)
            self._machine.touch(slot, asyncio.get_running_loop().time())

    def _timed_out(self, awaited: _Awaited, timeout: float | None) -> RequestTimeoutError:
        reason = f"no answer within {timeout} s"
        others = self._awaited.others_since(awaited)
        if others:
            reason += (
                f"; meanwhile {others} outputs came that answer nothing: a plugin that answers puts the identifier of "
                "the input's event into the header correlation_identifier"
            )
        return RequestTimeoutError(*awaited.slot.key, reason)

    # What ends a request

    def _on_data_arrival(self, topic: str, event: Event[Any]) -> bool:
        """Take an output that is an answer."""
        identifier = event.envelope.correlation_identifier
        if identifier is None:
            if self._awaited:
                for slot in self._carrier.data.slots_of(topic, event):
                    self._awaited.note_other(slot)
            return False
        slots = self._carrier.data.slots_of(topic, event)
        awaited = self._awaited.find(identifier, slots)
        if awaited is not None:
            slots = [awaited.slot]
        now = asyncio.get_running_loop().time()
        is_genuine = any(self._machine.data_received(slot, event.envelope, now) for slot in slots)
        if awaited is None or not is_genuine:
            self.dropped_answers += 1
            _logger.debug(
                "%s drops an answer on topic %r for which nobody waits",
                self.identifier,
                topic,
                extra={"orbiter": self.identifier, "topic": topic, "event": event.identifier},
            )
        else:
            self._end(awaited, _outcome(awaited.slot, event))
        return True

    def _is_awaiting(self, slot: Slot) -> bool:
        return self._awaited.are_on(slot)

    def _on_disconnected(self, slot: Slot, reason: CloseReason) -> None:
        """End the requests on a connection that is no more."""
        error_class = RemoteLostError if reason in _LOST else ConnectionClosedError
        for awaited in self._awaited.remove_all(slot):
            self._end(awaited, error_class(*slot.key, f"no answer before the connection ended: {reason}"))

    def _end(self, awaited: _Awaited, outcome: _Outcome) -> None:
        self._awaited.remove(awaited)
        if not awaited.waiter.done():  # it may have been cancelled a moment ago
            awaited.waiter.set_result(outcome)


def _outcome(slot: Slot, event: Event[Any]) -> _Outcome:
    payload: object = event.payload
    if isinstance(payload, OperationErrorMessage):
        return OperationFailedError(*slot.key, payload.error_type, payload.error_message)
    # An empty event says that there is no result, whatever the operation gives else.
    if payload is not None and not slot.output.accepts_payload(payload):
        return UnexpectedAnswerError(
            *slot.key, f"answered with {kind_of(payload)}, which is no output of the operation"
        )
    return event
