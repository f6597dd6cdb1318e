"""A vent in Python that keeps the contract: `python -m examples.tutorial.chapter_5.vent roof`."""

import sys
from dataclasses import dataclass

from examples.tutorial.chapter_5.vents import Opening, Position, VentJammed, VentsPlugin
from orbitalis import run


@dataclass
class Vent(VentsPlugin):
    """A vent that jams at 80 percent."""

    percent: float = 0.0

    async def set_opening(self, message: Opening) -> Position:
        if message.percent > 80:
            self.percent = 80.0
            raise VentJammed(stuck_at=80.0)
        self.percent = message.percent
        print(f"{self.identifier} is open to {self.percent:.0f} %", flush=True)
        return Position(percent=self.percent)

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print(f"{self.identifier} has started", flush=True)


if __name__ == "__main__":
    run(Vent(identifier=sys.argv[1]))
