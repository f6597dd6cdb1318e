"""docs/reference/limits.md says what the specification, the orbiters and the clients say."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from orbitalis.bus import BusStatistics, QueueBounds
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis_wire import limits

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `") and line.endswith("|")
]


def test_each_limit_is_there_with_its_default() -> None:
    assert {row[0].strip("`"): int(row[1].replace(",", "")) for row in ROWS} == {
        name.lower(): getattr(limits, name) for name in limits.__all__
    }


def test_what_changes_a_limit_is_what_has_its_default() -> None:
    bounds = {f"Limits.{one.name}": one.default for one in fields(Limits)}
    queue = {f"QueueBounds.{one.name}": one.default for one in fields(QueueBounds)}
    changed_by = {row[2].strip("`"): int(row[1].replace(",", "")) for row in ROWS if "`" in row[2]}
    assert changed_by == {**bounds, **queue}


def test_what_is_counted_is_a_counter() -> None:
    counters = {one.name for kind in (BusStatistics, OrbiterStatistics) for one in fields(kind)}
    named = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[4])}
    assert named <= counters
    assert {one.name for one in fields(OrbiterStatistics)} <= set(re.findall(r"`(\w+)`", PAGE))
