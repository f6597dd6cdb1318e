"""A bed in production: `python -m examples.tutorial.chapter_6.bed`."""

from examples.tutorial.chapter_4 import bed
from examples.tutorial.chapter_6.program import main
from examples.tutorial.chapter_6.settings import Settings


class Bed(bed.Bed):
    """A bed that says to its gardener why it leaves."""

    async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        return b"the bed is switched off"


def make(settings: Settings) -> Bed:
    """Make the bed that the settings name."""
    return Bed(identifier=settings.identifier, consider_others_dead_after=settings.silence)


if __name__ == "__main__":
    main(make)
