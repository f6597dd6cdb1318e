"""The digest of the generator, by which `check` knows that nothing has changed: what counts, and what does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen import memo, write


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    """Give a small generator that has the header of ours; returns the folder of its package."""
    package = tmp_path / "anywhere" / "orbitalis_codegen"
    (package / "emit" / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text('"""A generator.\n\nA small one."""\n')
    (package / "emit" / "__init__.py").write_text("")
    (package / "emit" / "templates" / "a.jinja2").write_text("{{ a }}\n{{ b }}\n")
    shutil.copy(memo.__file__, package / "memo.py")
    shutil.copy(write.__file__, package / "write.py")
    (package.parent / "orbitalis_avro").mkdir()
    (package.parent / "orbitalis_avro" / "__init__.py").write_text("")
    return package


def digest_of(package: Path, *options: str, **environment: str) -> str:
    script = "from orbitalis_codegen import memo; print(memo.__file__); print(memo.digest_of_generator())"
    completed = subprocess.run(
        [sys.executable, "-B", *options, "-c", script],
        env={**os.environ, "PYTHONPATH": str(package.parent), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    where, digest = completed.stdout.splitlines()
    assert Path(where).is_relative_to(package)
    return digest


def test_neither_the_hash_seed_nor_the_locale_counts(generator: Path) -> None:
    digests = {digest_of(generator, PYTHONHASHSEED=seed) for seed in ("0", "1", "2", "12345")}
    digests.add(digest_of(generator, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))

    assert len(digests) == 1


def test_neither_where_the_generator_lies_nor_what_lies_about_counts(generator: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(generator.parent, tmp_path / "__pycache__" / "else where")
    elsewhere = copied / "orbitalis_codegen"
    (elsewhere / "__pycache__").mkdir()
    (elsewhere / "__pycache__" / "x.py").write_text("x")
    (elsewhere / "README.md").write_text("x")
    (elsewhere / "empty.py").mkdir()
    (elsewhere / ".#emacs.py").symlink_to("nobody@nowhere")

    assert digest_of(elsewhere) == digest_of(generator)


def test_line_ends_of_a_checkout_do_not_count(generator: Path) -> None:
    before = digest_of(generator)
    for path in generator.rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert digest_of(generator) == before


@pytest.mark.parametrize("name", ["__init__.py", "emit/templates/a.jinja2", "memo.py", "new.py", "new.jinja2"])
def test_every_source_of_the_generator_counts(name: str, generator: Path) -> None:
    before = digest_of(generator)
    with (generator / name).open("a") as stream:
        stream.write("\n")

    assert digest_of(generator) != before


def test_the_name_of_a_source_counts(generator: Path) -> None:
    before = digest_of(generator)
    (generator / "emit/templates/a.jinja2").rename(generator / "emit/templates/b.jinja2")

    assert digest_of(generator) != before
