"""The repository that the tests run in: its root, its files, and its commands."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["PACKAGE_FOLDERS", "ROOT", "imported_modules", "repository_files", "run"]

ROOT = Path(__file__).resolve().parents[2]

#: The packages that are shipped, by name.
PACKAGE_FOLDERS: Mapping[str, Path] = {
    "orbitalis": ROOT / "orbitalis",
    "orbitalis_avro": ROOT / "avro" / "orbitalis_avro",
    "orbitalis_codegen": ROOT / "codegen" / "orbitalis_codegen",
    "orbitalis_conformance": ROOT / "conformance" / "orbitalis_conformance",
    "orbitalis_wire": ROOT / "generated" / "python" / "orbitalis_wire",
}


def repository_files() -> list[Path]:
    """Return the files of the repository, committed or not yet, relative to its root; ignored ones are left out."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
    return [Path(name) for name in sorted(set(filter(None, listed))) if (ROOT / name).is_file()]


def imported_modules(path: Path) -> set[str]:
    """Return the top-level names that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def run(
    command: Sequence[str | Path],
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    status: int = 0,
    timeout: float = 300.0,
    errors_too: bool = True,
) -> str:
    """Run `command` and return what it printed, `errors_too` unless told otherwise; it has to end with `status`.

    `environment` is added to that of this process, `timeout` is in seconds.
    """
    completed = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors_too else subprocess.PIPE,
        timeout=timeout,
        check=False,
        text=True,
    )
    line = " ".join(map(str, command))
    assert completed.returncode == status, (
        f"{line}: exit status {completed.returncode}\n{completed.stdout}{completed.stderr or ''}"
    )
    return completed.stdout
