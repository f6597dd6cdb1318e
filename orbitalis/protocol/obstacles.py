"""Obstacles: why an operation was not connected with a remote. Each is reported once, and then counted.

Obstacles are noted only when something is refused or fails, so a successful handshake costs nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from sys import getsizeof
from typing import Final

from orbitalis.message.misfits import misfits
from orbitalis.message.schema_difference import Shapes, shortened
from orbitalis.protocol.config import OperationTerms, OrbiterConfig, RequirementTerms
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.transitions import Role, SlotTrigger
from orbitalis_wire import limits

__all__ = [
    "UNREAD_SCHEMAS",
    "Obstacle",
    "ObstacleKind",
    "Obstacles",
    "came_to_nothing",
    "not_allowed",
    "schemas_differ",
]

_LOOKS = 64
"""Obstacles that are looked at to find one to forget."""
_DETAIL = 300
"""Characters of a detail: remotes and hooks choose some of them."""
_BYTES = 512
"""Bytes that an obstacle takes beside its texts."""
_SHAPE_BYTES = 128
"""Bytes that an input or output takes beside its schemas."""
_HOLDERS = 5
"""Remotes that hold an operation, of which is told."""

UNREAD_SCHEMAS: Final = "the schemas are too large, or too many new ones came at a time"
"""The text if `Quotas.admit_schemas` says no."""


class ObstacleKind(StrEnum):
    """The kinds of reasons why an operation is not connected."""

    SCHEMAS = "schemas"
    """Input or output of the plugin does not match what the core asks for."""
    POLICY = "policy"
    """The policy of the plugin's operation excludes the core."""
    CONSTRAINT = "constraint"
    """The constraint of the core's requirement excludes the plugin."""
    MAXIMUM = "maximum"
    """As many cores as the policy allows have the operation."""
    LIMIT = "limit"
    """A limit on what others can use up is reached."""
    PREPARATION = "preparation"
    """Topics could not be subscribed to, or the user's preparation failed or took too long."""
    NOT_NEEDED = "not needed"
    """The core has what it needs."""
    REJECTED = "rejected"
    """The core has rejected the offer, for another reason."""
    UNAVAILABLE = "unavailable"
    """The plugin has offered the operation and then not lent it, or has ended the connection."""
    UNANSWERED = "unanswered"
    """The other side did not answer an offer or a request in time."""
    PROTOCOL = "protocol"
    """The other side has sent data that cannot be used."""


