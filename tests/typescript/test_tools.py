"""The tools that judge the TypeScript code, and its own tests, so that one summary covers everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import ROOT, run
from tests.typescript.package import MODULES, PACKAGE, needs_node

CODE = ("typescript", "generated/typescript", "examples/contract/typescript")
TOOLS: dict[str, tuple[Path, list[str | Path]]] = {
    "eslint": (ROOT, [MODULES / "eslint/bin/eslint.js", "--config", "typescript/eslint.config.js", *CODE]),
    "prettier": (ROOT, [MODULES / "prettier/bin/prettier.cjs", "--check", *CODE]),
    "vitest": (PACKAGE, [MODULES / "vitest/vitest.mjs", "run"]),
}


@needs_node
@pytest.mark.timeout(300)
@pytest.mark.parametrize("tool", TOOLS)
def test_finds_nothing(tool: str) -> None:
    folder, command = TOOLS[tool]

    run(["node", *command], folder=folder, environment={"NO_COLOR": "1"})
