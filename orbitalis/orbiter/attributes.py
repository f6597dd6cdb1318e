"""What the attributes of an orbiter may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Final, cast

from orbitalis.arguments import check_kind, check_number, check_seconds, check_text, shown
from orbitalis.bus.client import EventBusClient
from orbitalis.bus.topic_filters import check_topic
from orbitalis.errors import OrbiterStateError
from orbitalis.operations.handlers import as_event_handler
from orbitalis.operations.provided_operations import Operation
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.limits import Limits
from orbitalis_avro.errors import TopicError
from orbitalis_wire.topics import check_level

__all__ = ["KEPT_BY_THE_CLASS", "SETTINGS", "check_attribute", "check_entry"]

SETTINGS: Final = frozenset(one.name for one in fields(OrbiterConfig)) - {"topics"}
"""Attributes of an orbiter of which the state machine has a snapshot."""
KEPT_BY_THE_CLASS: Final = SETTINGS.union(
    ("introspection", "introspection_topic", "raise_exceptions", "with_loop", "loop_interval")
)
"""Attributes that take no room in an orbiter as long as they have their default."""

_FIXED: Final = frozenset(
    {"identifier", "eventbus_client", "discover_topic", "announce_topic", "introspection", "introspection_topic"}
)
"""Attributes that do not change while an orbiter runs, or ever."""


def check_attribute(orbiter: Any, name: str, value: object) -> None:
    """Check what is assigned to an attribute of an orbiter.

    Raises:
        ValueError: A duration is negative, or the identifier cannot be a level of a topic.
        TypeError: It is of another kind, such as the URL of a bus for its client.
        OrbiterStateError: The attribute never changes, or not while the orbiter runs.
    """
    if name not in _CHECKS:
        return
    _CHECKS[name](name, value)
    if name not in _FIXED or "_closer" not in vars(orbiter) or value == getattr(orbiter, name):
        return
    if name == "identifier":
        raise OrbiterStateError(
            f"the identifier of {orbiter} never changes: make another one with identifier={value!r}"
        )
    if orbiter.is_running:
        raise OrbiterStateError(f"{name} of {orbiter} cannot change while it runs: stop it before, and start it again")


def check_entry(of: str, name: object, value: object, expected: type[object]) -> None:
    """Check an entry of a dictionary, such as `operations`, which users edit.

    Raises:
        TypeError: The name is no text, or the value is of another class than is expected.
    """
    check_text(f"a name in {of}", name)
    if not isinstance(value, expected):
        kind = expected.__name__
        raise TypeError(f"{of}[{name!r}] must be of class {kind}, got {shown(value)}: write {of}[{name!r}] = {kind}(…)")


def _check_client(name: str, client: object) -> None:
    if not isinstance(client, EventBusClient):
        hint = "connect(URL) makes one" if isinstance(client, str) else "connect() makes one"
        kind = f"the class {client.__name__}" if isinstance(client, type) else f"a {type(client).__name__}"
        raise TypeError(f"{name} must be a client of an event bus, got {kind}; {hint}")


def _check_identifier(name: str, identifier: object) -> None:
    check_text(name, identifier)
    identifier = cast("str", identifier)
    try:
        if identifier == "-":
            raise TopicError("identifier", identifier, "it stands for one that is not known")
        check_level("identifier", identifier)
    except TopicError as error:
        raise ValueError(f"identifier {error.value!r} cannot be used: {error.reason}") from None


def _check_topic(name: str, topic: object) -> None:
    check_text(name, topic)
    check_topic(cast("str", topic))


def _check_processes(name: str, size: object) -> None:
    check_number(name, 0 if size is None else size)
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"{name} must be at least 1, got {size}")


def _check_dictionary(kind: type[object] | None, name: str, given: object) -> None:
    if not isinstance(given, dict):
        example = "handler" if kind is None else f"{kind.__name__}(…)"
        raise TypeError(
            f"{name} must be a dictionary by operation name, got {shown(given)}: write {{'name': {example}}}"
        )
    for key, value in cast("dict[object, Any]", given).items():
        if kind is None:
            as_event_handler(value)
        else:
            check_entry(name, key, value, kind)


_OPTIONAL: Final = (
    "close_connection_if_unused_after",
    "pending_requests_expire_after",
    "consider_others_dead_after",
    "graceful_close_timeout",
)
"""Durations that `None` switches off."""
_CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "eventbus_client": _check_client,
    "identifier": _check_identifier,
    "discover_topic": _check_topic,
    "announce_topic": _check_topic,
    "introspection_topic": _check_topic,
    "introspection": partial(check_kind, expected=bool),
    "loop_interval": partial(check_seconds, is_positive=True),
    "send_keepalive_before_timelimit": check_seconds,
    "discovering_interval": check_seconds,
    "discovering_interval_when_compliant": check_seconds,
    "suspicion_grace": partial(check_seconds, is_optional=True, is_positive=True),
    **dict.fromkeys(_OPTIONAL, partial(check_seconds, is_optional=True)),
    "limits": partial(check_kind, expected=Limits),
    "process_pool_size": _check_processes,
    "operations": partial(_check_dictionary, Operation),
    "operation_requirements": partial(_check_dictionary, OperationRequirement),
    "operation_sinks": partial(_check_dictionary, None),
}
"""By name of an attribute: what checks it."""