@dataclass(slots=True, kw_only=True, eq=False)
class Obstacle:
    """Why the last attempt to connect one operation with one remote failed."""

    remote_identifier: str
    operation_name: str
    kind: ObstacleKind
    detail: str = ""
    """For people; empty where `here` and `there` say it."""
    role: Role = Role.CORE
    """Which side this is."""
    here: Shapes | None = None
    """What this side takes and gives, where schemas differ."""
    there: Shapes | None = None
    """The same of the remote."""
    exact: frozenset[str] | None = None
    """Between peers that resolve schemas: the fingerprints of those that match the same schema alone."""
    count: int = 1
    """How often it was met in a row."""
    told: frozenset[ObstacleKind] = frozenset()
    """Of which kinds was told."""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        inputs, outputs = self.there or ((), ())
        schemas = [schema for shapes in (inputs, outputs) for shape in shapes for schema in shape.schemas]
        texts = (self.remote_identifier, self.operation_name, self.detail, *schemas)
        return _BYTES + _SHAPE_BYTES * (len(inputs) + len(outputs)) + sum(map(getsizeof, texts))

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons as texts for people. Schemas are compared only now."""
        if self.here is None or self.there is None:
            return (self.detail,)
        return misfits(self.here, self.there, self.exact, is_plugin=self.role is Role.PLUGIN)

    def is_again(self, before: Obstacle) -> bool:
        """Return whether this is the same obstacle as before."""
        return (before.kind, before.there, before.here, before.exact) == (self.kind, self.there, self.here, self.exact)

    def __str__(self) -> str:
        return "; ".join(self.reasons())


@dataclass(slots=True, eq=False)
class Obstacles:
    """The last obstacle of each remote and operation.

    At most `limits.OBSTACLES` are kept, in `limits.OBSTACLE_BYTES`. For another one the oldest are forgotten, those of
    strangers first.
    """

    _config: OrbiterConfig
    _slots: SlotTable
    found: dict[tuple[str, str], Obstacle] = field(init=False, default_factory=dict[tuple[str, str], Obstacle])
    """By remote and operation, the one that was met last at the end."""
    bytes: int = field(init=False, default=0)
    """How much memory they take."""

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    def of_operation(self, operation_name: str) -> list[Obstacle]:
        """Return the obstacles of an operation, the newest first."""
        return [one for one in reversed(self.found.values()) if one.operation_name == operation_name]

    def note(self, obstacle: Obstacle) -> bool:
        """Keep an obstacle; return whether it is another one than was met before, so that it is to be told."""
        obstacle.detail = obstacle.detail[:_DETAIL]
        key = obstacle.remote_identifier, obstacle.operation_name
        before = self.found.get(key)
        is_new = True
        if before is not None:
            self.forget(*key)
            is_new = obstacle.kind not in before.told
            if obstacle.is_again(before):
                obstacle.count = before.count + 1
            elif obstacle.kind is ObstacleKind.SCHEMAS:
                is_new = True
            obstacle.told = before.told
        obstacle.told |= {obstacle.kind}
        size = obstacle.size
        if size <= limits.SCHEMA_BYTES + _BYTES:
            self._make_room(size)
            self.found[key] = obstacle
            self.bytes += size
        return is_new

    def forget(self, remote_identifier: str, operation_name: str) -> None:
        """Forget the obstacle of a remote and operation, which has been overcome."""
        obstacle = self.found.pop((remote_identifier, operation_name), None)
        if obstacle is not None:
            self.bytes -= obstacle.size

    def clear(self) -> None:
        """Forget all."""
        self.found.clear()
        self.bytes = 0

    def _make_room(self, size: int) -> None:
        spared = 0
        while len(self.found) >= limits.OBSTACLES or self.bytes + size > limits.OBSTACLE_BYTES:
            key = next(iter(self.found))
            if spared < _LOOKS and (key[0] in self._config.named or self._slots.has_remote(key[0])):
                spared += 1
                self.found[key] = self.found.pop(key)
            else:
                self.forget(*key)


def schemas_differ(
    remote_identifier: str,
    operation_name: str,
    mine: OperationTerms | RequirementTerms,
    there: Shapes,
    exact: frozenset[str] | None = None,
) -> Obstacle:
    """Return the obstacle that schemas differ, given what this side has and what the remote said.

    Where schemas are resolved, `exact` has the fingerprints of those that match the same schema alone.
    """
    here: Shapes
    if isinstance(mine, OperationTerms):
        role, here = Role.PLUGIN, ((mine.input,), (mine.output,))
    else:
        role, here = Role.CORE, (mine.inputs, mine.outputs)
    return Obstacle(
        remote_identifier=remote_identifier,
        operation_name=operation_name,
        kind=ObstacleKind.SCHEMAS,
        role=role,
        here=here,
        there=there,
        exact=exact,
    )


def not_allowed(core_identifier: str, operation_name: str, terms: OperationTerms, slots: SlotTable) -> Obstacle:
    """Return what of a policy is against lending an operation to a core."""
    kind = ObstacleKind.POLICY
    if core_identifier in terms.blocklist:
        detail = "the core is on the blocklist of the operation's policy"
    elif not terms.admits(core_identifier):
        detail = "the core is not on the allowlist of the operation's policy"
    else:
        kind = ObstacleKind.MAXIMUM
        holders = [slot.remote_identifier for slot in slots.of_operation(operation_name)]
        shown = ", ".join(map(shortened, holders[:_HOLDERS])) or "nobody"
        more = f" and {len(holders) - _HOLDERS} more" if len(holders) > _HOLDERS else ""
        detail = f"the maximum of {terms.maximum} is reached: it is lent or offered to {shown}{more}"
    return Obstacle(remote_identifier=core_identifier, operation_name=operation_name, kind=kind, detail=detail)


def came_to_nothing(slot: Slot, trigger: SlotTrigger) -> Obstacle | None:
    """Return why a handshake came to nothing, or a core's connection ended, if what happened to its slot says that."""
    kind = ObstacleKind.UNANSWERED
    match trigger:
        case SlotTrigger.DRAINED | SlotTrigger.GRACELESS_CLOSE_RECEIVED if slot.role is Role.CORE:
            kind, detail = ObstacleKind.UNAVAILABLE, "the plugin has closed the connection"
        case SlotTrigger.REMOTE_LOST if slot.role is Role.CORE:
            kind, detail = ObstacleKind.UNAVAILABLE, "the plugin was lost: it is dead, or has started anew"
        case SlotTrigger.NO_LONGER_AVAILABLE_RECEIVED:
            kind, detail = ObstacleKind.UNAVAILABLE, "the plugin said that it is no longer available"
        case SlotTrigger.EXPIRED if (slot.request_identifier is None) is (slot.role is Role.CORE):
            kind, detail = ObstacleKind.PREPARATION, "its preparation did not end in time"
        case SlotTrigger.EXPIRED if slot.role is Role.CORE:
            detail = "the plugin did not answer the request in time"
        case SlotTrigger.EXPIRED:
            detail = "the core did not answer the offer in time"
        case _:
            return None
    return Obstacle(
        remote_identifier=slot.remote_identifier, operation_name=slot.operation_name, kind=kind, detail=detail
    )
