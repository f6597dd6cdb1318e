"""What a contract has, and what its package is called after, for any language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from orbitalis_avro.plan import references
from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.emit.naming import snake_case, unique

__all__ = [
    "ContractRecords",
    "by_type",
    "described",
    "first_line",
    "long_unions",
    "package_name",
    "title_in_code",
    "title_of",
]

_LONGEST_UNION: Final = 60
"""Characters of a union that stands where it is used; a longer one has a name."""


class ContractRecords:
    """The records of a contract, by what they are there for."""

    def __init__(self, contract: Contract) -> None:
        self._types = contract.types
        self.messages: dict[str, ContractMessage] = {}
        """The message of each record that travels by itself, by the full name of the record."""
        self.errors: dict[str, ContractMessage] = {}
        """The same of those that are declared errors."""
        for operation in contract.operations.values():
            for message in (*operation.inputs, *operation.outputs, *operation.errors):
                if message.payload is not None:
                    self.messages.setdefault(message.payload, message)
            for message in operation.errors:
                if message.payload is not None:
                    self.errors.setdefault(message.payload, message)

    def written(self) -> dict[str, NamedType]:
        """The types that messages are made of, by full name, in the order of the contract."""
        found: set[str] = set()
        left = [*self.messages]
        while left:
            name = left.pop()
            named = self._types[name]
            if name not in found and isinstance(named, Record):
                left.extend(one for field in named.fields for one in references(field.type))
            found.add(name)
        return {name: one for name, one in self._types.items() if name in found}


def by_type(
    messages: tuple[ContractMessage, ...], type_of: Callable[[ContractMessage], str]
) -> dict[str, ContractMessage]:
    """The first message of each type, by that type in a language."""
    found: dict[str, ContractMessage] = {}
    for message in messages:
        found.setdefault(type_of(message), message)
    return found


def long_unions(
    contract: Contract,
    types_of: Callable[[tuple[ContractMessage, ...]], list[str]],
    attributes: Mapping[str, str],
    taken: Iterable[str],
) -> dict[str, list[str]]:
    """Name the unions of messages that are too long to stand where they are used; return the types by the name.

    A name comes from what the operation that first has the union is called in `attributes`, and is not in `taken`.
    """
    used = set(taken)
    found: dict[str, list[str]] = {}
    for key, operation in contract.operations.items():
        for kind, messages in (("Input", operation.inputs), ("Output", operation.outputs)):
            types = types_of(messages)
            if len(" | ".join(types)) > _LONGEST_UNION and types not in found.values():
                name = unique(f"{title_in_code(attributes[key])}{kind}", used)
                used.add(name)
                found[name] = types
    return found


def title_of(contract: Contract) -> str:
    """The title, to stand in a sentence."""
    return contract.title.strip().rstrip(".")


def title_in_code(title: str) -> str:
    """Name classes after a title: `Shopping cart API` gives `ShoppingCartAPI`."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", title))
    name = "".join(word[0].upper() + word[1:] for word in words)
    name = name if name.isidentifier() else "".join(filter(str.isascii, name))
    return name if name.isidentifier() else f"Contract{name}"


def package_name(contract: Contract) -> str:
    """Name the package of a contract after its title: `Shopping cart API` gives `shopping_cart_api`."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", contract.title))
    name = snake_case("_".join(words))
    name = name if name.isidentifier() else "".join(filter(str.isascii, name)).strip("_")
    return name if name.isidentifier() else f"contract_{name}".rstrip("_")


def described(operation: ContractOperation | ContractMessage) -> str:
    """The words of the document about an operation or a message."""
    parts = dict.fromkeys(part.strip() for part in (operation.summary, operation.description))
    return "\n\n".join(filter(None, parts))


def first_line(message: ContractMessage) -> str:
    """The first line of the words about a message."""
    return described(message).partition("\n")[0].strip()
