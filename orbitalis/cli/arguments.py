"""The command line: which commands there are, and what each takes. It imports nothing that takes long."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orbitalis.cli.completion import SHELLS

__all__ = ["COMMANDS", "PROGRAM", "QUIET_KINDS", "Command", "make_parser", "words"]

PROGRAM: Final = "orbitalis"
_DESCRIPTION: Final = "See and operate the cores and plugins of a bus."
QUIET_KINDS: Final = frozenset(
    {
        "keepalive",
        "keepaliveRequest",
        "introspectionOfAll",
        "introspection",
        "pong",
        "info",
        "connections",
        "statistics",
    }
)
"""Kinds of events that `watch` shows only when it is told to."""
_LOUD_KINDS: Final = (
    "discover",
    "announce",
    "directedDiscover",
    "offer",
    "reply",
    "response",
    "will",
    "operationInput",
    "operationOutput",
    "close",
    "closeAck",
)
_KINDS: Final = ("all", *_LOUD_KINDS, *sorted(QUIET_KINDS))
_CHOICES: Final[Mapping[str, Sequence[str]]] = {"watch": _KINDS, "completion": SHELLS}
"""Words that may follow a command, besides names that users have chosen."""
_STATUS: Final = """\
The bus is the one of --bus, or else of the environment variable ORBITALIS_BUS.

