"""All of the conformance kit against all implementations that are here, and tests of the kit: `make conformance`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.older.environment import NotAvailableError, older_python

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
PEER = ROOT / "examples" / "peer-javascript"
TESTER = [sys.executable, "-m", "orbitalis_conformance"]


class Subject(NamedTuple):
    """An implementation that is tested over a broker."""

    name: str
    command: str
    expected: Path | None = None
    """The list of what it is known to fail."""
    left_out: tuple[str, ...] = ()
    """Cases that it passes at times."""
    missing: str = ""
    """Why it cannot be tested here."""


def subjects() -> Iterator[Subject]:
    """Yield the implementations that are here."""
    yield Subject("python", f"{sys.executable} -m conformance.subjects.python.subject")
    yield _javascript()
    yield _older()


def _javascript() -> Subject:
    node, npm = shutil.which("node"), shutil.which("npm")
    expected = PEER / "expected-failures.yaml"
    if node is None or npm is None:
        return Subject("javascript", "", missing="there is no Node with npm here")
    if not (PEER / "node_modules").is_dir():
        install = [npm, "ci", "--prefix", str(PEER), "--loglevel=error", "--no-audit", "--no-fund"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            return Subject("javascript", "", missing=f"its packages cannot be installed: {done.stderr.strip()[-200:]}")
    return Subject("javascript", f"{node} {PEER / 'subject.js'}", expected)


def _older() -> Subject:
    folder = ROOT / "conformance" / "subjects" / "older"
    try:
        python = older_python()
    except NotAvailableError as reason:
        return Subject("older", "", missing=str(reason))
    command = f"{python} -I {folder / 'subject.py'}"
    # Its keepalives come when they will.
    left_out = ("nothing is left of an orbiter that has stopped", "may be answered where a known remote says")
    return Subject("older", command, folder / "expected-failures.yaml", left_out)


def main() -> int:
    """Run everything; return 0 if all is as it has to be."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--traces", type=int, default=2000, help="how many traces are replayed (2000)")
    parser.add_argument("--reports", type=Path, help="a folder for reports as JSON and JUnit")
    options = parser.parse_args()
    statuses = [_test(subject, options.reports) for subject in subjects()]
    print("\nTraces, replayed against the Python machine", flush=True)
    record = [sys.executable, "-m", "tests.simulation.recording", "--count", str(options.traces)]
    driver = f"{sys.executable} -m conformance.subjects.python.machine"
    with subprocess.Popen(record, stdout=subprocess.PIPE, cwd=ROOT) as recorder:
        replay = subprocess.run([*TESTER, "--driver", driver, "--traces", "-"], stdin=recorder.stdout, check=False)
    statuses += [recorder.returncode, replay.returncode]
    print("\nThe tester itself, with subjects that are broken on purpose", flush=True)
    environment = {**os.environ, "ORBITALIS_CONFORMANCE": "all"}
    test = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/conformance/test_tester.py"]
    statuses.append(subprocess.run(test, env=environment, cwd=ROOT, check=False).returncode)
    return 1 if any(statuses) else 0


def _test(subject: Subject, reports: Path | None) -> int:
    print(f"\nSubject {subject.name}", flush=True)
    if subject.missing:
        print(f"skipped: {subject.missing}")
        return 0
    command = [*TESTER, "--subject", subject.command, "--quiet"]
    if subject.expected is not None:
        command += ["--expected-failures", str(subject.expected)]
    for name in subject.left_out:
        command += ["--not", name]
    if reports is not None:
        reports.mkdir(parents=True, exist_ok=True)
        command += ["--json", str(reports / f"{subject.name}.json"), "--junit", str(reports / f"{subject.name}.xml")]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
