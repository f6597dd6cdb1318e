"""Broken contracts, and broken settings of projects that have contracts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.codegen.broken.cases import Broken, cases_of_files

__all__ = ["LAMPS", "cases_of_contracts"]

LAMPS = Path(__file__).parents[1] / "lamps"
"""A contract with nothing wrong."""


def cases_of_contracts() -> Iterator[Broken]:
    """Read all cases of the text files beside this one."""
    yield from cases_of_files(Path(__file__).parent)
