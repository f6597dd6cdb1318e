"""Why there is a connection or none: what an orbiter knows of that, as data and as text.

An explanation is a copy, of a bounded size, and `dataclasses.asdict` makes JSON of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orbitalis.message.schema_difference import shortened
from orbitalis.protocol.obstacles import Obstacle, Obstacles
from orbitalis.protocol.slots import SlotTable
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import RemoteInfo

__all__ = [
    "LISTED",
    "CoreExplanation",
    "LendingExplanation",
    "PluginExplanation",
    "RemoteExplanation",
    "RequirementExplanation",
    "Sharing",
    "explain_remotes",
    "say_remote",
]

LISTED: Final = 20
"""Operations that are listed, remotes for each of them, and names in a list."""


class Sharing(StrEnum):
    """How far it has come with a remote for an operation."""

    CONNECTED = "connected"
    """There is an open connection."""
    UNDER_WAY = "under way"
    """A handshake is under way."""
    ENDING = "ending"
    """A connection is about to end."""
    NOTHING = "nothing"
    """Nothing is shared; `kind` and `reasons` say why."""
    SILENT = "silent"
    """Core: a plugin has announced the operation, was asked for it, and has not answered."""
    NOT_OFFERED = "not offered"
    """Core: it has answered, and not offered the operation."""


_UNKNOWN: Final = (
    "no plugin has offered it, and none that has it was heard of: one that has it and does not offer it says why in "
    "its log"
)
_SHARING: Final = {
    SlotState.OPEN: Sharing.CONNECTED,
    SlotState.CLOSING: Sharing.ENDING,
    SlotState.DRAINING: Sharing.ENDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteExplanation:
    """What is known of one remote for one operation."""

    remote_identifier: str
    sharing: Sharing
    kind: str = ""
    """What was in the way when it was last tried, as `ObstacleKind` names it; empty if nothing was."""
    reasons: tuple[str, ...] = ()
    """The same in words."""
    count: int = 0
    """How often in a row that was in the way."""
    is_suspected: bool = False
    """Whether its connection with the bus was cut, and it has not answered since."""

    def __str__(self) -> str:
        """Say it in one line."""
        return say_remote(self)


def say_remote(known: RemoteExplanation | RemoteInfo) -> str:
    """Say in one line what is known of a remote for an operation, here or by the orbiter that has told it."""
    remote = shortened(known.remote_identifier)
    match known.sharing:
        case Sharing.SILENT:
            return f"{remote} has announced it, was asked for it, and has not answered"
        case Sharing.NOT_OFFERED:
            return f"{remote} has announced it, and answered without an offer of it: its log says why"
        case Sharing.NOTHING:
            state = remote
        case sharing:
            state = f"{remote} is {sharing}"
            if known.is_suspected:
                state += ", and suspected to be dead: its connection with the bus was cut"
    if not known.reasons:
        return state
    often = f" ({known.count} times)" if known.count > 1 else ""
    last = ": " if known.sharing == Sharing.NOTHING else ", before that: "
    return f"{state}{last}{'; '.join(known.reasons)}{often}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementExplanation:
    """What a core knows of one operation that it requires."""

    operation_name: str
    is_met: bool
    connected: int
    """How many plugins are connected for it, mandatory ones not counted."""
    minimum: int
    """How many of these there have to be."""
    maximum: int | None
    mandatory: tuple[str, ...]
    """The first of the mandatory plugins."""
    missing: tuple[str, ...]
    """The first of the mandatory plugins that are not connected."""
    more_missing: int
    """How many mandatory plugins beside these are not connected."""
    remotes: tuple[RemoteExplanation, ...]
    """The plugins that have to do with it, first those with which nothing is shared."""
    more_remotes: int
    """How many there are beside these."""

    def lack(self) -> str:
        """Say in a few words what is lacking."""
        return ", ".join(self._lacking()) or "has what it needs"

    def _lacking(self) -> Iterator[str]:
        if self.connected < self.minimum:
            note = " (mandatory plugins are not counted in the minimum)" if self.mandatory else ""
            yield f"has {self.connected} of at least {self.minimum} plugins{note}"
        if self.missing:
            more = f" and {self.more_missing} more" if self.more_missing else ""
            yield f"is without mandatory {' and '.join(map(shortened, self.missing))}{more}"

    def __str__(self) -> str:
        """Say it in a line, and one for each remote."""
        known = [f"    {remote}" for remote in self.remotes]
        if not known and not self.is_met:
            known = [f"    {_UNKNOWN}"]
        if self.more_remotes:
            known.append(f"    and {_counted(self.more_remotes, 'more plugin')}")
        return "\n".join([f"  operation {shortened(self.operation_name)} {self.lack()}", *known])

    def line(self, most: int = 3) -> str:
        """Say in one line what is lacking, and of the plugins that are not connected what is known."""
        others = [str(one) for one in self.remotes if one.sharing is not Sharing.CONNECTED]
        more = len(others[most:])
        # Connected ones are listed last, so that of those that are not listed, others are only known to be there.
        bound = "at least " if len(others) == LISTED and self.more_remotes else ""
        known = "; ".join(others[:most]) or _UNKNOWN
        return f"operation {shortened(self.operation_name)} {self.lack()}: {known}" + (
            f"; and {bound}{_counted(more, 'more plugin')}" if more else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreExplanation:
    """What a core knows of the connections that it requires."""

    core_identifier: str
    is_compliant: bool
    known_remotes: int
    """How many remotes it knows."""
    requirements: tuple[RequirementExplanation, ...]
    """Its requirements, first those that are not met."""
    more_requirements: int
    """How many there are beside these."""

    def of_operation(self, operation_name: str) -> RequirementExplanation | None:
        """Return what is known of one operation, if it is listed."""
        return next((one for one in self.requirements if one.operation_name == operation_name), None)

    def __str__(self) -> str:
        """Say it in lines."""
        state = "is compliant" if self.is_compliant else "is not compliant"
        head = f"core {shortened(self.core_identifier)} {state}; it knows {_counted(self.known_remotes, 'remote')}"
        more = [f"  and {_counted(self.more_requirements, 'more operation')}"] if self.more_requirements else []
        return "\n".join([head, *map(str, self.requirements), *more])


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingExplanation:
    """What a plugin knows of the lending of one operation."""

    operation_name: str
    lent: int
    """How many cores have a connection for it."""
    taken: int
    """The same with the handshakes under way."""
    maximum: int | None
    remotes: tuple[RemoteExplanation, ...]
    """The cores that have to do with it, first those with which nothing is shared."""
    more_remotes: int
    """How many there are beside these."""

    def __str__(self) -> str:
        """Say it in a line, and one for each remote."""
        lent = (
            _counted(self.lent, "core")
            if self.maximum is None
            else f"{self.lent} of at most {_counted(self.maximum, 'core')}"
        )
        lines = [f"  operation {shortened(self.operation_name)} is lent to {lent}"]
        lines += [f"    {remote}" for remote in self.remotes]
        if self.more_remotes:
            lines.append(f"    and {_counted(self.more_remotes, 'more core')}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginExplanation:
    """What a plugin knows of the connections for its operations."""

    plugin_identifier: str
    known_remotes: int
    """How many remotes it knows."""
    operations: tuple[LendingExplanation, ...]
    """Its operations, first those that were refused to somebody."""
    more_operations: int
    """How many there are beside these."""

    def of_operation(self, operation_name: str) -> LendingExplanation | None:
        """Return what is known of one operation, if it is listed."""
        return next((one for one in self.operations if one.operation_name == operation_name), None)

    def __str__(self) -> str:
        """Say it in lines."""
        head = f"plugin {shortened(self.plugin_identifier)} knows {_counted(self.known_remotes, 'remote')}"
        more = [f"  and {_counted(self.more_operations, 'more operation')}"] if self.more_operations else []
        return "\n".join([head, *map(str, self.operations), *more])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def explain_remotes(
    operation_name: str,
    slots: SlotTable,
    obstacles: Obstacles,
    suspected: Container[str],
    others: Mapping[str, Sharing],
) -> tuple[tuple[RemoteExplanation, ...], int]:
    """Return what is known of the remotes that have to do with an operation, and how many more there are.

    `suspected` are remotes that may be dead, `others` remotes of which only how far it has come is known.
    """
    met = {one.remote_identifier: one for one in obstacles.of_operation(operation_name)}
    found = {**others, **dict.fromkeys(met, Sharing.NOTHING)}
    for slot in slots.of_operation(operation_name):
        found[slot.remote_identifier] = _SHARING.get(slot.state, Sharing.UNDER_WAY)
    order = sorted(found, key=lambda remote: found[remote] is Sharing.CONNECTED)
    listed = tuple(_remote(remote, found[remote], met.get(remote), remote in suspected) for remote in order[:LISTED])
    return listed, len(order) - len(listed)


def _remote(remote: str, sharing: Sharing, obstacle: Obstacle | None, is_suspected: bool) -> RemoteExplanation:
    if obstacle is None:
        return RemoteExplanation(remote_identifier=remote, sharing=sharing, is_suspected=is_suspected)
    return RemoteExplanation(
        remote_identifier=remote,
        sharing=sharing,
        kind=obstacle.kind.value,
        reasons=obstacle.reasons(),
        count=obstacle.count,
        is_suspected=is_suspected,
    )
