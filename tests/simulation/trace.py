"""What happened in a simulation, for people."""

from __future__ import annotations

from collections import deque

from orbitalis.protocol.effects import sender_of
from tests.support.machines import Node, Packet

__all__ = ["Trace"]


class Trace:
    """The last things that happened, written out only when somebody asks."""

    def __init__(self, length: int = 400) -> None:
        self._entries: deque[tuple[float, str, tuple[object, ...]]] = deque(maxlen=length)

    def note(self, now: float, text: str, *arguments: object) -> None:
        """Note that something happened; `%s` in the text stand for the arguments."""
        self._entries.append((now, text, arguments))

    def __str__(self) -> str:
        return "\n".join(f"{now:10.3f}  {text % tuple(map(_shown, given))}" for now, text, given in self._entries)


def _shown(value: object) -> str:
    match value:
        case Node():
            return value.identifier
        case Packet(message=message, topic=topic, envelope=envelope):
            operation = getattr(message, "operation_name", None)
            parts = [
                type(message).__name__.removesuffix("Message"),
                *([str(operation)] if operation else []),
                f"of {sender_of(message)} on {topic}",
                f"life {envelope.incarnation}",
                *([f"connection {envelope.connection_identifier}"] if envelope.connection_identifier else []),
                *([f"answers {envelope.correlation_identifier}"] if envelope.correlation_identifier else []),
            ]
            return " ".join(parts)
        case _:
            return str(value)
