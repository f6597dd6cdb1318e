"""What takes the messages of one channel from the bus, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import kind_of
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel

if TYPE_CHECKING:
    from orbitalis.orbiter.runtime import Runtime

__all__ = ["ChannelReceiver"]

_MESSAGES: Final = {channel.key: frozenset(channel.messages) for channel in channels.CHANNELS.values()}
"""By key of a channel: the classes of its messages."""


class ChannelReceiver(EventHandler):
    """Takes the messages of a channel.

    A sender that may publish to a topic may send what belongs there: one that may discover must not request for others.
    """

    __slots__ = ("_channel", "_messages", "_runtime")

    def __init__(self, channel: Channel, runtime: Runtime) -> None:
        """Hand messages to `runtime`, and tell it the kind of what is none of the channel."""
        self._channel = channel
        self._messages = _MESSAGES[channel.key]
        self._runtime = runtime

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether messages of a class belong to the channel."""
        return message_class in self._messages

    def begin(self, topic: str, event: Event[Any]) -> None:
        """Receive a message of the channel, or refuse what is none."""
        payload = event.payload
        if type(payload) in self._messages:
            self._runtime.receive(topic, payload, event)
        else:
            self._runtime.refuse(self._channel, topic, kind_of(payload))

    def log_fields(self, topic: str) -> dict[str, str]:
        """Return whose receiver this is, for the log."""
        return {"orbiter": self._runtime.identifier}

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Do as :meth:`begin`."""
        self.begin(topic, event)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel.key!r})"
