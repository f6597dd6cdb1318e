"""Checks the topics that a remote tells, and the topics on which its messages arrive.

Except for discovers and announcements, each topic is told by the side that listens there. Our layout has a level for
the recipient and one for the sender. So a told topic in our layout is compared with the remote, and the sender of a
message with the topic on which it arrived. A topic in another layout is used unchanged.
"""

from __future__ import annotations

import re
from dataclasses import Field, fields, replace
from typing import Any, ClassVar, Final, Protocol, Self

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.transitions import Role
from orbitalis_avro.errors import TopicError
from orbitalis_wire import limits
from orbitalis_wire.channels import CHANNELS
from orbitalis_wire.topics import UNPUBLISHABLE, OfferTopic, check_level

__all__ = ["ROOTS", "UNKNOWN_SENDER", "TopicClass", "TopicResolver"]

_ADDRESSES: Final = tuple(channel.address for channel in CHANNELS.values())
ROOTS: Final = tuple(
    {address.split("/", 1)[0] + "/" for address in _ADDRESSES if "/" in address and not address.startswith("{")}
)
"""How topics in our layout begin. A topic that begins so and is none of ours is a mistake or a trick."""
UNKNOWN_SENDER: Final = OfferTopic.build(core_identifier="core", plugin_identifier=None).split("/")[
    OfferTopic.ADDRESS.split("/").index("{plugin_identifier}")
]
"""The level of a topic that stands for a sender that is not known yet."""


