"""How long the generator takes, as a process."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measuring import Numbers, Settings, Stopwatch, environment, interleaved, run_command, show
from tests.support.repository import ROOT

__all__ = ["main"]


def main(settings: Settings) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(ROOT / "asyncapi.yaml", root)
        shutil.copytree(ROOT / "schemas", root / "schemas")
        cases: dict[str, Callable[[], Numbers]] = {
            "generate, nothing there yet": partial(_timed, "generate", root, anew=True),
            "generate, nothing to do": partial(_timed, "generate", root),
            "check": partial(_timed, "check", root),
        }
        samples = interleaved(settings.rounds, cases)
    show(("command", "seconds"), [(case, f"{samples.median(case, 'seconds'):.2f}") for case in cases])


def _timed(command: str, root: Path, *, anew: bool = False) -> Numbers:
    if anew:
        shutil.rmtree(root / "generated", ignore_errors=True)
    with Stopwatch() as watch:
        run_command([sys.executable, "-m", "orbitalis_codegen", "--root", str(root), command], environment())
    return {"seconds": watch.wall}
