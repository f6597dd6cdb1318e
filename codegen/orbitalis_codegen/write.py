"""Writing what was emitted: all of it or nothing, only what differs, and nothing else left in its folders."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import signal
import stat
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["TEMPORARY", "WriteReport", "mode_of", "stale", "write", "write_one"]

TEMPORARY: Final = ".orbitalis-codegen"
"""How the names of files end that are there while others are written, or after that was killed."""
_CACHE: Final = "__pycache__"
_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SHORTEST: Final = 2
"""Parts that the path of an emitted file has at least: the folder of its target, and the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """What :func:`write` did; every path is relative to the root, with `/`, and they are sorted."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def write(root: Path, files: Mapping[str, bytes]) -> WriteReport:
    """Make the folders of `files` below `root` hold exactly these files, given by their paths relative to `root`.

    A file that is as it should be is not touched. A file that is not among them is removed, and so is a folder that
    holds none of them; only what Python caches is left alone. Raises OSError, with the name of the file, if any of
    this cannot be done; everything is as it was then.
    """
    removed = stale(root, files)
    written = [path for path in sorted(files) if not _is_up_to_date(root, path, files[path])]
    transaction = _Transaction(root)
    with _undisturbed():
        try:
            for path in written:
                transaction.prepare(path, files[path])
            for path in written:
                transaction.replace(path)
            for path in removed:
                transaction.remove(path)
        except BaseException as error:
            transaction.roll_back(error)
            raise
        transaction.finish()
    _remove_folders(root, files)
    return WriteReport(
        written=tuple(written),
        removed=tuple(removed),
        unchanged=tuple(sorted(files.keys() - set(written))),
    )


def write_one(path: Path, data: bytes) -> bool:
    """Make a file hold exactly this; gives whether it did not before.

    Raises OSError, with the name of the file, if that cannot be done; then it is as it was.
    """
    root, name = path.parent, path.name
    if _is_up_to_date(root, name, data):
        return False
    transaction = _Transaction(root)
    with _undisturbed():
        try:
            transaction.prepare(name, data)
            transaction.replace(name)
        except BaseException as error:
            transaction.roll_back(error)
            raise
        transaction.finish()
    return True


def stale(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """The files that stand in the folders of `files` without being among them, sorted; not what Python caches.

    The folders are those in which a file stands; one that is inside of another is a part of that.
    """
    return sorted(
        path
        for folder in _target_folders(files)
        if _is_real_folder(root, folder)
        for path in _files_below(root, folder)
        if path not in files
    )


def mode_of(root: Path, path: str) -> int | None:
    """The mode of what stands at `path`, a link not followed; `None` if there is nothing.

    Raises NotADirectoryError if something on the way from `root` is no folder: a link might lead anywhere.
    """
    if not _is_real_folder(root, str(PurePosixPath(path).parent)):
        return None
    try:
        return (root / path).lstat().st_mode
    except FileNotFoundError:
        return None


@dataclass(slots=True)
class _Transaction:
    """Changes to files that can be taken back until they are finished."""

    root: Path
    temporaries: dict[str, Path] = field(default_factory=dict[str, Path])
    """The new content of each path, until it is in its place; then there is nothing any more."""
    backups: dict[str, Path] = field(default_factory=dict[str, Path])
    """What stood at each path."""
    folders: list[Path] = field(default_factory=list[Path])
    """Those made, outer ones first."""
    changed: list[str] = field(default_factory=list[str])
    """Paths where something else may stand now than before."""

    def prepare(self, path: str, data: bytes) -> None:
        """Put everything that replacing and taking it back will need beside the file."""
        target = self.root / path
        mode = mode_of(self.root, path)
        with _blaming(target):
            if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
                raise OSError(number, os.strerror(number), str(target))
            self._make_folders(path)
            if mode is not None:
                self.backups[path] = _beside(target)
                shutil.copy2(target, self.backups[path], follow_symlinks=False)
            self.temporaries[path] = _beside(target)
            with self.temporaries[path].open("xb") as stream:
                stream.write(data)

    def replace(self, path: str) -> None:
        """Put the prepared file in its place."""
        with _blaming(self.root / path):
            self.changed.append(path)
            os.replace(self.temporaries[path], self.root / path)

    def remove(self, path: str) -> None:
        """Put the file out of its place."""
        target = self.root / path
        with _blaming(target):
            self.changed.append(path)
            self.backups[path] = _beside(target)
            os.replace(target, self.backups[path])

    def roll_back(self, error: BaseException) -> None:
        """Make everything as it was; what cannot be is noted in the `error` that is the reason."""
        for path in reversed(self.changed):
            temporary, backup = self.temporaries.get(path), self.backups.get(path)
            if temporary is not None and temporary.exists():
                # This is the one that failed: it still stands in its place.
                continue
            try:
                if backup is None:
                    (self.root / path).unlink(missing_ok=True)
                elif os.path.lexists(backup):
                    os.replace(backup, self.root / path)
            except OSError as failure:
                error.add_note(f"{path} could not be put back: {failure}")
                # What it held is still there, under another name.
                self.backups.pop(path, None)
        for leftover in (*self.temporaries.values(), *self.backups.values()):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)
        for folder in reversed(self.folders):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def finish(self) -> None:
        """Forget what was."""
        for path, backup in self.backups.items():
            with _blaming(self.root / path):
                backup.unlink()

    def _make_folders(self, path: str) -> None:
        for folder in _folders_to(path):
            if not (self.root / folder).exists():
                (self.root / folder).mkdir()
                self.folders.append(self.root / folder)


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Let signals that would end the process wait for a moment; they come to the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    # A mask would be of one thread only, and any other one lets the signal in.
    before = {number: signal.signal(number, lambda came, _: waiting.append(came)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            # `None` is a handler that is not Python's, and cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in dict.fromkeys(waiting):
            signal.raise_signal(number)


@contextlib.contextmanager
def _blaming(path: Path) -> Generator[None]:
    """Let an error name the file that it is about, not a temporary that nobody knows, and not nothing."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def _beside(target: Path) -> Path:
    """A name in the same folder that nobody uses."""
    return target.parent / f".{secrets.token_hex(8)}{TEMPORARY}"


