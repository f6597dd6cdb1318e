"""Changes as text, as JSON and as annotations of GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from orbitalis_codegen.diagnostic import MOST_SHOWN, Position, printable
from orbitalis_codegen.diff.accepted import Acceptance
from orbitalis_codegen.diff.change import Change
from orbitalis_codegen.diff.rules import Level
from orbitalis_codegen.output import Format, annotation, counted

__all__ = ["breaking", "lines_of", "summary"]

_NEXT: Final = "\n    "


def breaking(changes: Sequence[Change], accepted: Mapping[str, Acceptance], *, is_exact: bool) -> list[Change]:
    """Return the changes that affect somebody and are not accepted; `is_exact` counts peers that match exactly."""
    return [one for one in changes if _level(one, is_exact) is not Level.NONE and one.fingerprint not in accepted]


def lines_of(
    changes: Sequence[Change], accepted: Mapping[str, Acceptance], form: Format, against: str, *, is_exact: bool
) -> list[str]:
    """Return what is printed of changes; `against` is what stands before places of the old version."""
    match form:
        case "text":
            shown = [_text(one, accepted.get(one.fingerprint), against, is_exact) for one in changes[:MOST_SHOWN]]
            rest = len(changes) - MOST_SHOWN
            return [*shown, *([f"... and {rest} more, which --format json lists"] if rest > 0 else [])]
        case "json":
            return [_json(one, accepted.get(one.fingerprint), is_exact) for one in changes]
        case "github":
            told = [one for one in changes if _level(one, is_exact) is not Level.NONE]
            return [_annotation(one, accepted.get(one.fingerprint), is_exact) for one in told[:MOST_SHOWN]]


def summary(changes: Sequence[Change], broken: Sequence[Change], *, is_exact: bool) -> str:
    """Return one line about all changes."""
    if not changes:
        return "nothing has changed but words"
    counts = Counter(_level(one, is_exact) for one in changes)
    levels = ", ".join(f"{counts[level]} {level.value}" for level in reversed(Level) if counts[level])
    accepted = sum(counts[level] for level in counts if level is not Level.NONE) - len(broken)
    told = f"; {accepted} accepted" if accepted else ""
    return f"{counted(len(changes), 'change')}: {levels}{told}; {len(broken) or 'none'} breaking"


def _level(change: Change, is_exact: bool) -> Level:
    return change.exact_level if is_exact else change.level


def _text(change: Change, accepted: Acceptance | None, against: str, is_exact: bool) -> str:
    at = change.after or change.before
    level = _level(change, is_exact)
    lines = [printable(f"{at}: {level.value} {change.rule.code} {change.message}")]
    if change.before is not None:
        lines.append(printable(f"before: {against}{change.before}"))
    lines += [printable(f"affects: {who}") for who in change.who]
    if change.exact_level > change.level:
        lines.append(f"affects: peers that match schemas exactly ({change.exact_level.value})")
    if level is not Level.NONE:
        lines.append(f"instead: {change.advice}")
        lines.append(f"change: {change.fingerprint}")
    if accepted is not None:
        lines.append(printable(f"accepted until {accepted.until}: {accepted.reason}"))
    return _NEXT.join(lines)


def _json(change: Change, accepted: Acceptance | None, is_exact: bool) -> str:
    return json.dumps(
        {
            "level": change.level.value,
            "exact_level": change.exact_level.value,
            "code": change.rule.code,
            "rule": change.rule.title,
            "subject": change.subject,
            "was": change.was,
            "now": change.now,
            "message": change.message,
            "before": _place(change.before),
            "after": _place(change.after),
            "affected": change.who,
            "encounters": [
                {
                    "reader": one.reader,
                    "reader_version": one.reader_age,
                    "writer": one.writer,
                    "writer_version": one.writer_age,
                    "level": one.level.value,
                    "reason": one.reason,
                }
                for one in change.encounters
            ],
            "advice": change.advice,
            "change": change.fingerprint,
            "breaking": _level(change, is_exact) is not Level.NONE and accepted is None,
            "accepted": None if accepted is None else {"reason": accepted.reason, "until": accepted.until},
        }
    )


def _place(position: Position | None) -> dict[str, str | int] | None:
    if position is None:
        return None
    return {"file": position.file, "line": position.line, "column": position.column}


def _annotation(change: Change, accepted: Acceptance | None, is_exact: bool) -> str:
    at = change.after or change.before or Position("", 1, 1)
    lines = [f"{_level(change, is_exact).value}: {change.message}", *(f"affects: {who}" for who in change.who)]
    lines += [f"instead: {change.advice}", f"change: {change.fingerprint}"]
    if accepted is not None:
        lines.append(f"accepted until {accepted.until}: {accepted.reason}")
    return annotation("error" if accepted is None else "notice", at, change.rule.code, "\n".join(lines))
