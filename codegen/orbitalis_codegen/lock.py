"""One `generate` at a time: two would mix what they write."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

__all__ = ["locked"]


@contextlib.contextmanager
def locked(root: Path, on_wait: Callable[[], None]) -> Generator[None]:
    """Keep others out who write below `root`; waits for one that does already, and calls `on_wait` before that.

    The lock ends with the process, however that ends. Raises OSError if there is no `root`, or nothing can be locked.
    """
    descriptor = _open(root)
    try:
        if not _lock(descriptor, waits=False):
            on_wait()
            _lock(descriptor, waits=True)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt
    import time

    def _open(root: Path) -> int:
        # A folder cannot be opened there, so a file stands for it.
        name = hashlib.sha256(str(root.resolve()).casefold().encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return os.open(Path(tempfile.gettempdir()) / f"orbitalis-codegen-{name}.lock", os.O_RDWR | os.O_CREAT)

    def _lock(descriptor: int, *, waits: bool) -> bool:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not waits:
                    return False
                time.sleep(0.05)
            else:
                return True

else:
    import fcntl

    def _open(root: Path) -> int:
        # The folder itself: nothing is left behind, and it stays the same however often its files are replaced.
        return os.open(root, os.O_RDONLY)

    def _lock(descriptor: int, *, waits: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