def _is_up_to_date(root: Path, path: str, data: bytes) -> bool:
    mode = mode_of(root, path)
    return mode is not None and stat.S_ISREG(mode) and (root / path).read_bytes() == data


def _target_folders(files: Iterable[str]) -> list[str]:
    """The folders of all targets: those in which their files stand, the outermost ones. Nothing above is ours."""
    folders: set[str] = set()
    for file in files:
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts or str(path) != file or len(path.parts) < _SHORTEST:
            raise ValueError(f"{file!r} is not a path in the folder of a target")
        folders.add(str(path.parent))
    return sorted(folder for folder in folders if folders.isdisjoint(_folders_to(folder)))


def _folders_to(path: str) -> list[str]:
    """All folders on the way to `path`, outer ones first."""
    return [str(folder) for folder in reversed(PurePosixPath(path).parents) if folder.parts]


def _is_real_folder(root: Path, folder: str) -> bool:
    """Whether `folder` is there; it is an error if it or one on the way to it is something else, a link included."""
    if folder == ".":
        # The root itself may be a link: the user has named it, and means the folder behind it.
        return root.is_dir()
    for name in (*_folders_to(folder), folder):
        path = root / name
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(mode):
            reason = "Is a link, not a directory" if stat.S_ISLNK(mode) else os.strerror(errno.ENOTDIR)
            raise NotADirectoryError(errno.ENOTDIR, reason, str(path))
    return True


def _files_below(root: Path, folder: str) -> Iterator[str]:
    """Everything below `folder` but folders and what Python caches; a link is a file, wherever it leads."""
    with os.scandir(root / folder) as entries:
        found = list(entries)
    for entry in found:
        path = f"{folder}/{entry.name}"
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif entry.name != _CACHE:
            yield from _files_below(root, path)


def _remove_folders(root: Path, files: Iterable[str]) -> None:
    """Remove the folders that hold none of the `files`, and what Python cached there with them."""
    needed = {folder for file in files for folder in _folders_to(file)}
    for target in _target_folders(files):
        # An inner folder comes before the one that holds it.
        for name, inner, _ in os.walk(root / target, topdown=False):
            folder = Path(name)
            if folder.relative_to(root).as_posix() in needed or _CACHE in folder.relative_to(root / target).parts:
                continue
            if _CACHE in inner:
                shutil.rmtree(folder / _CACHE)
            folder.rmdir()
