"""How far the references of a contract may lead."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Final

__all__ = ["boundary_of"]

_MARKS: Final = (".git", "pyproject.toml")
"""What marks the folder of a project, the more telling one first."""


def boundary_of(document: Path) -> Path:
    """The folder that holds all files of a contract: that of the project in which its `document` stands.

    What a project is made from stands in it. A document that belongs to no project may refer to files anywhere.
    """
    path = Path(os.path.abspath(document))
    for mark in _MARKS:
        for folder in path.parents:
            if (folder / mark).exists():
                return folder
    return Path(path.anchor)
