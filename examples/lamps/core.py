"""The core: a home that needs lamps, and what it does with their answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.lamps.messages import BrightnessMessage, EnergyMessage, StatusMessage
from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, sink

__all__ = ["SmartHomeCore", "needs"]


@dataclass
class SmartHomeCore(Core):
    """A home. It keeps what its lamps have answered last."""

    lamp_status: dict[str, StatusMessage] = field(default_factory=dict, init=False)
    """By identifier of the lamp."""
    lamp_kwh: dict[str, float] = field(default_factory=dict, init=False)
    """By identifier of the lamp."""

    @sink("get_status")
    async def status_sink(self, topic: str, event: Event[StatusMessage]) -> None:
        """Take the answer to `get_status`."""
        self.lamp_status[event.payload.lamp_identifier] = event.payload
        await self._on_status(event.payload)

    @sink("get_energy")
    async def energy_sink(self, topic: str, event: Event[EnergyMessage]) -> None:
        """Take the answer to `get_energy`."""
        self.lamp_kwh[event.payload.lamp_identifier] = event.payload.kwh
        await self._on_energy(event.payload)

    async def _on_status(self, status: StatusMessage) -> None:
        """Called when a lamp has said how it is."""

    async def _on_energy(self, energy: EnergyMessage) -> None:
        """Called when a lamp has said what it has used."""


def needs(lamps: int, dimmable: int) -> dict[str, OperationRequirement]:
    """Return what a home needs that is to have at least so many lamps, and so many of them that can be dimmed."""
    empty, silent = Input.empty(), Output.no_output()
    status, energy = Output.from_message(StatusMessage), Output.from_message(EnergyMessage)
    brightness = Input.from_message(BrightnessMessage)
    return {
        "get_status": OperationRequirement(Constraint(minimum=lamps, inputs=[empty], outputs=[status])),
        "turn_on": OperationRequirement(Constraint(minimum=lamps, inputs=[empty], outputs=[silent])),
        "turn_off": OperationRequirement(Constraint(minimum=lamps, inputs=[empty], outputs=[silent])),
        "set_brightness": OperationRequirement(Constraint(minimum=dimmable, inputs=[brightness], outputs=[silent])),
        "get_energy": OperationRequirement(Constraint(minimum=dimmable, inputs=[empty], outputs=[energy])),
    }
