"""Tells at the end of a test run how much was simulated."""

from __future__ import annotations

import pytest

from tests.simulation.batch import summary

__all__: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the tests of this folder have noted."""
    noted: dict[str, list[tuple[float, ...]]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name.startswith("simulated"):
                noted.setdefault(name, []).append(value)
    for name, values in noted.items():
        schedules, steps, seconds, virtual = (sum(one[index] for one in values) for index in range(4))
        terminalreporter.write_line(f"{name}: {summary(int(schedules), int(steps), seconds, virtual)}")
