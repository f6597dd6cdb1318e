"""Packages of contracts in TypeScript, in a folder in which the package of the repository is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_typescript import emit_contract
from tests.support.repository import run
from tests.typescript.package import MODULES, PACKAGE, built

__all__ = ["compile_contracts", "install_package", "write_contracts"]


def write_contracts(contracts: Mapping[str, Contract], folder: Path) -> None:
    """Write the package of each contract, by the name of the package, into a folder with what they take."""
    for name, contract in contracts.items():
        for path, data in emit_contract(contract, name).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    install_package(folder)


def install_package(folder: Path) -> None:
    """Install the package of the repository into a folder, and say how code there is compiled."""
    options = {"rootDir": ".", "outDir": "out", "noEmit": False, "paths": {}, "typeRoots": [str(MODULES / "@types")]}
    config = {
        "extends": str(PACKAGE / "tsconfig.json"),
        "compilerOptions": options,
        "include": ["."],
        "exclude": ["out"],
    }
    (folder / "tsconfig.json").write_text(json.dumps(config))
    (folder / "package.json").write_text('{"type": "module"}')
    scope = folder / "node_modules" / "@orbitalis"
    scope.mkdir(parents=True, exist_ok=True)
    (scope / "sdk").symlink_to(built().parent)


def compile_contracts(folder: Path, *, status: int = 0) -> str:
    """Compile what stands in a folder into its folder `out`; return what is found."""
    return run(["node", MODULES / "typescript" / "bin" / "tsc", "--project", folder], status=status)
