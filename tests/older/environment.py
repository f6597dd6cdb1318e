"""An environment with py-orbitalis, beside the one in which the tests run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["NotAvailableError", "older_python"]

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_VERSION = "3.12"
"""Of Python: the oldest one that py-orbitalis runs on."""


class NotAvailableError(Exception):
    """There can be no such environment here; the text says why."""


def older_python() -> str:
    """Return the Python of an environment with py-orbitalis, which is made unless there is one from an earlier run.

    Raises:
        NotAvailableError: There is no Python for it, or the package index cannot be reached.
    """
    base = _find_base()
    made_of = f"{base}{os.stat(base).st_mtime_ns}{os.getuid()}".encode() + REQUIREMENTS.read_bytes()
    folder = Path(tempfile.gettempdir()) / f"py-orbitalis-{hashlib.sha256(made_of).hexdigest()[:16]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=tempfile.gettempdir(), prefix="py-orbitalis-") as beginning:
            _make(base, Path(beginning) / "environment")
            try:
                os.rename(Path(beginning) / "environment", folder)
            except OSError:
                if not folder.exists():  # another process was faster
                    raise
    return str(folder / "bin" / "python")


def _make(base: str, folder: Path) -> None:
    subprocess.run([base, "-m", "venv", folder], check=True, capture_output=True)
    options = ("--quiet", "--disable-pip-version-check", "--timeout", "15", "--retries", "1", "--only-binary", ":all:")
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", *options, "--require-hashes", "-r", str(REQUIREMENTS)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        assert "DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
        raise NotAvailableError(f"py-orbitalis cannot be installed: {done.stderr.strip().splitlines()[-1]}")


def _find_base() -> str:
    """Return a Python that is new enough for py-orbitalis."""
    if sys.version_info >= (3, 12):
        return sys.executable
    for candidate in _candidates():
        if subprocess.run([candidate, "-m", "venv", "--help"], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    raise NotAvailableError(f"py-orbitalis needs Python {_VERSION}, which is not here")


def _candidates() -> Iterator[Path]:
    if (found := shutil.which(f"python{_VERSION}")) is not None:
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from pyenv.glob(f"versions/{_VERSION}.*/bin/python{_VERSION}")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python"))
    yield from uv.glob(f"cpython-{_VERSION}.*/bin/python{_VERSION}")
