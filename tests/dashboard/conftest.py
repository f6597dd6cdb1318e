"""Fixtures of the tests that take a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.dashboard.serving import Browser

__all__: list[str] = []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give the browser that all tests of a module share: it takes its time to start."""
    async with Browser() as one:
        yield one
