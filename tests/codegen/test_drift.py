"""Drift: every file that differs is found, and who changed it is named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from orbitalis_codegen.drift import Cause, check
from orbitalis_codegen.emit.header import with_header
from orbitalis_codegen.write import write

WIRE = "generated/python/orbitalis_wire"
TOPICS = f"{WIRE}/topics.py"
MARKER = f"{WIRE}/py.typed"


def emitted(specification: str = "this", body: str = '"""Topics."""\n') -> dict[str, bytes]:
    digest = f"sha256:{hashlib.sha256(specification.encode()).hexdigest()}"
    return {
        f"{WIRE}/__init__.py": with_header("", digest),
        TOPICS: with_header(body, digest),
        f"{WIRE}/codecs/lamp.py": with_header('"""Lamps."""\n', digest),
        MARKER: b"",
    }


def lines(root: Path, files: dict[str, bytes]) -> list[tuple[str, Cause]]:
    return [(drift.path, drift.cause) for drift in check(root, files)]


def only(root: Path, files: dict[str, bytes]) -> tuple[Cause, str]:
    (drift,) = check(root, files)
    assert drift.path in files
    assert str(drift).startswith(f"{drift.path}: ")
    return drift.cause, str(drift)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder in which everything is as emitted."""
    folder = tmp_path / "root"
    folder.mkdir()
    write(folder, emitted())
    return folder


def test_nothing_differs(root: Path) -> None:
    (root / WIRE / "__pycache__").mkdir()
    (root / WIRE / "__pycache__" / "topics.cpython-311.pyc").write_bytes(b"")

    assert check(root, emitted()) == []


def test_everything_is_missing(tmp_path: Path) -> None:
    assert lines(tmp_path, emitted()) == [(path, Cause.MISSING) for path in sorted(emitted())]
    assert str(check(tmp_path, emitted())[0]) == f"{WIRE}/__init__.py: missing"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_copied_over_another(root: Path) -> None:
    (root / TOPICS).write_bytes(emitted()[f"{WIRE}/codecs/lamp.py"])

    assert only(root, emitted()) == (Cause.HAND, f"{TOPICS}: changed by hand: it is a copy of {WIRE}/codecs/lamp.py")


def test_a_file_that_nothing_gives_is_stale(root: Path) -> None:
    (root / WIRE / "old.py").write_bytes(emitted()[TOPICS])
    (root / WIRE / "codecs" / ".0a.orbitalis-codegen").write_bytes(b"of a killed run")

    drifts = check(root, emitted())

    assert [drift.cause for drift in drifts] == [Cause.STALE, Cause.STALE]
    assert list(map(str, drifts)) == [
        f"{WIRE}/codecs/.0a.orbitalis-codegen: stale: nothing in the specification gives this file any more",
        f"{WIRE}/old.py: stale: nothing in the specification gives this file any more",
    ]


def test_a_file_that_nobody_has_generated_is_foreign(root: Path) -> None:
    (root / WIRE / "mine.py").write_text("precious = 1\n")
    (root / WIRE / "link.py").symlink_to("topics.py")

    assert lines(root, emitted()) == [(f"{WIRE}/link.py", Cause.FOREIGN), (f"{WIRE}/mine.py", Cause.FOREIGN)]
    assert str(check(root, emitted())[1]) == f"{WIRE}/mine.py: not a generated file: move it elsewhere"


def test_content_changed_by_hand(root: Path) -> None:
    with (root / TOPICS).open("a") as stream:
        stream.write("# By hand.\n")

    assert only(root, emitted()) == (
        Cause.HAND,
        f"{TOPICS}: changed by hand: its content is not what its header says",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n", b"\r\n"),
        (b"# Generated", b"\xef\xbb\xbf# Generated"),
        (b"# Generated", b"# Made"),
        (b"Do not edit", b"Please edit"),
        (b"# specification: sha256:", b"# specification: sha256:0"),
        (b"# content: sha256:", b"# content: "),
        (b'\n\n"""', b'\n\n\n"""'),
        (b'\n\n"""', b'\n"""'),
        (b"Topics", b"\xff"),
    ],
)
def test_a_hand_is_seen_wherever_it_was(old: bytes, new: bytes, root: Path) -> None:
    data = emitted()[TOPICS]
    assert old in data
    (root / TOPICS).write_bytes(data.replace(old, new))

    cause, text = only(root, emitted())

    assert cause is Cause.HAND
    assert "changed by hand" in text


@pytest.mark.parametrize("data", [b"", b"\n", b'"""Topics."""\n'])
def test_a_file_that_lost_its_header_was_changed_by_hand(data: bytes, root: Path) -> None:
    (root / TOPICS).write_bytes(data)

    assert only(root, emitted())[0] is Cause.HAND


