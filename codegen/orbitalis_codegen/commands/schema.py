"""The command `schema`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from orbitalis_codegen.commands.command import DONE, Command
from orbitalis_codegen.commands.writing import hand_over

__all__ = ["SCHEMA"]

_KINDS: Final = ("specification", "contract")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", choices=_KINDS, default=_KINDS[0], help="what is to be edited (default: specification)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="the schema (default: standard output)")


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.editor.contract import contract_schema
    from orbitalis_codegen.editor.specification import specification_schema

    schema = contract_schema() if options.kind == "contract" else specification_schema()
    hand_over(f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n", options.output, options.form)
    return DONE


SCHEMA: Final = Command(
    name="schema",
    summary="print the JSON Schema of what the generator reads, for editors",
    description="""\
Print the JSON Schema by which an editor completes, explains and checks a document that the generator reads: a
specification, or the contract of a plugin.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--output", *_KINDS),
)
