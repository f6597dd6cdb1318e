"""What is published to an MQTT broker, until the broker has it: in order, over all connections that this takes.

An event of quality of service 0 that finds room on the connection is handed to the network at once, and that is all.
Any other has a future, which is done when the broker has acknowledged it. A bounded number is unacknowledged at a time;
the others wait in a queue, as do all while there is no connection. One timer is enough for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque

from orbitalis.bus.mqtt_connection import TOO_LARGE, MqttConnection, Publication
from orbitalis.bus.mqtt_endpoint import Endpoint
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.errors import BusNotConnectedError, BusRefusedError, BusUnavailableError, EventTooLargeError

__all__ = ["ATTEMPTS", "MqttOutbox", "too_large"]

ATTEMPTS = 3
"""Connections on which an event or a subscription is tried; it may be what the broker ends them for."""
_PUBLISH_OVERHEAD = 16
"""Bytes of a packet that are neither topic nor event, at most."""


class MqttOutbox:
    """Publications on their way; belongs to one event loop from the first of them on."""

    def __init__(self, endpoint: Endpoint, timeout: float, complaints: ThrottledLog) -> None:
        """Have each publication wait for `timeout` seconds at most; log failures of which nobody else hears."""
        self._endpoint = endpoint
        self._complaints = complaints
        self._timeout = timeout
        self._connection: MqttConnection | None = None
        self._queue: deque[Publication] = deque()
        """What is not sent yet, oldest first."""
        self._timer: asyncio.TimerHandle | None = None
        """Runs out when the oldest publication has waited for too long."""

    def put(self, topic: str, data: bytes, quality_of_service: int, retain: bool) -> asyncio.Future[None] | None:
        """Send a message, now or as soon as possible; return what to await, or `None` if that is all.

        Awaiting it raises :class:`BusRefusedError` if the broker refuses it, :class:`BusUnavailableError` if it cannot
        be reached in time, and :class:`BusNotConnectedError` if :meth:`clear` is called meanwhile.

        Raises:
            EventTooLargeError: The broker does not take so much.
        """
        connection = self._connection
        if connection is not None:
            if connection.maximum_packet_bytes is not None:
                self._check_length(connection.maximum_packet_bytes, topic, data)
            if (
                quality_of_service == 0
                and not self._queue
                and connection.takes(0)
                and connection.send(topic, data, 0, retain) is not None
            ):
                return None
        loop = asyncio.get_running_loop()
        publication = Publication(
            topic, data, quality_of_service, retain, loop.time() + self._timeout, loop.create_future()
        )
        self._queue.append(publication)
        self.send()
        if self._timer is None:
            self._timer = loop.call_at(publication.deadline, self._give_up)
        return publication.outcome

    def connect(self, connection: MqttConnection) -> None:
        """Send what waits over a new connection."""
        self._connection = connection
        self.send()

    def disconnect(self, connection: MqttConnection) -> None:
        """Take back what is on its way over a connection that is lost."""
        if self._connection is connection:
            self._connection = None
        unanswered = [one for one in connection.in_flight.values() if not one.outcome.done()]
        connection.in_flight.clear()
        if connection.is_too_much:
            unanswered = self._without_what_is_too_large(unanswered, connection)
        for publication in reversed(unanswered):
            if publication.attempts < ATTEMPTS:
                self._queue.appendleft(publication)
            else:
                publication.outcome.set_exception(
                    BusUnavailableError(
                        f"cannot publish to {publication.topic!r}: "
                        f"{ATTEMPTS} connections to {self._endpoint} were lost over it"
                    )
                )

    def clear(self, reason: str) -> None:
        """Give up everything, for a reason that publishers are told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for publication in self._waiting():
            publication.outcome.set_exception(BusNotConnectedError(reason))
        self._queue.clear()
        self._connection = None

    def let_go(self) -> None:
        """Forget everything, in an event loop that is closed: nobody can be told there."""
        self._queue.clear()
        self._connection = self._timer = None

    def send(self) -> None:
        """Send as much of what waits as there is room for."""
        connection, queue = self._connection, self._queue
        while connection is not None and queue and connection.takes(queue[0].quality_of_service):
            publication = queue[0]
            if connection.in_flight and _is_suspect(publication, connection):
                # It waits until it can be sent alone, or until what is sent alone has been acknowledged.
                return
            # Its publisher may have been cancelled.
            if not publication.outcome.done():
                try:
                    if connection.maximum_packet_bytes is not None:
                        self._check_length(connection.maximum_packet_bytes, publication.topic, publication.data)
                    if not connection.send_publication(publication):
                        # The connection is lost; what waits goes over the next one.
                        return
                except (EventTooLargeError, ValueError) as error:
                    # This broker takes less than the one before, or paho does not take the topic.
                    publication.outcome.set_exception(error)
                else:
                    if publication.quality_of_service == 0:
                        publication.outcome.set_result(None)
            queue.popleft()

    def on_acknowledged(self, publication: Publication, refusal: str | None) -> None:
        """Tell its publisher what the broker says of a publication."""
        outcome = publication.outcome
        if outcome.done():
            # It was cancelled, or has waited for too long.
            return
        if refusal is None:
            outcome.set_result(None)
        elif refusal == TOO_LARGE:
            outcome.set_exception(self._refused_as_too_large(publication.topic, len(publication.data)))
        else:
            outcome.set_exception(
                BusRefusedError(
                    f"{self._endpoint} refuses what {self._endpoint.identifier!r} publishes to "
                    f"{publication.topic!r}: {refusal}"
                )
            )

    def _without_what_is_too_large(
        self, unanswered: list[Publication], connection: MqttConnection
    ) -> list[Publication]:
        """Return what is to be sent again after the broker has ended a connection for a packet that is too large.

        Of all that it may have meant, the largest is too large in any case.
        """
        largest = max((len(one.data) for one in unanswered), default=0)
        if connection.unproven is not None and connection.unproven[0] >= largest:
            length, topic, _ = connection.unproven
            self._complaints.warning("%s", self._refused_as_too_large(topic, length), topic=topic)
            largest = length + 1
        for publication in unanswered:
            if len(publication.data) >= largest:
                error = self._refused_as_too_large(publication.topic, len(publication.data))
                publication.outcome.set_exception(error)
            else:
                # It is not to blame.
                publication.attempts -= 1
        return [one for one in unanswered if not one.outcome.done()]

    def _refused_as_too_large(self, topic: str, length: int) -> EventTooLargeError:
        return EventTooLargeError(
            f"cannot publish {length} bytes to {topic!r}: that is more than {self._endpoint} allows, which has not "
            "said how much it does; send less in one event, or raise its limit (mosquitto: message_size_limit)"
        )

    def _waiting(self) -> list[Publication]:
        """Return what somebody waits for, oldest first."""
        sent = () if self._connection is None else self._connection.in_flight.values()
        return [one for one in (*sent, *self._queue) if not one.outcome.done()]

    def _give_up(self) -> None:
        """Give up what has waited for too long."""
        self._timer = None
        loop = asyncio.get_running_loop()
        state = "there was no connection" if self._connection is None else "it did not answer"
        for publication in self._waiting():
            if publication.deadline > loop.time():
                self._timer = loop.call_at(publication.deadline, self._give_up)
                break
            publication.outcome.set_exception(
                BusUnavailableError(
                    f"cannot publish to {publication.topic!r}: {state} within {self._timeout:g} s ({self._endpoint})"
                )
            )
        # What its publisher has given up by itself is not kept either.
        self._queue = deque(one for one in self._queue if not one.outcome.done())

    def _check_length(self, maximum: int, topic: str, data: bytes) -> None:
        """Raise :class:`EventTooLargeError` if a packet is larger than the broker takes, as it has said."""
        packet_bytes = len(data) + len(topic.encode()) + _PUBLISH_OVERHEAD
        if packet_bytes > maximum:
            raise too_large(topic, packet_bytes, maximum, f"{self._endpoint}, which counts whole packets,")


def _is_suspect(publication: Publication, connection: MqttConnection) -> bool:
    """Return whether this or what is on its way is tried for the last time, and so alone.

    What a broker ends connections for would take with it what is sent beside it.
    """
    oldest = next(iter(connection.in_flight.values()))
    return publication.attempts == ATTEMPTS - 1 or oldest.attempts == ATTEMPTS


def too_large(topic: str, length: int, maximum: int, judge: str) -> EventTooLargeError:
    """Return the error for something that is too large to be published."""
    return EventTooLargeError(f"cannot publish {length} bytes to {topic!r}: {judge} allows {maximum}")
