"""Contracts of all shapes come back as they were: as documents, as packages, and as what packages are described as.

`ORBITALIS_CONTRACTS=1000` tries so many of them, instead of a few.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orbitalis_codegen.contract.describe import describe
from orbitalis_codegen.contract.document import document_of
from orbitalis_codegen.contract.fingerprint import canonical_text_of, fingerprint_of
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.contract.read import load_contract
from tests.codegen.contract.contracts import emitted_package
from tests.codegen.contract.random_contracts import random_contract

COUNT = int(os.environ.get("ORBITALIS_CONTRACTS", "20"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder whose packages can be imported; they are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0].startswith("package"):
            del sys.modules[name]


def written_and_read(contract: Contract, folder: Path) -> Contract:
    """Return what is read from the document of a contract."""
    (folder / "contract.yaml").write_text(document_of(contract), encoding="utf-8")
    return load_contract(folder, "contract.yaml")


@dataclass(frozen=True)
class Words:
    """What a contract says to people."""

    title: str
    version: str
    description: str
    operations: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, contract: Contract) -> Words:
        """Take it out of a contract."""
        operations = {key: (one.summary.strip(), one.description.strip()) for key, one in contract.operations.items()}
        return cls(contract.title, contract.version, contract.description.strip(), operations)


@pytest.mark.parametrize("seed", range(COUNT))
def test_a_document_reads_as_the_contract_that_it_says(seed: int, tmp_path: Path) -> None:
    contract = random_contract(seed)

    read = written_and_read(contract, tmp_path)

    assert canonical_text_of(read) == canonical_text_of(contract)
    assert fingerprint_of(read) == fingerprint_of(contract)
    assert Words.of(read) == Words.of(contract)
    assert list(read.operations) == list(contract.operations)
    headers = {one.headers for key in read.operations for one in read.operations[key].inputs}
    assert headers == {one.headers for key in contract.operations for one in contract.operations[key].inputs}
    used = {name: replace(read.types[name], source="contract.yaml", class_name="") for name in read.types}
    assert used == {name: replace(contract.types[name], class_name="") for name in read.types}
    # What was read says the same once more.
    assert canonical_text_of(written_and_read(read, tmp_path)) == canonical_text_of(contract)


@pytest.mark.parametrize("seed", range(COUNT // 2))
def test_a_package_is_described_as_the_contract_that_it_was_made_from(seed: int, folder: Path) -> None:
    contract = written_and_read(random_contract(seed), folder)
    package = emitted_package(contract, folder, f"package{seed}")
    (plugin_class,) = [name for name in package.__all__ if name.endswith("Plugin")]

    described = describe(f"{package.__name__}:{plugin_class}")

    assert canonical_text_of(described) == canonical_text_of(contract)
    assert fingerprint_of(described) == fingerprint_of(contract)
    assert described.notes == ()


def test_a_plugin_is_described_as_the_class_that_it_derives_from(folder: Path) -> None:
    contract = written_and_read(random_contract(2), folder)
    package = emitted_package(contract, folder, "package_of_base")
    (plugin_class,) = [name for name in package.__all__ if name.endswith("Plugin")]
    (folder / "package_of_mine.py").write_text(
        f"import package_of_base\nclass Mine(package_of_base.{plugin_class}):\n    x = 1\n"
    )

    described = describe("package_of_mine:Mine", version="3.0.0")

    assert fingerprint_of(described) == fingerprint_of(contract)
    assert (described.title, described.version) == ("Mine", "3.0.0")
    assert Words.of(described).description == contract.description


@pytest.mark.parametrize("seed", range(4))
def test_words_about_operations_come_back_from_a_package(seed: int, folder: Path) -> None:
    made = random_contract(seed)
    operations = {
        key: replace(one, summary=f"Does {key}.", description=f"More on {key}.\n\nAnd more.")
        for key, one in made.operations.items()
    }
    contract = written_and_read(replace(made, operations=operations), folder)
    package = emitted_package(contract, folder, f"package_of_words{seed}")
    (plugin_class,) = [name for name in package.__all__ if name.endswith("Plugin")]

    described = describe(f"{package.__name__}:{plugin_class}")

    assert Words.of(described).operations == Words.of(contract).operations
