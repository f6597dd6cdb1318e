"""Plugins: what provides operations."""

from __future__ import annotations

from orbitalis.orbiter.typed_operation import TypedOperation
from orbitalis.plugin.decorator import operation
from orbitalis.plugin.operations import Operation, OperationsProviderMixin
from orbitalis.plugin.plugin import Plugin

__all__ = ["Operation", "OperationsProviderMixin", "Plugin", "TypedOperation", "operation"]
