"""The TypeScript package in the repository: where it is, and how its code runs."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest

from tests.support.repository import ROOT, run

__all__ = ["BEYOND", "MODULES", "PACKAGE", "built", "compiled", "needs_node"]

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


def built() -> Path:
    """Build the package and the examples where its `package.json` says, unless that is done; return the folder."""
    folder = PACKAGE / "dist"
    folders = (PACKAGE / "src", ROOT / "generated" / "typescript", ROOT / "examples" / "contract" / "typescript")
    sources = [path for folder in folders for path in folder.rglob("*.ts")]
    newest = max(path.stat().st_mtime for path in sources)
    # Several processes run tests at a time.
    with (MODULES / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "built"
        if not done.exists() or done.stat().st_mtime < newest:
            for project in ("tsconfig.build.json", "tsconfig.examples.json"):
                run(["node", MODULES / "typescript" / "bin" / "tsc", "--project", project], folder=PACKAGE)
            done.touch()
    return folder
