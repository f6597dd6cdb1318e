"""The inputs of which a core awaits the answer, from when they arrive at a plugin until they are handled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from orbitalis.message.event import Event
from orbitalis.operations.answer import OVERLOADED, Answer
from orbitalis.operations.connection import Connection
from orbitalis.orbiter.asides import Asides
from orbitalis.orbiter.runtime import Runtime
from orbitalis.protocol.quotas import RateLimiter
from orbitalis.protocol.slots import Slot
from orbitalis_wire import limits
from orbitalis_wire.messages import CancelInputMessage, OperationErrorMessage

__all__ = ["AskedInputs"]

_OVERLOADED: Final = OperationErrorMessage(
    error_type="OverloadedError",
    error_message="too much waits at the plugin; the input was not handled",
    reason=OVERLOADED,
)


class AskedInputs:
    """Knows for how long each answer is awaited, takes inputs back, and says at once which are dropped."""

    __slots__ = ("_asides", "_by_slot", "_rate", "_runtime")

    _runtime: Runtime
    _asides: Asides

    def __init__(self) -> None:
        """Know none; :meth:`serve` says whose they are."""
        self._rate = RateLimiter()
        self._by_slot: dict[Slot, dict[str, Answer]] = {}
        """By connection and identifier of the input: what waits to be handled, or is being handled."""

    def serve(self, runtime: Runtime) -> None:
        """Take the inputs of the plugin with this runtime, before it starts."""
        self._runtime = runtime
        self._asides = Asides(runtime.publisher, runtime.queues)

    def take_at_once(self, topic: str, event: Event[Any], slots: Sequence[Slot]) -> bool:
        """Note an input whose answer is awaited, or take one back; return whether it was the latter."""
        if type(event.payload) is CancelInputMessage:
            for slot in slots:
                if self._runtime.machine.data_received(slot, event, self._runtime.now()):
                    answer = self._find(slot, event.payload.input_identifier)
                    if answer is not None:
                        answer.take_back()
            return True
        if event.answer_requested:
            for slot in slots:
                self._note(slot, event)
        return False

    def begin(self, connection: Connection, event: Event[Any]) -> Answer | None:
        """Return the answer that is owed for an input that is taken now; `None` if nobody waits for it any more."""
        # This is done for each request, so it calls as little as possible.
        slot, identifier = connection.slot, event.identifier
        try:
            answer: Answer | None = self._by_slot[slot][identifier]
        except KeyError:
            answer = self._note(slot, event)
        if answer is None:
            return None
        # A connection was last used when the input was taken.
        if not answer.is_taken_back and (answer.expires_at is None or answer.expires_at > slot.last_used):
            return answer
        self.given_up(answer)
        self.end(slot, identifier)
        return None

    def given_up(self, answer: Answer) -> None:
        """Count an input for which nobody waits any more, and which is not handled, or not to its end."""
        statistics = self._runtime.machine.statistics
        if answer.is_taken_back:
            statistics.taken_back += 1
        else:
            statistics.expired += 1

    def end(self, slot: Slot, identifier: str) -> None:
        """Forget an input: it has been handled, or is not going to be."""
        if slot in self._by_slot and identifier in self._by_slot[slot]:
            del self._by_slot[slot][identifier]

    def forget(self, slot: Slot) -> None:
        """Forget all inputs of a connection that has ended."""
        self._by_slot.pop(slot, None)

    def dropped(self, slot: Slot, event: Event[Any], is_too_much: bool) -> None:
        """Forget an input that is not going to be handled; tell its core, if that is since too much waits."""
        self.end(slot, event.identifier)
        connection = slot.view
        if (
            is_too_much
            and event.answer_requested
            and slot.output_topic is not None
            and isinstance(connection, Connection)
            and self._rate.admits(self._runtime.now(), limits.OVERLOADED_ANSWERS_PER_SECOND)
            and self._asides.tell(connection, _OVERLOADED, event.identifier)
        ):
            self._runtime.machine.statistics.overloaded_answers += 1

    def is_taken_back(self, slot: Slot, identifier: str) -> bool:
        """Return whether the core has taken back an input that is being handled."""
        answer = self._find(slot, identifier)
        return answer is not None and answer.is_taken_back

    def _find(self, slot: Slot, identifier: str) -> Answer | None:
        return self._by_slot.get(slot, {}).get(identifier)

    def _note(self, slot: Slot, event: Event[Any]) -> Answer | None:
        connection, topic, within, now = slot.view, slot.output_topic, event.answer_within, self._runtime.now
        if topic is None or type(connection) is not Connection:
            return None
        expires_at = None if within is None else now() + within
        answer = Answer(topic, event.identifier, connection.headers, now, expires_at)
        if slot in self._by_slot:
            self._by_slot[slot][event.identifier] = answer
        else:
            self._by_slot[slot] = {event.identifier: answer}
        return answer
