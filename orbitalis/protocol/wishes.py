"""What cores wait for: queries that a plugin may be able to answer later, by operation, longest wait first."""

from __future__ import annotations

from collections.abc import Callable
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
    is_named: bool
    """Whether the user had named the core when it asked."""
    queries: dict[str, DiscoverQuery] = field(default_factory=dict[str, DiscoverQuery])
    """What is not connected yet, by operation name."""
    is_put_off: bool = False
    """Whether the core comes behind others for one of them, since it may be dead."""
    weights: dict[str, int] = field(default_factory=dict[str, int])
    """By operation name: bytes that the query takes. :class:`Wishes` keeps this and what follows."""
    ranks: dict[str, int] = field(default_factory=dict[str, int])
    """By operation name: which queries give way to the query."""
    weight: int = 0
    """Bytes that it takes in all."""


class Wishes:
    """All wishes of cores that want late offers.

    At most `limits.WAITING_QUERIES` queries are kept, in `limits.WAITING_QUERY_BYTES`. When there are as many, those of
    strangers make room for those of cores that the user has named, and of either those for operations that do not exist
    for others; the last that came goes first. Otherwise those who wait keep their places. A query as large as no honest
    one is, is not kept either, nor more of one core than `limits.WAITING_QUERY_BYTES_OF_CORE`.
    """

    def __init__(self, exists: Callable[[str], bool]) -> None:
        """Make wishes of which there are none; `exists` says whether there is an operation of a name."""
        self._exists = exists
        self._ranked: tuple[dict[tuple[str, str], None], ...] = ({}, {}, {}, {})
        """By rank: the core and operation of each query, in the order in which they came."""
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

    def resume(self, core_identifier: str, operation_name: str) -> None:
        """Have a core looked at again for an operation if it was set aside."""
        if core_identifier in self._by_operation.get(operation_name, {}):
            self._turns[operation_name].join(core_identifier)

    def operation_changed(self, operation_name: str) -> None:
        """Have all looked at again who wait for an operation, which has changed or has come or gone."""
        waiting = self._by_operation.get(operation_name)
        if waiting is None:
            return
        self._turns[operation_name].join_all()
        for core, wish in waiting.items():
            del self._ranked[wish.ranks[operation_name]][core, operation_name]
            wish.ranks[operation_name] = rank = self._rank(wish, operation_name)
            self._ranked[rank][core, operation_name] = None

    # What is waited for

    def remember(self, wish: Wish) -> None:
        """Keep a wish instead of what its core waited for before; what it still waits for keeps its place."""
        core, queries = wish.core_identifier, wish.queries
        before = self._by_core.get(core)
        if before is not None and before.envelope.incarnation != wish.envelope.incarnation:
            self.forget(core)
        before = self._by_core.pop(core, None)
        earlier = {} if before is None else before.queries
        if before is not None:
            self._give_back_room(before)
        wish.queries = {}
        wish.envelope = _headers(wish.envelope)
        topics = wish.offer_topic, wish.told.keepalive_topic, wish.told.keepalive_request_topic
        wish.weight = weigh(core, wish.envelope, *topics)
        self.bytes += wish.weight
        # Those first that others give way to, and then those that have a place, so that none has to yield to the next.
        for name in sorted(queries, key=lambda name: (-self._rank(wish, name), name not in earlier)):
            weight = weigh(name, queries[name])
            if self._make_room(wish, name, weight):
                wish.queries[name] = queries[name]
                wish.weights[name] = weight
                wish.weight += weight
                self.bytes += weight
                self._count += 1
        for name in wish.queries:
            self._by_operation.setdefault(name, {})[core] = wish
            self._turns.setdefault(name, Turns()).join(core)
        for name in earlier:
            if name not in wish.queries:
                self._leave(core, name)
        if wish.queries:
            self._by_core[core] = wish
            self._deadlines.set(core, wish.asked_at + timings.LATE_OFFERS_KEPT_FOR)
        else:
            self.bytes -= wish.weight
            self._deadlines.discard(core)

    def fulfil(self, core_identifier: str, operation_name: str) -> None:
        """Let a core wait for an operation no more."""
        wish = self._by_operation.get(operation_name, {}).get(core_identifier)
        if wish is None:
            return
        self._leave(core_identifier, operation_name)
        del wish.queries[operation_name]
        self._ranked[wish.ranks.pop(operation_name)].pop((core_identifier, operation_name), None)
        weight = wish.weights.pop(operation_name)
        wish.weight -= weight
        self.bytes -= weight
        self._count -= 1
        if not wish.queries:
            self.bytes -= wish.weight
            del self._by_core[core_identifier]
            self._deadlines.discard(core_identifier)

    def _leave(self, core_identifier: str, operation_name: str) -> None:
        """Take a core out of the queue for an operation."""
        waiting = self._by_operation[operation_name]
        del waiting[core_identifier]
        self._turns[operation_name].leave(core_identifier)
        if not waiting:
            del self._by_operation[operation_name], self._turns[operation_name]

    # Room

    def _rank(self, wish: Wish, operation_name: str) -> int:
        """Return which queries one displaces if there is no room: all whose rank is lower."""
        return 2 * wish.is_named + self._exists(operation_name)

    def _make_room(self, wish: Wish, operation_name: str, weight: int) -> bool:
        """Take room for one more query of a wish; return whether there is any, be it that others give way."""
        if weight > limits.SCHEMA_BYTES or wish.weight + weight > limits.WAITING_QUERY_BYTES_OF_CORE:
            return False
        rank = self._rank(wish, operation_name)
        while self._count >= limits.WAITING_QUERIES or self.bytes + weight > limits.WAITING_QUERY_BYTES:
            lowest = next((keys for keys in self._ranked[:rank] if keys), None)
            if lowest is None:
                return False
            self.fulfil(*lowest.popitem()[0])
        wish.ranks[operation_name] = rank
        self._ranked[rank][wish.core_identifier, operation_name] = None
        return True

    def _give_back_room(self, wish: Wish) -> None:
        self._count -= len(wish.queries)
        self.bytes -= wish.weight
        for name, rank in wish.ranks.items():
            del self._ranked[rank][wish.core_identifier, name]

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
        for keys in self._ranked:
            keys.clear()
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
