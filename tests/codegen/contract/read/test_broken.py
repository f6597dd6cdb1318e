"""Broken contracts: each is reported under its code and at its position, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbitalis_codegen import SpecificationError
from orbitalis_codegen.contract.read import load_contract
from orbitalis_codegen.contract.settings import SETTINGS_FILE, read_settings
from tests.codegen.broken.cases import Broken
from tests.codegen.contract.read.broken.cases import LAMPS, cases_of_contracts

CASES = tuple(cases_of_contracts())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.name}")
def test_problem_is_found_where_it_is(case: Broken, tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).touch()
    position = case.write(tmp_path, LAMPS)

    with pytest.raises(SpecificationError) as caught:
        read(tmp_path, position)

    others = [other for other in caught.value.diagnostics if other.code != case.code]
    assert [other.code for other in others] == case.also, str(caught.value)
    (found,) = [found for found in caught.value.diagnostics if found.code == case.code]
    assert (found.code, str(found.position)) == (case.code, position)
    assert case.message in found.message
    assert case.hint in (found.hint or "")


def read(root: Path, position: str) -> object:
    """Read the contract in a folder or, if the problem is there, the settings of the project."""
    return read_settings(root) if position.startswith(SETTINGS_FILE) else load_contract(root, "asyncapi.yaml")


def test_broken_contracts_have_names_of_their_own() -> None:
    names = [(case.code, case.name) for case in CASES]

    assert len(set(names)) == len(names)
