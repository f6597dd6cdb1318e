"""All of the conformance kit against all implementations that are here, and tests of the kit: `make conformance`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.older.environment import NotAvailableError, older_python
from tests.typescript.package import built, compiled

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
PEER = ROOT / "examples" / "peer-javascript"
TYPESCRIPT = ROOT / "typescript"
TESTER = [sys.executable, "-m", "orbitalis_conformance"]
#: Cases that run at a time where many fail, as they have to: each waits in vain for something.
MANY_JOBS = 24


class Part(NamedTuple):
    """One command of all that is run."""

    title: str
    command: Sequence[str] = ()
    output: Path | None = None
    """A file that takes what it writes to standard output; otherwise that is shown."""
    environment: Mapping[str, str] = {}
    missing: str = ""
    """Why it cannot be run here."""


class Options(NamedTuple):
    """What is wanted of a run."""

    traces: int
    reports: Path | None
    patience: float


_printing = threading.Lock()


def _run(part: Part) -> int:
    """Run a part, show at its end what has become of it, and return its exit status."""
    begin = time.monotonic()
    status, text = 0, f"skipped: {part.missing}\n"
    if not part.missing:
        done = subprocess.run(
            part.command,
            stdout=subprocess.PIPE if part.output is None else part.output.open("w", encoding="utf-8"),
            stderr=subprocess.STDOUT if part.output is None else subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **part.environment},
            check=False,
        )
        status, text = done.returncode, done.stdout or done.stderr
    with _printing:
        print(f"\n{part.title} ({time.monotonic() - begin:.0f} s)\n{text}", end="", flush=True)
    return status


def _run_all(parts: Iterator[Part]) -> list[int]:
    """Run one part after the other."""
    return [_run(part) for part in parts]


def _subjects(options: Options) -> Iterator[Part]:
    """Yield the implementations that are here, each to be tested over a broker."""
    yield _subject(options, "python", f"{sys.executable} -m conformance.subjects.python.subject")
    folder = ROOT / "conformance" / "subjects"
    if missing := _missing_packages(TYPESCRIPT):
        yield Part("Subject typescript", missing=missing)
    else:
        built()
        yield _subject(options, "typescript", f"node {folder / 'typescript' / 'subject.js'}")
    if missing := _missing_packages(PEER):
        yield Part("Subject javascript", missing=missing)
    else:
        yield _subject(options, "javascript", f"node {PEER / 'subject.js'}", PEER / "expected-failures.yaml")
    try:
        python = older_python()
    except NotAvailableError as reason:
        yield Part("Subject older", missing=str(reason))
    else:
        # It passes these at times: its keepalives and discovers come when they will, and so does what it makes of
        # an event that takes long to read.
        left_out = (
            "nothing is left of an orbiter that has stopped",
            "may be answered where a known remote says",
            "an event that is too large is refused",
            "a core that loses a connection that it needs discovers at once",
            "what a request names is subscribed to before it is sent",
        )
        command = f"{python} -I {folder / 'older' / 'subject.py'}"
        yield _subject(options, "older", command, folder / "older" / "expected-failures.yaml", left_out)


def _subject(
    options: Options, name: str, subject: str, expected: Path | None = None, left_out: Sequence[str] = ()
) -> Part:
    command = [*TESTER, "--subject", subject, "--patience", str(options.patience)]
    if expected is not None:
        command += ["--expected-failures", str(expected), "--jobs", str(MANY_JOBS)]
    for one in left_out:
        command += ["--not", one]
    if options.reports is not None:
        command += ["--json", str(options.reports / f"{name}.json"), "--junit", str(options.reports / f"{name}.xml")]
    return Part(f"Subject {name}", command)


def _machines(options: Options, folder: Path) -> Iterator[Part]:
    """Yield what makes traces, the machines to which they are replayed, and the tests of the tester."""
    traces, compiled_to = folder / "traces.jsonl", folder / "typescript"
    record = [sys.executable, "-m", "tests.simulation.recording", "--count", str(options.traces)]
    yield Part(f"{options.traces} traces of the simulator", record, output=traces)
    python = f"{sys.executable} -m conformance.subjects.python.machine"
    yield Part("Traces, replayed against the Python machine", _replay(python, traces))
    title = "Traces, replayed against the TypeScript machine"
    if missing := _missing_packages(TYPESCRIPT):
        yield Part(title, missing=missing)
    else:
        compiled(compiled_to)
        machine = compiled_to / "conformance" / "subjects" / "typescript" / "machine.js"
        yield Part(title, _replay(f"node {machine}", traces))
    yield Part(
        "The tester itself, with subjects that are broken on purpose",
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/conformance/test_tester.py"],
        environment={"ORBITALIS_CONFORMANCE": "all"},
    )


def _replay(driver: str, traces: Path) -> Sequence[str]:
    return [*TESTER, "--driver", driver, "--traces", str(traces)]


def _missing_packages(folder: Path) -> str:
    """Install what a Node package takes, unless that is done; return why that cannot be, or nothing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "there is no Node with npm here"
    if (folder / "node_modules").is_dir():
        return ""
    install = [npm, "ci", "--prefix", str(folder), "--loglevel=error", "--no-audit", "--no-fund"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    return f"its packages cannot be installed: {done.stderr.strip()[-200:]}" if done.returncode else ""


def main() -> int:
    """Run everything; return 0 if all is as it has to be."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--traces", type=int, default=2000, help="how many traces are replayed (2000)")
    parser.add_argument("--reports", type=Path, help="a folder for reports as JSON and JUnit")
    parser.add_argument("--patience", type=float, default=1.0, help="by how much longer things may take (1)")
    given = parser.parse_args()
    options = Options(given.traces, given.reports, given.patience)
    if options.reports is not None:
        options.reports.mkdir(parents=True, exist_ok=True)
    # Subjects at a broker mostly wait, machines compute: side by side, neither takes longer for the other.
    with tempfile.TemporaryDirectory(prefix="orbitalis-conformance-") as folder, ThreadPoolExecutor() as lanes:
        lists = [_subjects(options), _machines(options, Path(folder))]
        statuses = [status for lane in lanes.map(_run_all, lists) for status in lane]
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    sys.exit(main())
