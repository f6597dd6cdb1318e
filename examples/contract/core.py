"""A core that uses the lamp: `python -m examples.contract.core mqtt://localhost:1883`."""

from __future__ import annotations

import asyncio
import sys

from examples.contract.lamps import BulbBroken, LampsClient, TurnOn
from orbitalis import Core, connect


async def main() -> None:
    """Turn the lamp on, too high, and off."""
    core = Core(identifier="house", eventbus_client=connect(*sys.argv[1:]))
    lamps = LampsClient(core, minimum=1)

    @lamps.power
    async def show(watts: float) -> None:
        print(f"the lamp takes {watts} W")

    async with core:
        await core.compliant_event.wait()
        print(await lamps.turn_on(TurnOn(level=0.5)))
        try:
            await lamps.turn_on(TurnOn(level=1.0))
        except BulbBroken as error:
            print(f"the bulb is broken after {error.hours} hours")
        print(await lamps.turn_off(plugin="lamp"))


if __name__ == "__main__":
    asyncio.run(main())
