"""The gardener in production: `python -m examples.tutorial.chapter_6.gardener`."""

import logging

from examples.tutorial.chapter_5 import gardener
from examples.tutorial.chapter_6.program import main
from examples.tutorial.chapter_6.settings import Settings
from orbitalis import Connection

logger = logging.getLogger("greenhouse")


class Gardener(gardener.Gardener):
    """A gardener that logs who has left, and why."""

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        reason = "without a reason" if data is None else data.decode()
        logger.info("%s has left %s: %s", connection.remote_identifier, connection.operation_name, reason)


def make(settings: Settings) -> Gardener:
    """Make the gardener that the settings name."""
    return Gardener(identifier=settings.identifier, consider_others_dead_after=settings.silence)


if __name__ == "__main__":
    main(make)
