"""What a rule means, with an example of a specification that breaks it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from orbitalis_codegen.diff.advice import advice_for
from orbitalis_codegen.diff.rules import ChangeRule
from orbitalis_codegen.rules import Rule

__all__ = ["CHANGES", "EXAMPLES", "explanation"]

EXAMPLES = Path(__file__).parent / "examples.txt"
"""An example for each rule that a few lines can break, as the tests of the generator have it."""
CHANGES = Path(__file__).parent.parent / "diff" / "examples.txt"
"""A pair of versions for each rule of changes, or for its mirror."""
_MARKER = "»"
_TURNED = str.maketrans("+-", "-+")


def explanation(rule: Rule | ChangeRule) -> str:
    """The rule with its purpose and, where there is one, an example."""
    lines = [f"{rule.code} {rule.title}", "", f"    {rule.purpose}"]
    lines += _breach(rule) if isinstance(rule, Rule) else _change(rule)
    return "\n".join(lines).rstrip()


def _breach(rule: Rule) -> list[str]:
    example = _examples(EXAMPLES).get(rule.code)
    if example is None:
        return []
    name, *body = example.splitlines()
    says = [line for line in body if line.startswith(("says: ", "hint: "))]
    told = [f"It {line}" if line.startswith("says") else f"Its {line}" for line in says]
    return ["", f"Broken by this ({name}):", "", *_edits(body), "", *told]


def _change(rule: ChangeRule) -> list[str]:
    examples = _examples(CHANGES)
    is_turned = rule.code not in examples
    name, *body = examples[rule.mirror_code if is_turned else rule.code].splitlines()
    told = dict(line.split(": ", 1) for line in body if re.match("(?:level|mirror): ", line))
    level = told.get("mirror", told["level"]) if is_turned else told["level"]
    if is_turned:
        body = [line[:1].translate(_TURNED) + line[1:] for line in body]
        name = f"{name}, the other way round"
    lines = ["", f"Such a change, of level {level} ({name}):", "", *_edits(body)]
    if rule.mirror is not rule:
        lines += ["", f"Its mirror is {rule.mirror.code} {rule.mirror.title}."]
    return lines if level == "NONE" else [*lines, "", f"Instead: {advice_for(rule)}."]


def _edits(body: list[str]) -> list[str]:
    """The lines of an example that say what is edited where."""
    lines: list[str] = []
    for line in body:
        if line.startswith("@@ "):
            lines.append(f"    {line.removeprefix('@@ ')}")
        elif line.startswith((" ", "+", "-")):
            lines.append(f"      {line.replace(_MARKER, '')}")
    return lines


@cache
def _examples(path: Path) -> dict[str, str]:
    sections = re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {section[:6]: section[7:] for section in sections}
