"""Runs Zensical on the staged pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.website.stage import stage

__all__ = ["build", "serve"]

#: What the pages load, by name: diagrams are drawn and searches are done in the browser.
ASSETS = {
    "extra.css": Path("tools/website/extra.css"),
    "iframe-worker.js": Path("tools/node_modules/iframe-worker/shim/index.js"),
    "mermaid.tiny.js": Path("tools/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"),
}


def build(root: Path, folder: Path) -> int:
    """Make the site in `folder / "site"`, and return the exit status: anything that Zensical warns of fails."""
    _prepare(root, folder)
    shutil.rmtree(folder / "site", ignore_errors=True)
    return subprocess.run([*_zensical(), "build", "--clean", "--strict"], cwd=folder, check=False).returncode


def serve(root: Path, folder: Path, address: str) -> int:
    """Show the site until it is interrupted, and stage its pages anew after each edit."""
    _prepare(root, folder)
    server = subprocess.Popen([*_zensical(), "serve", "--dev-addr", address], cwd=folder)
    try:
        seen = _edits(root)
        while server.poll() is None:
            time.sleep(0.5)
            if (now := _edits(root)) != seen:
                seen = now
                _prepare(root, folder)
        return server.returncode
    finally:
        server.terminate()
        server.wait()


def _zensical() -> list[str]:
    return [sys.executable, "-m", "zensical"]


def _prepare(root: Path, folder: Path) -> None:
    """Put everything that Zensical reads into the folder in which it runs."""
    pages = folder / "pages"
    stage(root, pages)
    shutil.copytree(root / "tools" / "website" / "theme", folder / "theme", dirs_exist_ok=True)
    shutil.copy(root / "mkdocs.yml", folder)
    (pages / "assets").mkdir(exist_ok=True)
    for name, source in ASSETS.items():
        shutil.copy(root / source, pages / "assets" / name)


def _edits(root: Path) -> dict[Path, float]:
    """Return when each page was changed last."""
    return {path: path.stat().st_mtime for path in (root / "docs").rglob("*.md")}
