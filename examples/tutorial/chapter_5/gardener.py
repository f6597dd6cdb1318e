"""A gardener that opens vents when it is warm: `python -m examples.tutorial.chapter_5.gardener`."""

from dataclasses import dataclass

from examples.tutorial.chapter_4 import gardener
from examples.tutorial.chapter_4.bed import Bed
from examples.tutorial.chapter_4.messages import Climate
from examples.tutorial.chapter_5.vents import Opening, VentJammed, VentsClient
from orbitalis import Connection, run, sink


@dataclass
class Gardener(gardener.Gardener):
    """Waters the beds, and airs the greenhouse."""

    warm_from: float = 22.0
    opening: float = 0.0

    def __post_init__(self) -> None:
        """Need a vent, too."""
        super().__post_init__()
        self.vents = VentsClient(self, minimum=1)

    @sink(Bed.climate)
    async def take_climate(self, climate: Climate, connection: Connection) -> None:
        """Water the bed, and open all vents by 20 percent for each degree that it is too warm."""
        await super().take_climate(climate, connection)
        wanted = max(0.0, min(100.0, 20 * (climate.celsius - self.warm_from)))
        if wanted != self.opening and self.is_compliant():
            await self.air(wanted)

    async def air(self, percent: float) -> None:
        """Open or close all vents."""
        self.opening = percent
        positions = await self.vents.set_opening(Opening(percent=percent), all=True)
        for vent, position in positions.items():
            print(f"{vent} is open to {position.percent:.0f} %", flush=True)
        for vent, error in positions.failures.items():
            if not isinstance(error, VentJammed):
                raise error
            print(f"{vent} is jammed at {error.stuck_at:.0f} %", flush=True)


if __name__ == "__main__":
    run(Gardener(identifier="gardener"))
