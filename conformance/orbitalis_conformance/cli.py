"""What the command `orbitalis-conformance` does."""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orbitalis_conformance.case import Case, load_cases
from orbitalis_conformance.errors import ToolError
from orbitalis_conformance.outcome import Expectations, Outcome, Status, Summary
from orbitalis_conformance.replay import replay_all
from orbitalis_conformance.report import as_json, as_junit, as_text, line_of
from orbitalis_conformance.suite import run_suite

__all__ = ["main"]

_BROKEN_PIPE: Final = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run cases against a subject; return 0 if all is as it has to be, 1 if not, 2 if the tester is at fault."""
    options = _parser().parse_args(arguments)
    try:
        status = _do(options)
        sys.stdout.flush()
        return status
    except ToolError as error:
        print(f"orbitalis-conformance: {error}", file=sys.stderr)
    except ExceptionGroup as group:
        # Cases that run side by side fail in the same way.
        for text in dict.fromkeys(str(one) if isinstance(one, ToolError) else repr(one) for one in group.exceptions):
            print(f"orbitalis-conformance: {text}", file=sys.stderr)
    except KeyboardInterrupt:
        print("orbitalis-conformance: interrupted", file=sys.stderr)
    except BrokenPipeError:
        # Nobody reads any more; Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    return 2


def _do(options: argparse.Namespace) -> int:
    if options.driver:
        return _replay(options)
    cases = _chosen(load_cases(), options.only, options.not_those)
    if options.list:
        for case in cases:
            print(f"{case.name}  [{', '.join(case.requirements)}]")
        return 0
    if not options.subject:
        raise ToolError("give the command of the subject: --subject 'COMMAND'")
    return _run(cases, options)


def _replay(options: argparse.Namespace) -> int:
    if options.traces is None:
        raise ToolError("give the traces to replay: --traces FILE, or --traces - for standard input")
    command = shlex.split(options.driver)
    try:
        if str(options.traces) == "-":
            summary = replay_all(sys.stdin, command)
        else:
            with options.traces.open(encoding="utf-8") as lines:
                summary = replay_all(lines, command)
    except OSError as error:
        raise ToolError(f"{options.traces}: {error.strerror}") from None
    _write(summary, options)
    print(as_text(summary))
    return summary.exit_status


def _run(cases: Sequence[Case], options: argparse.Namespace) -> int:
    expectations = None if options.expected_failures is None else Expectations.read(options.expected_failures)

    def tell(outcome: Outcome) -> None:
        if options.verbose or (outcome.status in (Status.FAILED, Status.ERROR) and not options.quiet):
            print(line_of(outcome), flush=True)

    running = run_suite(
        cases,
        shlex.split(options.subject),
        jobs=options.jobs,
        patience=options.patience,
        expectations=expectations,
        on_outcome=tell,
    )
    summary = asyncio.run(running)
    _write(summary, options)
    print(as_text(summary, with_log=not options.quiet))
    if expectations is not None and not options.only:
        for pattern in expectations.unused([case.name for case in cases]):
            print(f"{options.expected_failures}: no case has the name {pattern!r}", file=sys.stderr)
            return 2
    return summary.exit_status


def _write(summary: Summary, options: argparse.Namespace) -> None:
    if options.json is not None:
        options.json.write_text(as_json(summary), encoding="utf-8")
    if options.junit is not None:
        options.junit.write_text(as_junit(summary), encoding="utf-8")


def _chosen(cases: list[Case], patterns: Sequence[str], others: Sequence[str]) -> list[Case]:
    """Return the cases whose names, or requirements, one of the patterns has."""

    def is_meant(case: Case, by: Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(case.name, f"*{one}*") or one in case.requirements for one in by)

    chosen = [case for case in cases if (not patterns or is_meant(case, patterns)) and not is_meant(case, others)]
    if not chosen:
        raise ToolError(f"no case has {' or '.join(map(repr, patterns))} in its name or requirements")
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orbitalis-conformance",
        description="Test whether an implementation of the Orbitalis protocol conforms, over a real MQTT broker.",
    )
    parser.add_argument("--subject", metavar="COMMAND", help="the command that starts the implementation under test")
    parser.add_argument("--driver", metavar="COMMAND", help="the command that starts a machine, to replay traces")
    parser.add_argument("--traces", type=Path, metavar="FILE", help="the traces to replay; - is standard input")
    parser.add_argument(
        "--only", metavar="TEXT", action="append", default=[], help="only cases with this in their name, or requirement"
    )
    parser.add_argument(
        "--not", dest="not_those", metavar="TEXT", action="append", default=[], help="no cases with this in their name"
    )
    parser.add_argument("--jobs", type=int, default=12, metavar="N", help="cases that run at a time (12)")
    parser.add_argument(
        "--patience", type=float, default=1.0, metavar="FACTOR", help="by how much longer things may take (1)"
    )
    parser.add_argument(
        "--expected-failures", type=Path, metavar="FILE", help="YAML: cases that have to fail, each with the reason"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a report as JUnit XML")
    parser.add_argument("--list", action="store_true", help="list the cases with their requirements, and run none")
    parser.add_argument("--verbose", "-v", action="store_true", help="show each case as it ends")
    parser.add_argument("--quiet", "-q", action="store_true", help="show no log of cases that fail")
    return parser
