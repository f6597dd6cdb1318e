"""How a plugin answers the inputs that ask for it, and tells of those that it fails to handle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from orbitalis.bus.answer import Answer
from orbitalis.bus.client import EventBusClient
from orbitalis.errors import BusError
from orbitalis.log import FieldLogger
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.lanes import is_being_cancelled
from orbitalis_wire import limits
from orbitalis_wire.messages import EventEnvelope, OperationErrorMessage

__all__ = ["answering"]

_logger = FieldLogger(logging.getLogger(__name__))


@asynccontextmanager
async def answering(
    connection: Connection, envelope: EventEnvelope, client: EventBusClient
) -> AsyncGenerator[None, None]:
    """Handle an input of a connection within, so that it is answered if its envelope asks for that.

    What is published first to the connection's output topic is the answer. What is raised before that is sent as one,
    and raised again.
    """
    if not envelope.answer_requested or connection.output_topic is None:
        yield
        return
    answer = Answer(connection.output_topic, envelope.identifier, connection.stamp)
    with answer.owed():
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            # Cancelled from outside, the plugin stops, and its core is told so; else the failure is the handler's.
            if not (isinstance(error, asyncio.CancelledError) and is_being_cancelled()) and not answer.is_given:
                await _send_error(connection, answer.topic, error, client)
            raise


async def _send_error(connection: Connection, topic: str, error: BaseException, client: EventBusClient) -> None:
    message = OperationErrorMessage(error_type=_bounded(type(error).__name__), error_message=_bounded(_text_of(error)))
    try:
        await client.publish(topic, message)
    except BusError as failure:
        _logger.warning(
            "could not tell %s that operation %s failed: %s",
            connection.remote_identifier,
            connection.operation_name,
            failure,
            extra={"remote": connection.remote_identifier, "operation": connection.operation_name, "topic": topic},
        )


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # users write exceptions, too
        return ""


def _bounded(text: str) -> str:
    return text.encode("utf-8", "replace")[: limits.ERROR_TEXT_BYTES].decode("utf-8", "ignore")
