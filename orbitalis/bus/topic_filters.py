"""Topics and topic filters: which are valid, and which filters match a topic."""

from __future__ import annotations

from typing import Generic, TypeVar

from orbitalis.errors import InvalidTopicError
from orbitalis_wire import limits
from orbitalis_wire.topics import UNPUBLISHABLE

__all__ = ["FilterMap", "check_filter", "check_topic", "has_wildcard"]

T = TypeVar("T")


def check_topic(topic: str) -> None:
    """Raise :class:`InvalidTopicError` unless `topic` can be published to."""
    if "+" in topic or "#" in topic:
        raise _invalid("topic", topic, "the wildcards + and # are for subscriptions only")
    _check_text("topic", topic)


def check_filter(topic_filter: str) -> None:
    """Raise :class:`InvalidTopicError` unless `topic_filter` can be subscribed to."""
    _check_text("topic filter", topic_filter)
    if topic_filter.startswith("$share/"):
        raise _invalid("topic filter", topic_filter, "shared subscriptions are not supported")
    if has_wildcard(topic_filter):
        levels = topic_filter.split("/")
        if any(len(level) > 1 and ("+" in level or "#" in level) for level in levels):
            raise _invalid("topic filter", topic_filter, "the wildcards + and # each have to fill a level between /")
        if "#" in levels[:-1]:
            raise _invalid("topic filter", topic_filter, "the wildcard # has to be the last level")


def has_wildcard(topic_filter: str) -> bool:
    """Return whether a valid topic filter matches more than the topic of the same name."""
    return "+" in topic_filter or "#" in topic_filter


def _check_text(kind: str, text: str) -> None:
    if not text:
        raise _invalid(kind, text, "it is empty")
    forbidden = UNPUBLISHABLE.search(text)
    if forbidden is not None:
        raise _invalid(kind, text, f"character {forbidden.start()} (U+{ord(forbidden[0]):04X}) is not allowed")
    length = len(text.encode())
    if length > limits.TOPIC_BYTES:
        raise _invalid(kind, text, f"it is {length} bytes long, {limits.TOPIC_BYTES} are allowed")


def _invalid(kind: str, text: str, reason: str) -> InvalidTopicError:
    shown = repr(text) if len(text) <= 100 else f"{text[:100]!r}..."
    return InvalidTopicError(f"invalid {kind} {shown}: {reason}")


class FilterMap(Generic[T]):
    """Values by topic filter.

    Finding those that match a topic takes time by the number of shapes that filters with as many levels have (which
    levels are `+`), not by the number of filters. Only filters with `#` are looked at one by one. Threads may look for
    matches while one of them changes the map. Values are hashable, and none is `None`.
    """

    __slots__ = ("_one", "_open_ended", "_several", "_shapes", "_uses")

    def __init__(self) -> None:
        """Make an empty map."""
        self._one: dict[str, T] = {}
        """The value of a filter that has only one, as most have."""
        self._several: dict[str, dict[T, None]] = {}
        """The values of a filter that has more."""
        self._shapes: dict[int, tuple[tuple[int, ...], ...]] = {}
        """By number of slashes: the shapes that filters have, which say what levels are `+`."""
        self._uses: dict[tuple[int, tuple[int, ...]], int] = {}
        """How many filters have a shape, by that."""
        self._open_ended: dict[str, tuple[list[str], dict[T, None]]] = {}
        """Filters that end with `#`: their levels before that, and the values."""

    def add(self, topic_filter: str, value: T) -> None:
        """Put one more value under a valid topic filter."""
        if topic_filter[-1] == "#":
            levels = topic_filter.split("/")[:-1]
            self._open_ended.setdefault(topic_filter, (levels, {}))[1][value] = None
            return
        if topic_filter in self._several:
            self._several[topic_filter][value] = None
            return
        if topic_filter in self._one:
            self._several[topic_filter] = {self._one[topic_filter]: None, value: None}
            del self._one[topic_filter]
            return
        self._one[topic_filter] = value
        if "+" in topic_filter:
            count, shape = topic_filter.count("/"), _shape(topic_filter)
            if (count, shape) not in self._uses:
                self._uses[count, shape] = 0
                self._shapes[count] = (*self._shapes.get(count, ()), shape)
            self._uses[count, shape] += 1

    def remove(self, topic_filter: str, value: T) -> None:
        """Take a value out again; raises :class:`KeyError` if it is not there."""
        if topic_filter[-1] == "#":
            _, values = self._open_ended[topic_filter]
            del values[value]
            if not values:
                del self._open_ended[topic_filter]
            return
        if topic_filter in self._several:
            values = self._several[topic_filter]
            del values[value]
            if values:
                return
            del self._several[topic_filter]
        elif self._one[topic_filter] == value:
            del self._one[topic_filter]
        else:
            raise KeyError(value)
        if "+" in topic_filter:
            count, shape = topic_filter.count("/"), _shape(topic_filter)
            self._uses[count, shape] -= 1
            if not self._uses[count, shape]:
                del self._uses[count, shape]
                self._shapes[count] = tuple(one for one in self._shapes[count] if one != shape)
                if not self._shapes[count]:
                    del self._shapes[count]

    def match(self, topic: str) -> list[T]:
        """Return all values whose filter matches `topic`, each once."""
        found = self._exactly(topic)
        if self._shapes and (shapes := self._shapes.get(topic.count("/"))):
            levels = topic.split("/")
            for shape in shapes:
                # Wildcards do not match the first level of topics that begin with $ (MQTT 5.0, 4.7.2).
                if shape[0] == 0 and topic[0] == "$":
                    continue
                pattern = [*levels]
                for index in shape:
                    pattern[index] = "+"
                found += self._exactly("/".join(pattern))
        if self._open_ended:
            levels = topic.split("/")
            for begin, values in tuple(self._open_ended.values()):
                if _begins_with(levels, begin):
                    found += values
        return found

    def _exactly(self, topic_filter: str) -> list[T]:
        """Return the values of a filter."""
        one = self._one.get(topic_filter)
        return [*self._several.get(topic_filter, ())] if one is None else [one]


def _shape(topic_filter: str) -> tuple[int, ...]:
    return tuple(index for index, level in enumerate(topic_filter.split("/")) if level == "+")


def _begins_with(levels: list[str], begin: list[str]) -> bool:
    """Return whether a topic's levels are matched by those of a filter that go before `#`.

    `a/#` matches `a` as well. Wildcards do not match the first level of topics that begin with $.
    """
    if len(levels) < len(begin) or (levels[0].startswith("$") and (not begin or begin[0] == "+")):
        return False
    return all(wanted in ("+", level) for wanted, level in zip(begin, levels, strict=False))
