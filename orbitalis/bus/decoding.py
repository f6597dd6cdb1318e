"""Decoding what comes from a broker: small messages at once, large ones in a thread beside the event loop.

To decode a message of a megabyte can take seconds, and nothing else would happen meanwhile. In a thread it takes as
long, but the interpreter changes threads every 5 ms. What arrives on the same topic waits for that, so that the order
is kept; other topics go on. One large message is decoded at a time in each event loop, and topics on which some wait
take turns, so that no topic keeps the thread to itself.

A thread cannot be stopped: when a client disconnects, a message that is being decoded is decoded to its end and then
forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.dispatch import QueueBounds, Subscription, start_task_later
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.message.event import Event
from orbitalis.message.payload import UndecodedPayload, decode_payload
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.envelope import decode_event
from orbitalis_wire.messages import EventEnvelope

__all__ = ["LARGE_BYTES", "Decoder"]

LARGE_BYTES: Final = 16_384
"""Length from which on a message is decoded in a thread; a shorter one keeps others waiting for a moment only."""

_threads: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, ThreadPoolExecutor]] = WeakKeyDictionary()
"""By event loop: its thread. More of them would only share the same time, and the event loop's with it."""


class Decoder:
    """Makes events of the messages of one client, and offers them to the subscriptions that they are for."""

    def __init__(self, owner: object, *, bounds: QueueBounds, statistics: BusStatistics, log: ThrottledLog) -> None:
        """Decode for the client `owner`, which log lines name.

        For each subscription, `bounds` say how much waits to be decoded; what arrives beyond that is dropped.
        """
        self._owner = owner
        self._bounds = bounds
        self._statistics = statistics
        self._log = log
        self._topics: dict[str, deque[_Message]] = {}
        """What waits, oldest first, by topic; the first topic has the next turn."""
        self._backlogs: dict[Subscription, _Backlog] = {}
        """Of subscriptions for which something waits."""
        self._worker: asyncio.Task[None] | None = None

    def receive(self, topic: str, data: bytes, addressees: Sequence[Subscription]) -> None:
        """Decode a message, now or later, and offer it to its addressees. Never raises."""
        if len(data) >= LARGE_BYTES or (self._topics and topic in self._topics):
            self._put(topic, data, addressees)
            return
        event = self._decode(topic, data, addressees)
        if event is not None:
            for subscription in addressees:
                subscription.offer(topic, event, len(data))

    def is_busy(self, subscription: Subscription) -> bool:
        """Return whether something waits to be decoded for a subscription."""
        return subscription in self._backlogs

    async def drained(self, subscription: Subscription) -> None:
        """Wait until nothing waits to be decoded for a subscription."""
        while (backlog := self._backlogs.get(subscription)) is not None:
            await backlog.ended.wait()

    def forget(self, subscription: Subscription) -> None:
        """Decode no more for a subscription that has ended."""
        backlog = self._backlogs.pop(subscription, None)
        if backlog is None:
            return
        backlog.ended.set()
        for topic, messages in [*self._topics.items()]:
            for message in messages:
                message.addressees = [one for one in message.addressees if one is not subscription]
            kept = deque(one for one in messages if one.addressees)
            if kept:
                self._topics[topic] = kept
            else:
                del self._topics[topic]

    def stop(self) -> set[asyncio.Task[None]]:
        """Forget everything that waits; return the task that ends now, if there is one."""
        for subscription in [*self._backlogs]:
            self.forget(subscription)
        worker, self._worker = self._worker, None
        if worker is None:
            return set()
        worker.cancel()
        return {worker}

    def let_go(self) -> None:
        """Forget everything that waits, in an event loop that is closed."""
        self._topics.clear()
        self._backlogs.clear()
        self._worker = None

    def _put(self, topic: str, data: bytes, addressees: Sequence[Subscription]) -> None:
        """Have a message decoded in its turn."""
        message = _Message(data, [one for one in addressees if self._has_room(one, topic, data)])
        if not message.addressees:
            return
        for subscription in message.addressees:
            self._backlogs.setdefault(subscription, _Backlog()).add(message)
        self._topics.setdefault(topic, deque()).append(message)
        if self._worker is None:
            self._worker = start_task_later(self._work(), f"decoding for {self._owner!r}")

    async def _work(self) -> None:
        while self._topics:
            topic, messages = next(iter(self._topics.items()))
            message = messages[0]
            event = await self._event_of(topic, message)
            # Unless all its subscriptions have ended meanwhile.
            if message.addressees:
                messages = self._topics.pop(topic)
                messages.popleft()
                if messages:
                    # Its next turn is after those of the others.
                    self._topics[topic] = messages
                for subscription in message.addressees:
                    self._note_decoded(subscription, message)
                    if event is not None:
                        subscription.offer(topic, event, len(message.data))
            await asyncio.sleep(0)
        self._worker = None

    def _note_decoded(self, subscription: Subscription, message: _Message) -> None:
        backlog = self._backlogs[subscription]
        backlog.remove(message)
        if not backlog.count:
            del self._backlogs[subscription]
            backlog.ended.set()

    async def _event_of(self, topic: str, message: _Message) -> Event[Any] | None:
        """Decode a message that waited; return `None` if it is malformed."""
        if len(message.data) < LARGE_BYTES:
            return self._decode(topic, message.data, message.addressees)
        loop = asyncio.get_running_loop()
        thread = _threads.get(loop)
        if thread is None:
            thread = _threads[loop] = ThreadPoolExecutor(1, thread_name_prefix="orbitalis-decoding")
        try:
            envelope, _ = await loop.run_in_executor(thread, decode_event, message.data)
        except Exception as error:  # nothing that a stranger sends may end this
            self._refuse(topic, error)
            return None
        try:
            is_taken = False

            def ask(message_class: type[object]) -> bool:
                # Handlers are asked here and not in the thread, and nothing is decoded yet.
                nonlocal is_taken
                is_taken = _is_taken(topic, message.addressees, message_class)
                return False

            payload = decode_payload(envelope, ask)
            if is_taken:
                payload = await loop.run_in_executor(thread, decode_payload, envelope)
            elif isinstance(payload, UndecodedPayload):
                reader = _reader(topic, message.addressees, payload)
                payload = payload if reader is None else await loop.run_in_executor(thread, reader)
        except Exception as error:  # as little
            self._refuse(topic, error)
            return _awaited_refusal(envelope, message.addressees, error)
        return Event(payload=payload, envelope=envelope)

    def _decode(self, topic: str, data: bytes, addressees: Sequence[Subscription]) -> Event[Any] | None:
        """Decode a message at once; return `None` if it is malformed."""
        # Most have one addressee.
        takes = partial(addressees[0].takes, topic) if len(addressees) == 1 else partial(_is_taken, topic, addressees)
        try:
            return Event.decode(data, takes)
        except Exception as error:  # nothing that a stranger sends may end the connection
            self._refuse(topic, error)
            try:
                envelope, _ = decode_event(data)
            except DecodeError:
                return None
            return _awaited_refusal(envelope, addressees, error)

    def _refuse(self, topic: str, error: Exception) -> None:
        self._statistics.malformed += 1
        reason = f"{type(error).__name__}: {error}"
        text = "%r ignores a malformed message on topic %r: %.300s"
        self._log.warning(text, self._owner, topic, ascii(reason), topic=topic)

    def _has_room(self, subscription: Subscription, topic: str, data: bytes) -> bool:
        """Return whether one more message may wait for a subscription; otherwise it is dropped."""
        backlog, length = self._backlogs.get(subscription), len(data)
        if backlog is None or (backlog.count < self._bounds.events and backlog.bytes + length <= self._bounds.bytes):
            return True
        self._statistics.received += 1
        self._statistics.dropped += 1
        self._log.warning(
            "%r drops a message on topic %r: %d bytes wait to be decoded for %r, and no more are kept",
            self._owner,
            topic,
            backlog.bytes,
            subscription.topic_filter,
            topic=topic,
        )
        # Where somebody wants to know, the envelope is read, which is quick unless it is a long one in JSON.
        if subscription.handler.is_urgent and (length < LARGE_BYTES or not data.startswith(b"{")):
            with suppress(Exception):  # it is dropped in any case
                subscription.tell_dropped(topic, Event.decode(data, _takes_nothing))
        return False


