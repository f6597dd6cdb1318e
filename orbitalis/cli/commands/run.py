"""`orbitalis run`: runs orbiters of classes that the command line names."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from typing import cast

from orbitalis.arguments import did_you_mean
from orbitalis.bus.event_loop import run_in_event_loop
from orbitalis.bus.url import connect
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.showing import print_json, print_text
from orbitalis.errors import BusUrlError
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.orbiter.serving import serve

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Run orbiters until Ctrl-C, or until all have stopped."""
    if options.identifier is not None and len(options.target) > 1:
        raise CommandError(Exit.MISUSED, "--identifier is for one orbiter, and several are to be run")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    orbiters = [_made(target, options.bus, options.identifier) for target in options.target]
    for orbiter in orbiters:
        kind = type(orbiter).__qualname__
        if options.json:
            print_json({"identifier": orbiter.identifier, "class": kind}, is_line=True)
        else:
            print_text(f"runs {orbiter.identifier}, a {kind}, until Ctrl-C")
    sys.stdout.flush()
    run_in_event_loop(serve(*orbiters))
    return Exit.OK


def _made(target: str, bus: str | None, identifier: str | None) -> Orbiter:
    """Return an orbiter of the class that is named, or the one that is.

    Raises:
        CommandError: There is none, or it cannot be made.
        BusUrlError: The URL names no bus.
    """
    module_name, colon, path = target.partition(":")
    if not (colon and module_name and path):
        raise CommandError(Exit.MISUSED, f"expected MODULE:CLASS, such as lamps.plugins:LampPlugin, got {target!r}")
    found: object = _imported(module_name)
    for name in path.split("."):
        if not hasattr(found, name):
            known = sorted(one for one, value in vars(found).items() if isinstance(value, type))
            raise CommandError(Exit.MISUSED, f"there is no {path!r} in {module_name}{did_you_mean(name, known)}")
        found = cast("object", getattr(found, name))
    if isinstance(found, Orbiter):
        return found
    if not (isinstance(found, type) and issubclass(found, Orbiter)):
        raise CommandError(Exit.MISUSED, f"{target} is no class of orbiters: it does not derive from Core or Plugin")
    try:
        client = connect(bus)
        return (
            found(eventbus_client=client)
            if identifier is None
            else found(eventbus_client=client, identifier=identifier)
        )
    except BusUrlError:
        raise
    except (Exception, SystemExit) as error:
        raise CommandError(Exit.MISUSED, f"{_where(error)}making a {path} raises {_told(error)}") from None


def _imported(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise CommandError(
                Exit.MISUSED, f"there is no module {error.name!r} in {os.getcwd()} or among what is installed"
            ) from None
        raise CommandError(Exit.MISUSED, f"{_where(error)}importing {name} raises {_told(error)}") from None
    except (Exception, SystemExit) as error:
        raise CommandError(Exit.MISUSED, f"{_where(error)}importing {name} raises {_told(error)}") from None


def _told(error: BaseException) -> str:
    return f"{type(error).__qualname__}: {error}" if str(error) else type(error).__qualname__


def _where(error: BaseException) -> str:
    """Return the place in the user's code that has raised, or what Python says of one that it cannot read."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: "
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not _is_machinery(one.filename)]
    return f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""


def _is_machinery(file: str) -> bool:
    return file.startswith("<") or file in (__file__, importlib.__file__)
