"""Writing: all or nothing, nothing without need, nothing left over, and nothing outside."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orbitalis_codegen.write import WriteReport, stale, write
from tests.support.repository import ROOT

WIRE = "generated/python/orbitalis_wire"
FILES = {
    f"{WIRE}/topics.py": b"topics\n",
    f"{WIRE}/__init__.py": b"init\n",
    f"{WIRE}/codecs/lamp.py": b"lamp\n",
    f"{WIRE}/py.typed": b"",
}


def put(root: Path, path: str, data: bytes = b"?") -> Path:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)
    return root / path


def snapshot(root: Path) -> dict[str, object]:
    """What stands below `root`: folders, links and files with their modes, times and content."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        status = path.lstat()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            found[name] = (status.st_mode, status.st_mtime_ns, path.read_bytes())
        else:
            found[name] = status.st_mode
    return found


def files_in(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let writing fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder in which everything was written already."""
    folder = tmp_path / "root"
    folder.mkdir()
    write(folder, FILES)
    for path in FILES:
        os.utime(folder / path, ns=(10**18, 10**18))
    return folder


def test_everything_is_written_where_nothing_is(tmp_path: Path) -> None:
    report = write(tmp_path, FILES)

    assert report == WriteReport(written=tuple(sorted(FILES)), removed=(), unchanged=())
    assert files_in(tmp_path) == FILES


def test_files_have_the_mode_that_new_files_have(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    assert (tmp_path / f"{WIRE}/topics.py").stat().st_mode == put(tmp_path, "by-others").stat().st_mode


def test_what_is_as_it_should_be_is_not_touched(root: Path) -> None:
    before = snapshot(root)

    assert write(root, FILES) == WriteReport(written=(), removed=(), unchanged=tuple(sorted(FILES)))
    assert snapshot(root) == before


def test_only_what_differs_is_written(root: Path) -> None:
    before = snapshot(root)
    put(root, f"{WIRE}/topics.py", b"by hand")
    (root / f"{WIRE}/py.typed").unlink()

    report = write(root, FILES)

    assert report.written == (f"{WIRE}/py.typed", f"{WIRE}/topics.py")
    assert report.unchanged == (f"{WIRE}/__init__.py", f"{WIRE}/codecs/lamp.py")
    assert files_in(root) == FILES
    after = snapshot(root)
    for path in report.unchanged:
        assert after[path] == before[path]


def test_line_ends_are_a_difference(root: Path) -> None:
    put(root, f"{WIRE}/topics.py", b"topics\r\n")

    assert write(root, FILES).written == (f"{WIRE}/topics.py",)


def test_stale_files_are_removed_with_their_folders(root: Path) -> None:
    put(root, f"{WIRE}/old.py")
    put(root, f"{WIRE}/.hidden")
    put(root, f"{WIRE}/codecs/old.pyc")
    put(root, f"{WIRE}/old/inner/deep.py")
    put(root, f"{WIRE}/old/inner/__pycache__/deep.cpython-311.pyc")
    (root / f"{WIRE}/empty/inner").mkdir(parents=True)

    report = write(root, FILES)

    assert report.written == ()
    assert report.removed == (
        f"{WIRE}/.hidden",
        f"{WIRE}/codecs/old.pyc",
        f"{WIRE}/old.py",
        f"{WIRE}/old/inner/deep.py",
    )
    assert files_in(root) == FILES
    assert sorted(path.name for path in root.rglob("*") if path.is_dir()) == [
        "codecs",
        "generated",
        "orbitalis_wire",
        "python",
    ]


def test_what_python_caches_stays(root: Path) -> None:
    cached = put(root, f"{WIRE}/__pycache__/topics.cpython-311.pyc")
    inner = put(root, f"{WIRE}/codecs/__pycache__/lamp.cpython-311.pyc")
    before = snapshot(root)

    assert write(root, FILES).removed == ()
    assert snapshot(root) == before
    assert cached.exists()
    assert inner.exists()


def test_what_is_not_in_the_folder_of_a_target_is_not_ours(root: Path) -> None:
    others = ["README", "generated/README", "generated/python/README", "generated/python/other/x.py", "generated/c/x.c"]
    for path in others:
        put(root, path)

    assert write(root, FILES).removed == ()
    assert set(files_in(root)) == {*FILES, *others}


def test_every_target_has_its_folder(root: Path) -> None:
    files = {**FILES, "generated/elixir/wire/a.ex": b"a", "generated/elixir/wire/b/c.ex": b"c"}
    put(root, "generated/elixir/wire/old.ex")
    put(root, "generated/elixir/other/kept.ex")
    put(root, f"{WIRE}/old.py")
    put(root, "generated/kept")

    assert write(root, files).removed == ("generated/elixir/wire/old.ex", f"{WIRE}/old.py")
    assert set(files_in(root)) == {*files, "generated/elixir/other/kept.ex", "generated/kept"}


def test_the_folder_of_a_target_holds_all_its_files(tmp_path: Path) -> None:
    put(tmp_path, f"{WIRE}/old.py")

    write(tmp_path, {f"{WIRE}/codecs/lamp.py": b"", f"{WIRE}/errors.py": b""})

    assert set(files_in(tmp_path)) == {f"{WIRE}/codecs/lamp.py", f"{WIRE}/errors.py"}


def test_without_files_nothing_is_removed(root: Path) -> None:
    before = snapshot(root)

    assert write(root, {}) == WriteReport(written=(), removed=(), unchanged=())
    assert snapshot(root) == before


def test_what_stands_beside_a_package_is_none_of_ours(root: Path) -> None:
    (root / "apps").mkdir()
    (root / "apps" / "own.py").write_text("own")
    files = {"apps/lamps/x.py": b"1", "apps/lamps/inner/y.py": b"2", "apps/doors/x.py": b"3"}

    write(root, files)

    assert stale(root, files) == []
    assert stale(root, {"apps/lamps/x.py": b"1"}) == ["apps/lamps/inner/y.py"]
    assert (root / "apps" / "own.py").read_text() == "own"


@pytest.mark.parametrize(
    "path", ["x.py", "/generated/python/x.py", "generated/python/../x.py", "generated//python/x/y.py"]
)
def test_a_path_that_is_in_no_target_is_refused(path: str, root: Path) -> None:
    before = snapshot(root)

    with pytest.raises(ValueError, match=r"x\.py|y\.py"):
        write(root, {**FILES, path: b""})

    assert snapshot(root) == before


def test_what_a_killed_run_left_is_removed(root: Path) -> None:
    put(root, f"{WIRE}/topics.py", b"by hand")
    put(root, f"{WIRE}/old.py")
    files = {**FILES, f"{WIRE}/codecs/new.py": b"new\n"}
    script = (
        "import os, pathlib; from orbitalis_codegen.write import write; "
        f"os.replace = lambda *_: os._exit(9); write(pathlib.Path(), {files!r})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen")}
    killed = subprocess.run([sys.executable, "-c", script], cwd=root, env=environment, check=False)
    assert killed.returncode == 9
    left = set(files_in(root)) - set(FILES) - {f"{WIRE}/old.py"}
    assert left

    report = write(root, files)

    assert set(report.removed) == left | {f"{WIRE}/old.py"}
    assert files_in(root) == files


def test_no_temporary_is_left(root: Path) -> None:
    put(root, f"{WIRE}/topics.py", b"by hand")
    put(root, f"{WIRE}/old.py")

    write(root, {**FILES, f"{WIRE}/new/new.py": b"new"})

    assert set(files_in(root)) == {*FILES, f"{WIRE}/new/new.py"}


def test_a_full_disk_changes_nothing(root: Path) -> None:
    put(root, f"{WIRE}/old.py")
    put(root, f"{WIRE}/old/old.py")
    before = snapshot(root)
    files = {
        **FILES,
        f"{WIRE}/topics.py": b"new",
        f"{WIRE}/a/b/c.py": b"c",
        f"{WIRE}/z/large.py": b"x" * 100_000,
    }

    with files_no_larger_than(50_000), pytest.raises(OSError, match="large") as caught:
        write(root, files)

    assert caught.value.filename == str(root / WIRE / "z/large.py")
    assert snapshot(root) == before


def test_a_full_disk_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with files_no_larger_than(50_000), pytest.raises(OSError, match="large"):
        write(tmp_path, {**FILES, f"{WIRE}/large.py": b"x" * 100_000})

    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_changes_nothing(root: Path) -> None:
    (root / f"{WIRE}/topics.py").unlink()
    put(root, f"{WIRE}/topics.py/kept")
    before = snapshot(root)

    with pytest.raises(IsADirectoryError) as caught:
        write(root, {**FILES, f"{WIRE}/__init__.py": b"new"})

    assert caught.value.filename == str(root / WIRE / "topics.py")
    assert snapshot(root) == before


def test_a_file_in_the_place_of_a_folder_changes_nothing(root: Path) -> None:
    put(root, f"{WIRE}/new")
    before = snapshot(root)

    with pytest.raises(NotADirectoryError) as caught:
        write(root, {**FILES, f"{WIRE}/__init__.py": b"new", f"{WIRE}/new/x.py": b"x"})

    assert caught.value.filename == str(root / WIRE / "new")
    assert snapshot(root) == before


def test_a_pipe_in_the_place_of_a_file_changes_nothing(root: Path) -> None:
    (root / f"{WIRE}/topics.py").unlink()
    os.mkfifo(root / f"{WIRE}/topics.py")
    before = snapshot(root)

    with pytest.raises(OSError, match=r"topics\.py"):
        write(root, {**FILES, f"{WIRE}/__init__.py": b"new"})

    assert snapshot(root) == before


def test_what_fails_midway_is_rolled_back(root: Path) -> None:
    put(root, f"{WIRE}/old.py")
    before = snapshot(root)
    # The last two cannot both be, which only shows when one is put in its place.
    files = {
        **FILES,
        f"{WIRE}/__init__.py": b"new",
        f"{WIRE}/a.py": b"new",
        f"{WIRE}/both": b"x",
        f"{WIRE}/both/x.py": b"x",
    }

    with pytest.raises(IsADirectoryError) as caught:
        write(root, files)

    assert caught.value.filename == str(root / WIRE / "both")
    assert not hasattr(caught.value, "__notes__")
    assert snapshot(root) == before


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "temporary"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(5))
def test_whichever_replacement_fails(
    nth: int, after: bool, error: BaseException, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, f"{WIRE}/old.py")
    put(root, f"{WIRE}/old/old.py")
    (root / f"{WIRE}/py.typed").unlink()
    (root / f"{WIRE}/py.typed").symlink_to("nowhere")
    before = snapshot(root)
    calls: list[str] = []
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        calls.append(str(target))
        if len(calls) == nth + 1:
            if after:
                replace(source, target)
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    files = {**FILES, f"{WIRE}/__init__.py": b"new", f"{WIRE}/a/new.py": b"new"}
    with pytest.raises(type(error)) as caught:
        write(root, files)

    assert snapshot(root) == before
    assert not hasattr(caught.value, "__notes__")
    if isinstance(caught.value, OSError):
        assert caught.value.filename.startswith(str(root / WIRE))
        assert not Path(caught.value.filename).name.startswith(".")
    monkeypatch.undo()
    report = write(root, files)
    assert len(report.written + report.removed) == 5
    assert files_in(root) == files


def test_what_cannot_be_put_back_is_kept_and_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) > 1:
            raise PermissionError(13, "Permission denied", str(source), None, str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(PermissionError) as caught:
        write(root, {**FILES, f"{WIRE}/__init__.py": b"new", f"{WIRE}/topics.py": b"new"})

    (note,) = caught.value.__notes__
    assert note.startswith(f"{WIRE}/__init__.py could not be put back")
    (kept,) = set(files_in(root)) - set(FILES)
    assert (root / kept).read_bytes() == FILES[f"{WIRE}/__init__.py"]
    assert kept in note


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(root: Path, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/topics.py", FILES[f"{WIRE}/topics.py"])
    before = snapshot(tmp_path / "outside")
    (root / f"{WIRE}/topics.py").unlink()
    (root / f"{WIRE}/topics.py").symlink_to(outside)

    assert write(root, FILES).written == (f"{WIRE}/topics.py",)
    assert not (root / f"{WIRE}/topics.py").is_symlink()
    assert files_in(root) == FILES
    assert snapshot(tmp_path / "outside") == before


def test_stale_links_are_removed_and_not_followed(root: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside/x.py")
    put(tmp_path, "outside/inner/x.py")
    before = snapshot(tmp_path / "outside")
    for name, target in (("folder", "outside"), ("__pycache__", "outside"), ("file.py", "outside/x.py"), ("no", "no")):
        (root / WIRE / name).symlink_to(tmp_path / target)

    report = write(root, FILES)

    assert report.removed == (f"{WIRE}/__pycache__", f"{WIRE}/file.py", f"{WIRE}/folder", f"{WIRE}/no")
    assert files_in(root) == FILES
    assert snapshot(tmp_path / "outside") == before


@pytest.mark.parametrize("link", ["generated", "generated/python", WIRE, f"{WIRE}/codecs"])
def test_a_link_in_the_place_of_a_folder_is_refused(link: str, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (root / link).rename(outside)
    put(outside, "kept.py")
    (root / link).symlink_to(outside)
    before = snapshot(tmp_path)

    with pytest.raises(NotADirectoryError, match="link") as caught:
        write(root, dict.fromkeys(FILES, b"new"))

    assert caught.value.filename == str(root / link)
    assert snapshot(tmp_path) == before


def test_the_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    put(root, f"{WIRE}/old.py")

    report = write(tmp_path / "link", {**FILES, f"{WIRE}/topics.py": b"new"})

    assert (report.written, report.removed) == ((f"{WIRE}/topics.py",), (f"{WIRE}/old.py",))


def test_the_root_may_be_where_one_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    put(root, f"{WIRE}/old/old.py")

    assert write(Path(), FILES).removed == (f"{WIRE}/old/old.py",)
    assert files_in(root) == FILES
    assert not (root / f"{WIRE}/old").exists()