exit status:
  0    all went well
  1    a problem was found: not compliant, or something is wrong
  2    the command line or the input is wrong
  3    the bus cannot be reached, or refuses
  4    nobody answers, or there is no such orbiter or operation
  5    a call failed
  130  Ctrl-C
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    summary: str
    """What it does, in a few words."""
    description: str
    """The same at length."""
    add: Callable[[argparse.ArgumentParser], None]
    """Adds its own arguments to a parser."""


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=_DESCRIPTION, epilog=_STATUS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, command in COMMANDS.items():
        one = commands.add_parser(
            name,
            help=command.summary,
            description=command.description,
            epilog=_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add(one)
    return parser


def _common(parser: argparse.ArgumentParser, *, is_operator: bool = True) -> None:
    parser.add_argument(
        "--bus",
        metavar="URL",
        help="such as mqtt://localhost:1883, mqtt://user:password@host or "
        "mqtts://host?authority=FILE&certificate=FILE&key=FILE (default: ORBITALIS_BUS)",
    )
    if is_operator:
        _identifier(parser, "identifier of the operator; with access lists, the name in its certificate")
    parser.add_argument("--json", action="store_true", help="write JSON, for programs")


def _identifier(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--identifier", metavar="NAME", help=f"{what} (default: a made-up one)")


def _within(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--within", type=_seconds, default=2.0, metavar="S", help="seconds to wait for answers (default: 2)"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"expected seconds, a number above 0 such as 2.5, got {text!r}")
    return seconds


def _asking(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _within(parser)


def _of_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("orbiter", metavar="ID", help="identifier of the orbiter")
    _asking(parser)


def _of_one_or_all(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("orbiter", metavar="ID", nargs="?", help="identifier of one orbiter (default: all)")
    _asking(parser)


def _ping(parser: argparse.ArgumentParser) -> None:
    _of_one_or_all(parser)
    parser.add_argument(
        "--count", type=_count, default=1, metavar="N", help="how often each orbiter is asked (default: 1)"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def _why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("core", metavar="CORE", help="identifier of the core")
    _asking(parser)


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("operation", metavar="OPERATION", help="name of the operation")
    parser.add_argument(
        "input", metavar="JSON", nargs="?", help="the input; `-` reads one per line from standard input (default: none)"
    )
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--plugin", metavar="ID", help="the plugin to call (default: any with the operation)")
    whom.add_argument("--all", action="store_true", help="call all plugins that have the operation")
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="S", help="seconds to wait for an answer (default: 10)"
    )
    _common(parser, is_operator=False)
    _identifier(parser, "identifier of the calling core; with access lists, the name in its certificate")
    parser.add_argument(
        "--operator-bus",
        metavar="URL",
        help="bus on which to ask for schemas, with an operator's certificate (default: --bus)",
    )
    parser.add_argument(
        "--operator-identifier", metavar="NAME", help="the operator that asks for schemas (default: a made-up one)"
    )


def _watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "orbiter", metavar="ID", nargs="?", help="show only events from and to this orbiter (default: all)"
    )
    _common(parser)
    parser.add_argument("--operation", metavar="NAME", help="show only events about this operation")
    parser.add_argument(
        "--kind",
        action="append",
        choices=_KINDS,
        metavar="KIND",
        help=f"show only events of this kind; may be given several times: {', '.join(_KINDS)} "
        "(default: all but signs of life and introspection)",
    )
    parser.add_argument(
        "--count", type=_count, metavar="N", help="end after this number of events (default: at Ctrl-C)"
    )


def _describe(parser: argparse.ArgumentParser) -> None:
    _of_one(parser)
    parser.add_argument("--title", help="title of the contract (default: the identifier)")
    parser.add_argument(
        "--contract-version", default="1.0.0", metavar="VERSION", help="version of the contract (default: 1.0.0)"
    )


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="MODULE:CLASS",
        nargs="+",
        help="such as lamps.plugins:LampPlugin; several run at the same time",
    )
    _common(parser, is_operator=False)
    _identifier(parser, "identifier of the orbiter, if it is only one; with access lists, the name in its certificate")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument(
        "--listen", type=_seconds, default=3.0, metavar="S", help="seconds to listen to the bus (default: 3)"
    )


def _dashboard(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="port of the page (default: any)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--allow-calls", action="store_true", help="let the page call operations")
    parser.add_argument(
        "--websocket",
        metavar="URL",
        help="the broker's own listener for WebSockets, such as ws://HOST:9001 or wss://HOST?authority=FILE "
        "(default: --bus)",
    )
    parser.add_argument(
        "--core-bus", metavar="URL", help="bus on which to call operations, with a core's certificate (default: --bus)"
    )
    parser.add_argument(
        "--core-identifier", metavar="NAME", help="identifier of the calling core (default: a made-up one)"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.add_argument("--json", action="store_true", help="write the words as JSON, for programs")


def words() -> tuple[dict[str, list[str]], list[str]]:
    """Return the words that may follow each command, and those that may stand before one."""
    found: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser()
        command.add(parser)
        options = re.findall(r"--[a-z][a-z-]*", parser.format_usage())
        found[name] = [*dict.fromkeys(options), "--help", *_CHOICES.get(name, ())]
    return found, ["--help", "--version"]


COMMANDS: Final[Mapping[str, Command]] = {
    "ls": Command(
        "list all orbiters", "List all orbiters: role, operations, connections, since when, version.", _asking
    ),
    "info": Command("show everything about one orbiter", "Show everything about one orbiter.", _of_one),
    "ping": Command("measure round trip times", "Show which orbiters answer, and how long each answer took.", _ping),
    "why": Command(
        "say why a core is not compliant",
        "Say what a core is missing, and which plugins do not fit, with the reasons of both sides.",
        _why,
    ),
    "stats": Command("show the counters of orbiters", "Show executions, errors, times and counters.", _of_one_or_all),
    "call": Command(
        "call an operation",
        "Call an operation, as a core with one request. The input is checked against the operation's schema, and the "
        "answer is JSON. While it runs, the call takes one of the connections that the plugin's policy allows.",
        _call,
    ),
    "watch": Command(
        "show the events on the bus",
        "Show the events on the bus, decoded, one per line. On a broker with access lists, it needs an operator who "
        "may read all topics.",
        _watch,
    ),
    "describe": Command(
        "write the AsyncAPI document of a running plugin",
        "Write an AsyncAPI document that describes a running plugin: a contract for `orbitalis-codegen contract`.",
        _describe,
    ),
    "run": Command(
        "run cores and plugins", "Run a core or plugin of each class, or the named orbiter, until Ctrl-C.", _run
    ),
    "doctor": Command(
        "find problems, and say what to do",
        "Check bus, access lists, protocol versions, identifiers, clocks and compliance, and say what to do.",
        _doctor,
    ),
    "dashboard": Command(
        "show everything in the browser",
        "Serve a page on this machine that shows cores, plugins, connections and events as they are now. It looks at "
        "the bus as an operator; with --allow-calls it calls operations as well. It needs the extra `dashboard`.",
        _dashboard,
    ),
    "completion": Command(
        "print a script that completes the command line",
        "Print a script that completes the command line in a shell.",
        _completion,
    ),
}
"""The commands by name. What runs one is `run` of the module with its name in `orbitalis/cli/commands/`."""
