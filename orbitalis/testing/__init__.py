"""Tests of one's own plugins and cores: a bus of their own, a clock that does not wait, and a record of what is sent.

With pytest, a test that has an argument `harness` gets a :class:`Harness` and runs on the virtual clock; see
`docs/reference/testing.md`. Nothing here is imported before it is asked for: pytest loads a part of this package in
every run.
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
    """Import what is offered when it is first asked for."""
    if name in __all__:
        from importlib import import_module

        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
