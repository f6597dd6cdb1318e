"""What an orbiter counts of each operation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from orbitalis_wire import limits

__all__ = ["OperationStatistics", "StatisticsByOperation", "bounded", "text_of"]


@dataclass(slots=True, kw_only=True)
class OperationStatistics:
    """Counters of one operation at one orbiter, from its making on."""

    executions: int = 0
    """Inputs that a plugin has begun to handle, or that a core has sent."""
    answers: int = 0
    """Answers that a plugin has sent, or that a core has received, those with an error included."""
    errors: int = 0
    """Inputs on which the handler of a plugin has failed, or answers with an error that a core has received."""
    last_error: str | None = None
    """Class and text of the last error, cut to `limits.ERROR_TEXT_BYTES` bytes; `None` for none."""
    last_error_at: datetime | None = None
    """When that was, in UTC."""
    seconds_in_handler: float = 0.0
    """Time between begin and end of handlers or sinks, waiting included; those that run side by side add up."""

    def note_error(self, error: BaseException) -> None:
        """Count an error that a handler has raised."""
        self.note_failure(type(error).__name__, text_of(error))

    def note_failure(self, error_type: str, text: str) -> None:
        """Count an error, given the name of its class and what it says."""
        self.errors += 1
        self.last_error = bounded(f"{error_type}: {text}" if text else error_type)
        self.last_error_at = datetime.now(UTC)


class StatisticsByOperation(dict[str, OperationStatistics]):
    """The counters of each operation by its name. Look one up with `[]`: what is missing is made, the rest no call."""

    __slots__ = ()

    def __missing__(self, operation_name: str) -> OperationStatistics:
        made = self[operation_name] = OperationStatistics()
        return made


def text_of(error: BaseException) -> str:
    """Return what an error says, or nothing if it fails to."""
    try:
        return str(error)
    except Exception:  # users write exceptions, too
        return ""


def bounded(text: str, most: int = limits.ERROR_TEXT_BYTES) -> str:
    """Return a text that can be sent: at most so many bytes of UTF-8, and nothing in it that UTF-8 cannot say."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
