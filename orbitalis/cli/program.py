"""The command `orbitalis`: reads the command line, runs one command, and tells what went wrong in a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from orbitalis.cli.arguments import PROGRAM, make_parser
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.installation import damage, installed_version

if TYPE_CHECKING:
    import argparse

__all__ = ["main"]

_BROKEN_PIPE = 141
"""What a shell gives for a program that SIGPIPE has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default that of the process; return the exit status."""
    if (wrong := damage()) is not None:
        return _complain(wrong, Exit.MISUSED)
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.version:
        print(PROGRAM, installed_version())
        return Exit.OK
    if options.command is None:
        parser.print_help(sys.stderr)
        return Exit.MISUSED
    try:
        run: Callable[[argparse.Namespace], int] = import_module(f"orbitalis.cli.commands.{options.command}").run
        status = run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads any more; Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except CommandError as error:
        return _complain(error, error.status)
    except Exception as error:
        from orbitalis.errors import BusError, BusRefusedError, BusUrlError, OrbitalisError

        if isinstance(error, BusUrlError):
            return _complain(error, Exit.MISUSED)
        if isinstance(error, BusRefusedError):
            return _complain(f"{error}{_advice(options)}", Exit.NO_BUS)
        if isinstance(error, BusError):
            return _complain(error, Exit.NO_BUS)
        if isinstance(error, OrbitalisError):
            return _complain(error, Exit.FAILED)
        raise


def _advice(options: argparse.Namespace) -> str:
    """Return what to do about a refusal: a made-up identifier is not the one that access lists admit."""
    given = vars(options)
    missing = [
        f"--{name.replace('_', '-')}"
        for name in ("identifier", "operator_identifier")
        if name in given and given[name] is None
    ]
    return f"; with access lists, give the name in the certificate as {' and '.join(missing)}" if missing else ""


def _complain(error: Exception | str, status: Exit) -> int:
    sys.stdout.flush()
    print(f"{PROGRAM}: {error}", file=sys.stderr)
    return status
