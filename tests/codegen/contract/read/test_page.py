"""What docs/reference/contract-documents.md shows is a contract, and settings of one."""

from __future__ import annotations

from pathlib import Path

from orbitalis_codegen.contract.read import load_contract
from orbitalis_codegen.contract.settings import read_settings
from tests.examples.snippets import snippets

SHOWN = {snippet.kind: snippet.text for snippet in snippets() if snippet.path.name == "contract-documents.md"}


def test_the_document_of_the_page_is_a_contract(tmp_path: Path) -> None:
    (tmp_path / "lamps.yaml").write_text(SHOWN["yaml"])

    contract = load_contract(tmp_path, "lamps.yaml")

    assert list(contract.operations) == ["turnOn", "turnOff"]
    assert [error.key for error in contract.operations["turnOn"].errors] == ["broken"]
    assert contract.notes == ()


def test_the_settings_of_the_page_list_a_contract(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(SHOWN["toml"])

    (lamps,) = read_settings(tmp_path)

    assert (lamps.document, lamps.package, lamps.output) == ("contracts/lamps.yaml", "lamps", "src")
