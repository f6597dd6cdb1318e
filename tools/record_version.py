"""Records the specification as it is now in `tests/wire/versions/`, with messages: for the tests of later versions.

python tools/record_version.py     writes the folder of the version that the document has, such as `1.1`

A version that was released is never recorded again: what it wrote stays as it is.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from orbitalis_codegen import read_specification

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "wire" / "versions"


def main() -> int:
    """Write the folder, and return the exit status."""
    version = read_specification(ROOT).version.rpartition(".")[0]
    folder = FOLDER / version
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "asyncapi.yaml", folder)
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copy(ROOT / "vectors" / "events.jsonl", folder)
    print(f"{folder.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
