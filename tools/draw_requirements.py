"""Lists the requirements of the protocol: makes `docs/reference/requirements.md` from the specification.

python tools/draw_requirements.py             writes the page
python tools/draw_requirements.py --check     changes nothing; exit status 1 says that the page is out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from orbitalis_codegen import Model, read_specification

__all__ = ["PAGE", "main", "render"]

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "reference" / "requirements.md"
"""The page that is made."""

INTRODUCTION = """\
# Requirements

This page lists everything that an implementation of the protocol has to do. You need it when you write or test one.
Each requirement has an id, which no other requirement ever gets. [Conformance](conformance.md) says how the
requirements are tested.

`make pages` draws this page from [asyncapi.yaml](../../asyncapi.yaml), where the id stands before the sentence. The
last column says where. The text around a requirement explains it; [the wire](wire.md) has that of `info`.
"""


def render(model: Model) -> str:
    """Return the page as it should be."""
    parts = [INTRODUCTION]
    for area in model.areas.values():
        rows = [
            f"| {one.identifier} | {one.text.replace('|', chr(92) + '|')} | `{one.place}` |"
            for one in sorted(model.requirements, key=lambda one: one.identifier)
            if one.area == area.name
        ]
        table = ["| id | what is required | stands in |", "| --- | --- | --- |", *rows]
        parts.append("\n".join([f"## {area.name}", "", area.description, "", *table, ""]))
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page, and return the exit status."""
    parser = argparse.ArgumentParser(description="List the requirements of the specification.")
    parser.add_argument("--check", action="store_true", help="change nothing, but fail if the page is out of date")
    check = parser.parse_args(arguments).check
    page, current = render(read_specification(ROOT)), PAGE.read_text(encoding="utf-8") if PAGE.exists() else None
    if page == current:
        return 0
    if check:
        print(f"{PAGE.relative_to(ROOT)} is out of date; make pages renews it", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
