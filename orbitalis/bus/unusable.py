"""The bus of a program whose environment names none that there is."""

from __future__ import annotations

from orbitalis.bus.local import LocalEventBusClient
from orbitalis.errors import BusUrlError

__all__ = ["UnusableEventBusClient"]


class UnusableEventBusClient(LocalEventBusClient):
    """A client that says why it has no bus when it is to connect.

    An orbiter can be made with it, because the program is right. Its start fails, and says how to mend the variable.
    """

    def __init__(self, reason: str) -> None:
        """Make a client that cannot connect for a reason, which is a sentence."""
        super().__init__()
        self._reason = reason

    async def connect(self) -> None:
        """Refuse.

        Raises:
            BusUrlError: Always.
        """
        raise BusUrlError(self._reason)
