"""Fuzz on and on, guided by coverage: `python -m tests.fuzzing [--target TEXT] [--seconds S] [--input HEX]`."""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzzing.regressions import line_of
from tests.fuzzing.targets import TARGETS
from tests.support.arguments import positive
from tests.support.repository import ROOT

__all__: list[str] = []

_FOLDER = ROOT / ".fuzzing"
"""What was found out about inputs that lead somewhere, kept from one run to the next."""
_ROUND = 60
"""Seconds for each target in turn, where nothing else is said."""
_ARTIFACTS = ("crash-*", "timeout-*", "oom-*", "leak-*")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one target in one round."""

    inputs: int
    seconds: float
    megabytes: int
    fault: str | None
    """What was printed about it."""


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description="Fuzz everything that reads.")
    parser.add_argument("--target", default="", metavar="TEXT", help="only those that have this in their name")
    parser.add_argument(
        "--seconds", type=positive(int), help="for each, and then end (default: one round after the other)"
    )
    parser.add_argument("--input", type=_bytes, metavar="HEX", help="run this input alone")
    parser.add_argument("--list", action="store_true", help="list the targets")
    options = parser.parse_args()
    names = [name for name in TARGETS if options.target.casefold() in name.casefold()]
    if not names:
        parser.error(f"no target has {options.target!r} in its name; --list shows all")
    if options.list:
        print("\n".join(names))
        return 0
    if options.input is not None:
        for name in names:
            TARGETS[name].run(options.input)
            print(f"{name}: nothing is wrong")
        return 0
    if find_spec("atheris") is None:
        parser.error("atheris is not installed: `make fuzz` does that")
    return _fuzz(names, options.seconds)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected pairs of hexadecimal digits, got {text!r}") from None


def _fuzz(names: list[str], seconds: int | None) -> int:
    total, faults = 0, 0
    try:
        for _ in itertools.repeat(None) if seconds is None else range(1):
            for name in names:
                outcome = _run(name, seconds or _ROUND)
                total += outcome.inputs
                print(
                    f"{name:45} {outcome.inputs:10} inputs in {outcome.seconds:4.0f} s "
                    f"({outcome.inputs / outcome.seconds:6.0f} a second), {outcome.megabytes:5} MB",
                    flush=True,
                )
                if outcome.fault is not None:
                    faults += 1
                    print(outcome.fault, flush=True)
    except KeyboardInterrupt:
        pass
    print(f"{total} inputs, {faults} faults")
    return faults > 0


def _run(name: str, seconds: int) -> Outcome:
    folder = _FOLDER / name.replace(" ", "-")
    for artifact in _artifacts(folder):
        artifact.unlink()
    command = [sys.executable, "-m", "tests.fuzzing.fuzzer", name, str(folder), str(seconds)]
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    elapsed = time.monotonic() - begin
    output = done.stdout + done.stderr
    statistics = {key: int(value) for key, value in re.findall(r"^stat::(\w+):\s+(\d+)$", output, re.MULTILINE)}
    fault = None
    if done.returncode:
        told = output.partition("=== Uncaught Python exception: ===")[2] or output
        shown = [line[:500] for line in told.splitlines() if line and not line.startswith(("INFO:", "WARNING:"))]
        lines = [line_of(name, artifact.read_bytes()) for artifact in _artifacts(folder)]
        fault = "\n".join([*shown[:40], "", "To be added to tests/fuzzing/regressions.txt:", *lines])
    return Outcome(
        inputs=statistics.get("number_of_executed_units", 0),
        seconds=elapsed,
        megabytes=statistics.get("peak_rss_mb", 0),
        fault=fault,
    )


def _artifacts(folder: Path) -> list[Path]:
    return sorted(path for pattern in _ARTIFACTS for path in folder.glob(pattern))


if __name__ == "__main__":
    sys.exit(main())
