"""Whatever is done to a specification, it is read or its problems are reported; nothing else ever happens."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbitalis_codegen import SpecificationError, read_specification
from tests.fuzzing.mutations import mutated_bytes
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
            (root / file).write_bytes(mutated(FILES[file], count, chance))
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
    assert list(error.diagnostics) == sorted(
        error.diagnostics, key=lambda found: (found.rule.stage, found.position, found.code)
    )
    for found in error.diagnostics:
        assert found.message.isprintable()
        lines = re.split(rb"\r\n|\r|\n", (root / found.position.file).read_bytes())
        # A parser may find at the very end of a file that something is missing.
        line = [*lines, b""][found.position.line - 1]
        assert 1 <= found.position.column <= len(line) + 1


def replace_token(content: bytes, chance: random.Random) -> bytes:
    tokens = TOKENS.findall(content) or [b""]
    tokens[chance.randrange(len(tokens))] = chance.choice((*ALL_TOKENS, *TROUBLE))
    return b"".join(tokens)


def mutated(content: bytes, count: int, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return replace_token(content, chance)
    return mutated_bytes(content, count, chance, TROUBLE)
