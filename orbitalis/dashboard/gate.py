"""Decides what goes on to the broker of all that the page sends: :class:`Gate`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from orbitalis.dashboard.packets import Connect, MalformedPacketError, Packet, Packets, PacketType, Publish, filters_of
from orbitalis_wire.channels import CHANNELS, OPERATIONS, Channel

__all__ = ["Gate", "GateRole", "RefusedError"]

GateRole = Literal["core", "operator"]
_PARAMETER: Final = re.compile(r"\\?\{(\w+)\\?\}")
_LEVEL: Final = "[^/+#]+"
_LEVEL_OF_FILTER: Final = r"(?:\+|[^/+#]+)"


class RefusedError(Exception):
    """The page has sent something that it must not send; the text says what."""


class Gate:
    """Lets through what one role may send as one identifier, and nothing else.

    It holds against foreign code in the page. Such code publishes to the topics of the role alone, as itself, and
    leaves nothing behind: no retained message, and no will of somebody else. It listens to topics of the protocol
    alone, and takes no messages away from others, as shared subscriptions would. The session is a new one, under an
    identifier that the page cannot choose, so that it throws out nobody. Credentials are added here, and the page
    never sees them.
    """

    def __init__(
        self, role: GateRole, identifier: str, *, client: str, username: str | None, password: str | None
    ) -> None:
        """Make the gate of one connection; `client` identifies it at the broker."""
        self._role = role
        self._client = client
        self._username = username
        self._password = password
        self._packets = Packets()
        self._is_connected = False
        sent = [one.channel for one in OPERATIONS.values() if one.action == "send" and role in one.roles]
        self._wills = _patterns([one for one in sent if one.key == "will"], role, identifier)
        self._topics = _patterns([one for one in sent if one.key != "will"], role, identifier)
        self._filters = [re.compile(_PARAMETER.sub(_levels, re.escape(one.address))) for one in CHANNELS.values()]

    def take(self, data: bytes) -> bytes:
        """Return what goes to the broker of what the page has sent.

        Raises:
            RefusedError: The page must not send that; its connection is to be ended.
        """
        try:
            return b"".join(self._passed(packet) for packet in self._packets.take(data))
        except MalformedPacketError as error:
            raise RefusedError(str(error)) from None

    def _passed(self, packet: Packet) -> bytes:
        if (packet.type is PacketType.CONNECT) is self._is_connected:
            raise RefusedError("a connection begins with one CONNECT packet")
        match packet.type:
            case PacketType.CONNECT:
                self._is_connected = True
                return self._introduced(Connect.read(packet))
            case PacketType.PUBLISH:
                publish = Publish.read(packet)
                self._check(publish.topic, publish.is_retained, self._topics)
            case PacketType.SUBSCRIBE:
                for one in filters_of(packet):
                    if not any(pattern.fullmatch(one) for pattern in self._filters):
                        raise RefusedError(f"topic filter {one!r} matches no channel of the protocol")
            case _:
                pass
        return packet.data

    def _introduced(self, connect: Connect) -> bytes:
        if connect.will is not None:
            self._check(connect.will[0], connect.will_is_retained, self._wills)
        return connect.written(self._client, self._username, self._password)

    def _check(self, topic: str, is_retained: bool, allowed: Iterable[re.Pattern[str]]) -> None:
        if is_retained:
            raise RefusedError(f"the event for topic {topic!r} is to be retained, and the protocol retains nothing")
        if not any(pattern.fullmatch(topic) for pattern in allowed):
            raise RefusedError(f"topic {topic!r} is none that this {self._role} publishes to")


def _patterns(channels: Iterable[Channel], role: GateRole, identifier: str) -> list[re.Pattern[str]]:
    """Return what matches the topics of channels in which an identifier stands where it is said who sends."""
    own = {"sender_identifier", f"{role}_identifier"}

    def level(found: re.Match[str]) -> str:
        return re.escape(identifier) if found[1] in own else _LEVEL

    return [re.compile(_PARAMETER.sub(level, re.escape(one.address))) for one in channels]


def _levels(found: re.Match[str]) -> str:
    return _LEVEL_OF_FILTER
