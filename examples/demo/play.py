"""The play as it goes: its steps, each of which goes well or ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examples.demo.chronicle import Chronicle, StepFailedError
from examples.demo.stage import Actor, Stage
from examples.demo.terminal import Terminal

__all__ = ["Play"]


class Play:
    """What the acts share."""

    def __init__(self, stage: Stage, chronicle: Chronicle, terminal: Terminal) -> None:
        """Begin a play on a stage."""
        self.stage = stage
        self.chronicle = chronicle
        self.terminal = terminal
        self.lamps: dict[str, Actor] = {}
        """The lamps that are alive, by identifier."""
        self.bus = ""
        """URL of the bus, once it is there."""
        self.steps: list[tuple[str, bool]] = []
        """The steps so far, and whether each went well."""
        self._home: Actor | None = None
        self._act = 0

    @property
    def home(self) -> Actor:
        """The home, once it was started."""
        assert self._home is not None, "no home was started"
        return self._home

    @home.setter
    def home(self, home: Actor) -> None:
        self._home = home

    def act(self, title: str, explanation: str) -> None:
        """Begin an act."""
        self.chronicle.begin_part()
        self._act += 1
        self.terminal.heading(f"{self._act}. {title}")
        self.terminal.explain(explanation)

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[None]:
        """Do a step: what is told in it comes before its tick, and a failure ends the play."""
        try:
            yield
        except StepFailedError as failure:
            self._end_step(title, done=False)
            self.terminal.failure(failure.expected, failure.reason)
            raise
        self._end_step(title, done=True)

    def check(self, fact: bool, expected: str, reason: str) -> None:
        """Fail unless something is as expected.

        Raises:
            StepFailedError: It is not.
        """
        if not fact:
            raise StepFailedError(expected, reason)

    def _end_step(self, title: str, *, done: bool) -> None:
        self.chronicle.tell()
        self.steps.append((title, done))
        self.terminal.step(title, done=done)
