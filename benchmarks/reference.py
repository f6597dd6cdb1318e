"""Measures py-orbitalis, in the environment of another Python that has it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks.measuring import Numbers, Settings, run_command

__all__ = ["run", "variables"]

_PROGRAM = Path(__file__).with_name("py_orbitalis.py")


def run(settings: Settings, what: str, *arguments: int) -> Numbers:
    """Take a measurement that `py_orbitalis.py` knows.

    Raises:
        MeasurementError: It failed.
    """
    assert settings.reference is not None
    # Isolated, for its packages have the names of ours.
    command = [settings.reference, "-I", str(_PROGRAM), what, *map(str, arguments)]
    numbers: Numbers = json.loads(run_command(command, variables()))
    return numbers


def variables() -> dict[str, str]:
    """Return the environment of its processes: without the paths of our packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
