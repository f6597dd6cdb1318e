"""The tester notices: subjects that are broken on purpose fail, each in the case that says what it does wrong."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from orbitalis_conformance.case import load_cases
from orbitalis_conformance.outcome import Outcome, Status
from orbitalis_conformance.suite import run_suite
from tests.conformance.broken import FAULTS

pytestmark = pytest.mark.timeout(300)

#: In seconds, for each thing that a broken subject does not do: there are few, and they are waited for in vain.
PATIENCE = 0.4
#: Those that are tried without `ORBITALIS_CONFORMANCE=all`: every seventh.
CHOSEN = list(FAULTS) if os.environ.get("ORBITALIS_CONFORMANCE") == "all" else list(FAULTS)[::7]
CASES = {case.name: case for case in load_cases()}


async def outcomes_of(faults: list[str]) -> dict[str, Outcome]:
    """Return what becomes of the case that has to notice each fault; some of them run side by side."""
    places = asyncio.Semaphore(6)

    async def outcome_of(name: str) -> Outcome:
        async with places:
            command = [sys.executable, "-m", "tests.conformance.broken", name]
            summary = await run_suite([CASES[FAULTS[name].case]], command, jobs=1, patience=PATIENCE)
            return summary.outcomes[0]

    return dict(zip(faults, await asyncio.gather(*map(outcome_of, faults)), strict=True))


async def test_broken_subjects_are_caught() -> None:
    outcomes = await outcomes_of(CHOSEN)
    missed = {name: f"{one.status}: {one.text}" for name, one in outcomes.items() if one.status is not Status.FAILED}

    assert not missed, "\n".join(f"{name}: {what}" for name, what in missed.items())


def test_each_fault_names_a_case() -> None:
    assert [name for name, fault in FAULTS.items() if fault.case not in CASES] == []
    assert len(FAULTS) >= 20
