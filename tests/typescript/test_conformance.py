"""The TypeScript subject passes some of the conformance cases; `orbitalis-conformance` runs all."""

from __future__ import annotations

import pytest

from orbitalis_conformance.case import load_cases
from orbitalis_conformance.report import as_text
from orbitalis_conformance.suite import run_suite
from tests.support.repository import ROOT
from tests.typescript.package import built, needs_node

SUBJECT = ["node", str(ROOT / "conformance" / "subjects" / "typescript" / "subject.js")]
#: One of so many cases is run, others than those that the Python subject is given.
EVERY = 10


@needs_node
@pytest.mark.timeout(120)
async def test_the_typescript_subject_passes_some_of_each_kind() -> None:
    built()

    summary = await run_suite(load_cases()[5::EVERY], SUBJECT, jobs=6, patience=2.0)

    assert summary.exit_status == 0, as_text(summary)
