"""What everything of a contract is called in Python."""

from __future__ import annotations

import keyword

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.contract.model import Contract, ContractMessage
from orbitalis_codegen.emit import contract_names
from orbitalis_codegen.emit.contract_names import ContractRecords, by_type, long_unions, title_in_code
from orbitalis_codegen.emit.contract_python import reserved
from orbitalis_codegen.emit.python import names
from orbitalis_codegen.emit.python.types import Types

__all__ = ["Named", "package_name"]

_PLAIN = {"string": "str", "bytes": "bytes", "long": "int", "double": "float"}


class Named:
    """The names of a contract's classes and operations."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._records = ContractRecords(contract)
        self.messages = self._records.messages
        self.errors = self._records.errors
        self.types = Types(
            contract.types,
            self.messages,
            sequence="tuple[{}, ...]",
            classes_in_use=reserved.CLASSES,
            fields_in_use=self._fields_in_use,
        )
        title = title_in_code(contract.title)
        classes = names.unique_names(
            ((kind, f"{title}{kind}") for kind in ("Plugin", "Client", "Fake")),
            taken={*self.types.class_names.values(), *reserved.CLASSES},
        )
        self.plugin, self.client, self.fake = classes.values()
        taken = {*reserved.PLUGIN_ATTRIBUTES, *reserved.CLIENT_ATTRIBUTES, *reserved.IN_BODIES}
        self.attributes = names.unique_names(((key, _attribute(key)) for key in contract.operations), taken)
        """What each operation is called, by its key."""
        taken |= {*self.attributes.values()}
        self.senders = names.unique_names(((key, f"send_{name}") for key, name in self.attributes.items()), taken)
        """What sends the outputs of each operation without input."""
        self.canned = names.unique_names(((key, f"when_{name}") for key, name in self.attributes.items()), taken)
        """What has the canned answers of each operation."""
        taken = {*self.types.class_names.values(), *reserved.CLASSES, self.plugin, self.client, self.fake}
        self.unions = long_unions(contract, self.python_types, self.attributes, taken)
        """The types of each union that has a name, by that."""
        self._unions = {" | ".join(types): name for name, types in self.unions.items()}

    def union(self, messages: tuple[ContractMessage, ...]) -> str:
        """The annotation of one of some messages; `None` if there are none."""
        types = self.python_types(messages)
        return self._unions.get(" | ".join(types)) or " | ".join(types) or "None"

    def python_type(self, message: ContractMessage) -> str:
        """The type of a message's payload."""
        if message.payload is not None:
            return self.types.class_names[message.payload]
        if message.plain is None:
            raise ValueError(f"message {message.key} has no payload")
        return _PLAIN[message.plain]

    def python_types(self, messages: tuple[ContractMessage, ...]) -> list[str]:
        """The types of some messages, each once."""
        return [*self.by_type(messages)]

    def by_type(self, messages: tuple[ContractMessage, ...]) -> dict[str, ContractMessage]:
        """The first message of each type, by that."""
        return by_type(messages, self.python_type)

    def written(self) -> dict[str, NamedType]:
        """The types that messages are made of, by full name, in the order of the contract."""
        return self._records.written()

    def _fields_in_use(self, record: Record) -> frozenset[str]:
        taken = reserved.IN_BODIES
        if record.name in self.messages:
            taken |= reserved.MESSAGE_ATTRIBUTES
        if record.name in self.errors:
            taken |= reserved.ERROR_ATTRIBUTES
        return taken


def package_name(contract: Contract) -> str:
    """Name the package of a contract after its title: `Shopping cart API` gives `shopping_cart_api`."""
    name = contract_names.package_name(contract)
    return f"{name}_" if keyword.iskeyword(name) else name


def _attribute(key: str) -> str:
    name = names.snake_case(key).strip("_")
    name = name if name.isidentifier() else f"operation_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
