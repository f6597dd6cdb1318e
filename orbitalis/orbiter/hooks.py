"""What users override: the hooks that every orbiter has, and the topics on which it listens."""

from __future__ import annotations

import inspect
import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final, TypeVar

from orbitalis.bus.client import Later
from orbitalis.log import FieldLogger
from orbitalis.operations.connection import Connection, PendingRequest
from orbitalis.orbiter.peer_queues import is_being_cancelled
from orbitalis_wire import messages
from orbitalis_wire.topics import CloseAckTopic, CloseTopic, KeepaliveRequestTopic, KeepaliveTopic

__all__ = [
    "LOOP_HOOKS",
    "MESSAGE_HOOKS",
    "PERIODIC_HOOKS",
    "SEND_HOOKS",
    "TOPIC_HOOKS",
    "HookCaller",
    "OrbiterHooks",
    "default",
]

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT: Final = "__orbitalis_default__"
TOPIC_HOOKS: Final = {
    "keepalive": "_build_keepalive_topic",
    "keepalive_request": "_build_keepalive_request_topic",
    "close": "_build_incoming_close_connection_topic",
    "close_ack": "_build_ack_close_topic",
}
"""By name of a topic in the layout: what builds it if it is overridden."""
MESSAGE_HOOKS: Final[Mapping[type[object], tuple[str, ...]]] = {
    messages.AnnounceMessage: ("_on_new_announcement",),
    messages.ConfirmConnectionMessage: ("_on_response", "_on_confirm_connection"),
    messages.DiscoverMessage: ("_on_new_discover",),
    messages.KeepaliveMessage: ("_on_keepalive",),
    messages.KeepaliveRequestMessage: ("_on_keepalive_request",),
    messages.OfferMessage: ("_on_new_offer",),
    messages.OperationNoLongerAvailableMessage: ("_on_response", "_on_operation_no_longer_available"),
    messages.RejectOperationMessage: ("_on_reply", "_on_reject"),
    messages.RequestOperationMessage: ("_on_reply", "_on_request"),
}
"""By class of a received message: the hooks that are called with it, in order."""
SEND_HOOKS: Final[Mapping[type[object], str]] = {
    messages.AnnounceMessage: "_on_send_announcement",
    messages.DiscoverMessage: "_on_send_discover",
    messages.GracefulCloseConnectionMessage: "_on_graceful_close_connection",
    messages.GracelessCloseConnectionMessage: "_on_graceless_close_connection",
    messages.OfferMessage: "_on_send_offer",
}
"""By class of a message that is about to be sent: the hook that is called before."""
PERIODIC_HOOKS: Final = (
    "_on_loop_iteration",
    "close_unused_connections",
    "discard_expired_pending_requests",
    "force_close_connection_for_out_to_timeout_pending_graceful_close_connection",
    "lose_dead_remotes",
    "send_keepalive_based_on_connections_and_threshold",
)
"""Methods that an iteration of the loop calls only if they are overridden. Otherwise it does their work directly."""
LOOP_HOOKS: Final = frozenset({"_on_new_loop_iteration", *PERIODIC_HOOKS, "_on_loop_iteration_end"})


def default(function: F) -> F:
    """Mark a method as a default. The runtime calls such a hook only if a user overrides it."""
    setattr(function, _DEFAULT, function)
    return function


def _is_default(attribute: object) -> bool:
    # An override that `functools.wraps` has made look like the default has its attributes, too.
    return getattr(attribute, _DEFAULT, None) is attribute


def _overridden(orbiter_class: type[object]) -> frozenset[str]:
    """Return the names of the defaults of its bases that a class overrides."""
    marked = {name for base in orbiter_class.__mro__ for name, function in vars(base).items() if _is_default(function)}
    return frozenset(name for name in marked if not _is_default(getattr(orbiter_class, name)))


class HookCaller:
    """Calls the hooks of one orbiter that its user has overridden, and logs those that fail."""

    __slots__ = ("_identifier", "_orbiter", "attributes", "overridden")

    def __init__(self, orbiter: OrbiterHooks, identifier: str, overridden: frozenset[str]) -> None:
        self._orbiter = orbiter
        self._identifier = identifier
        self.overridden = overridden
        """Names of the hooks that the orbiter's class overrides."""
        self.attributes = vars(orbiter)
        """The orbiter's attributes. A hook may also be set on the object instead of the class."""

    def has(self, name: str) -> bool:
        """Return whether the user has overridden a hook."""
        return name in self.overridden or name in self.attributes

    def has_any(self, names: frozenset[str]) -> bool:
        """Return whether the user has overridden one of several hooks."""
        return not (self.overridden.isdisjoint(names) and self.attributes.keys().isdisjoint(names))

    def start(self, name: str, *arguments: object) -> Awaitable[object] | None:
        """Return an awaitable that calls a hook, or `None` if the user has not overridden it.

        If the hook fails, the exception is logged, and the result is `None`.
        """
        if name in self.overridden or name in self.attributes:
            return Later(self.call, getattr(self._orbiter, name), *arguments)
        return None

    async def wait_for(self, name: str, *arguments: object) -> None:
        """Call a hook if the user has overridden it, and wait for it."""
        hook = self.start(name, *arguments)
        if hook is not None:
            await hook

    async def call_for_life_cycle(self, raises: bool, name: str, *arguments: object, **named: object) -> None:
        """Call a hook of a start or stop if the user has overridden it. Its exceptions are raised if `raises`."""
        if not self.has(name):
            return
        hook: Callable[..., object] = getattr(self._orbiter, name)
        if not raises:
            await self.call(hook, *arguments, **named)
        elif inspect.isawaitable(outcome := hook(*arguments, **named)):
            await outcome

    async def call(self, hook: Callable[..., object], *arguments: object, **named: object) -> object:
        """Call a hook, asynchronous or not. If it fails, the exception is logged, and the result is `None`."""
        try:
            outcome = hook(*arguments, **named)
            return await outcome if inspect.isawaitable(outcome) else outcome
        except (Exception, CancelledError) as error:
            if isinstance(error, CancelledError) and is_being_cancelled():
                raise
            name = getattr(hook, "__qualname__", repr(hook))
            FieldLogger(logging.getLogger(__name__), orbiter=self._identifier).exception(
                "%s of '%s' failed", name, self._identifier
            )
            return None


