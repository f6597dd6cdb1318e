"""A bed that measures by itself: `python -m examples.tutorial.chapter_4.bed tomatoes 24`."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from examples.tutorial.chapter_4.messages import Climate, Soil, Watered, Watering
from orbitalis import Plugin, Policy, operation, periodic, run


@dataclass
class Bed(Plugin):
    """A bed of plants, with a thermometer, a probe in its soil and a valve for water."""

    moisture: float = 0.2
    celsius: float = 24.0

    @property
    def soil(self) -> Soil:
        """How the soil feels."""
        return Soil.DRY if self.moisture < 0.4 else Soil.MOIST if self.moisture < 0.8 else Soil.WET

    @periodic(1.0)
    async def climate(self) -> Climate:
        """Measure, once a second while a core is connected."""
        return Climate(measured_at=datetime.now(UTC), celsius=self.celsius, moisture=self.moisture, soil=self.soil)

    @operation(default_policy=Policy(maximum=1))
    async def water(self, watering: Watering) -> Watered:
        """Let water in. Only one core at a time may use it."""
        self.moisture = min(1.0, self.moisture + watering.litres / 50)
        print(f"{self.identifier}: {watering.litres:.0f} litres, {watering.reason or 'for no reason'}", flush=True)
        return Watered(litres=watering.litres, soil=self.soil)

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print(f"{self.identifier} has started", flush=True)


if __name__ == "__main__":
    run(Bed(identifier=sys.argv[1], celsius=float(sys.argv[2])))