class _Message:
    """A message that waits, for all the subscriptions that it is for."""

    __slots__ = ("addressees", "data")

    def __init__(self, data: bytes, addressees: list[Subscription]) -> None:
        self.data = data
        self.addressees = addressees
        """Without those that have ended."""


class _Backlog:
    """How much waits for one subscription."""

    __slots__ = ("bytes", "count", "ended")

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.ended = asyncio.Event()
        """Set when nothing waits any more."""

    def add(self, message: _Message) -> None:
        self.count += 1
        self.bytes += len(message.data)

    def remove(self, message: _Message) -> None:
        self.count -= 1
        self.bytes -= len(message.data)


def _takes_nothing(message_class: type[object]) -> bool:
    return False


def _reader(topic: str, addressees: Sequence[Subscription], payload: UndecodedPayload) -> Callable[[], object] | None:
    """Return what reads a payload that no addressee takes as it is."""
    return next((reader for one in addressees if (reader := one.reader(topic, payload)) is not None), None)


def _awaited_refusal(
    envelope: EventEnvelope, addressees: Sequence[Subscription], error: Exception
) -> Event[Any] | None:
    """Return an event whose payload cannot be decoded, for those who tell that to somebody who waits for an answer."""
    if (
        not isinstance(error, DecodeError)
        or not (envelope.answer_requested or envelope.correlation_identifier is not None)
        or not all(subscription.handler.tells_refusals for subscription in addressees)
    ):
        return None
    try:
        payload = decode_payload(envelope, _takes_nothing)
    except DecodeError:  # the envelope does not even say what it is
        return None
    assert isinstance(payload, UndecodedPayload)
    return Event(payload=replace(payload, refusal=error), envelope=envelope)


def _is_taken(topic: str, addressees: Sequence[Subscription], message_class: type[object]) -> bool:
    return any(subscription.takes(topic, message_class) for subscription in addressees)
