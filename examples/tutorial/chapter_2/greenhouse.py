"""A gardener and two beds in one process: `python -m examples.tutorial.chapter_2.greenhouse`."""

import asyncio
from dataclasses import dataclass

from examples.tutorial.chapter_1.bed import Bed
from orbitalis import Core, OperationFailedError


@dataclass
class Gardener(Core):
    """Keeps the soil of the beds moist."""

    dry_below: float = 0.4

    def __post_init__(self) -> None:
        """Say what the gardener needs."""
        super().__post_init__()
        self.with_requirement(Bed.read_moisture, minimum=2)
        self.with_requirement(Bed.water, minimum=2)

    async def look_after(self, bed: str) -> None:
        """Water a bed if it is dry."""
        moisture = await self.request(Bed.read_moisture, plugin_identifier=bed)
        if moisture < self.dry_below:
            print(await self.request(Bed.water, 15.0, plugin_identifier=bed))
        else:
            print(f"{bed}: moisture is {moisture:.1f}, which is enough")


async def main() -> None:
    """Start the gardener before the beds, and have both beds looked after."""
    gardener = Gardener(identifier="gardener")
    async with gardener:
        print("compliant before the beds start:", gardener.is_compliant())
        async with Bed(identifier="tomatoes", moisture=0.2), Bed(identifier="herbs", moisture=0.6):
            await gardener.compliant_event.wait()
            print("compliant with two beds:", gardener.is_compliant())
            await gardener.look_after("tomatoes")
            await gardener.look_after("herbs")
            try:
                await gardener.request(Bed.water, -1.0, plugin_identifier="herbs")
            except OperationFailedError as error:
                print(error)
        await gardener.not_compliant_event.wait()
        print("compliant after the beds have stopped:", gardener.is_compliant())


if __name__ == "__main__":
    asyncio.run(main())
