"""Fixtures for the tests of what is declared about operations."""

from __future__ import annotations

import pytest

from orbitalis.bus import LocalEventBus

__all__: list[str] = []


@pytest.fixture
def bus() -> LocalEventBus:
    """Give a bus that is the test's own."""
    return LocalEventBus()
