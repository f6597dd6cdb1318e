"""The TypeScript code as JavaScript, compiled once for all tests that run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typescript.package import compiled


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the repository's TypeScript is, compiled."""
    folder = tmp_path_factory.mktemp("javascript")
    compiled(folder)
    return folder
