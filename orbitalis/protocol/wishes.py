"""What cores wait for: queries that a plugin may be able to answer later, by operation, longest wait first."""

from __future__ import annotations

from dataclasses import dataclass, field

from orbitalis.protocol.deadlines import Deadlines
from orbitalis.protocol.remote import Told
from orbitalis.protocol.turns import Turns
from orbitalis.protocol.weight import weigh
from orbitalis_wire import limits, timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import DiscoverQuery, EventEnvelope

__all__ = ["Wish", "Wishes"]


@dataclass(slots=True, kw_only=True, eq=False)
class Wish:
    """What one core has asked for in its last discover. Times are seconds on the clock of the machine's caller."""

    core_identifier: str
    envelope: EventEnvelope
    """That of the discover, for its headers."""
    asked_at: float
    """When the discover arrived."""
    offer_topic: str
    """Where offers go, checked and ready to publish to."""
    told: Told
    is_certain: bool
    """Whether it came on a topic that is for the core alone to publish to."""
    queries: dict[str, DiscoverQuery] = field(default_factory=dict[str, DiscoverQuery])
    """What is not connected yet, by operation name."""
    is_put_off: bool = False
    """Whether the core comes behind others for one of them, since it may be dead."""
    weights: dict[str, int] = field(default_factory=dict[str, int])
    """By operation name: bytes that the query takes. :class:`Wishes` keeps this and the next."""
    weight: int = 0
    """Bytes that it takes in all."""


class Wishes:
    """All wishes of cores that want late offers.

    At most `limits.WAITING_QUERIES` queries are kept, in `limits.WAITING_QUERY_BYTES`: when there are as many, those
    who wait keep their places. A query as large as no honest one is, is not kept either.
    """

    def __init__(self) -> None:
        self._by_core: dict[str, Wish] = {}
        self._by_operation: dict[str, dict[str, Wish]] = {}
        self._turns: dict[str, Turns] = {}
        self._deadlines: Deadlines[str] = Deadlines()
        self._count = 0
        self.bytes = 0
        """How much memory they take."""

    def __len__(self) -> int:
        """Return how many queries are kept."""
        return self._count

    def of_core(self, core_identifier: str) -> Wish | None:
        """Return what a core waits for."""
        return self._by_core.get(core_identifier)

    # Whose turn it is

    def first(self, operation_name: str) -> Wish | None:
        """Return who is the next that may be offered an operation."""
        turns = self._turns.get(operation_name)
        core = None if turns is None else turns.first()
        return None if core is None else self._by_core[core]

    def set_aside(self, core_identifier: str, operation_name: str) -> None:
        """Have a core looked at for an operation no more, until it asks again or :meth:`resume` is called."""
        self._turns[operation_name].set_aside(core_identifier)

    def put_off(self, core_identifier: str, operation_name: str) -> bool:
        """Let a core come behind all others until it is heard again; return whether that is new."""
        self._by_core[core_identifier].is_put_off = True
        return self._turns[operation_name].put_off(core_identifier)

    def heard(self, core_identifier: str) -> None:
        """Let a core that was put off come at its place again."""
        wish = self._by_core.get(core_identifier)
        if wish is not None and wish.is_put_off:
            wish.is_put_off = False
            for name in wish.queries:
                self._turns[name].join(core_identifier)

    def resume(self, operation_name: str, core_identifier: str | None = None) -> None:
        """Have those who were set aside looked at again, or one of them."""
        waiting = self._by_operation.get(operation_name, {})
        if core_identifier is None and waiting:
            self._turns[operation_name].join_all()
        elif core_identifier in waiting:
            self._turns[operation_name].join(core_identifier)

    # What is waited for

    def remember(self, wish: Wish) -> None:
        """Keep a wish instead of what its core waited for before; what it still waits for keeps its place."""
        core = wish.core_identifier
        before = self._by_core.get(core)
        if before is not None:
            if before.envelope.incarnation != wish.envelope.incarnation:
                self.forget(core)
            for name in [name for name in before.queries if name not in wish.queries]:
                self.fulfil(core, name)
        before = self._by_core.get(core)
        if before is None and self._count >= limits.WAITING_QUERIES:
            wish.queries.clear()
        if not wish.queries:
            self.forget(core)
            return
        wish.envelope = _headers(wish.envelope)
        topics = wish.offer_topic, wish.told.keepalive_topic, wish.told.keepalive_request_topic
        wish.weight = weigh(core, wish.envelope, *topics)
        room = limits.WAITING_QUERY_BYTES - self.bytes + (0 if before is None else before.weight)
        for name, query in list(wish.queries.items()):
            weight = weigh(name, query)
            is_new = core not in self._by_operation.get(name, {})
            has_place = not is_new or self._count < limits.WAITING_QUERIES
            if weight > limits.SCHEMA_BYTES or wish.weight + weight > room or not has_place:
                self.fulfil(core, name)
                del wish.queries[name]
                continue
            wish.weight += weight
            wish.weights[name] = weight
            self._count += is_new
        # The wish takes the place of the one before it, in each of the queues.
        before = self._by_core.pop(core, None)
        self.bytes -= 0 if before is None else before.weight
        for name in wish.queries:
            self._by_operation.setdefault(name, {})[core] = wish
            self._turns.setdefault(name, Turns()).join(core)
        if wish.queries:
            self.bytes += wish.weight
            self._by_core[core] = wish
            self._deadlines.set(core, wish.asked_at + timings.LATE_OFFERS_KEPT_FOR)

    def fulfil(self, core_identifier: str, operation_name: str) -> None:
        """Let a core wait for an operation no more."""
        waiting = self._by_operation.get(operation_name, {})
        wish = waiting.pop(core_identifier, None)
        if wish is None:
            return
        self._count -= 1
        self._turns[operation_name].leave(core_identifier)
        if not waiting:
            del self._by_operation[operation_name], self._turns[operation_name]
        del wish.queries[operation_name]
        weight = wish.weights.pop(operation_name)
        wish.weight -= weight
        self.bytes -= weight
        if not wish.queries:
            self.bytes -= wish.weight
            del self._by_core[core_identifier]
            self._deadlines.discard(core_identifier)

    def forget(self, core_identifier: str) -> None:
        """Let a core wait for nothing."""
        wish = self._by_core.get(core_identifier)
        if wish is not None:
            for name in list(wish.queries):
                self.fulfil(core_identifier, name)

    def discard_expired(self, now: float) -> None:
        """Forget what was asked for too long ago."""
        for core_identifier in self._deadlines.pop_due(now):
            self.forget(core_identifier)

    def next_deadline(self) -> float | None:
        """Return when :meth:`discard_expired` has something to do, or `None` if it never has."""
        return self._deadlines.next()

    def clear(self) -> None:
        """Let nobody wait."""
        self._by_core.clear()
        self._by_operation.clear()
        self._turns.clear()
        self._deadlines.clear()
        self._count = 0
        self.bytes = 0


def _headers(envelope: EventEnvelope) -> EventEnvelope:
    """Return what of an envelope says who sent it, and in which life: the rest can be long."""
    readable = envelope.readable_encodings or ()
    return EventEnvelope(
        identifier=envelope.identifier,
        publisher_identifier="",
        timestamp=envelope.timestamp,
        message_type=None,
        payload_format_type=None,
        serialized_payload=None,
        protocol_version=envelope.protocol_version,
        incarnation=envelope.incarnation,
        readable_encodings=tuple(encoding.value for encoding in Encoding if encoding.value in readable),
        late_offers=envelope.late_offers,
    )
