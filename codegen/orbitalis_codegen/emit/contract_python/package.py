"""The package of a contract: each module with a header that names the digest of what the module depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.emit.contract_python import codecs, messages, operations
from orbitalis_codegen.emit.contract_python.named import Named
from orbitalis_codegen.emit.header import digest_of, with_header

__all__ = ["emit_contract"]

_NOWHERE: Final = Position(file="", line=0, column=0)


def emit_contract(contract: Contract, package: str) -> dict[str, bytes]:
    """Emit the package of a contract: the bytes of each file by its path, which begins with the package's name."""
    files: dict[str, bytes] = {}
    for name, (part, emitter) in _MODULES.items():
        needed = part(contract)
        files[f"{package}/{name}"] = with_header(emitter(Named(needed)), digest_of(needed), contract.document)
    # A marker for type checkers (PEP 561); it has no content.
    return {**files, f"{package}/py.typed": b""}


def _with_words(contract: Contract) -> Contract:
    """What modules with docstrings depend on: everything but the schemas, and where things stand."""
    return replace(
        contract,
        version="",
        operations={key: _operation(one, _message_in_words) for key, one in contract.operations.items()},
        types={name: replace(one, source="") for name, one in contract.types.items()},
        document="",
        notes=(),
        inputs={},
    )


def _of_codecs(contract: Contract) -> Contract:
    """What the codecs depend on: no words but those that stand in the schemas themselves."""
    bare = {
        key: replace(_operation(one, _message_without_words), summary="", description="")
        for key, one in contract.operations.items()
    }
    types = {name: _without_words(one) for name, one in contract.types.items()}
    return replace(_with_words(contract), title="", description="", operations=bare, types=types)


def _operation(
    operation: ContractOperation, message: Callable[[ContractMessage], ContractMessage]
) -> ContractOperation:
    return replace(
        operation,
        inputs=tuple(map(message, operation.inputs)),
        outputs=tuple(map(message, operation.outputs)),
        errors=tuple(map(message, operation.errors)),
        position=_NOWHERE,
    )


def _message_in_words(message: ContractMessage) -> ContractMessage:
    return replace(message, schema="", canonical_form="", fingerprint="", position=_NOWHERE)


def _message_without_words(message: ContractMessage) -> ContractMessage:
    return replace(message, title="", summary="", description="", canonical_form="", position=_NOWHERE)


def _without_words(named: NamedType) -> NamedType:
    bare = replace(named, description="", source="")
    if isinstance(bare, Record):
        return replace(bare, fields=tuple(replace(field, description="") for field in bare.fields))
    return bare


_MODULES: Final[Mapping[str, tuple[Callable[[Contract], Contract], Callable[[Named], str]]]] = {
    "__init__.py": (_with_words, operations.emit_package),
    "_codecs.py": (_of_codecs, codecs.emit_codecs),
    "client.py": (_with_words, operations.emit_client),
    "fake.py": (_with_words, operations.emit_fake),
    "messages.py": (_with_words, messages.emit_messages),
    "plugin.py": (_with_words, operations.emit_plugin),
}
"""By file name what a module depends on, and what emits it."""
