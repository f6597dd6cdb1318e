"""Fixtures for the tests of a broker that holds topics against users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.secure_broker import SecureBroker

__all__: list[str] = []


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """Give the broker of the example, which the tests of a module share."""
    broker = SecureBroker(tmp_path_factory.mktemp("secure"))
    broker.start()
    yield broker
    broker.kill()
