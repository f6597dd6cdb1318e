"""A bed as a process: `python -m examples.tutorial.chapter_3.bed tomatoes`."""

import sys

from examples.tutorial.chapter_1.bed import Bed
from orbitalis import Connection, run


class BedProgram(Bed):
    """A bed that says what happens to it."""

    async def _on_started(self, *args: object, **kwargs: object) -> None:
        print(f"{self.identifier} has started", flush=True)

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        print(f"{self.identifier}: {connection.operation_name} is not used any more", flush=True)


if __name__ == "__main__":
    run(BedProgram(identifier=sys.argv[1]))
