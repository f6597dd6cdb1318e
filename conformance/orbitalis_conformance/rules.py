"""What holds of every event that the subject publishes, in every case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from orbitalis_conformance.bus import BROADCASTS, Seen
from orbitalis_conformance.errors import Fault
from orbitalis_conformance.peer import Peer
from orbitalis_wire import PROTOCOL_VERSION
from orbitalis_wire.channels import CHANNELS
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE
from orbitalis_wire.envelope import Encoding

__all__ = ["Rules"]

_QUALITY_OF_SERVICE: Final = {
    message.__name__: channel.quality_of_service
    for channel in CHANNELS.values()
    if not channel.carries_any and channel.key != "directedDiscover"
    for message in channel.messages
}
_ALWAYS: Final = "always"
_NEVER: Final = "never"
_MAYBE: Final = "maybe"
_HEADERS: Final[Mapping[str, tuple[str, str]]] = {
    "DiscoverMessage": (_MAYBE, _NEVER),
    "AnnounceMessage": (_NEVER, _NEVER),
    "OfferMessage": (_MAYBE, _NEVER),
    "RequestOperationMessage": (_ALWAYS, _ALWAYS),
    "RejectOperationMessage": (_ALWAYS, _MAYBE),
    "ConfirmConnectionMessage": (_ALWAYS, _ALWAYS),
    "OperationNoLongerAvailableMessage": (_ALWAYS, _MAYBE),
    "KeepaliveMessage": (_MAYBE, _NEVER),
    "KeepaliveRequestMessage": (_NEVER, _NEVER),
    "GracefulCloseConnectionMessage": (_NEVER, _ALWAYS),
    "GracelessCloseConnectionMessage": (_MAYBE, _MAYBE),
    "CloseConnectionAckMessage": (_ALWAYS, _ALWAYS),
    "CancelInputMessage": (_NEVER, _ALWAYS),
    "OperationErrorMessage": (_ALWAYS, _ALWAYS),
    "WillMessage": (_NEVER, _NEVER),
    "PongMessage": (_ALWAYS, _NEVER),
    "InfoMessage": (_ALWAYS, _NEVER),
    "ConnectionsMessage": (_ALWAYS, _NEVER),
    "StatisticsMessage": (_ALWAYS, _NEVER),
}
"""By message: whether it has a `correlation_identifier`, and a `connection_identifier`."""


class Rules:
    """Looks at each event of one case."""

    def __init__(self, subject: str, *, lacks: frozenset[str]) -> None:
        self._subject = subject
        self._has_headers = "headers" not in lacks
        self._has_numbers = self._has_headers and "sequence_numbers" not in lacks
        self._has_layout = "topic_layout" not in lacks
        self._incarnation: str | None = None
        self._incarnations: set[str] = set()
        self._identifiers: set[str] = set()
        self._numbers: dict[str, int] = {}
        self.violations: list[Fault] = []
        """What was wrong, in order."""

    def subject_starts(self) -> None:
        """Take note that it begins a new incarnation."""
        self._incarnation = None
        self._numbers.clear()

    def look(self, seen: Seen, peers: Iterable[Peer]) -> None:
        """Look at an event of the subject's."""
        if not seen.data and seen.topic.startswith(f"orbitalis/{self._subject}/{self._subject}/"):
            return  # by which a client finds out whether it may publish as itself
        if seen.fault:
            self._wrong(f"it cannot be read: {seen.fault}", seen, "ORB-EV-02", "ORB-EV-06")
            return
        self._look_at_bus(seen)
        self._look_at_identity(seen)
        self._look_at_encoding(seen, peers)
        if self._has_headers:
            self._look_at_headers(seen)
        if self._has_layout:
            self._look_at_topic(seen)
        self._look_at_number(seen, peers)

    def _wrong(self, text: str, seen: Seen, *requirements: str) -> None:
        self.violations.append(
            Fault(f"an event of the subject is not as it has to be: {text}\n    {seen}", requirements)
        )

    def _look_at_bus(self, seen: Seen) -> None:
        if seen.is_retained:
            self._wrong("it is retained", seen, "ORB-MQ-03")
        if seen.kind == "DiscoverMessage":
            expected = 0 if seen.topic in BROADCASTS else 1
        else:
            expected = _QUALITY_OF_SERVICE.get(seen.kind, 1)
        if self._has_headers and seen.quality_of_service != expected:
            self._wrong(f"its quality of service is {seen.quality_of_service}, not {expected}", seen, "ORB-MQ-02")

    def _look_at_identity(self, seen: Seen) -> None:
        envelope = seen.envelope
        if envelope is None:
            return
        if envelope.identifier in self._identifiers:
            self._wrong("it has the identifier of an earlier event", seen, "ORB-EV-11")
        self._identifiers.add(envelope.identifier)
        if self._has_headers and envelope.incarnation is not None and seen.kind != "WillMessage":
            if self._incarnation is None:
                self._incarnation = envelope.incarnation
                if envelope.incarnation in self._incarnations:
                    self._wrong("its incarnation was one before", seen, "ORB-EV-14")
                self._incarnations.add(envelope.incarnation)
            elif envelope.incarnation != self._incarnation:
                self._wrong(f"its incarnation is not {self._incarnation}, as before", seen, "ORB-EV-14")

    def _look_at_encoding(self, seen: Seen, peers: Iterable[Peer]) -> None:
        if seen.encoding is None or seen.encoding is Encoding.JSON:
            return
        recipients = [peer for peer in peers if peer.hears(seen)]
        if seen.topic in BROADCASTS or seen.kind == "WillMessage":
            self._wrong("it is for everyone, and not written as json", seen, "ORB-EV-07")
        elif recipients and not any(seen.encoding.value in peer.listed for peer in recipients):
            self._wrong(f"it is written as {seen.encoding.value}, which nobody has listed", seen, "ORB-EV-07")

    def _look_at_headers(self, seen: Seen) -> None:
        envelope = seen.envelope
        if envelope is None:
            return
        if envelope.protocol_version != PROTOCOL_VERSION:
            self._wrong(f"protocol_version is {envelope.protocol_version}", seen, "ORB-EV-11", "ORB-EV-12")
        if not envelope.incarnation:
            self._wrong("it has no incarnation", seen, "ORB-EV-11")
        if envelope.readable_encodings is None or "json" not in envelope.readable_encodings:
            self._wrong("readable_encodings does not list json", seen, "ORB-EV-11", "ORB-EV-20")
        codec = CODEC_BY_MESSAGE_TYPE.get(envelope.message_type or "")
        if codec is not None:
            known = {one for one in codec.lengths if one is not None} or {codec.fingerprint}
            if envelope.schema_fingerprint not in known:
                self._wrong(f"schema_fingerprint is none of {sorted(known)}", seen, "ORB-EV-11", "ORB-SC-09")
            if envelope.payload_format_type != codec.payload_format:
                self._wrong(f"its payload is not written as {codec.payload_format}", seen, "ORB-PL-02")
        elif envelope.message_type is None and (envelope.payload_format_type, envelope.serialized_payload) != (
            None,
            None,
        ):
            self._wrong("an empty event has neither format nor payload", seen, "ORB-PL-04")
        for name, wanted in zip(
            ("correlation_identifier", "connection_identifier"), _HEADERS.get(seen.kind, (_MAYBE, _ALWAYS)), strict=True
        ):
            has = getattr(envelope, name) is not None
            if (wanted == _ALWAYS and not has) or (wanted == _NEVER and has):
                self._wrong(f"a {seen.kind} has {'no' if has else 'a'} {name}", seen, "ORB-EV-11")

    def _look_at_topic(self, seen: Seen) -> None:
        levels = seen.topic.split("/")
        if levels[0] != "orbitalis" or len(levels) < 3:
            return
        sender = levels[1] if levels[2] == "will" and len(levels) == 3 else levels[2]
        if sender != self._subject:
            self._wrong(f"the sender in its topic is {sender!r}", seen, "ORB-TP-04", "ORB-TP-06")

    def _look_at_number(self, seen: Seen, peers: Iterable[Peer]) -> None:
        envelope = seen.envelope
        if envelope is None or not self._has_numbers:
            return
        if not any(Encoding.AVRO.value in peer.listed for peer in peers if peer.hears(seen)):
            return  # a peer of version 1.0 does not know numbers
        if not seen.topic.startswith("orbitalis/"):
            return  # what a topic of another layout is for, its user alone knows
        is_data = "/input/" in seen.topic or "/output/" in seen.topic
        is_aside = seen.kind == "CancelInputMessage" or (
            seen.kind == "OperationErrorMessage" and seen.message is not None and seen.message.reason == "overloaded"
        )
        if not is_data or is_aside:
            if envelope.sequence_number is not None:
                self._wrong("it has a sequence number, and is no input or output", seen, "ORB-EV-11", "ORB-EX-25")
            return
        expected = self._numbers.get(seen.topic, 0) + 1
        self._numbers[seen.topic] = expected
        if envelope.sequence_number != expected:
            self._wrong(f"its sequence number is {envelope.sequence_number}, not {expected}", seen, "ORB-EX-18")
