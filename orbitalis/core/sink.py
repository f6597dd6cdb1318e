"""Sinks: what takes the outputs of operations, and the decorator that makes a method one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from orbitalis.bus.event_handler import EventCallback, EventHandler
from orbitalis.orbiter.declarations import declarations_of, declare
from orbitalis.orbiter.handlers import as_handler
from orbitalis_wire.topics import OperationOutputTopic

__all__ = ["SinksProviderMixin", "sink"]

H = TypeVar("H", bound=Callable[[Any, str, Any], Awaitable[None]])


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What :func:`sink` says about a method."""

    operation_name: str


def sink(operation_name: str) -> Callable[[H], H]:
    """Make a method `async def handler(self, topic, event)` of a core the sink of an operation.

    Raises:
        TopicError: The name cannot be a level of a topic.
    """
    OperationOutputTopic.filter(operation_name=operation_name)

    def decorate(handler: H) -> H:
        return declare(handler, _Declaration(operation_name))

    return decorate


class SinksProviderMixin:
    """Something that has sinks."""

    operation_sinks: dict[str, EventHandler | EventCallback]
    """By operation name; may be edited at any time, and counts from the next output on."""

    def with_operation_sink(self, operation_name: str, handler: EventHandler | EventCallback) -> Self:
        """Add the sink of an operation, or replace it."""
        self.operation_sinks[operation_name] = as_handler(handler)
        return self

    def _declared_sinks(self) -> dict[str, EventHandler | EventCallback]:
        """Return the sinks that methods declare, by operation name."""
        found: dict[str, EventHandler | EventCallback] = {}
        for attribute, declaration in declarations_of(type(self), _Declaration).items():
            handler: Callable[[str, Any], Awaitable[None]] = getattr(self, attribute)
            found[declaration.operation_name] = as_handler(handler)
        return found
