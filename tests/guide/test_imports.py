"""Everything public is imported from `orbitalis`, under the names of the user guide."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import orbitalis

#: The names that the guide's text and programs use.
GUIDE = [
    "AvroMessageMixin",
    "CallbackEventHandler",
    "CloseConnectionAckMessage",
    "ConfirmConnectionMessage",
    "Connection",
    "Constraint",
    "Core",
    "CoreState",
    "DiscoverMessage",
    "DiscoverQuery",
    "Event",
    "EventHandler",
    "GracefulCloseConnectionMessage",
    "Input",
    "Int64Message",
    "KeepaliveMessage",
    "KeepaliveRequestMessage",
    "Operation",
    "OperationNoLongerAvailableMessage",
    "OperationRequirement",
    "OperationsProviderMixin",
    "Orbiter",
    "Output",
    "PendingRequest",
    "Plugin",
    "Policy",
    "RejectOperationMessage",
    "RequestOperationMessage",
    "SchemaSpec",
    "StringMessage",
    "build_new_local_client",
    "operation",
    "sink",
]

PACKAGES = ["errors", "bus", "message", "operations", "orbiter", "core", "plugin"]


@pytest.mark.parametrize("name", GUIDE)
def test_the_names_of_the_guide_are_there(name: str) -> None:
    assert name in orbitalis.__all__
    assert getattr(orbitalis, name).__name__ == name


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_that_a_package_offers_is_there(package: str) -> None:
    module = importlib.import_module(f"orbitalis.{package}")
    assert set(module.__all__) - set(orbitalis.__all__) == set()
    assert [name for name in module.__all__ if getattr(module, name) is not getattr(orbitalis, name)] == []


def test_each_name_can_be_imported_and_nothing_else() -> None:
    assert [name for name in orbitalis.__all__ if not hasattr(orbitalis, name)] == []
    assert set(orbitalis.__all__) <= set(dir(orbitalis))
    with pytest.raises(AttributeError, match="'Kernel'"):
        _ = orbitalis.Kernel


def test_a_star_import_brings_them_all() -> None:
    program = "from orbitalis import *; print(Plugin.__name__, StringMessage(value='x').value, connect.__name__)"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "Plugin x connect\n"
