"""Waiting queries: queries of cores that a plugin may answer later, by operation, the longest wait first.

A core says in its discover that it wants late offers. A query without an offer, or whose offer failed, waits here until
a slot is free.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof

from orbitalis.protocol.config import PluginConfig
from orbitalis.protocol.deadlines import Deadline, Deadlines
from orbitalis.protocol.peers import PeerTopics
from orbitalis_wire import limits, timings
from orbitalis_wire.messages import DiscoverQuery

__all__ = ["AskingCore", "WaitingQueries", "WaitingQuery", "admits", "schemas_of", "size_of_query"]

_QUERY_BYTES = 256
"""Bytes that a query takes beside its texts."""
_SHAPE_BYTES = 128
"""Bytes that one of its inputs or outputs takes beside its schemas."""
_CORE_BYTES = 512
"""Bytes that a core which asks takes beside its texts."""


@dataclass(slots=True, kw_only=True, eq=False)
class AskingCore:
    """The last discover of one core, and how to answer it. Times are seconds on the caller's clock."""

    core_identifier: str
    incarnation: str | None
    readable_encodings: tuple[str, ...]
    asked_at: float
    """When the discover arrived."""
    offer_topic: str
    """Where offers go, checked and ready to publish to."""
    topics: PeerTopics
    is_certain: bool
    """Whether it came on a topic that the core alone may publish to."""
    exact_schemas: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """By operation name: the fingerprints of schemas that match the same schema alone."""
    queries: dict[str, WaitingQuery] = field(default_factory=dict[str, "WaitingQuery"])
    """What is not connected yet, by operation name."""
    size: int = 0
    """Bytes that it takes, without its queries; :class:`WaitingQueries` counts them."""
    due_at: float | None = None
    """When it is forgotten."""
    deadline: Deadline | None = None


@dataclass(slots=True, eq=False)
class WaitingQuery:
    """One query of one core."""

    core: AskingCore
    operation_name: str
    query: DiscoverQuery
    size: int
    place: int
    """The lower, the longer it has waited."""
    rank: int
    """Queries of a lower rank give way to it."""
    is_looked_at: bool = False
    """Whether it has a turn; if not, it is set aside."""
    is_put_off: bool = False
    """Whether it comes behind all others until its core is heard, since the core may be dead."""


@dataclass(slots=True)
class _Queue:
    """Those that wait for one operation."""

    waiting: dict[str, WaitingQuery] = field(default_factory=dict[str, WaitingQuery])
    """By core, in the order of their places."""
    turns: list[tuple[bool, int, WaitingQuery]] = field(default_factory=list[tuple[bool, int, WaitingQuery]])
    """Those that are looked at in the order of their turns: whether put off, and place, which no two share."""

    def join(self, query: WaitingQuery, *, is_put_off: bool = False) -> None:
        """Look at a query at its place, or behind all others."""
        self.set_aside(query)
        query.is_looked_at, query.is_put_off = True, is_put_off
        insort(self.turns, (is_put_off, query.place, query))

    def set_aside(self, query: WaitingQuery) -> None:
        """Look at a query no more."""
        if query.is_looked_at:
            query.is_looked_at = False
            del self.turns[bisect_left(self.turns, (query.is_put_off, query.place))]


