"""The package as users have it: packed, and installed into a project of its own outside the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.repository import run
from tests.typescript.package import MODULES, PACKAGE, built

__all__ = ["compile_programs", "install", "packed", "readme_programs"]

_PROGRAM = re.compile(r"```ts\n(.*?)```", re.DOTALL)
_NAME = "@orbitalis/sdk"
_STRICT = {
    "target": "ES2022",
    "module": "NodeNext",
    "lib": ["ES2022", "DOM", "ESNext.Disposable"],
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "types": [],
    "rootDir": "source",
    "outDir": "compiled",
}


def readme_programs() -> list[str]:
    """Return the programs of the package's README, in order."""
    return [found[1] for found in _PROGRAM.finditer((PACKAGE / "README.md").read_text(encoding="utf-8"))]


def packed(folder: Path) -> Path:
    """Build and pack the package into a folder; return the archive."""
    built()
    pack: list[str | Path] = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder]
    name: str = json.loads(run(pack, folder=PACKAGE, errors_too=False))[0]["filename"]
    return folder / name


def install(folder: Path, archive: Path) -> None:
    """Install an archive into a folder with nothing in it, with the dependencies that our lock file pins."""
    manifest = {"name": "project", "version": "1.0.0", "type": "module", "dependencies": {_NAME: f"file:{archive}"}}
    ours: dict[str, Any] = json.loads((PACKAGE / "package-lock.json").read_text())
    pinned = {name: one for name, one in ours["packages"].items() if name and not one.get("dev")}
    root = ours["packages"][""]
    sdk = {"version": root["version"], "resolved": f"file:{archive}", "dependencies": root["dependencies"]}
    lock = {
        "name": "project",
        "version": "1.0.0",
        "lockfileVersion": ours["lockfileVersion"],
        "packages": {"": manifest, f"node_modules/{_NAME}": sdk, **pinned},
    }
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    # What the repository has installed from is in the cache of npm.
    run(["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], folder=folder)


def compile_programs(folder: Path) -> None:
    """Check the types of the programs in the folder `source` of a project strictly, and compile them to `compiled`."""
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": _STRICT, "include": ["source"]}))
    run(["node", MODULES / "typescript" / "bin" / "tsc"], folder=folder)
