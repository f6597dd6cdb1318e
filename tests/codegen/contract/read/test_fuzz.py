"""Whatever is done to the files of a contract, it is read or its problems are reported; nothing else ever happens."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from orbitalis_codegen import SpecificationError
from orbitalis_codegen.contract.read import load_contract
from tests.codegen.contract.read.broken.cases import LAMPS
from tests.codegen.contract.read.documents import avro, document, record
from tests.codegen.contract.read.mutations import mutated

ROUNDS: Final = int(os.environ.get("CONTRACT_ROUNDS", "150"))
"""Documents that are tried; set it to try more."""
LONGEST: Final = 60
"""Seconds of the processor that reading anything may take; a few are expected."""
FILES: Final = {path.relative_to(LAMPS).as_posix(): path.read_text() for path in sorted(LAMPS.rglob("*.*"))}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(LAMPS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def test_a_mutated_contract_is_read_or_reported(root: Path) -> None:
    outcomes: set[bool] = set()
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        file = chance.choice(["asyncapi.yaml", *FILES])
        (root / file).write_text(json.dumps(mutated(yaml.safe_load(FILES[file]), chance.randint(1, 4), chance)))
        outcomes.add(is_read(root, "asyncapi.yaml"))
        (root / file).write_text(FILES[file])

    assert outcomes == {True, False}


def is_read(root: Path, path: str) -> bool:
    """Tell whether a contract can be read, and hold either outcome against what it promises."""
    try:
        contract = load_contract(root, path)
    except SpecificationError as error:
        check_diagnostics(error, root)
        return False
    assert contract.operations
    for operation in contract.operations.values():
        for message in (*operation.inputs, *operation.outputs, *operation.errors):
            assert (message.payload is None) != (message.plain is None)
            assert message.payload is None or message.payload in contract.types
            assert message.headers is None or message.headers in contract.types
            json.loads(message.schema)
    return True


def check_diagnostics(error: SpecificationError, root: Path) -> None:
    assert error.diagnostics
    for found in error.diagnostics:
        assert found.message.isprintable()
        lines = re.split(r"\r\n|\r|\n", (root / found.position.file).read_text())
        assert 1 <= found.position.column <= len([*lines, ""][found.position.line - 1]) + 1


def many(count: int, name: str = "t") -> list[dict[str, str]]:
    return [{"$ref": f"#/components/schemas/{name}{number}"} for number in range(count)]


def schemas(**by_name: Any) -> dict[str, Any]:
    return {"components": {"schemas": by_name}}


def messages(count: int, schema: Any) -> dict[str, Any]:
    """Return messages whose records have one field of a schema, each in a namespace of its own."""
    return {f"m{n}": {"payload": avro(record("M", schema, namespace=f"n{n}"))} for n in range(count)}


LARGE: Final = {
    "records, each in the next": document(
        {"m": {"payload": many(1)[0]}}, **schemas(**{f"t{n}": record(f"T{n}", many(n + 2)[-1]) for n in range(500)})
    ),
    "lists, each in the next": document(
        {"m": {"payload": avro(record("M", *many(1)))}},
        **schemas(**{f"t{n}": {"type": "array", "items": many(n + 2)[-1]} for n in range(500)}),
    ),
    "traits that lead back": document(
        {"m": {"headers": many(1)[0], "traits": [{"headers": many(2)[1]}], "payload": avro("string")}},
        **schemas(t0={"p": many(1)[0]}, t1={"p": many(2)[1]}),
    ),
    "unknown names": document(
        {
            "m": {
                "payload": avro(
                    record("M", *(f"com.N{n}" for n in range(2000)), *(record(f"K{n}") for n in range(500)))
                )
            }
        }
    ),
    "unknown references": document(
        {"m": {"payload": avro(record("M", *many(1500)))}}, **schemas(**dict.fromkeys("abc"))
    ),
    "unknown attributes": document({"m": {"payload": avro(record("M", **{f"key{n}": n for n in range(5000)}))}}),
    "types in many namespaces": document(
        messages(100, many(1)[0]), **schemas(t0={"type": "array", "items": record("Big", *["int"] * 2000)})
    ),
    "types in many messages": document(
        messages(500, "Big"), {"messages": []}, **schemas(t0=record("Big", *["int"] * 2000))
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_contracts_take_their_time_and_no_more(name: str, root: Path) -> None:
    (root / "large.json").write_text(json.dumps(LARGE[name]))
    begin = time.process_time()

    is_read(root, "large.json")

    assert time.process_time() - begin < LONGEST
