"""Plugins: what provides operations."""

from __future__ import annotations

from orbitalis.operations.operation_decorator import operation
from orbitalis.operations.provided_operations import Operation, OperationsProviderMixin
from orbitalis.operations.typed_operation import TypedOperation
from orbitalis.operations.without_input import output, periodic
from orbitalis.plugin.plugin import Plugin

__all__ = ["Operation", "OperationsProviderMixin", "Plugin", "TypedOperation", "operation", "output", "periodic"]
