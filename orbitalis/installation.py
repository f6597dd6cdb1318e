"""What is installed: the version, and what is wrong where py-orbitalis has been installed over this package.

Nothing here imports the rest of the package, which may be damaged.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Final

__all__ = ["DISTRIBUTION", "damage", "installed_version"]

DISTRIBUTION: Final = "orbitalis-sdk"
"""What `pip install` takes."""

_MIXED: Final = (
    f"{DISTRIBUTION} and py-orbitalis (the distribution 'orbitalis') are installed in one environment. Both have a "
    "package 'orbitalis', and each overwrites files of the other. Keep one of them: "
    f"pip uninstall --yes orbitalis {DISTRIBUTION}, then pip install {DISTRIBUTION}"
)
_INCOMPLETE: Final = (
    f"files of {DISTRIBUTION} are missing, as they are after py-orbitalis (the distribution 'orbitalis') was "
    f"uninstalled beside it: pip install --force-reinstall --no-deps {DISTRIBUTION}"
)


@cache
def installed_version() -> str:
    """Return the version that is installed, or 'unknown' where the package runs without being installed."""
    from importlib.metadata import PackageNotFoundError, version  # which takes long to import

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def damage() -> str | None:
    """Return what is wrong with the files of the package and what to do about it, or `None`."""
    package = sys.modules["orbitalis"]
    if any(os.path.exists(f"{folder}/state_machine/state_machine.py") for folder in package.__path__):
        return _MIXED
    return None if hasattr(package, "__all__") else _INCOMPLETE
