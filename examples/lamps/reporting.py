"""Lamps and a home that report what happens to them, from the hooks that Orbitalis calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from examples.lamps.core import SmartHomeCore
from examples.lamps.messages import EnergyMessage, StatusMessage
from examples.lamps.plugins import LampPlugin, LampXPlugin, LampYPlugin
from examples.lamps.report import Report
from orbitalis import Connection, Orbiter, PendingRequest
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)

__all__ = ["ReportingHome", "ReportingLampX", "ReportingLampY"]


def _to_nobody(report: Report) -> None:
    """Take a report that nobody wants."""


@dataclass(kw_only=True, eq=False)
class _Reporting(Orbiter):
    """What lamps and home have in common to report."""

    report: Callable[[Report], None] = field(default=_to_nobody, repr=False)
    """Takes the reports."""
    _reconnections: int = field(default=0, init=False, repr=False)

    def _tell(
        self, event: str, *remotes: str, operations: Iterable[str] = (), at: float | None = None, **values: object
    ) -> None:
        self.report(
            Report(
                orbiter=self.identifier,
                event=event,
                remotes=remotes,
                operations=tuple(operations),
                values=values,
                at=time.time() if at is None else at,
            )
        )

    async def _on_started(self, *args: Any, **kwargs: Any) -> None:
        self._tell("started")

    async def _on_stopped(self, *args: Any, **kwargs: Any) -> None:
        self._tell("stopped")

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        self._tell("dead", remote_identifier)

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        self._tell("closed", connection.remote_identifier, operations=[connection.operation_name])

    async def _on_loop_iteration(self) -> None:
        reconnections = self.eventbus_client.statistics.reconnections
        if reconnections > self._reconnections and self.eventbus_client.is_connected:
            self._reconnections = reconnections
            self._tell("reconnected")


@dataclass(kw_only=True, eq=False)
class _ReportingLamp(_Reporting, LampPlugin):
    """What lamps report."""

    async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:
        if discover_message.queries:
            self._tell("hears", discover_message.core_identifier, operations=list(discover_message.queries))

    async def _on_send_offer(self, offer_message: OfferMessage) -> None:
        # Whom an offer is for, only its topic says; these lamps know one home.
        self._tell("offers", "the home", operations=[one.name for one in offer_message.offered_operations])

    async def _on_request(self, message: RequestOperationMessage) -> None:
        self._tell("is asked", message.core_identifier, operations=[message.operation_name])

    async def _on_reject(self, message: RejectOperationMessage) -> None:
        reason = message.description or "no reason given"
        self._tell("is rejected", message.core_identifier, operations=[message.operation_name], reason=reason)

    async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
        self._tell("confirms", pending_request.remote_identifier, operations=[pending_request.operation_name])

    async def _on_change(self) -> None:
        self._tell("changed", is_on=self.is_on, power=self.power)


@dataclass(kw_only=True, eq=False)
class ReportingLampX(_ReportingLamp, LampXPlugin):
    """A lamp of brand X that reports."""


@dataclass(kw_only=True, eq=False)
class ReportingLampY(_ReportingLamp, LampYPlugin):
    """A lamp of brand Y that reports."""


@dataclass(kw_only=True, eq=False)
class ReportingHome(_Reporting, SmartHomeCore):
    """A home that reports."""

    async def _on_send_discover(self, discover_message: DiscoverMessage) -> None:
        if discover_message.queries:
            self._tell("asks", operations=list(discover_message.queries))

    async def _on_new_offer(self, offer_message: OfferMessage) -> None:
        offered = [one.name for one in offer_message.offered_operations]
        self._tell("is offered", offer_message.plugin_identifier, operations=offered)

    async def _on_confirm_connection(self, confirm_connection_message: ConfirmConnectionMessage) -> None:
        message = confirm_connection_message
        self._tell("is confirmed", message.plugin_identifier, operations=[message.operation_name])

    async def _on_compliant(self) -> None:
        self._tell("compliant")

    async def _on_not_compliant(self) -> None:
        lacking = [name for name in self.operation_requirements if not self.is_compliant_for_operation(name)]
        self._tell("not compliant", operations=lacking)

    async def _on_status(self, status: StatusMessage) -> None:
        self._tell("status", status.lamp_identifier, is_on=status.is_on, power=status.power)

    async def _on_energy(self, energy: EnergyMessage) -> None:
        self._tell("energy", energy.lamp_identifier, kwh=energy.kwh)

    def tell_of_execution(self, operation_name: str, mode: str, lamps: list[str], at: float) -> None:
        """Report an operation that was sent to lamps; `at` is when that began, in seconds since 1970."""
        self._tell("executes", *lamps, operations=[operation_name], at=at, mode=mode)

    def tell_of_failure(self, what: str, reason: str) -> None:
        """Report something that could not be executed."""
        self._tell("cannot execute", operations=[what], reason=reason)
