"""Fixtures for the tests of what core and plugin share."""

from __future__ import annotations

import pytest

from orbitalis.bus import LocalEventBus

__all__: list[str] = []


@pytest.fixture
def bus() -> LocalEventBus:
    """Give a bus that is the test's own."""
    return LocalEventBus()


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `stop` wait for hooks that hang no longer than a test would."""
    monkeypatch.setattr("orbitalis.orbiter.orbiter._STOP_TIMEOUT", 0.2)
