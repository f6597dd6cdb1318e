"""`orbitalis doctor`: looks at bus, access lists, versions, identifiers and clocks, and says what to do."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orbitalis.cli.asking import of_all, operator_of, run_async
from orbitalis.cli.compliance import lacks_of
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import print_json, print_text
from orbitalis.cli.traffic import Seen, listen
from orbitalis.errors import BusError, BusRefusedError
from orbitalis.operating import ConnectionsAnswer, InfoAnswer, Operator
from orbitalis_wire import PROTOCOL_VERSION, SPECIFICATION_VERSION
from orbitalis_wire.topics import IntrospectionTopic

__all__ = ["run"]

_CLOCKS: Final = 5.0
"""Seconds by which two clocks may differ."""
_HEARD: Final = ("discover", "announce", "offer", "reply", "response", "keepalive", "keepaliveRequest")
"""Kinds of events by which orbiters are known that answer nobody."""
_MOST_HEARD: Final = 10_000
_MARKS: Final = {"ok": "✓", "note": "·", "problem": "✗"}


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one look has found."""

    check: str
    verdict: str
    """One of `_MARKS`."""
    text: str
    advice: str = ""


def run(options: argparse.Namespace) -> int:
    """Look at everything."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    findings: list[_Finding] = []
    status = Exit.OK
    operator = operator_of(options)
    begun = asyncio.get_running_loop().time()
    try:
        async with operator:
            took = asyncio.get_running_loop().time() - begun
            findings.append(_Finding("bus", "ok", f"connected after {1000 * took:.0f} ms"))
            findings += await _look(operator, options.listen)
    except BusRefusedError as error:
        status = Exit.NO_BUS
        findings.append(
            _Finding(
                "access",
                "problem",
                str(error),
                "use the certificate or password of an operator, and as --identifier the name of its user "
                "(the page 'How to see what runs' of the documentation says which role each command needs)",
            )
        )
    except BusError as error:
        status = Exit.NO_BUS
        findings.append(
            _Finding("bus", "problem", str(error), "is the broker running, and are host and port those of --bus?")
        )
    if status is Exit.OK and any(one.verdict == "problem" for one in findings):
        status = Exit.NOT_WELL
    if options.json:
        print_json(findings)
        return status
    for one in findings:
        print_text(f"{_MARKS[one.verdict]} {one.check}: {one.text}")
        if one.advice:
            print_text(f"    {one.advice}")
    return status


async def _look(operator: Operator, seconds: float) -> list[_Finding]:
    heard: dict[str, None] = {}

    def note(look: Callable[[], Seen]) -> None:
        sender = look().sender
        if sender is not None and len(heard) < _MOST_HEARD:
            heard[sender] = None

    client = operator.eventbus_client
    await listen(client, _HEARD, note)
    listening = asyncio.create_task(asyncio.sleep(seconds))
    pongs = await of_all(operator.ping, 2.0)
    asked_at = datetime.now(UTC)
    infos, connections = await asyncio.gather(of_all(operator.info, 2.0), of_all(operator.connections, 2.0))
    await listening
    findings = [await _access(operator)]
    findings += _answers(infos, heard)
    findings += _versions(infos, client.statistics.other_versions)
    findings += _identifiers({name: one.namesakes for name, one in pongs.items()})
    findings += _clocks({name: (asked_at - one.answered_at).total_seconds() for name, one in pongs.items()})
    findings += _compliance(infos, connections)
    return findings


async def _access(operator: Operator) -> _Finding:
    """Look whether this operator may ask in the name of another one."""
    other = f"{operator.identifier}-other"
    try:
        await operator.eventbus_client.check_may_publish(
            IntrospectionTopic.build(recipient_identifier=other, operator_identifier=other)
        )
    except BusRefusedError:
        return _Finding("access", "ok", f"access lists are on, and '{operator.identifier}' may ask")
    return _Finding(
        "access",
        "note",
        "no access lists are on: everybody may do everything in everybody's name",
        "the page 'Security' of the documentation says how a broker tells cores, plugins and operators apart",
    )


def _answers(infos: Mapping[str, InfoAnswer], heard: Mapping[str, None]) -> Iterator[_Finding]:
    if infos:
        yield _Finding("orbiters", "ok", f"{len(infos)} answer")
    else:
        yield _Finding(
            "orbiters",
            "problem",
            "nobody answers",
            "does an orbiter run on this bus, with introspection, and with access lists that let it hear operators?",
        )
    silent = sorted(heard.keys() - infos.keys())
    if silent:
        yield _Finding(
            "orbiters",
            "problem",
            f"heard of, but without an answer: {', '.join(silent)}",
            "they have introspection=False, are of an earlier version, or access lists of an earlier version",
        )
    partial = sorted(name for name, one in infos.items() if not one.is_complete)
    if partial:
        yield _Finding(
            "orbiters", "problem", f"only a part has come from {', '.join(partial)}", "is the broker overloaded?"
        )


def _versions(infos: Mapping[str, InfoAnswer], others: int) -> Iterator[_Finding]:
    if others:
        yield _Finding(
            "versions",
            "problem",
            f"{others} events came of another version of the protocol than {PROTOCOL_VERSION}",
            "orbiters with different first numbers of the version do not work together: update the older ones",
        )
    by_version: dict[str, list[str]] = {}
    for name, one in infos.items():
        by_version.setdefault(one.specification_version, []).append(name)
    told = "; ".join(f"{version}: {', '.join(names)}" for version, names in sorted(by_version.items()))
    if len(by_version) > 1:
        yield _Finding("versions", "note", f"several versions of the specification: {told}", "they do work together")
    elif by_version and not others:
        only = next(iter(by_version))
        own = "" if only == SPECIFICATION_VERSION else f", and this command implements {SPECIFICATION_VERSION}"
        yield _Finding("versions", "ok", f"all implement {only} of the specification{own}")


def _identifiers(namesakes: Mapping[str, int]) -> Iterator[_Finding]:
    double = sorted(name for name, count in namesakes.items() if count)
    for name in double:
        yield _Finding(
            "identifiers",
            "problem",
            f"{1 + namesakes[name]} orbiters are called '{name}'",
            "give each an identifier of its own, and restart them: connections with either end again and again",
        )
    if namesakes and not double:
        yield _Finding("identifiers", "ok", "no two orbiters have the same")


def _clocks(behind: Mapping[str, float]) -> Iterator[_Finding]:
    wrong = {name: seconds for name, seconds in behind.items() if abs(seconds) > _CLOCKS}
    for name, seconds in sorted(wrong.items()):
        yield _Finding(
            "clocks",
            "problem",
            f"that of '{name}' is {abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead of'} this one",
            "set the clocks by NTP: times of events and logs do not go together",
        )
    if behind and not wrong:
        yield _Finding("clocks", "ok", f"none differs from this one by more than {_CLOCKS:.0f} s")


def _compliance(infos: Mapping[str, InfoAnswer], connections: Mapping[str, ConnectionsAnswer]) -> Iterator[_Finding]:
    cores = [one for one in infos.values() if one.role == "core" and one.identifier in connections]
    lacking = [one for one in cores if next(lacks_of(one, infos, connections), None) is not None]
    for core in lacking:
        yield _Finding(
            "compliance", "problem", f"{core.identifier} is not compliant", f"orbitalis why {core.identifier}"
        )
    if cores and not lacking:
        yield _Finding("compliance", "ok", f"all cores have what they need: {len(cores)}")
