"""What arrives on the channels of the protocol: the messages of each, and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import kind_of
from orbitalis.protocol.effects import ProtocolMessage
from orbitalis_wire.channels import Channel

__all__ = ["ChannelReceiver"]

Receive: TypeAlias = Callable[[str, ProtocolMessage, Event[Any]], None]
Refuse: TypeAlias = Callable[[Channel, str, str], None]


class ChannelReceiver(EventHandler):
    """Takes the messages of a channel.

    Who may publish to a topic may send what belongs there: whoever may discover must not request for others.
    """

    def __init__(self, channel: Channel, receive: Receive, refuse: Refuse) -> None:
        """Hand messages to `receive`, with topic and event; tell `refuse` topic and kind of what is none."""
        self._channel = channel
        self._receive = receive
        self._refuse = refuse

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether messages of a class belong to the channel."""
        return message_class in self._channel.messages

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Receive a message of the channel, or refuse what is none."""
        payload: object = event.payload
        if type(payload) in self._channel.messages:
            self._receive(topic, cast(ProtocolMessage, payload), event)
        else:
            self._refuse(self._channel, topic, kind_of(payload))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel.key!r})"
