"""What everything of a contract is called in TypeScript."""

from __future__ import annotations

from typing import Final

from orbitalis_avro.types import Record
from orbitalis_codegen.contract.model import Contract, ContractMessage, PlainType
from orbitalis_codegen.emit.contract_names import ContractRecords, by_type, long_unions, title_in_code
from orbitalis_codegen.emit.contract_typescript import reserved
from orbitalis_codegen.emit.typescript import names
from orbitalis_codegen.emit.typescript.types import Types

__all__ = ["Named"]

_PLAIN: Final[dict[PlainType, str]] = {"string": "string", "bytes": "Uint8Array", "long": "bigint", "double": "number"}


class Named:
    """The names of a contract's types and operations."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.records = ContractRecords(contract)
        self.types = Types(
            contract.types,
            errors=self.records.errors,
            tagged=_tagged(contract, self.records),
            types_in_use=reserved.CLASSES,
            properties_in_use=self._properties_in_use,
        )
        title = title_in_code(contract.title)
        types = {*self.types.type_names.values(), *reserved.CLASSES}
        classes = names.unique_names(((kind, f"{title}{kind}") for kind in ("Plugin", "Client", "Fake")), taken=types)
        self.plugin, self.client, self.fake = classes.values()
        # Operations are members of an object of this name, and functions that make messages stand beside it.
        wanted = f"{names.camel_case(title)}Operations"
        self.operations = names.unique_names([("", wanted)], taken=self.types.function_names.values())[""]
        taken = reserved.ATTRIBUTES
        self.attributes = names.unique_names(((key, _attribute(key)) for key in contract.operations), taken)
        """What each operation is called, by its key."""
        taken |= {*self.attributes.values()}
        self.senders = self._prefixed("send", taken)
        """What sends the outputs of each operation without input."""
        self.canned = self._prefixed("when", taken)
        """What has the canned answers of each operation."""
        self.unions = long_unions(contract, self.type_list, self.attributes, {*types, *classes.values()})
        """The types of each union that has a name, by that."""
        self._unions = {" | ".join(listed): name for name, listed in self.unions.items()}

    def union(self, messages: tuple[ContractMessage, ...]) -> str:
        """The type of one of some messages; nothing if there are none."""
        union = " | ".join(self.type_list(messages))
        return self._unions.get(union) or union

    def type_list(self, messages: tuple[ContractMessage, ...]) -> list[str]:
        """The types of some messages, each once."""
        return [*self.by_type(messages)]

    def by_type(self, messages: tuple[ContractMessage, ...]) -> dict[str, ContractMessage]:
        """The first message of each type, by that."""
        return by_type(messages, self._type)

    def _type(self, message: ContractMessage) -> str:
        if message.payload is not None:
            return self.types.type_names[message.payload]
        if message.plain is None:
            raise ValueError(f"message {message.key} has no payload")
        return _PLAIN[message.plain]

    def _prefixed(self, prefix: str, taken: frozenset[str]) -> dict[str, str]:
        wanted = ((key, f"{prefix}{name[0].upper()}{name[1:]}") for key, name in self.attributes.items())
        return names.unique_names(wanted, taken)

    def _properties_in_use(self, record: Record) -> frozenset[str]:
        return reserved.ERROR_PROPERTIES if record.name in self.records.errors else frozenset()


def _tagged(contract: Contract, records: ContractRecords) -> frozenset[str]:
    """The records that go with others through one operation: only a name beside their fields tells them apart."""
    found: set[str] = set()
    for operation in contract.operations.values():
        for messages in (operation.inputs, operation.outputs):
            payloads = {one.payload for one in messages if one.payload is not None} - records.errors.keys()
            if len(payloads) > 1:
                found |= payloads
    return frozenset(found)


def _attribute(key: str) -> str:
    name = names.camel_case(key)
    return name if name.isidentifier() else f"operation{name[0].upper()}{name[1:]}"
