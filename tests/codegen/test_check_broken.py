"""Broken specifications: each is reported under its code and at its position, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orbitalis_codegen import SpecificationError, read_specification
from orbitalis_codegen.rules import Rule
from tests.codegen.broken.cases import Broken, cases_of_files
from tests.codegen.broken.computed import computed_cases
from tests.codegen.contract.read.broken.cases import cases_of_contracts
from tests.support.repository import ROOT

CASES = (*cases_of_files(), *computed_cases())
NOTED = {Rule.CONTRACT_IGNORED}
"""Rules of which nothing is a breach: what they are about is noted."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.name}")
def test_problem_is_found_where_it_is(case: Broken, tmp_path: Path) -> None:
    position = case.write(tmp_path)

    with pytest.raises(SpecificationError) as caught:
        read_specification(tmp_path)

    others = [other for other in caught.value.diagnostics if other.code != case.code]
    assert [other.code for other in others] == case.also, str(caught.value)
    (found,) = [found for found in caught.value.diagnostics if found.code == case.code]
    assert (found.code, str(found.position)) == (case.code, position)
    assert case.message in found.message
    assert case.hint in (found.hint or "")


def test_every_rule_has_a_broken_specification() -> None:
    broken = {case.code for case in (*CASES, *cases_of_contracts(), *cases_of_files(ROOT / "tests/codegen/diff"))}

    assert {rule.code for rule in set(Rule) - NOTED} - broken == set()


def test_broken_specifications_have_names_of_their_own() -> None:
    names = [(case.code, case.name) for case in CASES]

    assert len(set(names)) == len(names)


def test_codes_and_purposes_are_well_formed() -> None:
    assert len({rule.code for rule in Rule}) == len(Rule)
    assert [rule for rule in Rule if not re.fullmatch(r"ORB[1-5][0-9]{2}", rule.code)] == []
    assert [rule for rule in Rule if not re.fullmatch(r"[A-Z].*\.", rule.purpose)] == []
