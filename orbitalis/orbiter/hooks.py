"""The hooks that every orbiter has; users override them."""

from __future__ import annotations

from orbitalis.orbiter.connection import Connection, PendingRequest

__all__ = ["OrbiterHooks"]


class OrbiterHooks:
    """Called at the points that the user guide shows. None of them does anything unless it is overridden.

    A hook that raises is logged and harms nothing; with `raise_exceptions`, one of start or stop makes that fail. A
    hook that does not return holds up what is done for the same remote, and nothing else.
    """

    async def _on_starting(self, *args: object, **kwargs: object) -> None:
        """Called before the orbiter starts, with the arguments of `start`."""

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        """Called after the orbiter has started."""

    async def _on_stopping(self, *args: object, **kwargs: object) -> None:
        """Called before the orbiter stops, with the arguments of `stop`."""

    async def _on_stopped(self, *args: object, **kwargs: object) -> None:
        """Called after the orbiter has stopped."""

    async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        """Return what a close of this connection shall carry to the other side's hook."""
        return None

    async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
        """Called when a pending request is about to become a connection."""

    async def _on_keepalive_request(self, from_identifier: str) -> None:
        """Called when a remote has asked for a keepalive, before that is sent."""

    async def _on_keepalive(self, from_identifier: str) -> None:
        """Called when a remote has sent a keepalive."""

    async def _on_graceless_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None
    ) -> None:
        """Called before a graceless close is sent."""

    async def _on_graceful_close_connection(
        self, remote_identifier: str, operation_name: str, data: bytes | None
    ) -> None:
        """Called before a graceful close is sent."""

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        """Called when a connection is closed, with the data that the remote's close carried.

        After a graceful close of the remote, the acknowledgement is sent when this returns.
        """

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        """Called when a remote is dead, or has started anew; the hook for each closed connection follows."""

    async def _on_loop_start(self) -> None:
        """Called when the loop starts."""

    async def _on_new_loop_iteration(self) -> None:
        """Called before every iteration of the loop."""

    async def _on_loop_iteration(self) -> None:
        """Called during every iteration of the loop; the place for periodic operations."""

    async def _on_loop_iteration_end(self) -> None:
        """Called at the end of every iteration of the loop."""
