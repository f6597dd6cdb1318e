"""What happened in a simulation, for people."""

from __future__ import annotations

from collections import deque
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from orbitalis.protocol.effects import sender_of
from tests.support.machines import Node, Packet

__all__ = ["Trace"]


class Trace:
    """Who there is, and the last things that happened; written out only when somebody asks."""

    def __init__(self, length: int = 400) -> None:
        self._people: list[tuple[str, str, object]] = []
        self._entries: deque[tuple[float, str, tuple[object, ...]]] = deque(maxlen=length)

    def introduce(self, who: str, operation: str, rules: object) -> None:
        """Note the constraint or policy that somebody begins with."""
        self._people.append((who, operation, _shown(rules)))

    def note(self, now: float, text: str, *arguments: object) -> None:
        """Note that something happened; `%s` in the text stand for the arguments."""
        self._entries.append((now, text, arguments))

    def __str__(self) -> str:
        people = [f"{who}: {operation}: {rules}" for who, operation, rules in self._people]
        events = [f"{now:10.3f}  {text % tuple(map(_shown, given))}" for now, text, given in self._entries]
        return "\n".join(people + events)


def _shown(value: object) -> str:
    match value:
        case float():
            return f"{value:.3f}"
        case Node():
            return value.identifier
        case Packet(message=message, topic=topic, envelope=envelope):
            operation = getattr(message, "operation_name", None)
            parts = [
                type(message).__name__.removesuffix("Message"),
                *([str(operation)] if operation else []),
                f"of {sender_of(message)} on {topic}",
                f"incarnation {envelope.incarnation}",
                *([f"connection {envelope.connection_identifier}"] if envelope.connection_identifier else []),
                *([f"answers {envelope.correlation_identifier}"] if envelope.correlation_identifier else []),
            ]
            return " ".join(parts)
        case _ if is_dataclass(value) and not isinstance(value, type):
            told = [f"{field.name}={getattr(value, field.name)!r}" for field in fields(value) if _is_told(value, field)]
            return f"{type(value).__name__}({', '.join(told)})"
        case _:
            return str(value)


def _is_told(value: object, field: Field[Any]) -> bool:
    """Return whether a field is something else than it usually is; what operations carry is the same in all worlds."""
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return field.name not in ("inputs", "outputs") and getattr(value, field.name) != default
