"""The command `rules`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from orbitalis_codegen.commands.command import DONE, Command, CommandError
from orbitalis_codegen.rules import Rule

if TYPE_CHECKING:
    from orbitalis_codegen.diff.rules import ChangeRule

__all__ = ["RULES"]


def _rules() -> tuple[Rule | ChangeRule, ...]:
    from orbitalis_codegen.diff.rules import ChangeRule

    return (*Rule, *ChangeRule)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", nargs="*", metavar="CODE", help="like ORB208 (default: list all)")


def _run(options: argparse.Namespace) -> int:
    codes: list[str] = options.codes
    if not codes:
        for rule in _rules():
            print(f"{rule.code}  {rule.purpose}")
        return DONE
    from orbitalis_codegen.commands.explanation import explanation

    by_code = {rule.code: rule for rule in _rules()}
    for code in codes:
        if code.upper() not in by_code:
            from orbitalis_codegen.diagnostic import did_you_mean

            hint = did_you_mean(code.upper(), by_code)
            raise CommandError(f"there is no rule {code}" + (f": {hint}" if hint else ""))
    print("\n\n".join(explanation(by_code[code.upper()]) for code in codes))
    return DONE


RULES: Final = Command(
    name="rules",
    summary="list the rules for specifications, or explain some",
    description="""\
List the rules that a specification is held against, and those by which changes are judged, each with its code; or
explain those whose codes are given, each with an example.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: tuple(rule.code for rule in _rules()),
)
