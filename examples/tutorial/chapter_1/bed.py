"""A bed of the greenhouse as a plugin: `python -m examples.tutorial.chapter_1.bed`."""

import asyncio
from dataclasses import dataclass

from orbitalis import Plugin, operation


@dataclass
class Bed(Plugin):
    """A bed of plants, with a probe in its soil and a valve for water."""

    moisture: float = 0.2

    @operation
    async def read_moisture(self) -> float:
        """Say how moist the soil is, from 0 (dust) to 1 (mud)."""
        return self.moisture

    @operation
    async def water(self, litres: float) -> str:
        """Let water in, and say how the soil is then."""
        if litres <= 0:
            raise ValueError(f"expected more than 0 litres, got {litres}")
        self.moisture = min(1.0, self.moisture + litres / 50)
        return f"{self.identifier}: {litres:.0f} litres, moisture is {self.moisture:.1f}"


async def main() -> None:
    """Start a bed, water it by hand, and show who uses it."""
    async with Bed(identifier="tomatoes") as bed:
        print(await bed.water(5.0))
        print(bed.explain())


if __name__ == "__main__":
    asyncio.run(main())