def test_a_blank_line_added_to_a_file_that_is_only_a_header(root: Path) -> None:
    with (root / WIRE / "__init__.py").open("a") as stream:
        stream.write("\n")

    cause, text = only(root, emitted())

    assert cause is Cause.HAND
    assert "header" in text


def test_a_marker_has_no_header_and_is_compared_as_it_is(root: Path) -> None:
    (root / MARKER).write_bytes(b"partial\n")

    assert only(root, emitted()) == (Cause.HAND, f"{MARKER}: changed by hand: its content is not what is generated")


def test_a_hand_is_named_also_if_the_rest_has_changed(root: Path) -> None:
    write(root, emitted("other", body='"""Other topics."""\n'))
    with (root / TOPICS).open("a") as stream:
        stream.write("# By hand.\n")

    assert dict(lines(root, emitted()))[TOPICS] is Cause.HAND


def test_another_specification(root: Path) -> None:
    drifts = check(root, emitted("other"))

    assert lines(root, emitted("other")) == [
        (path, Cause.SPECIFICATION) for path in sorted(emitted()) if path != MARKER
    ]
    assert str(drifts[-1]) == f"{TOPICS}: the specification has changed since it was generated"


def test_another_generator(root: Path) -> None:
    assert only(root, emitted(body='"""Other topics."""\n')) == (
        Cause.GENERATOR,
        f"{TOPICS}: the generator has changed since it was generated",
    )


def test_a_file_that_has_no_header_any_more(root: Path) -> None:
    assert only(root, {**emitted(), TOPICS: b"bare"})[0] is Cause.GENERATOR


def test_all_at_once_in_the_order_of_paths(root: Path) -> None:
    (root / MARKER).unlink()
    (root / WIRE / "zero.py").write_bytes(b"")
    (root / WIRE / "about.py").write_bytes(b"")
    (root / TOPICS).write_bytes(b"")

    assert lines(root, {**emitted("other"), f"{WIRE}/more/x.py": b""}) == [
        (f"{WIRE}/__init__.py", Cause.SPECIFICATION),
        (f"{WIRE}/about.py", Cause.STALE),
        (f"{WIRE}/codecs/lamp.py", Cause.SPECIFICATION),
        (f"{WIRE}/more/x.py", Cause.MISSING),
        (MARKER, Cause.MISSING),
        (TOPICS, Cause.HAND),
        (f"{WIRE}/zero.py", Cause.STALE),
    ]


@pytest.mark.parametrize("kind", ["folder", "link", "dangling", "pipe"])
def test_what_is_no_file_any_more_was_changed_by_hand(kind: str, root: Path, tmp_path: Path) -> None:
    (root / TOPICS).rename(tmp_path / "topics.py")
    if kind == "folder":
        (root / TOPICS).mkdir()
    elif kind == "pipe":
        os.mkfifo(root / TOPICS)
    else:
        (root / TOPICS).symlink_to(tmp_path / ("topics.py" if kind == "link" else "nowhere"))

    assert only(root, emitted())[0] is Cause.HAND


@pytest.mark.parametrize("link", ["generated", WIRE, f"{WIRE}/codecs"])
def test_a_link_in_the_place_of_a_folder_is_not_followed(link: str, root: Path, tmp_path: Path) -> None:
    (root / link).rename(tmp_path / "outside")
    (root / link).symlink_to(tmp_path / "outside")

    with pytest.raises(NotADirectoryError, match="link") as caught:
        check(root, emitted())

    assert caught.value.filename == str(root / link)


@pytest.mark.parametrize("name", [b"two\nlines", b"\x1b[31mred", b"not \xff UTF-8"])
def test_whatever_a_file_is_called_it_is_one_line_that_can_be_printed(name: bytes, root: Path) -> None:
    (root / WIRE / os.fsdecode(name)).write_bytes(b"")

    (drift,) = check(root, emitted())

    assert drift.cause is Cause.STALE
    assert str(drift).isprintable()
    assert str(drift).encode()


def test_what_write_wrote_does_not_differ(root: Path) -> None:
    (root / TOPICS).write_bytes(b"by hand")
    (root / WIRE / "old").mkdir()
    (root / WIRE / "old" / "old.py").write_bytes(b"")
    files = {**emitted("other"), f"{WIRE}/more/x.py": b"x"}

    assert len(check(root, files)) == 5
    write(root, files)
    assert check(root, files) == []


def test_nothing_is_touched(root: Path) -> None:
    (root / WIRE / "old.py").write_bytes(b"")
    (root / TOPICS).write_bytes(b"by hand")
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in root.rglob("*")}

    assert check(root, {**emitted("other"), f"{WIRE}/more/x.py": b""})
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in root.rglob("*")} == before
