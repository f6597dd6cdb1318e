"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import Broker

__all__: list[str] = []


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give the broker that all tests of a session share: it lets everybody in, and nobody may end it."""
    shared = Broker(tmp_path_factory.mktemp("broker"))
    shared.start()
    yield shared
    shared.kill()


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Give a function that starts a broker of the test's own, with the arguments of `Broker` but the folder."""
    brokers: list[Broker] = []

    def start(**options: Any) -> Broker:
        folder = tmp_path / f"broker-{len(brokers)}"
        folder.mkdir()
        brokers.append(Broker(folder, **options))
        brokers[-1].start()
        return brokers[-1]

    yield start
    for one in brokers:
        one.kill()
