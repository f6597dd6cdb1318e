"""The languages in which contracts are emitted, and what differs between them for those who ask for a package."""

from __future__ import annotations

import sys

from orbitalis_codegen.contract.languages import Language
from orbitalis_codegen.contract.model import Contract

__all__ = ["emit_contract", "hidden_module", "package_name"]


def emit_contract(contract: Contract, package: str, language: Language) -> dict[str, bytes]:
    """Emit the package of a contract: the bytes of each file by its path, which begins with the package's name."""
    # Importing an emitter takes long, and the others are not needed.
    match language:
        case "python":
            from orbitalis_codegen.emit.contract_python import emit_contract as emit_in_python

            return emit_in_python(contract, package)
        case "typescript":
            from orbitalis_codegen.emit.contract_typescript import emit_contract as emit_in_typescript

            return emit_in_typescript(contract, package)


def package_name(contract: Contract, language: Language) -> str:
    """Name the package of a contract after its title."""
    if language == "python":
        from orbitalis_codegen.emit.contract_python.named import package_name as name_in_python

        return name_in_python(contract)
    from orbitalis_codegen.emit.contract_names import package_name as name_as_titled

    return name_as_titled(contract)


def hidden_module(package: str, language: Language) -> bool:
    """Whether a package of that name would hide a module that its language has."""
    return language == "python" and package in sys.stdlib_module_names
