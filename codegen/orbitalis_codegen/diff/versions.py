"""The version to compare with: a folder, or a commit, which is read without touching the work tree."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from orbitalis_codegen.diagnostic import shown
from orbitalis_codegen.read.files import LARGEST_FILE, SCHEMA_SUFFIX

__all__ = ["UnusableVersionError", "is_folder", "version_at"]

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".toml", SCHEMA_SUFFIX})
"""Of files that a specification, a contract or their settings may be made of."""
_LINK: Final = "120000"
_FILES: Final = frozenset({"100644", "100755", _LINK})
"""Modes of entries that have content."""


class UnusableVersionError(Exception):
    """There is no such version; the text says why."""


def is_folder(name: str) -> bool:
    """Return whether a version is a folder; everything else is left to git."""
    return bool(name) and Path(name).is_dir()


@contextmanager
def version_at(root: Path, name: str, marks: Sequence[str], *, is_whole: bool) -> Generator[Path]:
    """Give a folder with the files of the version `name` of what `root` has.

    A folder of that name is the version itself. Otherwise it is a commit of git, by tag, branch or digest, whose files
    are written into a temporary folder. A folder has one of the files `marks`; a commit may be older than all of them.
    `is_whole` says that more than one contract is to be compared.

    Raises:
        UnusableVersionError: It is neither, or git cannot read it.
    """
    if is_folder(name):
        if not any((Path(name) / file).exists() for file in marks):
            advice = "; write --contract FILE to compare a contract alone" if is_whole else ""
            raise UnusableVersionError(
                f"the folder {shown(name)} has none of {', '.join(marks)}: it is no version of this{advice}"
            )
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="orbitalis-codegen-") as temporary:
        yield _check_out(root, name, Path(temporary))


def _check_out(root: Path, name: str, target: Path) -> Path:
    """Write the files of a commit below `target`, and return the folder there that stands for `root`."""
    # Whatever a commit is called, it is no option.
    commit = _git(root, name, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    # All of the repository: what is below the root may refer to what is beside it.
    listed = _git(root, name, ["ls-tree", "-r", "-l", "-z", "--full-tree", commit.decode().strip()])
    entries: dict[PurePosixPath, str] = {}
    links: set[PurePosixPath] = set()
    for line in filter(None, listed.split(b"\0")):
        description, _, path_bytes = line.partition(b"\t")
        mode, _, digest, size = description.decode().split()
        path = PurePosixPath(path_bytes.decode(errors="surrogateescape"))
        if mode in _FILES and path.suffix in _SUFFIXES and int(size) <= LARGEST_FILE:
            entries[path] = digest
            if mode == _LINK:
                links.add(path)
    contents = _contents(root, name, list(entries.values()))
    for path, content in zip(entries, contents, strict=True):
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path in links:
            place.symlink_to(content.decode(errors="surrogateescape"))
        else:
            place.write_bytes(content)
    # Marks the end of the project, as it does in the work tree.
    (target / ".git").mkdir()
    return target / _git(root, name, ["rev-parse", "--show-prefix"]).decode(errors="surrogateescape").strip("\n")


def _contents(root: Path, name: str, digests: Sequence[str]) -> Iterator[bytes]:
    """Yield what git has under some digests, in their order."""
    output = _git(root, name, ["cat-file", "--batch"], "".join(f"{digest}\n" for digest in digests).encode())
    place = 0
    for _ in digests:
        end = output.index(b"\n", place)
        size = int(output[place:end].split()[2])
        yield output[end + 1 : end + 1 + size]
        place = end + 1 + size + 1


def _git(root: Path, name: str, arguments: Sequence[str], given: bytes | None = None) -> bytes:
    try:
        # Input is closed where there is none, so that git cannot ask anything.
        completed = subprocess.run(["git", *arguments], cwd=root, input=given or b"", capture_output=True, check=False)
    except FileNotFoundError:
        raise UnusableVersionError(
            f"{shown(name)} is no folder, and git, which could know a commit, is not installed"
        ) from None
    if completed.returncode:
        reason = completed.stderr.decode(errors="replace").strip().splitlines()
        told = reason[-1] if reason else "git knows no such commit, tag or branch"
        raise UnusableVersionError(
            f"{shown(name)} is neither a folder nor a version in git: {told}; in a shallow clone, fetch its tags first"
        )
    return completed.stdout
