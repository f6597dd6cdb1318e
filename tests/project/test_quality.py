"""The tools that judge the code, each as a test, so that one summary covers everything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT, run

BIN = Path(sys.executable).parent
PYRIGHT = ROOT / "tools" / "node_modules" / "pyright" / "index.js"

TOOLS: dict[str, list[str | Path]] = {
    "ruff check": [BIN / "ruff", "check"],
    "ruff format": [BIN / "ruff", "format", "--check"],
    "lint-imports": [BIN / "lint-imports", "--no-cache"],
    "mypy": [BIN / "mypy"],
    "pyright": ["node", PYRIGHT, "--pythonpath", sys.executable],
    "orbitalis-codegen check": [BIN / "orbitalis-codegen", "check"],
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("tool", TOOLS)
def test_finds_nothing(tool: str) -> None:
    run(TOOLS[tool], timeout=600)
