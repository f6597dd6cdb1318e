"""Reports of a run: as text, JSON and JUnit."""

from __future__ import annotations

import json
import re
from typing import Final
from xml.etree import ElementTree

from orbitalis_conformance.outcome import BAD, Outcome, Status, Summary

__all__ = ["as_json", "as_junit", "as_text", "line_of"]

_UNPRINTABLE: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot have."""


def line_of(outcome: Outcome) -> str:
    """Return one line about a case."""
    return f"{outcome.status.value:>20}  {outcome.name}  ({outcome.seconds:.1f} s)"


def as_text(summary: Summary, *, with_log: bool = True) -> str:
    """Return what has become of a run: what is not as it has to be, and the counts."""
    lines: list[str] = []
    for outcome in summary.outcomes:
        if outcome.status in BAD:
            lines += [f"{outcome.status.value}: {outcome.name} [{', '.join(outcome.requirements)}]"]
            lines += [f"    {line}" for line in outcome.text.splitlines()]
            lines += [f"      {line}" for line in outcome.log[-40:]] if with_log else []
            lines += [""]
    counts = ", ".join(f"{summary.counts[status]} {status.value}" for status in Status if status in summary.counts)
    lines.append(f"{summary.subject or 'subject'}: {len(summary.outcomes)} cases in {summary.seconds:.1f} s: {counts}")
    return "\n".join(lines)


def as_json(summary: Summary) -> str:
    """Return the run as a JSON object."""
    content = {
        "subject": summary.subject,
        "seconds": round(summary.seconds, 3),
        "counts": {status.value: count for status, count in sorted(summary.counts.items())},
        "cases": [
            {
                "name": one.name,
                "status": one.status.value,
                "seconds": round(one.seconds, 3),
                "requirements": list(one.requirements),
                "text": one.text,
                "log": list(one.log),
            }
            for one in summary.outcomes
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_junit(summary: Summary) -> str:
    """Return the run in the XML that continuous integration reads."""
    counts = summary.counts
    failures = counts.get(Status.FAILED, 0) + counts.get(Status.UNEXPECTED_PASS, 0)
    suite = ElementTree.Element(
        "testsuite",
        name=f"conformance of {summary.subject or 'subject'}",
        tests=str(len(summary.outcomes)),
        failures=str(failures),
        errors=str(counts.get(Status.ERROR, 0)),
        skipped=str(counts.get(Status.SKIPPED, 0) + counts.get(Status.EXPECTED, 0)),
        time=f"{summary.seconds:.3f}",
    )
    for one in summary.outcomes:
        group, _, name = one.name.partition(": ")
        case = ElementTree.SubElement(suite, "testcase", classname=group, name=name, time=f"{one.seconds:.3f}")
        tag = _TAGS.get(one.status)
        if tag is not None:
            message = one.text.splitlines()[0] if one.text else one.status.value
            told = ElementTree.SubElement(case, tag, message=_printable(message))
            told.text = _printable("\n".join([one.text, *one.log]))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


_TAGS: Final = {
    Status.FAILED: "failure",
    Status.UNEXPECTED_PASS: "failure",
    Status.ERROR: "error",
    Status.SKIPPED: "skipped",
    Status.EXPECTED: "skipped",
}


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
