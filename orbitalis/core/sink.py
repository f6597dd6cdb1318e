"""Sinks: what takes the outputs of operations, and the decorator that makes a method one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler
from orbitalis.orbiter.declarations import declarations_of, declare
from orbitalis_wire.topics import OperationOutputTopic

__all__ = ["SinksProviderMixin", "sink"]

S = TypeVar("S")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What :func:`sink` says about a method."""

    operation_name: str


def sink(
    operation_name: str,
) -> Callable[[Callable[[S, str, E], Awaitable[None]]], Callable[[S, str, E], Awaitable[None]]]:
    """Make a method `async def handler(self, topic, event)` of a core the sink of an operation.

    Raises:
        TopicError: The name cannot be a level of a topic.
    """
    OperationOutputTopic.filter(operation_name=operation_name)

    def decorate(handler: Callable[[S, str, E], Awaitable[None]]) -> Callable[[S, str, E], Awaitable[None]]:
        return declare(handler, _Declaration(operation_name))

    return decorate


class SinksProviderMixin:
    """Something that has sinks."""

    operation_sinks: dict[str, EventHandler]
    """By operation name; may be edited at any time, and counts from the next output on."""

    def with_operation_sink(self, operation_name: str, handler: EventHandler | EventCallback) -> Self:
        """Add the sink of an operation, or replace it."""
        self.operation_sinks[operation_name] = (
            handler if isinstance(handler, EventHandler) else CallbackEventHandler(handler)
        )
        return self

    def _declared_sinks(self) -> dict[str, EventHandler]:
        """Return the sinks that methods declare, by operation name."""
        found: dict[str, EventHandler] = {}
        for attribute, declaration in declarations_of(type(self), _Declaration).items():
            handler: Callable[[str, Any], Awaitable[None]] = getattr(self, attribute)
            found[declaration.operation_name] = CallbackEventHandler(handler)
        return found
