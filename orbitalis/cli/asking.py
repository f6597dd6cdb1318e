"""How commands ask: an operator on the bus of the command line, and what is said when nobody answers."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

from orbitalis.arguments import did_you_mean
from orbitalis.bus.client import EventBusClient
from orbitalis.bus.event_loop import run_in_event_loop
from orbitalis.bus.url import ENVIRONMENT_VARIABLE, connect
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.errors import BusUrlError
from orbitalis.operating import Operator

__all__ = ["QUIET", "SPREAD", "Question", "client_of", "nobody", "of_all", "of_one", "operator_of", "run_async"]

SPREAD: Final = 0.2
"""Seconds within which orbiters answer a question to all."""
QUIET: Final = 0.3
"""Seconds without an answer that end a question to all."""

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Question(Protocol[A_co]):
    """A question of an operator, such as its method `info`."""

    def __call__(
        self, orbiter: str | None = None, *, within: float, spread: float | None = None, quiet: float | None = None
    ) -> Awaitable[Mapping[str, A_co]]:
        """Ask one orbiter, or all."""
        ...


def run_async(work: Callable[[argparse.Namespace], Coroutine[Any, Any, int]], options: argparse.Namespace) -> int:
    """Run a command in an event loop; only errors are logged, since a command says itself what went wrong."""
    logging.getLogger("orbitalis").setLevel(logging.CRITICAL)
    return run_in_event_loop(work(options))


def client_of(url: str | None) -> EventBusClient:
    """Return a client of the bus that the command line or the environment names.

    Raises:
        CommandError: Neither names one, or it is one that no other process is on.
        BusUrlError: It is no URL of a bus.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE) if url is None else url
    if named is None:
        raise CommandError(
            Exit.MISUSED,
            f"which bus? Write --bus mqtt://HOST:1883, or set the environment variable {ENVIRONMENT_VARIABLE}",
        )
    if named.startswith("local://"):
        raise CommandError(Exit.MISUSED, f"the bus {named} is within one process, where this command is not")
    try:
        return connect(url)
    except BusUrlError:
        raise
    except ValueError as error:
        raise CommandError(Exit.MISUSED, str(error)) from None


def operator_of(options: argparse.Namespace) -> Operator:
    """Return an operator that is not started, as the command line says.

    Raises:
        CommandError: The command line names no bus, or an identifier that cannot be one.
        BusUrlError: It names what is no URL of a bus.
    """
    try:
        return Operator(client_of(options.bus), identifier=options.identifier)
    except BusUrlError:
        raise
    except ValueError as error:
        raise CommandError(Exit.MISUSED, str(error)) from None


async def of_all(question: Question[A], within: float) -> dict[str, A]:
    """Ask all orbiters; return the answers in the order of identifiers."""
    found = await question(None, within=within, spread=min(SPREAD, within / 2), quiet=QUIET)
    return dict(sorted(found.items()))


async def of_one(operator: Operator, question: Question[A], orbiter: str, within: float) -> A:
    """Ask one orbiter.

    Raises:
        CommandError: It does not answer; the text names those that do.
    """
    try:
        found = await question(orbiter, within=within)
    except ValueError as error:
        raise CommandError(Exit.MISUSED, str(error)) from None
    if orbiter not in found:
        others = await of_all(operator.ping, within)
        raise nobody(f"no orbiter '{orbiter}' answers within {within:g} s", orbiter, others)
    return found[orbiter]


def nobody(what: str, name: str | None, others: Iterable[str]) -> CommandError:
    """Return the error of a question that nobody has answered; `others` are the names that there are."""
    known = list(others)
    if not known:
        return CommandError(
            Exit.NOBODY,
            f"{what}. Nobody else answers: no orbiter runs there, or none may be asked "
            "(introspection=False), or access lists keep this operator from asking (`orbitalis doctor` looks)",
        )
    return CommandError(Exit.NOBODY, what + ("" if name is None else did_you_mean(name, sorted(known))))
