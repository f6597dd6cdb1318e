"""What an orbiter tells operators: answers made of what it has and has counted.

Nothing in here knows setup data, inputs or outputs. Texts that are of any length, such as what an error says, are cut.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import accumulate
from typing import Final

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.installation import installed_version
from orbitalis.introspection.pages import CURSOR_BYTES, cut, place_before
from orbitalis.operations.explanation import (
    CoreExplanation,
    LendingExplanation,
    PluginExplanation,
    RemoteExplanation,
    RequirementExplanation,
)
from orbitalis.operations.operation_statistics import OperationStatistics, bounded
from orbitalis.protocol.config import OperationTerms, RequirementTerms
from orbitalis.protocol.obstacles import ObstacleKind
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role
from orbitalis_wire import SPECIFICATION_VERSION, limits, messages
from orbitalis_wire.messages import (
    ConnectionInfo,
    ConnectionsMessage,
    InfoMessage,
    OperationInfo,
    RemoteInfo,
    RequirementInfo,
    StatisticsMessage,
)

__all__ = ["Identity", "counters_of", "explanation_for_operators", "tell_connections", "tell_info", "tell_statistics"]

IMPLEMENTATION: Final = "orbitalis-python"
_DOCUMENTATION_BYTES: Final = 4096
_EXPLANATION_BYTES: Final = 16384
_REMOTES_BYTES: Final = 16384
_ITEM_BYTES: Final = 8
"""Bytes that an item of a map or list takes at most beside its key and itself: their lengths."""
_SPARE_BYTES: Final = CURSOR_BYTES + 32
"""Bytes of a page for its cursor, and for how many items its maps and lists have."""
_LEFT_OUT: Final = "operation '%s' is left out: its description takes more than an answer may\n"
_FAILED_PREPARATION: Final = ("it could not be prepared: its log says why",)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers."""

    identifier: str
    role: Role
    started_at: datetime


def tell_info(
    who: Identity,
    operations: Mapping[str, OperationTerms],
    documentation_of: Callable[[str], str],
    requirements: Mapping[str, RequirementTerms],
    explain: Callable[[], tuple[str, Sequence[RemoteInfo]]],
    cursor: str | None,
) -> InfoMessage:
    """Return a page of what an orbiter is, lends or requires; the first one has its explanation as well.

    `explain` gives that as text, and what it says of remotes.

    An operation whose description is too large for a page is left out, and the explanation of the page says so.
    """
    # Another module takes long to import, and is needed for nothing else.
    from orbitalis_wire.codecs import (
        encode_info_message,
        encode_operation_info,
        encode_remote_info,
        encode_requirement_info,
    )

    after = place_before(cursor)
    message = InfoMessage(
        from_identifier=who.identifier,
        role=who.role.value,
        implementation=IMPLEMENTATION,
        implementation_version=installed_version(),
        specification_version=SPECIFICATION_VERSION,
        started_at=who.started_at,
        operations={},
        requirements={},
        explanation="",
    )
    capacity = limits.INTROSPECTION_ANSWER_BYTES - len(encode_info_message(message)) - _SPARE_BYTES
    text, known = explain() if after is None else ("", ())
    explanation = bounded(text, _EXPLANATION_BYTES)
    sizes = [size for size in accumulate(len(encode_remote_info(one)) for one in known) if size <= _REMOTES_BYTES]
    message = replace(message, remotes=tuple(known[: len(sizes)]))
    room = capacity - len(explanation.encode()) - (sizes[-1] if sizes else 0)
    note_bytes = len(_LEFT_OUT)
    if who.role is Role.PLUGIN:
        lent = cut(
            operations,
            lambda name: _operation(operations[name], documentation_of(name)),
            lambda name, one: len(name.encode()) + _ITEM_BYTES + len(encode_operation_info(one)),
            after=after,
            room=room,
            capacity=capacity,
            note_bytes=note_bytes,
        )
        explanation += "".join(_LEFT_OUT % name for name in lent.left_out)
        return replace(message, operations=lent.things, explanation=explanation, next_cursor=lent.next_cursor)
    required = cut(
        requirements,
        lambda name: _requirement(requirements[name]),
        lambda name, one: len(name.encode()) + _ITEM_BYTES + len(encode_requirement_info(one)),
        after=after,
        room=room,
        capacity=capacity,
        note_bytes=note_bytes,
    )
    explanation += "".join(_LEFT_OUT % name for name in required.left_out)
    return replace(message, requirements=required.things, explanation=explanation, next_cursor=required.next_cursor)


def tell_connections(
    who: Identity, slots: Iterable[Slot], moment: Callable[[float], datetime], cursor: str | None
) -> ConnectionsMessage:
    """Return a page of the connections of an orbiter, also those under way; `moment` says when in UTC a time was."""
    from orbitalis_wire.codecs import encode_connection_info, encode_connections_message

    by_place = {f"{slot.remote_identifier}/{slot.operation_name}": slot for slot in slots}
    message = ConnectionsMessage(from_identifier=who.identifier, connections=())
    capacity = limits.INTROSPECTION_ANSWER_BYTES - len(encode_connections_message(message)) - _SPARE_BYTES
    page = cut(
        by_place,
        lambda place: _connection(by_place[place], moment),
        lambda place, one: len(encode_connection_info(one)),
        after=place_before(cursor),
        room=capacity,
        capacity=capacity,
    )
    return replace(message, connections=tuple(page.things.values()), next_cursor=page.next_cursor)


