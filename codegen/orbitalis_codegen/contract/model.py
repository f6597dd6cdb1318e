"""What a contract says, with all names resolved and nothing specific to a language.

A contract is read from an AsyncAPI document of a user (`read`), or taken from a plugin class (`describe`). Emitters,
fingerprints and comparisons start from a :class:`Contract` and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from orbitalis_avro.types import NamedType
from orbitalis_codegen.diagnostic import Diagnostic, Position

__all__ = ["Contract", "ContractMessage", "ContractOperation", "PlainType"]

PlainType: TypeAlias = Literal["string", "bytes", "long", "double"]
"""Payloads that are no records, by Avro's name: a bare text, bytes, number. The protocol has a message for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractMessage:
    """A message of a contract: one thing that an operation takes, returns or raises."""

    key: str
    """Its key in the document; where it has none, made from the operation that it belongs to."""
    title: str
    summary: str
    description: str
    payload: str | None
    """Full Avro name of the payload's record, a key into :attr:`Contract.types`; `None` for a plain payload."""
    plain: PlainType | None
    """What the payload is if it is no record."""
    schema: str
    """The payload's schema as JSON text, self-contained, every named type written out where it is first used."""
    canonical_form: str
    """Avro's parsing canonical form of `schema`, with logical types."""
    fingerprint: str
    """CRC-64-AVRO of `canonical_form`, 16 hexadecimal digits, least significant byte first."""
    headers: str | None
    """Full Avro name of the record of its headers, a key into :attr:`Contract.types`; `None` if they have none."""
    position: Position
    """Where the document says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOperation:
    """What a plugin does when it is asked (`action: receive`), or publishes on its own (`action: send`)."""

    key: str
    """Its key in the document, and on the wire the name of the operation."""
    summary: str
    description: str
    has_input: bool
    """Whether it is called; without an input it is an output that the plugin sends by itself."""
    inputs: tuple[ContractMessage, ...]
    """What it takes: one of these; the empty event if `has_input` and there is none of these."""
    outputs: tuple[ContractMessage, ...]
    """What it returns, or sends: one of these; if there is none, it returns nothing."""
    errors: tuple[ContractMessage, ...]
    """What it may raise instead (`x-error: true`); all of them are records."""
    position: Position
    """Where the document says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A whole contract."""

    title: str
    """Of the document; what is emitted is named after it."""
    version: str
    """Of the document, as it stands there."""
    description: str
    operations: dict[str, ContractOperation]
    """By key, in the order of the document."""
    types: dict[str, NamedType]
    """Every named type by its full Avro name; a type stands after all those it refers to, except where it recurs."""
    document: str
    """The file that it was read from, relative to the folder that it was read in; empty for that of a plugin class."""
    notes: tuple[Diagnostic, ...]
    """What was noticed and ignored."""
    inputs: dict[str, bytes]
    """Every file that was read, by its path relative to that folder, with its bytes."""
