"""Whatever is done to a specification, it is read or its problems are reported; nothing else ever happens."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbitalis_codegen import SpecificationError, read_specification
from tests.support.repository import ROOT

TOKENS = re.compile(rb"[A-Za-z0-9_./#$-]+|\s+|.", re.DOTALL)
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_bytes()
    for path in [ROOT / "asyncapi.yaml", *sorted((ROOT / "schemas").glob("*.avsc"))]
}
ALL_TOKENS = sorted({token for content in FILES.values() for token in TOKENS.findall(content)})
TROUBLE = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"0", b"-1", b"1e999", b"9" * 5000, b"0x", b"..", b"~", b"/", b"|2", b">"),
    *(
        b"&a",
        b"*a",
        b"*core",
        b"<<:",
        b"!!x ",
        b"? ",
        b"- - -",
        b"[[[[",
        b"---\n",
        b"...\n",
        b"%YAML 1.3\n",
        b"\t",
        b"\r",
    ),
    *(b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b'"\\ud800"', b"@", b"`", b"$ref: '#'", b"$ref: '#/'"),
    *(b'"namespace": "x",', b'"Input"', b'["null", "string"]', b'{"type": "array", "items": "Input"}', b"'#/channels'"),
    b'{"type": "fixed", "name": "F", "size": 1}',
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    for file, content in FILES.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
    return folder


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["asyncapi.yaml", *FILES]), min_size=1, max_size=2, unique=True),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_a_mutated_specification_is_read_or_reported(
    root: Path, files: list[str], count: int, chance: random.Random
) -> None:
    try:
        for file in files:
            content = FILES[file]
            for _ in range(count):
                content = chance.choice(MUTATIONS)(content, chance)
            (root / file).write_bytes(content)
        try:
            model = read_specification(root)
        except SpecificationError as error:
            check_diagnostics(error, root)
        else:
            assert model.messages
    finally:
        for file in files:
            (root / file).write_bytes(FILES[file])


def check_diagnostics(error: SpecificationError, root: Path) -> None:
    assert error.diagnostics
    assert list(error.diagnostics) == sorted(error.diagnostics, key=lambda found: (found.position, found.code))
    for found in error.diagnostics:
        assert found.message.isprintable()
        lines = re.split(rb"\r\n|\r|\n", (root / found.position.file).read_bytes())
        # A parser may find at the very end of a file that something is missing.
        line = [*lines, b""][found.position.line - 1]
        assert 1 <= found.position.column <= len(line) + 1


def change_byte(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def cut(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content[:start] + content[start + chance.randrange(200) :]


def insert_trouble(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(TROUBLE) + content[at:]


def replace_token(content: bytes, chance: random.Random) -> bytes:
    tokens = TOKENS.findall(content) or [b""]
    tokens[chance.randrange(len(tokens))] = chance.choice((*ALL_TOKENS, *TROUBLE))
    return b"".join(tokens)


def drop_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def repeat_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def indent_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    lines[at] = b" " * chance.randrange(8) + lines[at].lstrip(b" ")
    return b"".join(lines)


def swap_letters(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(1, len(content) - 1))
    return content[:at] + content[at : at + 2][::-1] + content[at + 2 :]


MUTATIONS = (change_byte, cut, insert_trouble, replace_token, drop_line, repeat_line, indent_line, swap_letters)
