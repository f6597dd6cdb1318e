"""A record of all events on a bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar, cast, overload

from orbitalis.bus.dispatch import Subscription
from orbitalis.bus.local import LocalEventBus
from orbitalis.bus.topic_filters import FilterMap, check_filter
from orbitalis.message.event import Event
from orbitalis_wire.envelope import Encoding

__all__ = ["Recording", "RecordingBus", "Sent"]

T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M")

_SHOWN = 40
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Sent(Generic[T_co]):
    """One recorded event, with its time and topic."""

    time: float
    """When it was sent, in seconds of the event loop's clock. A virtual clock begins at 0."""
    topic: str
    """Topic to which it was sent."""
    event: Event[T_co]
    """The event, with its envelope."""

    @property
    def payload(self) -> T_co:
        """The message, or `None` for an empty event."""
        return self.event.payload

    def __str__(self) -> str:
        """Show one line: of messages of the protocol what matters."""
        payload = _brief(self.payload)
        if len(payload) > _WIDTH:
            payload = f"{payload[: _WIDTH - 1]}…"
        return f"{self.time:10.3f} s  {self.topic}  {payload}"


class Recording(Sequence[Sent[T_co]]):
    """Recorded events, in order. :meth:`of` and :meth:`on` select some of them, and can be combined."""

    def __init__(self, sent: Sequence[Sent[T_co]] = ()) -> None:
        """Show the events in `sent`, also those that are added later."""
        self._sent = sent

    def of(self, message_class: type[M]) -> Recording[M]:
        """Return the events so far with messages of one class."""
        return Recording([sent for sent in self._sent if _carries(sent, message_class)])  # type: ignore[misc]

    def on(self, topic_filter: str) -> Recording[T_co]:
        """Return the events so far on a topic, or on all topics that a filter with `+` and `#` matches."""
        check_filter(topic_filter)
        filters: FilterMap[str] = FilterMap()
        filters.add(topic_filter, topic_filter)
        return Recording([sent for sent in self._sent if filters.match(sent.topic)])

    @property
    def payloads(self) -> list[T_co]:
        """The messages of the events."""
        return [sent.payload for sent in self._sent]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._sent)

    @overload
    def __getitem__(self, index: int) -> Sent[T_co]: ...
    @overload
    def __getitem__(self, index: slice) -> Recording[T_co]: ...
    def __getitem__(self, index: int | slice) -> Sent[T_co] | Recording[T_co]:
        """Return one event, or a recording of some."""
        return Recording(self._sent[index]) if isinstance(index, slice) else self._sent[index]

    def __repr__(self) -> str:
        """Show how many there are, and of what."""
        names = [type(sent.payload).__name__ if sent.payload is not None else "(empty)" for sent in self._sent]
        counted = [f"{names.count(name)} {name}" for name in dict.fromkeys(names)]
        return f"<Recording of {len(names)}{': ' if counted else ''}{', '.join(counted)}>"

    def __str__(self) -> str:
        """Show a line for each event, but one for all that repeat the one before; of very many, the last."""
        lines: list[str] = []
        for _, group in groupby(self._sent, lambda sent: (sent.topic, sent.payload)):
            first, *repeated = group
            lines.append(str(first))
            if repeated:
                lines.append(f"{'':14}… and {len(repeated)} times more until {repeated[-1].time:.3f} s")
        if len(lines) > _SHOWN:
            lines[:-_SHOWN] = [f"({len(lines) - _SHOWN} earlier lines)"]
        return "\n".join(lines) or "(nothing)"


def _carries(sent: Sent[Any], message_class: type) -> bool:
    return isinstance(sent.payload, message_class)


def _brief(payload: object) -> str:
    """Return a message as text; of those of the protocol, neither topics nor times nor schemas are of interest."""
    if payload is None:
        return "(empty)"
    if not is_dataclass(payload) or not type(payload).__module__.startswith("orbitalis_wire."):
        return repr(payload)
    shown = [
        f"{field.name}={_brief_value(getattr(payload, field.name))}"
        for field in fields(payload)
        if not field.name.endswith(("_topic", "_after", "_schemas"))
    ]
    return f"{type(payload).__name__}({', '.join(shown)})"


def _brief_value(value: object) -> str:
    """Return the keys of mappings and the names of named things, and anything else as it is."""
    if isinstance(value, Mapping):
        return repr(list(cast("Mapping[object, object]", value)))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return repr([getattr(item, "name", item) for item in cast("Sequence[object]", value)])
    return repr(value)


class RecordingBus(LocalEventBus):
    """A bus inside this process that records all events, and knows all subscriptions.

    Events are encoded and decoded, as on the way through a broker. If that fails, publishing fails, too.
    """

    def __init__(self) -> None:
        """Make a bus of its own, on which nothing has been sent."""
        super().__init__()
        self._sent: list[Sent[Any]] = []
        self._current: list[Subscription] = []

    @property
    def recording(self) -> Recording[Any]:
        """All events so far. Later events are added."""
        return Recording(self._sent)

    @property
    def subscriptions(self) -> Iterable[Subscription]:
        """The current subscriptions."""
        return tuple(self._current)

    def add(self, subscription: Subscription) -> None:
        """Deliver to a subscription from now on."""
        super().add(subscription)
        self._current.append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to a subscription no more; raises :class:`KeyError` if it was not delivered to."""
        super().remove(subscription)
        self._current.remove(subscription)

    def publish(self, topic: str, event: Event[Any], here: asyncio.AbstractEventLoop | None = None) -> None:
        """Record an event, and deliver it to all subscriptions that match; raises what encoding it raises."""
        arrived = Event.decode(event.encode(Encoding.JSON))
        self._sent.append(Sent(asyncio.get_running_loop().time(), topic, arrived))
        super().publish(topic, arrived)
