"""The fingerprint of a contract: two contracts have the same one if they say the same to a peer.

`docs/how-to/describing-contracts.md` gives the canonical form for those who compute it in another language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation, PlainType

__all__ = ["PLAIN_FORMS", "canonical_text_of", "fingerprint_of"]

PLAIN_FORMS: Final[Mapping[PlainType, str]] = {
    "string": '{"name":"StringMessage","type":"record","fields":[{"name":"value","type":"string"}]}',
    "bytes": '{"name":"BytesMessage","type":"record","fields":[{"name":"value","type":"bytes"}]}',
    "long": '{"name":"Int64Message","type":"record","fields":[{"name":"value","type":"long"}]}',
    "double": '{"name":"Float64Message","type":"record","fields":[{"name":"value","type":"double"}]}',
}
"""Canonical forms of the messages of the protocol as which plain payloads travel."""


def fingerprint_of(contract: Contract) -> str:
    """The SHA-256 of a contract's canonical text, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical_text_of(contract).encode()).hexdigest()


def canonical_text_of(contract: Contract) -> str:
    """What a contract says to a peer and nothing else, one thing a line.

    Titles, versions, descriptions, keys of messages, headers and positions are left out, and no order counts.
    """
    lines = ["orbitalis-contract 1"]
    # Sorted as code points, which is the order of their bytes in UTF-8, too.
    for key in sorted(contract.operations):
        lines += _operation(contract.operations[key])
    return "".join(f"{line}\n" for line in lines)


def _operation(operation: ContractOperation) -> list[str]:
    lines = [f"operation {operation.key}"]
    if operation.has_input:
        lines += _forms("input", operation.inputs) or ["input empty"]
    return [*lines, *_forms("output", operation.outputs), *_forms("error", operation.errors)]


def _forms(word: str, messages: Iterable[ContractMessage]) -> list[str]:
    forms = {one.canonical_form if one.plain is None else PLAIN_FORMS[one.plain] for one in messages}
    return [f"{word} {form}" for form in sorted(forms)]
