"""How a simulation ended."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

__all__ = ["Verdict", "what_broke"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Of one seed."""

    seed: int
    steps: int
    seconds: float
    """Of virtual time."""
    violation: str | None = None
    trace: str = ""
    options: str = ""
    """What the command takes, with a space behind it, to simulate this."""

    def __str__(self) -> str:
        return "\n".join([*([self.trace] if self.trace else []), self.line])

    @property
    def line(self) -> str:
        """What was found, and how to see it again."""
        if self.violation is None:
            return f"seed {self.seed}: {self.steps} steps in {self.seconds:.0f} s of virtual time, nothing wrong"
        return (
            f"seed {self.seed}: {self.violation}\n"
            f'to see it again: make simulate ARGS="{self.options}--seed {self.seed}"'
        )


def what_broke(error: BaseException) -> str:
    """Return what was raised, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}: {error}"
