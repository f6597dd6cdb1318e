"""The package of a contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_parts import Modules, emitted_modules, of_codecs, with_words
from orbitalis_codegen.emit.contract_python import codecs, messages, operations
from orbitalis_codegen.emit.contract_python.named import Named

__all__ = ["emit_contract"]


def emit_contract(contract: Contract, package: str) -> dict[str, bytes]:
    """Emit the package of a contract: the bytes of each file by its path, which begins with the package's name."""
    # A marker for type checkers (PEP 561); it has no content.
    return {**emitted_modules(contract, package, _MODULES), f"{package}/py.typed": b""}


def _named(emitter: Callable[[Named], str]) -> Callable[[Contract], str]:
    return lambda contract: emitter(Named(contract))


_MODULES: Final[Modules] = {
    "__init__.py": (with_words("about"), _named(operations.emit_package)),
    "_codecs.py": (of_codecs, _named(codecs.emit_codecs)),
    "client.py": (with_words("operations"), _named(operations.emit_client)),
    "fake.py": (with_words(), _named(operations.emit_fake)),
    "messages.py": (with_words("types"), _named(messages.emit_messages)),
    "plugin.py": (with_words("about", "operations", "errors"), _named(operations.emit_plugin)),
}
