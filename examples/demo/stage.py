"""Where the demonstration plays: what it needs of the orbiters, however they are run."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Actor", "Stage"]


class Actor(ABC):
    """One orbiter of the play; what it reports goes to the chronicle."""

    identifier: str

    @abstractmethod
    def tell(self, command: str) -> None:
        """Give it a command, a line of text."""

    @abstractmethod
    async def kill(self) -> None:
        """End it in the middle of what it does: it tells nobody."""

    @abstractmethod
    async def terminate(self) -> int:
        """Have it stop in an orderly way, and return its exit status."""


class Stage(ABC):
    """What runs the orbiters of the play."""

    is_one_process: bool
    """Whether they all are in this process, on the bus within it."""

    @abstractmethod
    async def open(self) -> str:
        """Start the bus, and return its URL."""

    @abstractmethod
    async def start_home(self, identifier: str, *, lamps: int, dimmable: int) -> Actor:
        """Start a home that needs so many lamps, and so many of them that can be dimmed."""

    @abstractmethod
    async def start_lamp(self, identifier: str, kind: str) -> Actor:
        """Start a lamp of brand `x` or `y`."""

    @abstractmethod
    async def start_program(self, identifier: str, *command: str) -> Actor:
        """Start a program that is an orbiter and does not report: its output is told as it is."""

    @abstractmethod
    async def kill_bus(self) -> None:
        """End the bus as a crash would."""

    @abstractmethod
    async def restart_bus(self) -> None:
        """Start the bus again, at the same place."""

    @abstractmethod
    async def close_bus(self) -> None:
        """End the bus in an orderly way."""

    @abstractmethod
    def left_running(self) -> list[str]:
        """Return what still runs of all that was started here."""

    @abstractmethod
    async def close(self) -> None:
        """End everything that still runs."""
