"""That every mutant can be made; `make mutants` sees whether the tests notice it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutation.delivery_mutants import DELIVERY_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.orbiter_mutants import ORBITER_MUTANTS
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS
from tests.mutation.runtime_mutants import RUNTIME_MUTANTS
from tests.support.repository import ROOT

MUTANTS = [*PROTOCOL_MUTANTS, *ORBITER_MUTANTS, *RUNTIME_MUTANTS, *DELIVERY_MUTANTS]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_changes_one_place_and_gives_a_program(mutant: Mutant, tmp_path: Path) -> None:
    changed = tmp_path / mutant.file
    changed.parent.mkdir(parents=True)
    shutil.copy(ROOT / mutant.file, changed)

    mutant.apply(tmp_path)

    assert changed.read_text() != (ROOT / mutant.file).read_text()
    compile(changed.read_text(), mutant.file, "exec")


def test_each_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30
