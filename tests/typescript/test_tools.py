"""The tools that judge the TypeScript code, and its own tests, so that one summary covers everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import ROOT, run
from tests.typescript.package import MODULES, PACKAGE, built, needs_node

FORMATTED = (
    "typescript",
    "generated/typescript",
    "conformance/subjects/typescript",
    "examples/contract/typescript",
    "tests/typescript",
    "benchmarks/node",
)
CODE = (*FORMATTED, "examples/peer-javascript")
COMPILER = MODULES / "typescript" / "bin" / "tsc"
TOOLS: dict[str, tuple[Path, list[str | Path]]] = {
    "eslint": (ROOT, [MODULES / "eslint/bin/eslint.js", "--config", "typescript/eslint.config.js", *CODE]),
    "prettier": (
        ROOT,
        [MODULES / "prettier/bin/prettier.cjs", "--check", *FORMATTED, "orbitalis/dashboard/page/*.{css,html}"],
    ),
    "tsc for JavaScript": (PACKAGE, [COMPILER, "--project", "tsconfig.javascript.json"]),
    "tsc for the example": (PACKAGE, [COMPILER, "--project", "../examples/peer-javascript/jsconfig.json"]),
    "vitest": (PACKAGE, [MODULES / "vitest/vitest.mjs", "run"]),
}


@needs_node
@pytest.mark.timeout(300)
@pytest.mark.parametrize("tool", TOOLS)
def test_finds_nothing(tool: str) -> None:
    folder, command = TOOLS[tool]
    if tool == "tsc for JavaScript":
        built()  # which the subject of the conformance kit and the benchmarks import

    run(["node", *command], folder=folder, environment={"NO_COLOR": "1"})
