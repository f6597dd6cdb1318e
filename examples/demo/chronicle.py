"""Everything that was reported: kept to be waited for, and told to the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from examples.demo.terminal import Terminal
from examples.lamps.report import Report

__all__ = ["Chronicle", "StepFailedError"]

T = TypeVar("T")

_TOLD_AFTER: Final = 0.25
"""Seconds for which reports are gathered, so that those which belong together become one line in the right order."""
_ONCE: Final = frozenset({"asks", "hears"})
"""What is repeated so often that it is told once in a part."""


class StepFailedError(Exception):
    """Something that was expected did not happen."""

    def __init__(self, expected: str, reason: str) -> None:
        """Say what was expected, and what came instead."""
        super().__init__(f"expected {expected}, but {reason}")
        self.expected = expected
        self.reason = reason


class Chronicle:
    """The reports of all orbiters, in the order in which they came."""

    def __init__(self, terminal: Terminal, *, patience: float) -> None:
        """Tell reports on `terminal`; `patience` is how many seconds anything is waited for."""
        self._terminal = terminal
        self._patience = patience
        self._reports: list[Report] = []
        self._untold: list[Report] = []
        self._told: set[tuple[str, str]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._trouble: str | None = None

    @property
    def now(self) -> int:
        """The place of the next report, for `since`."""
        return len(self._reports)

    def add(self, report: Report) -> None:
        """Take a report."""
        self._reports.append(report)
        self._untold.append(report)
        self._changed.set()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TOLD_AFTER, self.tell)

    def note(self, speaker: str, text: str) -> None:
        """Take something that the demonstration itself has to say."""
        self.add(Report(orbiter=speaker, event=text))

    def break_off(self, trouble: str) -> None:
        """Make everything that is waited for fail, since something has happened that must not."""
        self._trouble = self._trouble or trouble
        self._changed.set()

    def begin_part(self) -> None:
        """Tell again what is told once in a part."""
        self.tell()
        self._told.clear()

    def tell(self) -> None:
        """Tell what was not told yet; reports that differ in their operations alone become one line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        merged: dict[object, list[Report]] = {}
        for report in sorted(self._untold, key=lambda one: one.at):
            alone = report.event in {"executes", "changed", "status", "energy"}
            key = id(report) if alone else (report.orbiter, report.event, report.remotes, repr(report.values))
            merged.setdefault(key, []).append(report)
        self._untold.clear()
        for first, *others in merged.values():
            if first.event in _ONCE:
                if (first.orbiter, first.event) in self._told:
                    continue
                self._told.add((first.orbiter, first.event))
            operations = (*first.operations, *(name for other in others for name in other.operations))
            if others:
                operations = tuple(dict.fromkeys(operations))
            whole = Report(
                orbiter=first.orbiter,
                event=first.event,
                remotes=first.remotes,
                operations=operations,
                values=first.values,
            )
            self._terminal.say(whole.orbiter, whole.sentence(), first.at)

    def find(
        self,
        orbiter: str,
        event: str,
        *,
        remote: str | None = None,
        since: int = 0,
        **values: object,
    ) -> list[Report]:
        """Return the reports of an orbiter that are as all given arguments say."""
        return [
            report
            for report in self._reports[since:]
            if report.orbiter == orbiter
            and report.event == event
            and (remote is None or remote in report.remotes)
            and values.items() <= report.values.items()
        ]

    async def expect(
        self,
        orbiter: str,
        event: str,
        *,
        remote: str | None = None,
        operations: Collection[str] = (),
        times: int = 1,
        since: int = 0,
        **values: object,
    ) -> list[Report]:
        """Wait until an orbiter has reported something so often, and about all these operations; return the reports.

        Raises:
            StepFailedError: It has not in time, or never will.
        """

        def found() -> list[Report] | None:
            reports = self.find(orbiter, event, remote=remote, since=since, **values)
            covered = {name for report in reports for name in report.operations}
            return reports if len(reports) >= times and covered >= set(operations) else None

        return await self.until(_described(orbiter, event, remote, operations, times, values), found)

    async def until(self, expected: str, found: Callable[[], T | None]) -> T:
        """Wait until `found` returns something; it is called again whenever there is a new report.

        Raises:
            StepFailedError: It has not in time, or never will.
        """
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    if (value := found()) is not None:
                        return value
                    if self._trouble is not None:
                        raise StepFailedError(expected, self._trouble)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise StepFailedError(expected, f"that did not happen within {self._patience:g} s") from None


def _described(
    orbiter: str,
    event: str,
    remote: str | None,
    operations: Collection[str],
    times: int,
    values: Mapping[str, Any],
) -> str:
    """Say what is waited for."""
    parts: Sequence[str] = [
        f"the report {event!r} of {orbiter}",
        f"about {remote}" if remote is not None else "",
        f"for {', '.join(sorted(operations))}" if operations else "",
        " ".join(f"{name}={value}" for name, value in values.items()),
        f"{times} times" if times > 1 else "",
    ]
    return " ".join(part for part in parts if part)
