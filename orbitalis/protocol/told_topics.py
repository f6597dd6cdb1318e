"""Topics that a remote told: which of them may be published to, and under which name.

Every topic but the discover topic is told by the side that listens there. Ours carry recipient and sender in levels of
their own, so a told topic in our layout is held against who told it; a topic in a foreign layout is used as it stands.
"""

from __future__ import annotations

from dataclasses import Field, fields, replace
from typing import Any, ClassVar, Final, Protocol, Self

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.transitions import Role
from orbitalis_wire import limits
from orbitalis_wire.errors import TopicError
from orbitalis_wire.topics import OfferTopic

__all__ = ["ToldTopics", "TopicClass"]

_ROOT: Final = OfferTopic.ADDRESS.split("/", 1)[0] + "/"


class TopicClass(Protocol):
    """What the generated topic classes have in common."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def parse(cls, topic: str) -> Self:
        """Take a topic of this channel apart."""
        ...


class ToldTopics:
    """Checks what one orbiter is told."""

    def __init__(self, role: Role, identifier: str) -> None:
        self._role = role
        self._identifier = identifier

    def check_identifier(self, remote_identifier: str) -> None:
        """Raise :class:`RemoteProtocolError` for an identifier that cannot be a level of a topic."""
        try:
            OfferTopic.build(core_identifier=remote_identifier, plugin_identifier=remote_identifier)
        except TopicError as error:
            raise RemoteProtocolError(f"a remote gives an identifier that cannot be used: {error}") from None

    def resolve(self, topic_class: type[TopicClass], remote_identifier: str, topic: str) -> str:
        """Return the topic to publish to, for a topic of the channel `topic_class` that `remote_identifier` told.

        In our layout the sender's level is this orbiter's identifier afterwards, also where it was not known yet.

        Raises:
            RemoteProtocolError: The topic cannot be published to, or it is in our layout and is no topic of that
                channel from this orbiter to that remote.
        """
        if not topic.startswith(_ROOT):
            return _publishable(remote_identifier, topic)
        try:
            parsed = topic_class.parse(topic)
        except TopicError as error:
            raise RemoteProtocolError(f"remote '{remote_identifier}' told topic {topic!r}: {error}") from None
        expected = {
            self._role.value + "_identifier": self._identifier,
            (Role.PLUGIN if self._role is Role.CORE else Role.CORE).value + "_identifier": remote_identifier,
            "recipient_identifier": remote_identifier,
            "sender_identifier": self._identifier,
        }
        values: dict[str, str | None] = {field.name: getattr(parsed, field.name) for field in fields(parsed)}
        for name, value in values.items():
            wanted = expected.get(name)
            if wanted is not None and value not in (wanted, None):
                raise RemoteProtocolError(
                    f"remote '{remote_identifier}' told topic {topic!r}: expected {name} '{wanted}', got '{value}'"
                )
        return str(replace(parsed, **{name: expected.get(name, value) for name, value in values.items()}))


def _publishable(remote_identifier: str, topic: str) -> str:
    reason = None
    if not topic:
        reason = "it is empty"
    elif "+" in topic or "#" in topic:
        reason = "it contains a wildcard"
    elif any(character < " " or "\x7f" <= character <= "\x9f" for character in topic):
        reason = "it contains a control character"
    elif len(topic.encode("utf-8", "surrogatepass")) > limits.TOPIC_BYTES:
        reason = f"it is longer than {limits.TOPIC_BYTES} bytes"
    if reason is not None:
        raise RemoteProtocolError(f"remote '{remote_identifier}' told a topic that cannot be published to: {reason}")
    return topic
