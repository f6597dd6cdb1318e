"""The TypeScript code as JavaScript, compiled once, and as users install it, packed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typescript.installed import install, packed
from tests.typescript.package import compiled


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the repository's TypeScript is, compiled."""
    folder = tmp_path_factory.mktemp("javascript")
    compiled(folder)
    return folder


@pytest.fixture(scope="session")
def sdk_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package as `npm pack` packs it."""
    return packed(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, sdk_archive: Path) -> Path:
    """Return a project outside the repository in which the package is installed, and nothing else."""
    folder = tmp_path_factory.mktemp("project")
    install(folder, sdk_archive)
    return folder
