"""What the attributes of an orbiter may be when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from orbitalis.bus.client import EventBusClient
from orbitalis_avro.errors import TopicError
from orbitalis_wire.topics import check_level

__all__ = ["check_attributes"]

_DURATIONS: Final = (
    "loop_interval",
    "close_connection_if_unused_after",
    "pending_requests_expire_after",
    "consider_others_dead_after",
    "send_keepalive_before_timelimit",
    "graceful_close_timeout",
)


def check_attributes(given: Mapping[str, Any]) -> None:
    """Check the attributes of an orbiter, given by name.

    Raises:
        ValueError: A duration is negative, a bound is not positive, or the identifier cannot be a level of a topic.
        TypeError: The client is none, such as the URL of a bus.
    """
    client, identifier = given["eventbus_client"], given["identifier"]
    if not isinstance(client, EventBusClient):
        hint = "; connect(URL) makes one" if isinstance(client, str) else ""
        raise TypeError(f"eventbus_client is a client of an event bus, got a {type(client).__name__}{hint}")
    try:
        if identifier == "-":
            raise TopicError("identifier", identifier, "it stands for one that is not known")
        check_level("identifier", identifier)
    except TopicError as error:
        raise ValueError(f"identifier {error.value!r} cannot be used: {error.reason}") from None
    for name in _DURATIONS:
        if given[name] is not None and not given[name] >= 0:
            raise ValueError(f"{name} must not be negative, got {given[name]}")
    if given["loop_interval"] == 0:
        raise ValueError("loop_interval must be positive, got 0")
    for name, bound in given.items():
        if name.startswith("maximum_") and not bound > 0:
            raise ValueError(f"{name} must be positive, got {bound}")
