"""A lamp that keeps the contract: `python -m examples.contract.plugin mqtt://localhost:1883`."""

from __future__ import annotations

import sys

from examples.contract.lamps import BulbBroken, LampsPlugin, Status, TurnOn
from orbitalis import connect, run


class Lamp(LampsPlugin):
    """A lamp with a weak bulb."""

    async def turn_on(self, message: TurnOn) -> Status:
        if message.level > 0.9:
            raise BulbBroken(hours=1000)
        await self.send_power(60 * message.level)
        return Status(on=True)

    async def turn_off(self) -> Status:
        await self.send_power(0)
        return Status(on=False)

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print(f"{self.identifier} has started", flush=True)


if __name__ == "__main__":
    run(Lamp(identifier="lamp", eventbus_client=connect(*sys.argv[1:])))
