"""The TypeScript package in the repository: where it is, and how its code runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.repository import ROOT, run

__all__ = ["BEYOND", "MODULES", "PACKAGE", "compiled", "needs_node"]

PACKAGE = ROOT / "typescript"
BEYOND = "expected an integer from -(2^53 - 1) to 2^53 - 1"
"""What the TypeScript side refuses and the Python side takes."""
MODULES = PACKAGE / "node_modules"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="the TypeScript code takes Node.js")


def compiled(folder: Path) -> Path:
    """Check the types of everything, and compile it into a folder; return that of the package."""
    run(["node", MODULES / "typescript" / "bin" / "tsc", "--noEmit", "false", "--outDir", folder], folder=PACKAGE)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder / "typescript"
