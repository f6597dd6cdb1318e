"""The parts of a contract that emitted modules depend on: a module's header names the digest of its part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.emit.header import digest_of, with_header

__all__ = ["Modules", "emitted_modules", "of_codecs", "with_words"]

Modules = Mapping[str, tuple[Callable[[Contract], Contract], Callable[[Contract], str]]]
"""By file name what a module depends on, and what emits it from that."""

_NOWHERE: Final = Position(file="", line=0, column=0)


def emitted_modules(
    contract: Contract, package: str, modules: Modules, *, comment: Literal["#", "//"] = "#"
) -> dict[str, bytes]:
    """The bytes of each module by its path, which begins with the package's name."""
    files: dict[str, bytes] = {}
    for name, (part, emitter) in modules.items():
        needed = part(contract)
        header = digest_of(needed)
        files[f"{package}/{name}"] = with_header(emitter(needed), header, contract.document, comment=comment)
    return files


def with_words(contract: Contract) -> Contract:
    """What modules with words depend on: everything but the schemas, and where things stand."""
    return replace(
        contract,
        version="",
        operations={key: _operation(one, _message_in_words) for key, one in contract.operations.items()},
        types={name: replace(one, source="") for name, one in contract.types.items()},
        document="",
        notes=(),
        inputs={},
    )


def of_codecs(contract: Contract) -> Contract:
    """What the codecs depend on: no words but those that stand in the schemas themselves."""
    bare = {
        key: replace(_operation(one, _message_without_words), summary="", description="")
        for key, one in contract.operations.items()
    }
    types = {name: _without_words(one) for name, one in contract.types.items()}
    return replace(with_words(contract), title="", description="", operations=bare, types=types)


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
    return replace(message, title="", summary="", description="", position=_NOWHERE)


def _without_words(named: NamedType) -> NamedType:
    bare = replace(named, description="", source="")
    if isinstance(bare, Record):
        return replace(bare, fields=tuple(replace(field, description="") for field in bare.fields))
    return bare
