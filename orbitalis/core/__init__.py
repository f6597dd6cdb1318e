"""Cores: what uses operations."""

from __future__ import annotations

from orbitalis.core.core import Core
from orbitalis.core.execution import OperationExecutor
from orbitalis.core.request import OperationRequester
from orbitalis.core.requirement import OperationRequirement
from orbitalis.core.sink import SinksProviderMixin, sink

__all__ = ["Core", "OperationExecutor", "OperationRequester", "OperationRequirement", "SinksProviderMixin", "sink"]
