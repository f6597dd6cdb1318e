"""What lies in the repository, and what must not be said in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT, repository_files

FOLDERS = {
    ".ci",
    "avro",
    "benchmarks",
    "codegen",
    "conformance",
    "docs",
    "examples",
    "generated",
    "orbitalis",
    "schemas",
    "tests",
    "tools",
    "typescript",
    "vectors",
}
FILES = {
    ".editorconfig",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "asyncapi.yaml",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements-fuzz.lock",
    "requirements.lock",
}

#: Package hosts, put together so that this file names none of them.
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(labels))
        for labels in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("registry", "npmjs"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("deb", "debian"),
            ("debian", "org"),
            ("proxy", "golang"),
            ("crates", "io"),
        ]
    ),
    re.IGNORECASE,
)

#: Absolute paths of somebody's machine: folders that differ from one machine to the next.
MACHINE_PATHS = re.compile(r"(?<![\w.}\]*+-])/(?:" + "|".join(["home", "opt", "root", "Users", "work"]) + r")/\w")


def offences(pattern: re.Pattern[str]) -> list[str]:
    """Return every place in the repository that `pattern` is found in, as file:line: text."""
    found: list[str] = []
    for path in repository_files():
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        found += [
            f"{path}:{number}: {match.group()}"
            for number, line in enumerate(text.splitlines(), start=1)
            if (match := pattern.search(line))
        ]
    return found


def test_top_level() -> None:
    files = repository_files()

    assert {path.parts[0] for path in files if len(path.parts) > 1} == FOLDERS
    assert {path.name for path in files if len(path.parts) == 1} == FILES


def test_no_package_host_is_named() -> None:
    assert offences(HOSTS) == []


def test_no_path_of_a_machine_is_named() -> None:
    assert offences(MACHINE_PATHS) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open('" + "/root" + "/project')", True),
        ("cd " + "/home" + "/somebody", True),
        ("orbitalis/{plugin}" + "/root" + "/reply", False),
        ("see docs" + "/work" + "/flow.md", False),
    ],
)
def test_what_counts_as_a_path_of_a_machine(text: str, found: bool) -> None:
    assert bool(MACHINE_PATHS.search(text)) is found


def test_text_files_are_clean() -> None:
    """Line ends of Unix, a newline at the end, no blanks before line ends outside of Markdown."""
    unclean: list[Path] = []
    for path in repository_files():
        if path.suffix == ".png":
            continue
        data = (ROOT / path).read_bytes()
        blanks = re.search(rb"[ \t]$", data, re.MULTILINE) and path.suffix not in {".md", ".jsonl"}
        if data and (b"\r" in data or not data.endswith(b"\n") or blanks):
            unclean.append(path)

    assert unclean == []