class TopicClass(Protocol):
    """What the generated topic classes have in common."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @staticmethod
    def join(*levels: Any, **_: Any) -> str:  # so typed, any number of levels will do
        """Build a topic from levels that are known to be good: recipient, sender, and then the others."""
        ...

    @classmethod
    def parse(cls, topic: str) -> Self:
        """Take a topic of this channel apart."""
        ...


def _sender_pattern(remote: Role) -> re.Pattern[str]:
    """Match all topics in our layout that say who sends; the group that matches is the sender."""
    senders = ("{sender_identifier}", f"{{{remote.value}_identifier}}")
    alternatives = (
        "/".join(
            "([^/]*)" if level in senders else "[^/]*" if level.startswith("{") else re.escape(level)
            for level in address.split("/")
        )
        for address in _ADDRESSES
        if any(sender in address for sender in senders)
    )
    return re.compile("|".join(alternatives))


_SENDER: Final = {role: _sender_pattern(role) for role in Role}


class TopicResolver:
    """Checks the topics and identifiers that one orbiter gets from remotes."""

    __slots__ = ("_identifier", "_remote_role", "_role", "_sender")

    def __init__(self, role: Role, identifier: str) -> None:
        self._role = role
        self._remote_role = Role.PLUGIN if role is Role.CORE else Role.CORE
        self._identifier = identifier
        self._sender = _SENDER[self._remote_role]

    def check_identifier(self, remote_identifier: str) -> None:
        """Raise :class:`RemoteProtocolError` for an identifier that cannot be a level of a topic."""
        try:
            if remote_identifier == UNKNOWN_SENDER:
                raise TopicError("remote_identifier", remote_identifier, "it stands for one that is not known")
            check_level("remote_identifier", remote_identifier)
        except TopicError as error:
            raise RemoteProtocolError(f"a remote gives an identifier that cannot be used: {error}") from None

    def check_event(self, topic: str, remote_identifier: str, headers: Headers) -> bool:
        """Check the headers of an event, and whether its sender may publish to the topic on which it arrived.

        Returns whether the topic is in our layout, and the sender alone may publish to it.

        Raises:
            RemoteProtocolError: A header is longer than any identifier, or cannot be used as one; or the topic is in
                our layout, and names another sender than the message. Only a peer that sends no headers may leave the
                sender's level of a topic as it was told.
        """
        incarnation, correlation = headers.incarnation, headers.correlation_identifier
        connection = headers.connection_identifier
        # All of them together are mostly shorter than one alone may be.
        who = headers.publisher_identifier if incarnation is None else incarnation
        if len(f"{headers.identifier}{who}{correlation}{connection}") > limits.IDENTIFIER_BYTES:
            self._check_lengths(remote_identifier, headers)
        if connection is not None and not connection.isalnum():
            self._check_connection_identifier(remote_identifier, connection)
        matched = self._sender.fullmatch(topic)
        if matched is None:
            return False
        index = matched.lastindex
        if index is None:
            return False
        sender = matched[index]
        if sender == remote_identifier:
            return True
        if sender != UNKNOWN_SENDER or incarnation is not None:
            raise RemoteProtocolError(
                f"a message claims to come from '{remote_identifier}', but arrived on topic {topic!r}, "
                f"which is for '{sender}' to publish to"
            )
        return False

    def _check_lengths(self, remote_identifier: str, headers: Headers) -> None:
        who = "publisher_identifier" if headers.incarnation is None else "incarnation"
        for header in ("identifier", who, "correlation_identifier", "connection_identifier"):
            value: str | None = getattr(headers, header)
            if value is not None and len(value) > limits.IDENTIFIER_BYTES:
                raise RemoteProtocolError(
                    f"remote '{remote_identifier}' sent an event whose {header} is {len(value)} characters long, "
                    f"{limits.IDENTIFIER_BYTES} are allowed"
                )

    def _check_connection_identifier(self, remote_identifier: str, connection_identifier: str) -> None:
        try:
            check_level("connection_identifier", connection_identifier)
        except TopicError as error:
            raise RemoteProtocolError(
                f"remote '{remote_identifier}' sent a header that cannot be used: {error}"
            ) from None

    def resolve(
        self,
        topic_class: type[TopicClass],
        remote_identifier: str,
        topic: str,
        levels: tuple[str, ...] | None = (),
        *,
        is_told_to_anybody: bool = False,
    ) -> str:
        """Return the topic to publish to, for a topic of the channel `topic_class` that `remote_identifier` told.

        In our layout the sender's level is this orbiter's identifier afterwards, also where it was not known yet.
        `levels` are those after recipient and sender, if they are known to be good; with them, and with
        `is_told_to_anybody` for a topic that mostly leaves the sender's level open, this takes less time.

        Raises:
            RemoteProtocolError: The topic cannot be published to, or it is in our layout and is no topic of that
                channel from this orbiter to that remote.
        """
        if levels is not None:
            expected = topic_class.join(remote_identifier, self._identifier, *levels)
            if topic == expected:
                return topic  # in one process, both sides have one text then
            if is_told_to_anybody and topic == topic_class.join(remote_identifier, UNKNOWN_SENDER):
                return expected
        # Characters first: a long text is not worth a copy.
        if len(topic) > limits.TOLD_TOPIC_BYTES or len(topic.encode("utf-8", "replace")) > limits.TOLD_TOPIC_BYTES:
            raise _unpublishable(remote_identifier, f"it is longer than {limits.TOLD_TOPIC_BYTES} bytes")
        try:
            parsed = topic_class.parse(topic)
        except TopicError as error:
            if not topic.startswith(ROOTS):
                return _publishable(remote_identifier, topic)
            raise RemoteProtocolError(f"remote '{remote_identifier}' told topic {topic!r}: {error}") from None
        wanted_levels = {
            self._role.value + "_identifier": self._identifier,
            self._remote_role.value + "_identifier": remote_identifier,
            "recipient_identifier": remote_identifier,
            "sender_identifier": self._identifier,
        }
        values: dict[str, str | None] = {field.name: getattr(parsed, field.name) for field in fields(parsed)}
        for name, value in values.items():
            wanted = wanted_levels.get(name)
            if wanted is not None and value not in (wanted, None):
                raise RemoteProtocolError(
                    f"remote '{remote_identifier}' told topic {topic!r}: expected {name} '{wanted}', got '{value}'"
                )
        return str(replace(parsed, **{name: wanted_levels.get(name, value) for name, value in values.items()}))


def _publishable(remote_identifier: str, topic: str) -> str:
    reason = None
    if not topic:
        reason = "it is empty"
    elif "+" in topic or "#" in topic:
        reason = "it contains a wildcard"
    elif UNPUBLISHABLE.search(topic):
        reason = "it contains a character that no topic may contain"
    if reason is not None:
        raise _unpublishable(remote_identifier, reason)
    return topic


def _unpublishable(remote_identifier: str, reason: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"remote '{remote_identifier}' told a topic that cannot be published to: {reason}")
