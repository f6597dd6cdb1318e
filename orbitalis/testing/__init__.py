"""Tools to test your own plugins and cores: a bus for each test, a virtual clock, and a record of all events.

With pytest, a test with an argument `harness` gets a :class:`Harness` and runs on the virtual clock. See
`docs/reference/testing.md`. A module is imported when a name of it is first used, because pytest loads a part of this
package in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orbitalis.testing.harness import Harness, LeftoverError
    from orbitalis.testing.recording import Recording, RecordingBus, Sent
    from orbitalis.testing.virtual_clock import DeadlockError, VirtualClockEventLoop, run

__all__ = [
    "DeadlockError",
    "Harness",
    "LeftoverError",
    "Recording",
    "RecordingBus",
    "Sent",
    "VirtualClockEventLoop",
    "run",
]

_HOMES = ("harness", "recording", "virtual_clock")


def __getattr__(name: str) -> object:
    """Import the module of a name when the name is first used."""
    if name in __all__:
        from importlib import import_module

        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
