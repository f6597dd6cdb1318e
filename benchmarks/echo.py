"""The least that a request over MQTT takes: aiomqtt alone, with the quality of service of inputs and outputs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

import aiomqtt

from orbitalis_wire import channels

__all__ = ["Asker", "answering", "asking"]

_QUESTIONS, _ANSWERS = "benchmarks/questions", "benchmarks/answers"
_PENDING_CALLS = 1_000
"""Publishes that may wait for the broker before aiomqtt warns of their number."""


class Asker:
    """Asks questions, and gives each its answer."""

    def __init__(self, client: aiomqtt.Client) -> None:
        """Ask by a client that gets the answers."""
        self._client = client
        self._numbers = count()
        self._waiting: dict[bytes, asyncio.Future[None]] = {}

    async def ask(self) -> None:
        """Ask, and wait for the answer."""
        question = b"HELLO %d" % next(self._numbers)
        answered = self._waiting[question] = asyncio.get_running_loop().create_future()
        await self._client.publish(_QUESTIONS, question, qos=channels.OPERATION_INPUT.quality_of_service)
        await answered

    async def take_answers(self) -> None:
        """Take answers, until cancelled."""
        async for message in self._client.messages:
            self._waiting.pop(bytes(message.payload)).set_result(None)


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Asker]:
    """Give something that asks who answers at a broker."""
    async with _client(url) as client:
        await client.subscribe(_ANSWERS, qos=channels.OPERATION_OUTPUT.quality_of_service)
        asker = Asker(client)
        taking = asyncio.create_task(asker.take_answers())
        try:
            yield asker
        finally:
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking


@asynccontextmanager
async def answering(url: str, *, is_ordered: bool) -> AsyncIterator[None]:
    """Answer questions at a broker; if `is_ordered`, each after the broker has the one before."""
    async with _client(url) as client, asyncio.TaskGroup() as group:
        await client.subscribe(_QUESTIONS, qos=channels.OPERATION_INPUT.quality_of_service)

        async def answer(message: aiomqtt.Message) -> None:
            await client.publish(_ANSWERS, message.payload, qos=channels.OPERATION_OUTPUT.quality_of_service)

        async def answer_all() -> None:
            async for message in client.messages:
                if is_ordered:
                    await answer(message)
                else:
                    group.create_task(answer(message))

        answers = group.create_task(answer_all())
        try:
            yield
        finally:
            answers.cancel()


def _client(url: str) -> aiomqtt.Client:
    at = urlsplit(url)
    assert at.hostname is not None
    assert at.port is not None
    client = aiomqtt.Client(
        at.hostname,
        at.port,
        protocol=aiomqtt.ProtocolVersion.V5,
        # As ours: or packets wait for the acknowledgement of those before.
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = _PENDING_CALLS
    return client
