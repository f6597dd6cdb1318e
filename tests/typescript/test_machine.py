"""The machine in TypeScript does what the simulator has seen ours do, and a broken one is caught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbitalis_conformance.outcome import Status
from orbitalis_conformance.replay import replay_all
from orbitalis_conformance.report import as_text
from tests.simulation.recording import traces
from tests.typescript.package import needs_node
from tests.typescript.tampering import tampered

pytestmark = [pytest.mark.timeout(120), needs_node]

COUNT = 60
LINES = [json.dumps(trace) for trace in traces(900, COUNT)]
DRIVER = "conformance/subjects/typescript/machine.js"
#: What is broken: a file of the machine, what stands there, and what does instead.
FAULTS = {
    "no lists": ("terms.js", "return !terms.blocklist.has(", "return true || !terms.blocklist.has("),
    "any proof": ("incarnations.js", "const answers = headers.", "return true; const answers = headers."),
    "no keepalives": ("liveness.js", "sendDueKeepalives(now) {", "sendDueKeepalives(now) { return;"),
    "no expiry": ("lifecycle.js", "popExpired(now) {", "popExpired(now) { return [];"),
}


def test_the_machine_does_what_the_traces_say(javascript: Path) -> None:
    summary = replay_all(LINES, ["node", str(javascript / DRIVER)])

    assert summary.exit_status == 0, as_text(summary)
    assert len(summary.outcomes) == COUNT


def test_the_machine_does_what_ours_does_where_traces_are_tampered_with(javascript: Path) -> None:
    lines = [tampered(line, seed) for seed, line in enumerate(LINES)]
    summary = replay_all(lines, ["node", str(javascript / DRIVER)])

    assert summary.exit_status == 0, as_text(summary)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_machine_is_caught(fault: str, javascript: Path) -> None:
    name, found, instead = FAULTS[fault]
    file = javascript / "typescript" / "src" / "protocol" / name
    whole = file.read_text(encoding="utf-8")
    assert found in whole
    file.write_text(whole.replace(found, instead), encoding="utf-8")
    try:
        summary = replay_all(LINES, ["node", str(javascript / DRIVER)])
    finally:
        file.write_text(whole, encoding="utf-8")

    assert summary.counts[Status.FAILED] > 0
