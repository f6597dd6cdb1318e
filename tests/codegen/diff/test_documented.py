"""The page about breaking changes has the rules, levels and output that there are."""

from __future__ import annotations

import re

from orbitalis_codegen.diff.rules import ChangeRule, Level
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "reference" / "breaking-changes.md").read_text(encoding="utf-8")


def test_the_page_lists_every_rule_with_its_mirror() -> None:
    listed = re.findall(r"^\| `(ORB[67]\d\d)` \| (?:`(ORB[67]\d\d)`|\u2013) \| (.*) \|$", PAGE, re.MULTILINE)

    assert listed == [(rule.code, "" if rule.mirror is rule else rule.mirror.code, rule.purpose) for rule in ChangeRule]


def test_the_page_lists_every_level_the_worst_first() -> None:
    listed = re.findall(r"^\| `([A-Z]+)` \| .* \| (yes|no) \|$", PAGE, re.MULTILINE)

    assert listed == [(level.value, "no" if level is Level.NONE else "yes") for level in sorted(Level, reverse=True)]
