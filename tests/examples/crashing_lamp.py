"""A lamp as in `examples.lamps.plugin`, but with a fault: it crashes when it is switched on."""

from __future__ import annotations

import os
import sys

from examples.lamps import plugin
from examples.lamps.reporting import ReportingLampX, ReportingLampY


async def crash(lamp: object) -> None:
    """Take the place of `_on_change`."""
    print("the filament broke", file=sys.stderr, flush=True)
    os._exit(3)


if __name__ == "__main__":
    for lamp_class in (ReportingLampX, ReportingLampY):
        setattr(lamp_class, "_on_change", crash)  # noqa: B010  (mypy does not let a method be assigned)
    sys.exit(plugin.main())
