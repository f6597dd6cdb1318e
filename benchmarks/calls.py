"""Counts calls, files, base classes and lines, and holds them against budgets: `python -m benchmarks.calls [--files]`.

With `--traced`, it counts the calls of orbiters that are traced as well. Counts do not depend on how busy the machine
is. If one exceeds its budget by more than 5 %, the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import counting
from benchmarks.measuring import Numbers, fresh, show

__all__ = ["BUDGETS", "Budget", "main"]

_TOLERANCE = 0.05
_IS_EAGER = sys.version_info >= (3, 12)
"""Whether handlers start as eager tasks, which takes fewer calls."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a count may be."""

    what: str
    budget: int
    on_3_11: int
    """The same on Python 3.11, where no handler starts as an eager task."""
    measure: Callable[[], Numbers | Coroutine[Any, Any, Numbers]]

    @property
    def here(self) -> int:
        """What the count may be on the Python that runs this."""
        return self.budget if _IS_EAGER else self.on_3_11

    def is_exceeded(self, count: float) -> bool:
        """Return whether a count is more than 5 % over the budget."""
        return count > self.here * (1 + _TOLERANCE)


BUDGETS = (
    Budget("calls per handshake, 1 core and 800 plugins", 600, 620, counting.handshake),
    Budget("calls per execution with a text", 200, 303, counting.execution),
    Budget("calls per execution with a frozen message", 230, 315, counting.frozen_message),
    Budget("calls per execution with a mutable message", 300, 390, counting.mutable_message),
    Budget("calls per request with a text", 190, 253, counting.request),
    Budget("files from a discover to the published offer", 24, 24, counting.files_of_discover),
    Budget("files from `execute()` to the sink", 21, 21, counting.files_of_execution),
    Budget("classes in `Core.__mro__`", 6, 6, counting.bases_of_core),
    Budget("classes in `Plugin.__mro__`", 6, 6, counting.bases_of_plugin),
    Budget("lines of `orbitalis/protocol` and `orbitalis/orbiter`", 9_920, 9_920, counting.lines),
)
"""All of them. Without eager tasks, each of the two handlers of an execution takes about 64 calls more.

Files and lines are to become fewer: 14 and 12 files, and 5,500 lines. These budgets keep them from growing until then.
"""


_TRACED = (
    ("calls per handshake, 1 core and 800 plugins", counting.traced_handshake),
    ("calls per execution with a text", counting.traced_execution),
    ("calls per request with a text", counting.traced_request),
)
"""What the calls of the SDK are part of, and so without a budget."""


def main(arguments: Sequence[str]) -> int:
    """Count and print; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description="Count, and hold against budgets.")
    parser.add_argument("--files", action="store_true", help="list the files as well")
    parser.add_argument("--traced", action="store_true", help="count the calls of orbiters that are traced as well")
    options = parser.parse_args(arguments)
    found = [(budget, fresh(budget.measure)) for budget in BUDGETS]
    counts = [(budget, numbers.get("count", len(numbers))) for budget, numbers in found]
    exceeded = [budget for budget, count in counts if budget.is_exceeded(count)]
    show(
        (f"Python {sys.version_info[0]}.{sys.version_info[1]}", "budget", "count", "of budget"),
        [(one.what, f"{one.here:,}", f"{count:,.0f}", f"{count / one.here:.0%}") for one, count in counts],
    )
    if not _IS_EAGER:
        print("Python 3.11 has no eager tasks: these are budgets for it. What counts is Python 3.12 or newer.")
    if options.traced:
        traced = [(what, f"{fresh(measure)['count']:,.0f}") for what, measure in _TRACED]
        show(("traced, by the SDK of OpenTelemetry", "count"), traced)
    if options.files:
        for budget, numbers in found:
            if "count" not in numbers:
                print(f"\n{budget.what}:", *numbers, sep="\n  ")
    for budget in exceeded:
        print(f"exceeds its budget by more than {_TOLERANCE:.0%}: {budget.what}")
    return bool(exceeded)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
