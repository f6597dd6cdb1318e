"""`x-orbitalis`: the timings and limits of the protocol."""

from __future__ import annotations

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.names import Names
from orbitalis_codegen.check.shape import Checker, View
from orbitalis_codegen.diagnostic import shown
from orbitalis_codegen.model import Limit, Timing
from orbitalis_codegen.rules import Rule

__all__ = ["read_limits", "read_timings"]


def read_timings(checker: Checker, settings: View) -> dict[str, Timing]:
    """The timings, in the order of the document."""
    timings: dict[str, Timing] = {}
    names = Names("constant", checker.report)
    for key, _, view in entries(checker, settings.get("timings"), shapes.TIMINGS, shapes.TIMING, names):
        seconds = view.number("seconds")
        if seconds is not None and seconds <= 0:
            message = f"the timing {shown(key)} is {shown(seconds)} seconds"
            checker.report.add(Rule.TIMING, view.position_of("seconds"), message, "a timing is greater than zero")
        timings[key] = Timing(name=key, seconds=float(seconds or 0), description=view.description())
    return timings


def read_limits(checker: Checker, settings: View) -> dict[str, Limit]:
    """The limits, in the order of the document."""
    limits: dict[str, Limit] = {}
    names = Names("constant", checker.report)
    for key, _, view in entries(checker, settings.get("limits"), shapes.LIMITS, shapes.LIMIT, names):
        maximum = view.number("maximum")
        if maximum is not None and (not isinstance(maximum, int) or maximum <= 0):
            message = f"the limit {shown(key)} is {shown(maximum)}"
            hint = "a limit is an integer greater than zero"
            checker.report.add(Rule.LIMIT, view.position_of("maximum"), message, hint)
        limits[key] = Limit(name=key, maximum=int(maximum or 0), description=view.description())
    return limits
