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
    """Keep others out who write below `root`, or in a folder that holds it.

    It waits for one that does already, and calls `on_wait` before that. The lock ends with the process, however that
    ends. Raises OSError if there is no `root`, or nothing can be locked.
    """
    with contextlib.ExitStack() as stack:

        def take(descriptor: int, *, shared: bool) -> None:
            stack.callback(os.close, descriptor)
            if not _lock(descriptor, shared=shared, waits=False):
                on_wait()
                _lock(descriptor, shared=shared, waits=True)

        # From the outermost one, so that no two can wait for each other.
        for folder in reversed(root.resolve().parents):
            # Where nothing can be locked, nobody writes.
            with contextlib.suppress(OSError):
                take(_open(folder), shared=True)
        take(_open(root), shared=False)
        yield


if sys.platform == "win32":
    import msvcrt
    import time

    def _open(root: Path) -> int:
        # A folder cannot be opened there, so a file stands for it.
        name = hashlib.sha256(str(root.resolve()).casefold().encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return os.open(Path(tempfile.gettempdir()) / f"orbitalis-codegen-{name}.lock", os.O_RDWR | os.O_CREAT)

    def _lock(descriptor: int, *, shared: bool, waits: bool) -> bool:
        # There is no shared lock, so one folder says nothing of those inside of it.
        while not shared:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not waits:
                    return False
                time.sleep(0.05)
            else:
                return True
        return True

else:
    import fcntl

    def _open(root: Path) -> int:
        # The folder itself: nothing is left behind, and it stays the same however often its files are replaced.
        return os.open(root, os.O_RDONLY)

    def _lock(descriptor: int, *, shared: bool, waits: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