class OrbiterHooks:
    """The hooks that cores and plugins share. A hook does nothing unless you override it.

    If a hook raises, the exception is logged and has no other effect. With `raise_exceptions`, `start` and `stop` raise
    the exceptions of their own hooks. If a hook does not return, only the work for the same remote waits.

    You may change all topics except those of discovers and announcements, because they are told to the other side. If
    you override the topics of keepalives, also override the filters under which they arrive here.
    """

    identifier: str
    _overridden: ClassVar[frozenset[str]] = frozenset()
    """Names of the hooks that a class overrides."""

    def __init_subclass__(cls, **arguments: object) -> None:
        """Find out which hooks a class overrides."""
        super().__init_subclass__(**arguments)
        cls._overridden = _overridden(cls)

    @default
    async def _on_starting(self, *args: object, **kwargs: object) -> None:
        """Called before the orbiter starts, with the arguments of `start`."""

    @default
    async def _on_started(self, *args: object, **kwargs: object) -> None:
        """Called after the orbiter has started."""

    @default
    async def _on_stopping(self, *args: object, **kwargs: object) -> None:
        """Called before the orbiter stops, with the arguments of `stop`."""

    @default
    async def _on_stopped(self, *args: object, **kwargs: object) -> None:
        """Called after the orbiter has stopped."""

    @default
    async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        """Return the data that a close of this connection carries to the hook of the other side."""
        return None

    @default
    async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
        """Called when a pending request is about to become a connection."""

    @default
    async def _on_keepalive_request(self, from_identifier: str) -> None:
        """Called when a remote has asked for a keepalive, before the keepalive is sent."""

    @default
    async def _on_keepalive(self, from_identifier: str) -> None:
        """Called when a remote has sent a keepalive."""

    @default
    async def _on_graceless_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None
    ) -> None:
        """Called before a graceless close is sent."""

    @default
    async def _on_graceful_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None
    ) -> None:
        """Called before a graceful close is sent."""

    @default
    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        """Called when a connection is closed, with the data of the remote's close.

        After a graceful close by the remote, the acknowledgement is sent when this hook returns.
        """

    @default
    async def _on_remote_dead(self, remote_identifier: str) -> None:
        """Called when a remote is dead or was restarted. `_on_close_connection` follows for each connection."""

    @default
    async def _on_loop_start(self) -> None:
        """Called when the loop starts."""

    @default
    async def _on_new_loop_iteration(self) -> None:
        """Called before every iteration of the loop."""

    @default
    async def _on_loop_iteration(self) -> None:
        """Called in every iteration of the loop. Put periodic work here."""

    @default
    async def _on_loop_iteration_end(self) -> None:
        """Called at the end of every iteration of the loop."""

    # Topics

    @property
    def keepalive_topic(self) -> str:
        """Topic on which keepalives arrive from remotes that are not known yet."""
        return self._build_keepalive_topic(None)

    @property
    def keepalive_request_topic(self) -> str:
        """Topic on which keepalive requests arrive from remotes that are not known yet."""
        return self._build_keepalive_request_topic(None)

    @default
    def _build_keepalive_topic(self, remote_identifier: str | None) -> str:
        """Build the topic for keepalives of a remote. `None` means remotes that are not known yet."""
        return KeepaliveTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def _build_keepalive_filter(self) -> str:
        """Build the filter that matches all topics on which keepalives arrive."""
        return KeepaliveTopic.filter(recipient_identifier=self.identifier)

    @default
    def _build_keepalive_request_topic(self, remote_identifier: str | None) -> str:
        """Build the topic for keepalive requests of a remote. `None` means remotes that are not known yet."""
        return KeepaliveRequestTopic.build(recipient_identifier=self.identifier, sender_identifier=remote_identifier)

    def _build_keepalive_request_filter(self) -> str:
        """Build the filter that matches all topics on which keepalive requests arrive."""
        return KeepaliveRequestTopic.filter(recipient_identifier=self.identifier)

    @default
    def _build_incoming_close_connection_topic(
        self, remote_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which closes of one connection arrive."""
        return CloseTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    @default
    def _build_ack_close_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        """Build the topic on which a close of one connection is acknowledged."""
        return CloseAckTopic.build(
            recipient_identifier=self.identifier,
            sender_identifier=remote_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )
