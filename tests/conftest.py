"""Fixtures for every test, and what is left to chance in none of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests.support.broker import Broker

__all__: list[str] = []

# The same inputs in each run; `--hypothesis-profile=default` takes others.
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")
# Hypothesis takes constants out of the modules that are loaded by then, and that depends on which tests went before.
assert callable(providers._get_local_constants)
setattr(providers, "_get_local_constants", lambda: providers._local_constants)  # noqa: B010


@pytest.fixture(autouse=True)
def _no_chance() -> None:
    """Let what the library leaves to chance, as which plugin gets an input, be the same in each run."""
    random.seed(0)


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