class WaitingQueries:
    """All queries of cores that want late offers.

    At most `limits.WAITING_QUERIES` are kept, in `limits.WAITING_QUERY_BYTES`. Beyond that, queries of strangers give
    way to those of cores that the user has named. In both groups, queries for unknown operations give way to others.
    The newest goes first. All other queries keep their places. A query that is larger than any honest one is not kept,
    and one core gets at most `limits.WAITING_QUERY_BYTES_OF_CORE`.
    """

    __slots__ = ("_by_core", "_by_operation", "_config", "_last_place", "_ranked", "bytes", "deadlines")

    def __init__(self, config: PluginConfig) -> None:
        self._config = config
        self._forget_all()
        self.deadlines: Deadlines[AskingCore] = Deadlines()
        """When something is due next."""
        self._last_place = 0
        self.bytes = 0
        """How much memory they take."""

    def _forget_all(self) -> None:
        """Keep nothing, and no room for what was kept."""
        self._ranked: defaultdict[int, dict[WaitingQuery, None]] = defaultdict(dict)
        """By rank: the queries in the order in which they came."""
        self._by_core: dict[str, AskingCore] = {}
        self._by_operation: dict[str, _Queue] = {}

    def __len__(self) -> int:
        """Return how many queries are kept."""
        return sum(map(len, self._ranked.values()))

    def configure(self, config: PluginConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    def of_core(self, core_identifier: str) -> AskingCore | None:
        """Return what a core waits for."""
        return self._by_core.get(core_identifier)

    # Whose turn it is

    def first(self, operation_name: str) -> WaitingQuery | None:
        """Return the next query that may be answered with an operation."""
        queue = self._by_operation.get(operation_name)
        return queue.turns[0][2] if queue is not None and queue.turns else None

    def set_aside(self, query: WaitingQuery) -> None:
        """Look at a query no more until its core asks again or :meth:`resume` is called."""
        self._by_operation[query.operation_name].set_aside(query)

    def put_off(self, query: WaitingQuery) -> bool:
        """Let a query come behind all others until its core is heard again; return whether that is new."""
        if query.is_put_off:
            return False
        self._by_operation[query.operation_name].join(query, is_put_off=True)
        return True

    def heard(self, core_identifier: str) -> None:
        """Let the queries of a core that were put off come at their places again."""
        core = self._by_core.get(core_identifier)
        if core is not None:
            for query in core.queries.values():
                if query.is_put_off:
                    self._by_operation[query.operation_name].join(query)

    def resume(self, core_identifier: str, operation_name: str) -> None:
        """Look again at the query of a core for an operation, if it was set aside."""
        core = self._by_core.get(core_identifier)
        if core is not None and operation_name in core.queries:
            self._by_operation[operation_name].join(core.queries[operation_name])

    def operation_changed(self, operation_name: str) -> None:
        """Look again at all queries for an operation, which has changed or has come or gone."""
        queue = self._by_operation.get(operation_name)
        if queue is None:
            return
        for query in queue.waiting.values():
            query.is_looked_at = True
            del self._ranked[query.rank][query]
            query.rank = self._rank(query.core.core_identifier, operation_name)
            self._ranked[query.rank][query] = None
        queue.turns = sorted((query.is_put_off, query.place, query) for query in queue.waiting.values())

    # What is waited for

    def remember(self, core: AskingCore, queries: Mapping[str, tuple[DiscoverQuery, int, bool]]) -> None:
        """Keep queries instead of what their core waited for before; what it still waits for keeps its place.

        Each comes with its size in bytes, and whether it is looked at or set aside.
        """
        identifier = core.core_identifier
        before = self._by_core.get(identifier)
        if before is not None and before.incarnation != core.incarnation:
            self.forget(identifier)
            before = None
        if before is None and not queries:
            return
        earlier: dict[str, WaitingQuery] = {}
        if before is not None:
            earlier = before.queries
            for query in earlier.values():
                del self._ranked[query.rank][query]
                self.bytes -= query.size
            self._remove_core(before)
        self._by_core[identifier] = core
        core.size = _size_of_core(core)
        self.bytes += core.size
        names = list(queries)
        if len(names) > 1:
            # First those that others give way to, then those that have a place, so that none has to yield to the next.
            names.sort(key=lambda name: (-self._rank(identifier, name), name not in earlier))
        left = limits.WAITING_QUERY_BYTES_OF_CORE - core.size
        for name in names:
            asked, size, is_looked_at = queries[name]
            rank = self._rank(identifier, name)
            if size <= left and self._make_room(rank, size):
                left -= size
                self._keep(core, name, asked, size, rank, earlier.get(name), is_looked_at)
        for name, query in earlier.items():
            if name not in core.queries:
                self._leave(query)
        if core.queries:
            self.deadlines.set(core, core.asked_at + timings.LATE_OFFERS_KEPT_FOR)
        else:
            self._remove_core(core)

    def _keep(
        self,
        core: AskingCore,
        name: str,
        asked: DiscoverQuery,
        size: int,
        rank: int,
        earlier: WaitingQuery | None,
        is_looked_at: bool,
    ) -> None:
        queue = self._by_operation.get(name)
        if queue is None:
            queue = self._by_operation[name] = _Queue()
        if earlier is None:
            self._last_place += 1
            place = self._last_place
        else:
            place = earlier.place
            queue.set_aside(earlier)
        query = core.queries[name] = queue.waiting[core.core_identifier] = WaitingQuery(
            core, name, asked, size, place, rank
        )
        self._ranked[rank][query] = None
        self.bytes += size
        if is_looked_at:
            queue.join(query)

    def fulfil(self, core_identifier: str, operation_name: str) -> None:
        """Let a core wait for an operation no more."""
        core = self._by_core.get(core_identifier)
        if core is not None and operation_name in core.queries:
            self._remove(core.queries[operation_name])
            if not core.queries:
                self._remove_core(core)

    def forget(self, core_identifier: str) -> None:
        """Let a core wait for nothing."""
        core = self._by_core.get(core_identifier)
        if core is not None:
            for query in list(core.queries.values()):
                self._remove(query)
            self._remove_core(core)

    def discard_expired(self, now: float) -> None:
        """Forget what was asked for too long ago."""
        for core in self.deadlines.pop_due(now):
            self.forget(core.core_identifier)

    def clear(self) -> None:
        """Let nobody wait."""
        self._forget_all()
        self.deadlines.clear()
        self.bytes = 0

    def _remove(self, query: WaitingQuery) -> None:
        self._leave(query)
        del query.core.queries[query.operation_name]
        del self._ranked[query.rank][query]
        self.bytes -= query.size

    def _remove_core(self, core: AskingCore) -> None:
        self.bytes -= core.size
        del self._by_core[core.core_identifier]
        self.deadlines.discard(core)
        if not self._by_core and not self._by_operation:
            self._forget_all()

    def _leave(self, query: WaitingQuery) -> None:
        """Take a query out of the queue for its operation."""
        queue = self._by_operation[query.operation_name]
        queue.set_aside(query)
        del queue.waiting[query.core.core_identifier]
        if not queue.waiting:
            del self._by_operation[query.operation_name]

    # Room

    def _rank(self, core_identifier: str, operation_name: str) -> int:
        """Return which queries one displaces if there is no room: all whose rank is lower."""
        return 2 * (core_identifier in self._config.named) + (operation_name in self._config.operations)

    def _make_room(self, rank: int, size: int) -> bool:
        """Return whether there is room for one more query; others of lower ranks give way to it."""
        if size > limits.SCHEMA_BYTES:
            return False
        while len(self) >= limits.WAITING_QUERIES or self.bytes + size > limits.WAITING_QUERY_BYTES:
            lowest = next((self._ranked[lower] for lower in range(rank) if self._ranked[lower]), None)
            if lowest is None:
                return False
            query = next(reversed(lowest))
            self.fulfil(query.core.core_identifier, query.operation_name)
        return True


def _size_of_core(core: AskingCore) -> int:
    """Return about how many bytes a core takes that asks, without its queries."""
    told = core.topics
    topics = core.offer_topic, told.keepalive_topic, told.keepalive_request_topic
    exact = [fingerprint for listed in core.exact_schemas.values() for fingerprint in listed]
    texts = core.core_identifier, core.incarnation or "", *topics, *exact
    return _CORE_BYTES + sum(map(getsizeof, texts))


def size_of_query(operation_name: str, query: DiscoverQuery) -> int:
    """Return about how many bytes a query takes, with all that it names."""
    texts = [operation_name, query.operation_name, *(query.allowlist or ()), *(query.blocklist or ())]
    texts += schemas_of(query)
    return _QUERY_BYTES + _SHAPE_BYTES * (len(query.inputs) + len(query.outputs)) + sum(map(getsizeof, texts))


def schemas_of(query: DiscoverQuery) -> list[str]:
    """Return all schemas that a query names."""
    schemas = [schema for shape in query.inputs for schema in shape.schemas]
    schemas += [schema for shape in query.outputs for schema in shape.schemas]
    return schemas


def admits(query: DiscoverQuery, identifier: str) -> bool:
    """Return whether the lists of a query admit a plugin. With an allowlist, the blocklist does not count."""
    if query.allowlist is not None:
        return identifier in query.allowlist
    return query.blocklist is None or identifier not in query.blocklist
