"""The files of a specification, each read once and never from outside the root."""

from __future__ import annotations

import os.path
import posixpath
import re
import stat
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from orbitalis_codegen.diagnostic import Position, Report, nearest, shown
from orbitalis_codegen.read.json_text import read_json
from orbitalis_codegen.read.node import Node
from orbitalis_codegen.read.yaml_text import read_yaml
from orbitalis_codegen.rules import Rule

__all__ = ["LARGEST_FILE", "READERS_OF_USERS", "SCHEMA_SUFFIX", "Reader", "SourceFiles"]

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes."""
SCHEMA_SUFFIX = ".avsc"

Reader: TypeAlias = Callable[[str, str, Report], Node | None]
"""Makes a tree of a text in a file of some name; `None` if it cannot be used, which is reported."""

_READERS: Final[dict[str, Reader]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
    SCHEMA_SUFFIX: read_json,
}
READERS_OF_USERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {**_READERS, **dict.fromkeys((".yaml", ".yml"), partial(read_yaml, merges=True))}
)
"""Of files that were not written for Orbitalis, by the end of their names."""
_LEFTOVER = re.compile(
    r"^[.#~]|[~#]$|\.(?:sw[a-z]|bak|orig|rej|tmp|save|old|part)(?:\.[0-9]+)?$|\.(?:bak|orig|BACKUP|BASE|LOCAL|REMOTE)\b"
    r"|_(?:BACKUP|BASE|LOCAL|REMOTE)_[0-9]+\b|___jb_(?:tmp|old)___$"
)
"""A name that is no schema file's: hidden ones (locks of Emacs, those of Vim and macOS), backups, parts of a merge."""
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Beyond the control characters: line breaks that only some readers count as such.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class SourceFiles:
    """Reads files by their path relative to the root, with `/`, none outside of the `boundary`, which may be wider."""

    def __init__(
        self,
        root: Path,
        report: Report,
        boundary: Path | None = None,
        readers: Mapping[str, Reader] = MappingProxyType(_READERS),
    ) -> None:
        self._root = root
        self._readers = readers
        self._is_specification = boundary is None
        self._boundary = root if boundary is None else boundary
        self._report = report
        self._trees: dict[str, Node | None] = {}
        self.inputs: dict[str, bytes] = {}
        """Every file that was read, with its bytes."""

    def read(self, file: str, mentioned: Position | None = None) -> Node | None:
        """The tree of a file that is `mentioned` somewhere; `None` if it cannot be used, which is reported then."""
        if file in self._trees:
            return self._trees[file]
        tree = self._read(file, mentioned)
        if tree is not None or file in self.inputs:
            self._trees[file] = tree
        # A file that could not be opened is the fault of all that mention it: each is told.
        return tree

    def holds(self, file: str) -> bool:
        """Whether the path of a file leads to a place inside of the boundary."""
        return Path(os.path.abspath(self._root / file)).is_relative_to(os.path.abspath(self._boundary))

    def schemas_beside(self, file: str) -> tuple[str, ...]:
        """All schema files in the folder of `file`, itself among them, sorted."""
        folder = (self._root / file).parent
        try:
            names = sorted(path.name for path in folder.iterdir() if SCHEMA_SUFFIX in path.name.lower())
        except OSError:
            # The file itself cannot be read either, and that is reported.
            return ()
        found: list[str] = []
        for name in names:
            path = posixpath.join(posixpath.dirname(file), name)
            if name.endswith(SCHEMA_SUFFIX) and not _LEFTOVER.search(name):
                found.append(path)
                continue
            what = (
                "what an editor or a merge has left" if _LEFTOVER.search(name) else "what is no schema file by its name"
            )
            position = Position(path.encode(errors="backslashreplace").decode(), 1, 1)
            self._report.note(Rule.UNREADABLE_FILE, position, f"{what} is ignored")
        return tuple(found)

    def _read(self, file: str, mentioned: Position | None) -> Node | None:
        mentioned = mentioned or Position(file, 1, 1)
        reader = self._readers.get(Path(file).suffix)
        if reader is None:
            known = ", ".join(self._readers)
            hint = None if mentioned.file == file else "what stands in the same file is meant by '#/...'"
            self._report.add(Rule.UNREADABLE_FILE, mentioned, f"the file {file} is none of {known}", hint)
            return None
        return self.read_with(reader, file, mentioned)

    def read_with(self, reader: Reader, file: str, mentioned: Position | None = None) -> Node | None:
        """The tree that `reader` makes of a file, whatever its name; `None` if it cannot be used, which is reported."""
        data = self._bytes(file, mentioned or Position(file, 1, 1))
        if data is None:
            return None
        self.inputs[file] = data
        text = self._text(file, data)
        return None if text is None else reader(text, file, self._report)

    def _bytes(self, file: str, mentioned: Position) -> bytes | None:
        path = self._root / file
        try:
            if not path.resolve().is_relative_to(self._boundary.resolve()):
                message = f"{file} is a link to a file outside the root"
                self._report.add(Rule.REFERENCE_OUTSIDE, mentioned, message)
                return None
            status = path.stat()
            # Anything else may have no end (a device), or block until somebody writes to it (a pipe).
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
                self._report.add(Rule.UNREADABLE_FILE, mentioned, f"{file} is {kind}")
                return None
            with path.open("rb") as stream:
                data = stream.read(LARGEST_FILE + 1)
        except OSError as error:
            hint = self._nearest_file(path) if isinstance(error, FileNotFoundError) else None
            if mentioned.file == file and self._is_specification:
                hint = hint or "name the folder that has it, or a pyproject.toml that lists contracts, with --root"
            self._report.add(Rule.UNREADABLE_FILE, mentioned, f"{file} cannot be read: {error.strerror or error}", hint)
            return None
        except (ValueError, RuntimeError) as error:
            # A NUL in the name; before Python 3.13 also links in a circle.
            self._report.add(Rule.UNREADABLE_FILE, mentioned, f"{file} cannot be read: {error}")
            return None
        if len(data) > LARGEST_FILE:
            self._report.add(Rule.LARGE_FILE, Position(file, 1, 1), f"the file has more than {LARGEST_FILE} bytes")
            return None
        return data

    def _nearest_file(self, path: Path) -> str | None:
        try:
            near = nearest(path.name, [sibling.name for sibling in path.parent.iterdir()])
        except OSError:
            return None
        return None if near is None else f"did you mean {shown(near)}?"

    def _text(self, file: str, data: bytes) -> str | None:
        if data.startswith(_BYTE_ORDER_MARKS):
            message = "the file begins with a byte order mark"
            self._report.add(Rule.NOT_UTF8, Position(file, 1, 1), message, "save it as UTF-8 without one")
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            position = _end_of(data[: error.start].decode("utf-8"), file)
            self._report.add(
                Rule.NOT_UTF8, position, f"the byte 0x{data[error.start]:02x} is not part of any UTF-8 text"
            )
            return None
        unprintable = _UNPRINTABLE.search(text)
        if unprintable is not None:
            position = _end_of(text[: unprintable.start()], file)
            message = f"the character U+{ord(unprintable.group()):04X} is not printable"
            self._report.add(Rule.UNPRINTABLE_CHARACTER, position, message)
            return None
        return text


def _end_of(text: str, file: str) -> Position:
    lines = re.split(r"\r\n|\r|\n", text)
    return Position(file, len(lines), len(lines[-1]) + 1)
