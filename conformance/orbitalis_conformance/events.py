"""Events as cases refer to them: those of the subject and those of the tester."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orbitalis_conformance.bus import Seen
from orbitalis_conformance.errors import CaseError, Fault
from orbitalis_conformance.plain import is_list, is_mapping

__all__ = ["SHORT_NAMES", "Event", "short_name"]

SHORT_NAMES: Final[Mapping[str, str]] = {
    "DiscoverMessage": "discover",
    "AnnounceMessage": "announcement",
    "OfferMessage": "offer",
    "RequestOperationMessage": "request",
    "RejectOperationMessage": "reject",
    "ConfirmConnectionMessage": "confirm",
    "OperationNoLongerAvailableMessage": "unavailable",
    "KeepaliveMessage": "keepalive",
    "KeepaliveRequestMessage": "keepalive_request",
    "GracefulCloseConnectionMessage": "graceful_close",
    "GracelessCloseConnectionMessage": "graceless_close",
    "CloseConnectionAckMessage": "ack",
    "CancelInputMessage": "cancel",
    "WillMessage": "will",
    "IntrospectionRequestMessage": "question",
    "PongMessage": "pong",
    "InfoMessage": "info",
    "ConnectionsMessage": "connections",
    "StatisticsMessage": "statistics",
    "OperationErrorMessage": "error",
}
"""By message: the name by which a case refers to the last one."""


def short_name(kind: str) -> str:
    """Return the name by which a case refers to the last message of a kind; all inputs and outputs are `data`."""
    return SHORT_NAMES.get(kind, "data")


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event that was sent or seen."""

    kind: str
    topic: str
    headers: Mapping[str, Any]
    fields: Mapping[str, Any]
    data: bytes = field(repr=False)
    quality_of_service: int
    at: float
    is_of_subject: bool = False

    @classmethod
    def of(cls, seen: Seen) -> Event:
        """Return what the subject has published."""
        return cls(
            kind=seen.kind,
            topic=seen.topic,
            headers=seen.headers(),
            fields=seen.fields(),
            data=seen.data,
            quality_of_service=seen.quality_of_service,
            at=seen.at,
            is_of_subject=True,
        )

    def look_up(self, path: list[str]) -> Any:
        """Return what a path leads to: `topic`, a header, or a field and what is in it."""
        name, *others = path
        if name == "topic":
            return self.topic
        if name == "text":
            return f"{dict(self.fields)}"
        if name in self.headers:
            return self.headers[name]
        value: Any = self.fields
        for part in (name, *others):
            if is_mapping(value) and part in value:
                value = value[part]
            elif is_list(value) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                told = f"has no {'.'.join(path)!r}: {dict(self.headers)}, {dict(self.fields)}"
                if self.is_of_subject:
                    raise Fault(f"a {self.kind} of the subject {told}")
                raise CaseError(f"a {self.kind} {told}")
        return value
