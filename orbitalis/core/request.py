"""How a core asks for an answer: :meth:`OperationRequester.request`, and the ways in which it ends."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, overload

from orbitalis.arguments import check_seconds, check_text
from orbitalis.core.awaited_answers import AwaitedAnswer, AwaitedAnswers
from orbitalis.core.execution import AnyInput, AnyOperation, InputOf, InputOfOperation, OperationExecutor
from orbitalis.errors import (
    AnswersNotSupportedError,
    BusError,
    ConnectionClosedError,
    NoConnectionError,
    OperationFailedError,
    OverloadedError,
    RemoteLostError,
    RequestError,
    RequestTimeoutError,
    UnexpectedAnswerError,
)
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event, new_identifier
from orbitalis.message.payload import Publishable, kind_of, with_article, wrap
from orbitalis.operations.answer import OVERLOADED
from orbitalis.operations.connection import Connection, fields_of
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation, no_operation
from orbitalis.orbiter.asides import Asides
from orbitalis.protocol.effects import CloseReason
from orbitalis.protocol.headers import SINCE_1_1
from orbitalis.protocol.slots import Slot
from orbitalis_avro.errors import DecodeError
from orbitalis_wire import timings
from orbitalis_wire.messages import CancelInputMessage, OperationErrorMessage

__all__ = ["OperationRequester"]

ResultOfOperation = TypeVar("ResultOfOperation")

_Outcome: TypeAlias = Event[Any] | RequestError
_Awaited: TypeAlias = AwaitedAnswer[asyncio.Future[_Outcome]]

_logger = FieldLogger(logging.getLogger(__name__))

_LOST: Final = (CloseReason.REMOTE_DEAD, CloseReason.REMOTE_RESTARTED)
_NUMBERS: Final = (float, int)
_GUESSES: Final = 8
"""How many connections are tried at random before all are looked at."""


class OperationRequester(OperationExecutor):
    """The part of a core that sends inputs to plugins and waits for their answers.

    An answer is an output with the header `correlation_identifier`. It goes to the request that waits for it, and never
    to a sink. It does not queue behind outputs that wait for a sink, so a sink may call `request`.
    """

    _awaited: AwaitedAnswers[asyncio.Future[_Outcome]]
    _asides: Asides
    _alarm: asyncio.TimerHandle | None
    """Fires when the next request times out."""
    dropped_answers: int
    """Number of answers for which nobody waited any more: late ones and duplicates."""

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
        result_type: type[ResultOfOperation],
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> ResultOfOperation: ...
    @overload
    async def request(
        self,
        operation_name: TypedOperation[Any, None, ResultOfOperation],
        data: None = None,
        /,
        *,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> ResultOfOperation: ...
    @overload
    async def request(
        self,
        operation_name: TypedOperation[Any, InputOfOperation, ResultOfOperation],
        data: InputOf[InputOfOperation],
        /,
        *,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> ResultOfOperation: ...
    async def request(
        self,
        operation_name: AnyOperation,
        data: AnyInput = None,
        /,
        *,
        result_type: type[object] = object,
        plugin_identifier: str | None = None,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> object | None:
        """Execute an operation at one plugin, and return its answer. An empty event is returned as `None`.

        If the operation is given as `TextPlugin.lowercase`, the result is the one that its method returns. If it is
        given by name, the result is a message.
        `plugin_identifier` names the plugin. By default, a plugin is chosen at random. `timeout` is in seconds, and
        `None` waits without limit. `result_type` is the class that the answer must have.

        Raises:
            NoConnectionError: There is no suitable connection: no input fits, or there is no output.
            AnswersNotSupportedError: All suitable connections are with peers that cannot mark an output as an answer.
            OverloadedError: The plugin has dropped the input, because too many inputs wait there.
            OperationFailedError: The plugin's handler raised.
            UnexpectedAnswerError: The answer is not a result of the operation, or not of class `result_type`.
            RequestTimeoutError: There was no answer in time.
            RemoteLostError: The plugin is dead or was restarted.
            ConnectionClosedError: Either side has closed the connection.
            OrbiterStateError: Too many requests wait for an answer.
            ValueError: The timeout is negative.
            TypeError: `data` is not a message, the operation does not take it, or another argument has the wrong
                type.
            BusError: The input could not be published.
        """
        if timeout is not None and not (type(timeout) in _NUMBERS and timeout >= 0):
            check_seconds("timeout", timeout)
        if isinstance(operation_name, str):
            name, message = operation_name, wrap(data)
        elif is_typed_operation(operation_name):
            name, message = operation_name.name, operation_name.message(data)
        else:
            raise no_operation(operation_name)
        slot = self._choose_for_answer(name, message, plugin_identifier)
        tracing = self._runtime.tracing
        if tracing is None:
            return await self._ask(operation_name, slot, message, result_type, timeout)
        return await tracing.request(slot, partial(self._ask, operation_name, slot, message, result_type, timeout))

    # Choosing

    def _choose_for_answer(self, operation_name: str, message: object | None, plugin_identifier: str | None) -> Slot:
        """Return a random suitable connection, as for `any`. If there are many, it looks only at some of them."""
        slots: Sequence[Slot]
        if plugin_identifier is None:
            slots = self._machine.slots.open_of_operation(operation_name)
        else:
            if type(plugin_identifier) is not str:
                check_text("plugin_identifier", plugin_identifier)
            named = self._open_slot(operation_name, plugin_identifier)
            slots = () if named is None else (named,)
        count = len(slots)
        suspected = self._machine.peers.suspected
        for _ in range(_GUESSES if count else 0):
            slot = slots[int(_random() * count)]
            if suspected and slot.remote_identifier in suspected:
                continue
            if self._can_answer(slot) and slot.input.accepts_payload(message):
                return slot
        accepting = self._accepting(operation_name, slots, message, plugin_identifier)
        suiting = [slot for slot in accepting if self._can_answer(slot)]
        if not suiting:
            self._fail_to_choose(accepting, plugin_identifier)
        return self._one_of(suiting)

    def _fail_to_choose(self, accepting: Sequence[Slot], plugin_identifier: str | None) -> NoReturn:
        """Raise an error that says why no connection can be used."""
        with_output = [slot for slot in accepting if slot.output_topic is not None]
        if not with_output:
            whose = "" if plugin_identifier is None else f" with plugin '{plugin_identifier}'"
            name = accepting[0].operation_name
            text = (
                f"'{self.identifier}' has no connection for operation '{name}'{whose} that has an output, so there "
                "cannot be an answer: use execute(), or require an output"
            )
            raise self._unsent(name, NoConnectionError(text))
        slot = with_output[0]
        text = "answers need the headers of the envelope, and this peer sends none: use execute(), and a sink"
        raise self._unsent(slot.operation_name, AnswersNotSupportedError(*slot.key, text))

    def _can_answer(self, slot: Slot) -> bool:
        if slot.input_topic is None or slot.output_topic is None:
            return False
        peer = self._machine.peers.get(slot.remote_identifier)
        return peer is not None and peer.incarnation is not None

    # Waiting

    async def _ask(
        self,
        operation: AnyOperation,
        slot: Slot,
        message: object | None,
        result_type: type[object],
        timeout: float | None,
    ) -> object | None:
        """Send an input, and return the result in its answer, or raise the error in it."""
        loop = asyncio.get_running_loop()
        if loop is not self._home.loop:
            self._home.check()
        waiter: asyncio.Future[_Outcome] = loop.create_future()
        identifier = new_identifier()
        awaited = self._awaited.add(identifier, slot, waiter, timeout)
        # Without a limit there is nothing to say; with a limit of zero, the input is to be handled all the same.
        within = float(timeout) if timeout and timeout < math.inf else None
        has_left = False
        try:
            if timeout is not None:
                self._expire_at(awaited, loop.time() + timeout)
            waiting = self._publish(slot, message, identifier, True, within)
            has_left = True
            if waiting is not None:
                await self._wait_for_bus(waiting, awaited)
            outcome = await waiter
        finally:
            if awaited.is_awaited:  # it was cancelled, or could not be published
                self._awaited.remove(awaited)
                self._machine.touch(slot, loop.time())
                if has_left:
                    self._take_back(slot, identifier)
        if isinstance(outcome, RequestError):
            raise outcome
        result: object = outcome.payload
        if not isinstance(operation, str):
            try:
                return operation.result(result)
            except TypeError as error:
                raise UnexpectedAnswerError(*slot.key, f"answered with {kind_of(result)}: {error}") from None
        if not isinstance(result, result_type):
            raise UnexpectedAnswerError(
                *slot.key, f"answered with {kind_of(result)}, expected {with_article(result_type.__name__)}"
            )
        return result

    def _take_back(self, slot: Slot, identifier: str) -> None:
        """Tell the plugin that nobody waits for the answer any more. A timeout it notices by itself."""
        connection = slot.view
        # Peers of version 1.1 write and read this envelope; others do not know the message.
        if isinstance(connection, Connection) and connection.headers.encoding in SINCE_1_1:
            self._asides.tell(connection, CancelInputMessage(input_identifier=identifier))

    async def _wait_for_bus(self, waiting: Awaitable[None], awaited: _Awaited) -> None:
        """Wait until an input is published, for as long as its answer is awaited."""
        limit = asyncio.timeout(awaited.timeout)
        try:
            async with limit:
                await waiting
        except BusError:
            if not awaited.waiter.done():
                raise
        except TimeoutError:
            if not limit.expired():
                raise
            self._time_out(awaited)

    def _expire_at(self, awaited: _Awaited, at: float) -> None:
        """Let a request time out at a given time, if it still waits then."""
        self._awaited.deadlines.set(awaited, at)
        alarm = self._alarm
        if alarm is None or alarm.when() > at:
            if alarm is not None:
                alarm.cancel()
            self._alarm = asyncio.get_running_loop().call_at(at, self._end_expired)

    def _end_expired(self) -> None:
        self._alarm = None
        loop = asyncio.get_running_loop()
        for awaited in self._awaited.deadlines.pop_due(loop.time()):
            self._time_out(awaited)
        at = self._awaited.deadlines.next()
        if at is not None:
            self._alarm = loop.call_at(at, self._end_expired)

    def _time_out(self, awaited: _Awaited) -> None:
        reason = f"no answer within {awaited.timeout} s"
        others = self._awaited.others_since(awaited)
        if others:
            reason += (
                f"; meanwhile {others} outputs came that answer nothing: a plugin that answers puts the identifier of "
                "the input's event into the header correlation_identifier"
            )
        # Until now the connection was in use.
        self._machine.touch(awaited.slot, self._runtime.now())
        self._end(awaited, RequestTimeoutError(*awaited.slot.key, reason))

    def _silence_requests(self) -> None:
        """Cancel the timer, because all requests have ended."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _let_go_of_requests(self) -> None:
        """Drop the requests of a closed event loop. No caller can be told there."""
        self._awaited = AwaitedAnswers()
        self._alarm = None

    # What ends a request

    def _take_answer(self, topic: str, event: Event[Any], slots: Sequence[Slot]) -> bool:
        """Return whether an output is an answer, and handle it if so."""
        identifier = event.correlation_identifier
        if identifier is None:
            if self._awaited:
                for slot in slots:
                    self._awaited.note_other(slot)
            return False
        awaited = self._awaited.find(identifier, slots)
        if awaited is not None:
            slots = [awaited.slot]
        now = self._runtime.now()
        is_genuine = False
        for slot in slots:
            is_genuine = self._machine.data_received(slot, event, now) or is_genuine
        if awaited is None or not is_genuine:
            self.dropped_answers += 1
            _logger.debug(
                "%s drops an answer on topic %r for which nobody waits",
                self.identifier,
                topic,
                extra={
                    "orbiter": self.identifier,
                    **(fields_of(slots[0]) if slots else {}),
                    "topic": topic,
                    "event": event.identifier,
                },
            )
        else:
            outcome = self._outcome(awaited.slot, event)
            statistics = self._operation_statistics[awaited.slot.operation_name]
            statistics.answers += 1
            if type(outcome) is OperationFailedError or type(outcome) is OverloadedError:
                statistics.note_failure(outcome.error_type, outcome.error_message)
            self._end(awaited, outcome)
        return True

    def _outcome(self, slot: Slot, event: Event[Any]) -> _Outcome:
        payload: object = event.payload
        if type(payload) is OperationErrorMessage:
            error_class = OverloadedError if payload.reason == OVERLOADED else OperationFailedError
            return error_class(*slot.key, payload.error_type, payload.error_message)
        # An empty event says that there is no result, whatever the operation gives else.
        if payload is None or slot.output.accepts_payload(payload):
            return event
        reason = "is no output of the operation"
        try:
            read = self._runtime.delivery.read(slot, event)
            if read is not None:
                return read
        except DecodeError as error:
            reason = f"the schema of this side cannot hold: {error}"
        return UnexpectedAnswerError(*slot.key, f"answered with {kind_of(payload)}, which {reason}")

    def _is_awaiting(self, slot: Slot) -> bool:
        return self._awaited.are_on(slot)

    def _on_disconnected(self, slot: Slot, reason: CloseReason) -> None:
        """End the requests on a connection that has ended."""
        error_class = RemoteLostError if reason in _LOST else ConnectionClosedError
        for awaited in self._awaited.remove_all(slot):
            self._end(awaited, error_class(*slot.key, f"no answer before the connection ended: {reason}"))

    def _end(self, awaited: _Awaited, outcome: _Outcome) -> None:
        self._awaited.remove(awaited)
        if not awaited.waiter.done():  # it may have been cancelled a moment ago
            awaited.waiter.set_result(outcome)


_random = random.random
