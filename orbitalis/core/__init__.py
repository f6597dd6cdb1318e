"""Cores: what uses operations."""

from __future__ import annotations

from orbitalis.core.core import Core
from orbitalis.core.execution import OperationExecutor
from orbitalis.core.request import OperationRequester
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.operations.sink_decorator import sink

__all__ = ["Core", "OperationExecutor", "OperationRequester", "OperationRequirement", "sink"]
