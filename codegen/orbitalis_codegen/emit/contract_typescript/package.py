"""The package of a contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_parts import Modules, emitted_modules, of_codecs, with_words
from orbitalis_codegen.emit.contract_typescript import codecs, messages, operations
from orbitalis_codegen.emit.contract_typescript.named import Named

__all__ = ["emit_contract"]


def emit_contract(contract: Contract, package: str) -> dict[str, bytes]:
    """Emit the package of a contract: the bytes of each file by its path, which begins with the package's name."""
    return emitted_modules(contract, package, _MODULES, comment="//")


def _named(emitter: Callable[[Named], str]) -> Callable[[Contract], str]:
    return lambda contract: emitter(Named(contract))


_MODULES: Final[Modules] = {
    "client.ts": (with_words("operations", "errors"), _named(operations.emit_client)),
    "codecs.ts": (of_codecs, _named(codecs.emit_codecs)),
    "fake.ts": (with_words(), _named(operations.emit_fake)),
    "index.ts": (with_words("about"), _named(operations.emit_index)),
    "messages.ts": (with_words("types"), _named(messages.emit_messages)),
    "operations.ts": (with_words("operations", "errors"), _named(operations.emit_operations)),
    "plugin.ts": (with_words("about", "calls", "errors"), _named(operations.emit_plugin)),
}