def tell_statistics(
    who: Identity, operations: Mapping[str, OperationStatistics], counters: Mapping[str, int], cursor: str | None
) -> StatisticsMessage:
    """Return a page of what an orbiter has counted of its operations; the first one has all other counts as well."""
    from orbitalis_wire.codecs import encode_operation_statistics, encode_statistics_message

    after = place_before(cursor)
    empty = StatisticsMessage(from_identifier=who.identifier, operations={}, counters={})
    message = replace(empty, counters=dict(counters)) if after is None else empty
    most = limits.INTROSPECTION_ANSWER_BYTES - _SPARE_BYTES
    page = cut(
        operations,
        lambda name: _statistics(operations[name]),
        lambda name, one: len(name.encode()) + _ITEM_BYTES + len(encode_operation_statistics(one)),
        after=after,
        room=most - len(encode_statistics_message(message)),
        capacity=most - len(encode_statistics_message(empty)),
    )
    return replace(message, operations=page.things, next_cursor=page.next_cursor)


def counters_of(orbiter: OrbiterStatistics, bus: BusStatistics) -> dict[str, int]:
    """Return what an orbiter and its client of the bus have counted, by `orbiter.` or `bus.` and its name."""
    return {
        f"{prefix}.{field.name}": getattr(counted, field.name)
        for prefix, counted in (("orbiter", orbiter), ("bus", bus))
        for field in fields(counted)
    }


def explanation_for_operators(explanation: CoreExplanation | PluginExplanation) -> tuple[str, Sequence[RemoteInfo]]:
    """Return an explanation as text, and what it says of remotes; not what hooks have said, which know setup data."""
    if isinstance(explanation, CoreExplanation):
        requirements = tuple(replace(one, remotes=_discreet(one.remotes)) for one in explanation.requirements)
        return str(replace(explanation, requirements=requirements)), _infos(requirements)
    operations = tuple(replace(one, remotes=_discreet(one.remotes)) for one in explanation.operations)
    return str(replace(explanation, operations=operations)), _infos(operations)


def _infos(explained: Iterable[RequirementExplanation | LendingExplanation]) -> Sequence[RemoteInfo]:
    return tuple(
        RemoteInfo(
            operation_name=one.operation_name,
            remote_identifier=remote.remote_identifier,
            sharing=remote.sharing.value,
            is_suspected=remote.is_suspected,
            kind=remote.kind,
            reasons=remote.reasons,
            count=remote.count,
        )
        for one in explained
        for remote in one.remotes
    )


def _discreet(remotes: tuple[RemoteExplanation, ...]) -> tuple[RemoteExplanation, ...]:
    return tuple(
        replace(one, reasons=_FAILED_PREPARATION) if one.kind == ObstacleKind.PREPARATION else one for one in remotes
    )


def _operation(terms: OperationTerms, documentation: str) -> OperationInfo:
    return OperationInfo(
        input=_input(terms.input),
        output=_output(terms.output),
        maximum=terms.maximum,
        allowlist=_listed(terms.allowlist),
        blocklist=_listed(terms.blocklist or None),
        documentation=bounded(inspect.cleandoc(documentation), _DOCUMENTATION_BYTES),
    )


def _requirement(terms: RequirementTerms) -> RequirementInfo:
    return RequirementInfo(
        inputs=tuple(map(_input, terms.inputs)),
        outputs=tuple(map(_output, terms.outputs)),
        minimum=terms.minimum,
        maximum=terms.maximum,
        mandatory=tuple(terms.mandatory),
        allowlist=_listed(terms.allowlist),
        blocklist=_listed(terms.blocklist),
    )


def _listed(identifiers: Collection[str] | None) -> tuple[str, ...] | None:
    return None if identifiers is None else tuple(sorted(identifiers))


def _input(spec: messages.Input) -> messages.Input:
    return messages.Input(
        schemas=tuple(spec.schemas),
        support_empty_schema=spec.support_empty_schema,
        support_undefined_schema=spec.support_undefined_schema,
    )


def _output(spec: messages.Output) -> messages.Output:
    return messages.Output(
        schemas=tuple(spec.schemas),
        support_empty_schema=spec.support_empty_schema,
        support_undefined_schema=spec.support_undefined_schema,
    )


def _connection(slot: Slot, moment: Callable[[float], datetime]) -> ConnectionInfo:
    if slot.closing_at is not None and slot.is_ending:
        since = slot.closing_at
    else:
        since = slot.opened_at if slot.is_connection else slot.waiting_since
    is_used = slot.is_connection and slot.last_used > slot.opened_at
    return ConnectionInfo(
        connection_identifier=slot.connection_identifier,
        remote_identifier=slot.remote_identifier,
        operation_name=slot.operation_name,
        state=slot.state.value,
        since=moment(since),
        last_used_at=moment(slot.last_used) if is_used else None,
    )


def _statistics(counted: OperationStatistics) -> messages.OperationStatistics:
    return messages.OperationStatistics(
        **{field.name: getattr(counted, field.name) for field in fields(OperationStatistics)}
    )
