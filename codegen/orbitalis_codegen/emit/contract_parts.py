"""The parts of a contract that emitted modules depend on: a module's header names the digest of its part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.emit.contract_names import first_line
from orbitalis_codegen.emit.header import digest_of, with_header

__all__ = ["Modules", "Words", "emitted_modules", "of_codecs", "with_words"]

Modules = Mapping[str, tuple[Callable[[Contract], Contract], Callable[[Contract], str]]]
"""By file name what a module depends on, and what emits it from that."""

Words = Literal["about", "operations", "calls", "errors", "types"]
"""Words of a contract that a module has."""
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


def with_words(*words: Words) -> Callable[[Contract], Contract]:
    """Give what takes a module's part from a contract: no schemas, no places, and of all words only some.

    `about` are those about the contract, `operations` and `calls` those about all operations and about those that are
    called, `errors` the first line about each declared error, and `types` those about records and their fields, or else
    about the messages that carry them.
    """

    def part(contract: Contract) -> Contract:
        def told(operation: ContractOperation) -> ContractOperation:
            is_told = "operations" in words or ("calls" in words and operation.has_input)
            kept = operation if is_told else replace(operation, summary="", description="")
            return _operation(kept, message, error)

        def message(one: ContractMessage) -> ContractMessage:
            silent = one.payload is not None and not contract.types[one.payload].description.strip()
            kept = one if "types" in words and silent else _message_without_words(one)
            return replace(kept, title="", schema="", canonical_form="", fingerprint="", position=_NOWHERE)

        def error(one: ContractMessage) -> ContractMessage:
            kept = message(one)
            return replace(kept, summary=first_line(one)) if "errors" in words else kept

        def named(one: NamedType) -> NamedType:
            return replace(one, source="") if "types" in words else _without_words(one)

        return replace(
            contract,
            version="",
            description=contract.description if "about" in words else "",
            operations={key: told(one) for key, one in contract.operations.items()},
            types={name: named(one) for name, one in contract.types.items()},
            document="",
            notes=(),
            inputs={},
        )

    return part


def of_codecs(contract: Contract) -> Contract:
    """What the codecs depend on: no words but those that stand in the schemas themselves."""
    bare = {
        key: replace(_operation(one, _message_without_words, _message_without_words), summary="", description="")
        for key, one in contract.operations.items()
    }
    return replace(with_words()(contract), title="", operations=bare)


def _operation(
    operation: ContractOperation,
    message: Callable[[ContractMessage], ContractMessage],
    error: Callable[[ContractMessage], ContractMessage],
) -> ContractOperation:
    return replace(
        operation,
        inputs=tuple(map(message, operation.inputs)),
        outputs=tuple(map(message, operation.outputs)),
        errors=tuple(map(error, operation.errors)),
        position=_NOWHERE,
    )


def _message_without_words(message: ContractMessage) -> ContractMessage:
    return replace(message, title="", summary="", description="", position=_NOWHERE)


def _without_words(named: NamedType) -> NamedType:
    bare = replace(named, description="", source="")
    if isinstance(bare, Record):
        return replace(bare, fields=tuple(replace(field, description="") for field in bare.fields))
    return bare
