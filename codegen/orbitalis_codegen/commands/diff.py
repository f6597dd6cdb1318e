"""The command `diff`."""

from __future__ import annotations

import argparse
from typing import Final

from orbitalis_codegen.commands.command import DIFFERENT, DONE, Command, CommandError, root_of

__all__ = ["DIFF"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against",
        required=True,
        metavar="REF_OR_DIRECTORY",
        help="the version before: a folder, or else a tag, branch or commit of git",
    )
    parser.add_argument("--contract", metavar="FILE", help="compare this contract, and nothing else")
    parser.add_argument("--exact", action="store_true", help="count what breaks peers that match schemas exactly, too")


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.diff.command import run
    from orbitalis_codegen.diff.versions import UnusableVersionError

    try:
        outcome = run(root_of(options), options.against, options.contract, options.form, is_exact=options.exact)
    except UnusableVersionError as error:
        raise CommandError(str(error)) from None
    for line in outcome.lines:
        print(line)
    if options.form == "text":
        print(outcome.summary)
    return DIFFERENT if outcome.is_breaking else DONE


DIFF: Final = Command(
    name="diff",
    summary="say what changed since another version, and whom it breaks",
    description="""\
Compare two versions of the protocol and of the contracts that pyproject.toml lists, or of one contract: this one, and
that of a commit or a folder. List what changed, how far that reaches, whom it affects, and what to do instead. Changes
that accepted.toml lists are not counted. Nothing is written, and the work tree is left alone.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--against", "--contract", "--exact"),
    takes_root=True,
)
