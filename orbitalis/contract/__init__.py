"""The parts of packages that the generator emits from contracts: bases of messages, plugins, clients and fakes."""

from __future__ import annotations

from orbitalis.contract.canned import Canned, Noted
from orbitalis.contract.client import Answers, Call, ContractClient, Execution, Outputs
from orbitalis.contract.plugin import contract_operation, one_of
from orbitalis.message.generated_message import DeclaredError, GeneratedMessage, RecordCodec
from orbitalis.operations.without_input import DeclaredOutput

__all__ = [
    "Answers",
    "Call",
    "Canned",
    "ContractClient",
    "DeclaredError",
    "DeclaredOutput",
    "Execution",
    "GeneratedMessage",
    "Noted",
    "Outputs",
    "RecordCodec",
    "contract_operation",
    "one_of",
]
