"""Plugins: what provides operations."""

from __future__ import annotations

from orbitalis.plugin.operation import Operation, OperationsProviderMixin, operation
from orbitalis.plugin.plugin import Plugin

__all__ = ["Operation", "OperationsProviderMixin", "Plugin", "operation"]
