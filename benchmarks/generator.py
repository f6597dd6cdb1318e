"""How long the generator takes, as a process, and what importing the generated package adds to a program."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.repository import PACKAGE_FOLDERS, ROOT

__all__ = ["main"]

_RUNS = 7


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(ROOT / "asyncapi.yaml", root)
        shutil.copytree(ROOT / "schemas", root / "schemas")
        cold = _median(["generate"], root, before=lambda: shutil.rmtree(root / "generated", ignore_errors=True))
        idle = _median(["generate"], root)
        check = _median(["check"], root)
    print(f"generate, nothing there yet   {cold:6.2f} s")
    print(f"generate, nothing to do       {idle:6.2f} s")
    print(f"check                         {check:6.2f} s")
    bare, wire = _import(""), _import("import orbitalis_wire.codecs, orbitalis_wire.channels, orbitalis_wire.envelope")
    print(f"import orbitalis_wire         {(wire - bare) * 1000:6.0f} ms more than Python's {bare * 1000:.0f} ms")
    whole = _import("import orbitalis")
    print(f"import orbitalis              {(whole - bare) * 1000:6.0f} ms more")
    stdlib = _import("import asyncio, dataclasses, datetime, json, logging, uuid")
    print(f"  of which the standard library's modules take {(stdlib - bare) * 1000:.0f} ms")


def _median(arguments: list[str], root: Path, before: object = None) -> float:
    times: list[float] = []
    for _ in range(_RUNS):
        if callable(before):
            before()
        times.append(_timed([sys.executable, "-m", "orbitalis_codegen", "--root", str(root), *arguments]))
    return statistics.median(times)


def _import(statement: str) -> float:
    command = [sys.executable, "-c", statement]
    _timed(command)
    return statistics.median(_timed(command) for _ in range(3 * _RUNS))


def _timed(command: list[str]) -> float:
    paths = [str(ROOT), *(str(path.parent) for path in PACKAGE_FOLDERS.values())]
    start = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
