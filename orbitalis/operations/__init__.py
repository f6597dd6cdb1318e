"""Operations: how plugins declare them, how cores need them, and what takes their inputs and outputs."""

from __future__ import annotations

from orbitalis.operations.answer import time_left
from orbitalis.operations.connection import Connection, PendingRequest
from orbitalis.operations.operation_decorator import operation
from orbitalis.operations.provided_operations import Operation, OperationsProviderMixin
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.operations.sink_decorator import sink
from orbitalis.operations.typed_operation import TypedOperation
from orbitalis.operations.without_input import output, periodic

__all__ = [
    "Connection",
    "Operation",
    "OperationRequirement",
    "OperationsProviderMixin",
    "PendingRequest",
    "TypedOperation",
    "operation",
    "output",
    "periodic",
    "sink",
    "time_left",
]
