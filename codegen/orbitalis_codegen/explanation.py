"""What a rule means, with an example of a specification that breaks it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from orbitalis_codegen.rules import Rule

__all__ = ["EXAMPLES", "explanation"]

EXAMPLES = Path(__file__).parent / "examples.txt"
"""An example for each rule that a few lines can break, as the tests of the generator have it."""
_MARKER = "»"


def explanation(rule: Rule) -> str:
    """The rule with its purpose and, where there is one, an example."""
    lines = [f"{rule.code} {rule.title}", "", f"    {rule.purpose}"]
    example = _examples().get(rule.code)
    if example is not None:
        name, *body = example.splitlines()
        lines += ["", f"Broken by this ({name}):", ""]
        says = [line for line in body if line.startswith(("says: ", "hint: "))]
        for line in body:
            if line.startswith("@@ "):
                lines.append(f"    {line.removeprefix('@@ ')}")
            elif line.startswith((" ", "+", "-")):
                lines.append(f"      {line.replace(_MARKER, '')}")
        lines += ["", *(f"It {line}" if line.startswith("says") else f"Its {line}" for line in says)]
    return "\n".join(lines).rstrip()


@cache
def _examples() -> dict[str, str]:
    sections = re.split(r"^=== ", EXAMPLES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {section[:6]: section[7:] for section in sections}
