"""The two events that tell whether a core is compliant."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from orbitalis.bus.home_loop import HomeLoop

__all__ = ["ComplianceEvents"]


class ComplianceEvents:
    """Gives the events of the running event loop; asyncio lets nobody wait for those of an earlier one."""

    def __init__(self, home: HomeLoop) -> None:
        """Make events that are not set, for a core that is started in one event loop after the other."""
        self._home = home
        self._loop: asyncio.AbstractEventLoop | None = None
        self._compliant = asyncio.Event()
        self._not_compliant = asyncio.Event()

    @property
    def compliant(self) -> asyncio.Event:
        """Set while the core is compliant."""
        self._renew()
        return self._compliant

    @property
    def not_compliant(self) -> asyncio.Event:
        """Set while the core runs and is not compliant."""
        self._renew()
        return self._not_compliant

    def _renew(self) -> None:
        """Make new events where the event loop is another one, unless those of before may still be waited for."""
        with suppress(RuntimeError):  # no event loop is running: nobody can wait
            here = asyncio.get_running_loop()
            if here is not self._loop and (self._loop is None or self._home.loop is None or self._loop.is_closed()):
                if self._loop is not None:
                    self._compliant = _copy(self._compliant)
                    self._not_compliant = _copy(self._not_compliant)
                self._loop = here


def _copy(event: asyncio.Event) -> asyncio.Event:
    """Return an event that is set if this one is."""
    copy = asyncio.Event()
    if event.is_set():
        copy.set()
    return copy
