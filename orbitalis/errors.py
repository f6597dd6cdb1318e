"""All errors that Orbitalis raises on purpose.

    OrbitalisError
    ├── BusError                    the event bus
    │   ├── BusUnavailableError     it cannot be reached, or does not answer; a later attempt may help
    │   ├── BusRefusedError         it refuses: credentials, identifier, access rights; a later attempt will not help
    │   ├── BusNotConnectedError    the caller has not connected, or has disconnected
    │   ├── BusUrlError             the caller gave a URL that names no bus       (also a ValueError)
    │   ├── InvalidTopicError       the caller gave a topic that cannot be used   (also a ValueError)
    │   └── EventTooLargeError      the caller gave an event that is too large    (also a ValueError)
    ├── RemoteProtocolError         a remote broke the protocol
    ├── LocalProtocolError          this side would break it: a bug in Orbitalis
    ├── NoConnectionError           the caller needs a connection that does not exist (also a LookupError)
    ├── RequestError                a request got no proper answer
    │   ├── OperationFailedError    the remote: its handler raised
    │   │   └── OverloadedError     the remote: too many inputs wait there; a later attempt may help
    │   ├── UnexpectedAnswerError   the remote or the caller: the answer has an unexpected type
    │   ├── RequestTimeoutError     there was no answer in time                   (also a TimeoutError)
    │   ├── RemoteLostError         the remote is dead or was restarted
    │   ├── ConnectionClosedError   either side has closed the connection
    │   └── AnswersNotSupportedError    the remote cannot mark an output as an answer
    ├── NobodyWaitsError            nobody waits for the answer to the current input any more
    └── OrbiterStateError           the orbiter's state does not allow it
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
    """The event bus could not do something."""


class BusUnavailableError(BusError):
    """The bus cannot be reached, or did not answer in time. An event that was being published may still arrive."""


class BusRefusedError(BusError):
    """The bus refuses: wrong credentials, an identifier that it does not accept, or no right to the topic."""


class BusNotConnectedError(BusError):
    """The client is not connected: `connect()` was not called yet, or `disconnect()` was called."""


class BusUrlError(BusError, ValueError):
    """A URL does not name an event bus. The message never shows a password."""


class InvalidTopicError(BusError, ValueError):
    """It is not possible to publish to a topic, or to subscribe to a topic filter."""


class EventTooLargeError(BusError, ValueError):
    """An event is longer than the protocol or the broker allows."""


class RemoteProtocolError(OrbitalisError):
    """A remote broke the protocol. The text names the remote and the data that it sent."""


class LocalProtocolError(OrbitalisError):
    """This side was about to break the protocol. This is a bug in Orbitalis."""


class NoConnectionError(OrbitalisError, LookupError):
    """There is no connection that fits the call."""


class OrbiterStateError(OrbitalisError):
    """The orbiter's state does not allow the call, such as a second `start`."""


class WrongEventLoopError(OrbiterStateError):
    """The caller is in another event loop than the one in which the orbiter or bus client was started.

    It is also raised if the event loop does not work with MQTT brokers. The default event loop of Windows does not.
    """


class NobodyWaitsError(OrbitalisError):
    """Nobody waits for the answer to the input that is being handled any more.

    A handler may raise it to give the input up. A CPU-bound operation raises it if it has not begun yet.
    """


class RequestError(OrbitalisError):
    """A request got no proper answer."""

    def __init__(self, remote_identifier: str, operation_name: str, reason: str) -> None:
        """Make an error from the plugin, the operation, and the reason."""
        super().__init__(remote_identifier, operation_name, reason)
        self.remote_identifier = remote_identifier
        """Identifier of the plugin that was asked."""
        self.operation_name = operation_name
        """Name of the operation that was requested."""
        self.reason = reason
        """Text that says what happened instead of an answer."""

    def __str__(self) -> str:
        return f"request of operation '{self.operation_name}' to '{self.remote_identifier}': {self.reason}"


class OperationFailedError(RequestError):
    """The plugin's handler raised. The traceback stays at the plugin."""

    def __init__(self, remote_identifier: str, operation_name: str, error_type: str, error_message: str) -> None:
        """Make an error from the plugin, the operation, and the exception that was raised there."""
        text = f"{error_type}: {error_message}" if error_message else error_type
        super().__init__(remote_identifier, operation_name, f"failed with {text}")
        self.args = (remote_identifier, operation_name, error_type, error_message)
        self.error_type = error_type
        """Name of the class of the exception."""
        self.error_message = error_message
        """Text of the exception."""


class OverloadedError(OperationFailedError):
    """The plugin has dropped the input, because too many inputs wait there. The operation was not executed."""


class UnexpectedAnswerError(RequestError):
    """The answer is not an output of the operation, or not of the class that the caller expects."""


class RequestTimeoutError(RequestError, TimeoutError):
    """There was no answer in time. The operation may have been executed, or may still be executed."""


class RemoteLostError(RequestError):
    """The plugin is dead, or was restarted. The operation may have been executed."""


class ConnectionClosedError(RequestError):
    """Either side has closed the connection before the answer. The operation may have been executed."""


class AnswersNotSupportedError(RequestError):
    """The plugin sends no headers, so it cannot say which of its outputs is the answer."""
