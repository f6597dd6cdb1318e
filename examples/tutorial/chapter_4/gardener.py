"""A gardener that is told the climate: `python -m examples.tutorial.chapter_4.gardener`."""

from dataclasses import dataclass

from examples.tutorial.chapter_4.bed import Bed
from examples.tutorial.chapter_4.messages import Climate, Soil, Watering
from orbitalis import Connection, Core, run, sink


@dataclass
class Gardener(Core):
    """Waters each bed that is dry."""

    litres: float = 15.0

    def __post_init__(self) -> None:
        """Say what the gardener needs."""
        super().__post_init__()
        self.with_requirement(Bed.climate, minimum=1)
        self.with_requirement(Bed.water, minimum=1)

    @sink(Bed.climate)
    async def take_climate(self, climate: Climate, connection: Connection) -> None:
        """Water the bed that has measured, if it is dry."""
        if climate.soil is Soil.DRY and self.is_compliant():
            bed = connection.remote_identifier
            watering = Watering(litres=self.litres, reason=f"moisture is {climate.moisture:.1f}")
            watered = await self.request(Bed.water, watering, plugin_identifier=bed)
            print(f"{bed} is {watered.soil.value} now", flush=True)

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print(f"{self.identifier} has started", flush=True)

    async def _on_compliant(self) -> None:
        print(f"{self.identifier} has all that it needs", flush=True)


if __name__ == "__main__":
    run(Gardener(identifier="gardener"))
