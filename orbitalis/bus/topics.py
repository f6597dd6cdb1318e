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

    Finding those that match a topic takes time by the levels of the topic, not by the number of filters.
    """

    def __init__(self) -> None:
        """Make an empty map."""
        self._exact: dict[str, tuple[T, ...]] = {}
        self._root: _Node[T] = _Node()

    def add(self, topic_filter: str, value: T) -> None:
        """Put one more value under a valid topic filter."""
        if not has_wildcard(topic_filter):
            self._exact[topic_filter] = (*self._exact.get(topic_filter, ()), value)
            return
        node = self._root
        for level in topic_filter.split("/"):
            node = node.children.setdefault(level, _Node())
        node.values = (*node.values, value)

    def remove(self, topic_filter: str, value: T) -> None:
        """Take a value out again; raises :class:`KeyError` if it is not there."""
        if not has_wildcard(topic_filter):
            rest = _without(self._exact[topic_filter], value)
            if rest:
                self._exact[topic_filter] = rest
            else:
                del self._exact[topic_filter]
            return
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            path.append(path[-1].children[level])
        path[-1].values = _without(path[-1].values, value)
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.values or node.children:
                break
            del parent.children[level]

    def match(self, topic: str) -> list[T]:
        """Return all values whose filter matches `topic`, each once."""
        found = list(self._exact.get(topic, ()))
        if not self._root.children:
            return found
        reached = [self._root]
        # Wildcards do not match the first level of topics that begin with $ (MQTT 5.0, 4.7.2).
        wildcards_match = not topic.startswith("$")
        for level in topic.split("/"):
            deeper: list[_Node[T]] = []
            for node in reached:
                if wildcards_match:
                    if (rest := node.children.get("#")) is not None:
                        found += rest.values
                    if (any_level := node.children.get("+")) is not None:
                        deeper.append(any_level)
                if (same := node.children.get(level)) is not None:
                    deeper.append(same)
            if not deeper:
                return found
            reached = deeper
            wildcards_match = True
        for node in reached:
            found += node.values
            # `a/#` matches `a` as well.
            if (rest := node.children.get("#")) is not None:
                found += rest.values
        return found


class _Node(Generic[T]):
    """A level in the tree of filters with wildcards."""

    __slots__ = ("children", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: tuple[T, ...] = ()


def _without(values: tuple[T, ...], value: T) -> tuple[T, ...]:
    if value not in values:
        raise KeyError(value)
    return tuple(other for other in values if other is not value)
