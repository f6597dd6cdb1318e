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
    ├── RequestError                a request was not answered as it should
    │   ├── OperationFailedError    the remote: its handler raised
    │   │   └── OverloadedError     the remote: too much waits there; trying again later may help
    │   ├── UnexpectedAnswerError   the remote, or the caller: the answer is of another kind than expected
    │   ├── RequestTimeoutError     there was no answer in time                   (also a TimeoutError)
    │   ├── RemoteLostError         the remote is dead or has started anew
    │   ├── ConnectionClosedError   the connection was closed, by either side
    │   └── AnswersNotSupportedError    the remote cannot say what it answers
    ├── NobodyWaitsError            the answer to what is being handled is awaited no more
    └── OrbiterStateError           the caller asks for what the orbiter's state does not allow
        └── WrongEventLoopError     the caller is in another thread or event loop than the orbiter or client

Messages and topics that cannot be written or read raise the `WireError` of :mod:`orbitalis_avro.errors`.
"""

from __future__ import annotations

__all__ = [
    "AnswersNotSupportedError",
    "BusError",
    "BusNotConnectedError",
    "BusRefusedError",
    "BusUnavailableError",
    "BusUrlError",
    "ConnectionClosedError",
    "EventTooLargeError",
    "InvalidTopicError",
    "LocalProtocolError",
    "NoConnectionError",
    "NobodyWaitsError",
    "OperationFailedError",
    "OrbitalisError",
    "OrbiterStateError",
    "OverloadedError",
    "RemoteLostError",
    "RemoteProtocolError",
    "RequestError",
    "RequestTimeoutError",
    "UnexpectedAnswerError",
    "WrongEventLoopError",
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


class WrongEventLoopError(OrbiterStateError):
    """The orbiter, or the client of a bus, was started in another event loop than the one in which it is called.

    Also: the event loop cannot do what a client of an MQTT broker needs, as that of Windows cannot by default.
    """


class NobodyWaitsError(OrbitalisError):
    """The answer to the input that is being handled is awaited no more.

    What it needs has not begun, or a handler that raises this gives it up.
    """


class RequestError(OrbitalisError):
    """A request was not answered as it should."""

    def __init__(self, remote_identifier: str, operation_name: str, reason: str) -> None:
        """Say whom was asked for what, and what became of it."""
        super().__init__(remote_identifier, operation_name, reason)
        self.remote_identifier = remote_identifier
        """Identifier of the plugin that was asked."""
        self.operation_name = operation_name
        """Name of the operation that was requested."""
        self.reason = reason
        """What happened instead of an answer."""

    def __str__(self) -> str:
        return f"request of operation '{self.operation_name}' to '{self.remote_identifier}': {self.reason}"


class OperationFailedError(RequestError):
    """The plugin's handler raised. The traceback stays at the plugin."""

    def __init__(self, remote_identifier: str, operation_name: str, error_type: str, error_message: str) -> None:
        """Say whom was asked for what, and what was raised there."""
        text = f"{error_type}: {error_message}" if error_message else error_type
        super().__init__(remote_identifier, operation_name, f"failed with {text}")
        self.args = (remote_identifier, operation_name, error_type, error_message)
        self.error_type = error_type
        """Name of the class of what was raised."""
        self.error_message = error_message
        """Its text."""


class OverloadedError(OperationFailedError):
    """The plugin has dropped the input, since too much waits there. The operation was not executed."""


class UnexpectedAnswerError(RequestError):
    """The answer is no output of the operation, or not of the class that the caller expects."""


class RequestTimeoutError(RequestError, TimeoutError):
    """There was no answer in time. The operation may have been executed, or may still be."""


class RemoteLostError(RequestError):
    """The plugin is dead, or has started anew. The operation may have been executed."""


class ConnectionClosedError(RequestError):
    """The connection was closed before the answer, by either side. The operation may have been executed."""


class AnswersNotSupportedError(RequestError):
    """The plugin sends no headers, so that it cannot say which of its outputs answers what."""
