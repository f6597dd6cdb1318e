"""Writing while somebody ends the process: that waits until everything is written."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from orbitalis_codegen.write import TEMPORARY, write

FILES = {f"generated/python/wire/{name}.py": name.encode() for name in ("a", "b", "c")}


def test_who_ends_the_process_waits_until_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, dict.fromkeys(FILES, b"old"))
    replace = os.replace

    def ending(source: Path, target: Path) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        replace(source, target)

    # Another thread lets the signal in, whatever this one does.
    over = threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()
    monkeypatch.setattr(os, "replace", ending)
    # Whoever runs in the background may have been started with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, FILES)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
        over.set()

    monkeypatch.undo()
    assert write(tmp_path, FILES).written == ()
    assert [path for path in tmp_path.rglob("*") if path.name.endswith(TEMPORARY)] == []
