"""What an orbiter logs of two that have one identifier."""

from __future__ import annotations

from orbitalis.log import FieldLogger
from orbitalis.protocol.namesakes import Namesakes

__all__ = ["report_namesakes"]


def report_namesakes(logger: FieldLogger, orbiter: str, namesakes: Namesakes) -> None:
    """Log what has been found and not told yet; what is found again is counted in `statistics.namesakes`."""
    untold, namesakes.untold = namesakes.untold, []
    for identifier in untold:
        if identifier == orbiter:
            logger.warning(
                "another orbiter on the bus is called '%s' as well, or somebody publishes in its name. Remotes take "
                "the two for one that starts anew, and lose connections over it: give each orbiter an identifier of "
                "its own",
                identifier,
                extra={"orbiter": orbiter},
            )
        else:
            logger.warning(
                "%s hears two orbiters that are called '%s', and can work with the one that started last alone: give "
                "each an identifier of its own",
                orbiter,
                identifier,
                extra={"orbiter": orbiter, "remote": identifier},
            )
