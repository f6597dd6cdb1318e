"""The gardener as a process: `python -m examples.tutorial.chapter_3.gardener`."""

from dataclasses import dataclass

from examples.tutorial.chapter_1.bed import Bed
from examples.tutorial.chapter_2.greenhouse import Gardener
from orbitalis import Connection, run, sink


@dataclass
class GardenerProgram(Gardener):
    """Asks all beds for their moisture, again and again, and waters those that are dry."""

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print("gardener has started", flush=True)

    async def _on_compliant(self) -> None:
        print("gardener has all that it needs", flush=True)

    async def _on_not_compliant(self) -> None:
        print("gardener lacks something", flush=True)

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        print(f"{remote_identifier} is gone", flush=True)

    async def _on_loop_iteration(self) -> None:
        if self.is_compliant():
            await self.execute(Bed.read_moisture, all=True)

    @sink(Bed.read_moisture)
    async def take_moisture(self, moisture: float, connection: Connection) -> None:
        """Water the bed that has answered, if it is dry."""
        if moisture < self.dry_below:
            bed = connection.remote_identifier
            print(await self.request(Bed.water, 15.0, plugin_identifier=bed), flush=True)


if __name__ == "__main__":
    run(GardenerProgram(identifier="gardener", loop_interval=1.0))
