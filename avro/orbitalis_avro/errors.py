"""What this package raises.

    WireError (a ValueError)
    ├── EncodeError   a value does not fit its schema: the fault of its maker
    ├── DecodeError   bytes are not what their schema says: the fault of their sender
    └── TopicError    a text cannot be a level of a topic, or is not a topic of the channel

Each says what was expected, what came, and where.
"""

from __future__ import annotations

__all__ = ["DecodeError", "EncodeError", "TopicError", "WireError"]


class WireError(ValueError):
    """The base of everything that this package raises."""


class EncodeError(WireError):
    """A value cannot be written, since it does not fit its schema."""

    def __init__(self, record: str, path: str, reason: str) -> None:
        super().__init__(record, path, reason)
        self.record = record
        """Name of the class of the whole message."""
        self.path = path
        """Path of the field, such as `queries["turn_on"].inputs[0].schemas`; empty for the message itself."""
        self.reason = reason
        """What was expected and what came."""

    def __str__(self) -> str:
        return f"cannot encode {_place(self.record, self.path)}: {self.reason}"


class DecodeError(WireError):
    """Bytes cannot be read, since they are not what their schema says."""

    def __init__(self, record: str, path: str, reason: str) -> None:
        super().__init__(record, path, reason)
        self.record = record
        """Name of the class of the whole message."""
        self.path = path
        """Path of the field, such as `queries["turn_on"].inputs[0].schemas`; empty for the message itself."""
        self.reason = reason
        """What was expected and what came."""

    def __str__(self) -> str:
        return f"cannot decode {_place(self.record, self.path)}: {self.reason}"


class TopicError(WireError):
    """A text cannot be a level of a topic, or a topic does not belong to the channel."""

    def __init__(self, parameter: str, value: str, reason: str) -> None:
        super().__init__(parameter, value, reason)
        self.parameter = parameter
        """Name of the parameter, or `topic` for the topic as a whole."""
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        shown = self.value if len(self.value) <= 100 else self.value[:100] + "…"
        return f"{self.parameter} {shown!r}: {self.reason}"


def _place(record: str, path: str) -> str:
    if not path:
        return record
    return record + path if path.startswith("[") else f"{record}.{path}"
