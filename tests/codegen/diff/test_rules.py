"""Rules by which changes are judged: each has a pair of versions, and a mirror for the other way round."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from orbitalis_codegen.diff.rules import ChangeRule
from orbitalis_codegen.rules import Rule
from tests.codegen.diff.pairs import Pair, compared, pairs_of_file

PAIRS = tuple(pairs_of_file())
BY_CODE = {rule.code: rule for rule in ChangeRule}
every_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.code} {pair.name}")


@dataclass
class BothWays:
    """What was found between two versions, and the other way round."""

    found: list[dict[str, Any]]
    turned: list[dict[str, Any]]
    marked: str | None


@cache
def both_ways(code: str) -> BothWays:
    pair = next(pair for pair in PAIRS if pair.code == code)
    with TemporaryDirectory() as folder:
        before, after, marked = pair.write(Path(folder))
        return BothWays(compared(before, after, pair.contract), compared(after, before, pair.contract), marked)


def first(found: list[dict[str, Any]], code: str) -> dict[str, Any]:
    """Return the change under a rule; where a change reaches several operations, that of the first."""
    return next(one for one in found if one["code"] == code)


def position(place: dict[str, Any]) -> str:
    return f"{place['file']}:{place['line']}:{place['column']}"


@every_pair
def test_a_change_is_found_under_its_rule(pair: Pair) -> None:
    found, marked = both_ways(pair.code).found, both_ways(pair.code).marked

    told = pair.told
    assert sorted({one["code"] for one in found} - {pair.code}) == told.get("also", "").split(), found
    change = first(found, pair.code)
    assert told["says"] in change["message"]
    assert (change["level"], change["exact_level"]) == (told["level"], told.get("exact", told["level"]))
    if marked is not None:
        assert position(change["after"]) == marked
    assert any(told.get("affects", "") in who for who in change["affected"] or [""])
    assert bool(change["affected"]) is (change["level"] != "NONE")
    assert bool(change["advice"]) is (change["exact_level"] != "NONE")
    assert change["breaking"] is (change["level"] != "NONE")


@every_pair
def test_the_other_way_round_it_is_found_under_the_mirror(pair: Pair) -> None:
    found, marked = both_ways(pair.code).turned, both_ways(pair.code).marked
    there = first(both_ways(pair.code).found, pair.code)

    told, rule = pair.told, BY_CODE[pair.code].mirror
    also = sorted(BY_CODE[code].mirror.code for code in told.get("also", "").split())
    assert sorted({one["code"] for one in found} - {rule.code}) == also, found
    change = first(found, rule.code)
    assert change["level"] == told.get("mirror", told["level"])
    if marked is not None and change["before"] is not None:
        assert position(change["before"]) == marked
    assert (change["was"], change["now"]) == (there["now"], there["was"])
    if pair.code != "ORB651":  # What grows affects nobody, and what is cut off does.
        ages = {"new": "old", "old": "new"}
        flipped = [(one["reader"], ages[one["reader_version"]], one["level"]) for one in change["encounters"]]
        met = [(one["reader"], one["reader_version"], one["level"]) for one in there["encounters"]]
        assert change["level"] != there["level"] or sorted(flipped) == sorted(met)


def test_every_rule_has_a_pair_of_versions() -> None:
    told = {pair.code for pair in PAIRS}
    mirrored = {BY_CODE[code].mirror.code for code in told}

    assert {rule.code for rule in ChangeRule} - told - mirrored == set()
    assert len(told) == len(PAIRS)
    assert [code for code in told if BY_CODE[code].mirror.code in told and BY_CODE[code].mirror.code != code] == []


def test_every_rule_is_the_mirror_of_its_mirror() -> None:
    assert [rule for rule in ChangeRule if rule.mirror.mirror is not rule] == []


def test_codes_and_purposes_are_well_formed() -> None:
    codes = [rule.code for rule in (*Rule, *ChangeRule)]

    assert len(set(codes)) == len(codes)
    assert [rule for rule in ChangeRule if not re.fullmatch(r"ORB[67][0-9]{2}", rule.code)] == []
    assert [rule for rule in ChangeRule if not re.fullmatch(r"[A-Z].*\.", rule.purpose)] == []
