"""The messages that users define: what they have in common, and which class goes by which record name."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

from orbitalis.annotations import own_annotations
from orbitalis.log import FieldLogger

__all__ = ["UserMessage", "find", "find_by_schema"]

_logger = FieldLogger(logging.getLogger(__name__))

_classes: dict[str, list[type[UserMessage]]] = {}
_reported: set[type[UserMessage]] = set()
"""Classes without a schema, of which the log has told."""


class UserMessage(ABC):
    """A message that is not of the protocol. Every class that derives from this can be received from now on."""

    def __init_subclass__(cls, **arguments: object) -> None:
        """Register the class under its record name, beside any that have the same."""
        super().__init_subclass__(**arguments)
        _classes.setdefault(cls.message_type(), []).append(cls)

    @classmethod
    @abstractmethod
    def message_type(cls) -> str:
        """Return the record name, which is what the envelope carries."""

    @classmethod
    @abstractmethod
    def avro_schema(cls) -> str:
        """Return the Avro schema as JSON text."""

    @classmethod
    @abstractmethod
    def schema_fingerprint(cls) -> str:
        """Return the CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first."""

    @abstractmethod
    def encode(self) -> bytes:
        """Return the message as bare Avro binary; raises :class:`~orbitalis_avro.errors.EncodeError`."""

    @classmethod
    @abstractmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary; raises :class:`~orbitalis_avro.errors.DecodeError`."""

    def as_received(self) -> Self:
        """Return what a receiver over a broker would get; raises :class:`~orbitalis_avro.errors.EncodeError`."""
        return self.decode(self.encode())


def find(message_type: str, fingerprint: str | None) -> type[UserMessage] | None:
    """Return the class for a record name: the newest that has the schema of `fingerprint`, if there is one.

    `fingerprint` is what the envelope's header `schema_fingerprint` says. Older peers say nothing: then it is the
    newest of all.
    """
    return next(_found(message_type, fingerprint), None)


def find_by_schema(message_type: str, fingerprint: str, schema: str) -> type[UserMessage] | None:
    """Return what :func:`find` does, but a class with exactly this schema, given as JSON text, where there is one.

    Classes of the same fingerprint may have other aliases and defaults.
    """
    found = [*_found(message_type, fingerprint)]
    return next((one for one in found if one.avro_schema() == schema), found[0] if found else None)


def _found(message_type: str, fingerprint: str | None) -> Iterator[type[UserMessage]]:
    for candidate in reversed(_classes.get(message_type, ())):
        if _is_complete(candidate) and (own := _fingerprint_of(candidate)) and fingerprint in (None, own):
            yield candidate


def _fingerprint_of(message_class: type[UserMessage]) -> str | None:
    """Return the fingerprint of a class; `None` if it has no schema, at least not yet, which must not harm others."""
    try:
        return message_class.schema_fingerprint()
    except TypeError as error:
        if message_class not in _reported:
            _reported.add(message_class)
            _logger.warning("messages of class %s cannot be received: %s", message_class.__qualname__, error)
        return None


def _is_complete(message_class: type[UserMessage]) -> bool:
    """Return whether a class is a dataclass, if only by what it derives from.

    A class is registered before it becomes one, and one with fields that never does is a base of others.
    """
    own = vars(message_class)
    return "__dataclass_fields__" in own or (
        hasattr(message_class, "__dataclass_fields__") and not own_annotations(message_class)
    )
