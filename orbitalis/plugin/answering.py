"""How a plugin answers the inputs that ask for it, and tells of those that it fails to handle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from orbitalis.errors import BusError, NobodyWaitsError
from orbitalis.log import FieldLogger
from orbitalis.operations.answer import Answer
from orbitalis.operations.connection import Connection, fields_of
from orbitalis.operations.operation_statistics import bounded, text_of
from orbitalis.orbiter.connection_publisher import ConnectionPublisher
from orbitalis.orbiter.peer_queues import is_being_cancelled
from orbitalis.plugin.asked_inputs import AskedInputs
from orbitalis_wire.messages import OperationErrorMessage

__all__ = ["answer_error", "answer_input"]

_logger = FieldLogger(logging.getLogger(__name__))


async def answer_input(
    work: Callable[[], Coroutine[Any, Any, object]],
    connection: Connection,
    answer: Answer,
    asked: AskedInputs,
    publisher: ConnectionPublisher,
) -> None:
    """Handle an input of a connection whose core waits for this answer; runs as a task.

    What is published first to the connection's output topic is the answer. What is raised before that is sent as one,
    and raised again. Where the core takes the input back meanwhile, no answer is sent.
    """
    answer.owe()
    try:
        await work()
    except NobodyWaitsError:
        asked.given_up(answer)
    except (Exception, asyncio.CancelledError) as error:
        # Cancelled from outside, the plugin stops, and its core is told so; else the failure is the handler's.
        if not (isinstance(error, asyncio.CancelledError) and is_being_cancelled()) and not answer.is_given:
            await _send_error(connection, answer, error, publisher)
        raise
    finally:
        asked.end(connection.slot, answer.correlation_identifier)


async def answer_error(
    error: BaseException, connection: Connection, answer: Answer, asked: AskedInputs, publisher: ConnectionPublisher
) -> None:
    """Answer an input of a connection, whose core waits for this answer, with an error."""
    try:
        await _send_error(connection, answer, error, publisher)
    finally:
        asked.end(connection.slot, answer.correlation_identifier)


async def _send_error(
    connection: Connection, answer: Answer, error: BaseException, publisher: ConnectionPublisher
) -> None:
    message = OperationErrorMessage(error_type=bounded(type(error).__name__), error_message=bounded(text_of(error)))
    try:
        waiting = publisher.start_output(answer.topic, message, connection.headers, answer)
        if waiting is not None:
            await waiting
    except BusError as failure:
        _logger.warning(
            "could not tell %s that operation %s failed: %s",
            connection.remote_identifier,
            connection.operation_name,
            failure,
            extra={
                "orbiter": publisher.orbiter,
                **fields_of(connection.slot),
                "topic": answer.topic,
                "event": answer.correlation_identifier,
            },
        )
