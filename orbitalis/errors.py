"""Everything that Orbitalis raises on purpose.

    OrbitalisError
    ├── BusError                    the event bus
    │   ├── BusUnavailableError     it cannot be reached, or does not answer; trying again later may help
    │   ├── BusRefusedError         it refuses: credentials, identifier, access rights; trying again will not help
    │   ├── BusNotConnectedError    the caller has not connected, or has disconnected meanwhile
    │   ├── BusUrlError             the caller gave a URL that names no bus       (also a ValueError)
    │   ├── InvalidTopicError       the caller gave a topic that cannot be used   (also a ValueError)
    │   └── EventTooLargeError      the caller gave an event that is too large    (also a ValueError)
    ├── RemoteProtocolError         a remote broke the protocol
    ├── LocalProtocolError          this side would break it: a fault of ours
    ├── NoConnectionError           the caller needs a connection that does not exist (also a LookupError)
    └── OrbiterStateError           the caller asks for what the orbiter's state does not allow

Messages and topics that cannot be written or read raise the `WireError` of :mod:`orbitalis_wire.errors`.
"""

from __future__ import annotations

__all__ = [
    "BusError",
    "BusNotConnectedError",
    "BusRefusedError",
    "BusUnavailableError",
    "BusUrlError",
    "EventTooLargeError",
    "InvalidTopicError",
    "LocalProtocolError",
    "NoConnectionError",
    "OrbitalisError",
    "OrbiterStateError",
    "RemoteProtocolError",
]


class OrbitalisError(Exception):
    """Base of all errors of Orbitalis."""


class BusError(OrbitalisError):
    """The event bus could not do what it was asked for."""


class BusUnavailableError(BusError):
    """The bus cannot be reached or did not answer in time. What was being published may still be delivered."""


class BusRefusedError(BusError):
    """The bus refuses: wrong credentials, an identifier it does not take, no right to the topic."""


class BusNotConnectedError(BusError):
    """The client is not connected: `connect()` was not called, or `disconnect()` was."""


class BusUrlError(BusError, ValueError):
    """A URL does not name an event bus. The message never shows a password."""


class InvalidTopicError(BusError, ValueError):
    """A topic cannot be published to, or a topic filter cannot be subscribed to."""


class EventTooLargeError(BusError, ValueError):
    """An event is longer than the protocol or the broker allows."""


class RemoteProtocolError(OrbitalisError):
    """A remote sent what the protocol does not allow. The message names the remote and what it sent."""


class LocalProtocolError(OrbitalisError):
    """This side was about to do what the protocol does not allow: a fault of Orbitalis itself."""


class NoConnectionError(OrbitalisError, LookupError):
    """There is no connection of the kind that the caller asks for."""


class OrbiterStateError(OrbitalisError):
    """The orbiter's state does not allow what the caller asks for, such as starting it twice."""
