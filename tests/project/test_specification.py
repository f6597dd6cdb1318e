"""The specification, judged by others: the official AsyncAPI parser and fastavro."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from tests.support.repository import ROOT, run

VALIDATOR = ROOT / "tools" / "validate-specification.mjs"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "schemas").glob("*.avsc"))}


@pytest.fixture
def specification(tmp_path: Path) -> Path:
    """Return the document of a copy of the specification, to be broken."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    return Path(shutil.copy(ROOT / "asyncapi.yaml", tmp_path))


def replace(path: Path, old: str, new: str) -> int:
    """Replace the first `old` in a file and return its line number."""
    text = path.read_text()
    before, found, after = text.partition(old)
    assert found, f"{old!r} is not in {path.name}"
    path.write_text(before + new + after)
    return before.count("\n") + 1


def test_official_parser_accepts_the_specification() -> None:
    last_line = run(["node", VALIDATOR, "asyncapi.yaml"]).splitlines()[-1]

    assert last_line == "asyncapi.yaml: valid, 19 channels, 38 operations"


def test_every_operation_says_what_it_takes_and_does() -> None:
    operations = yaml.safe_load((ROOT / "asyncapi.yaml").read_text())["operations"]

    assert [name for name, one in operations.items() if not one.get("summary") or not one.get("description")] == []


def test_official_parser_refuses_an_unknown_action(specification: Path) -> None:
    line = replace(specification, "action: send", "action: shout")

    output = run(["node", VALIDATOR, specification], status=1)

    assert re.search(rf'asyncapi\.yaml:{line}:\d+: error .*"action"', output)


def test_official_parser_refuses_a_dangling_reference(specification: Path) -> None:
    line = replace(specification, "./schemas/OfferMessage.avsc", "./schemas/OfferMesage.avsc")

    output = run(["node", VALIDATOR, specification], status=1)

    assert re.search(rf"asyncapi\.yaml:{line}:\d+: error invalid-ref", output)


def test_official_parser_refuses_what_is_not_avro(specification: Path) -> None:
    line = replace(specification.parent / "schemas" / "KeepaliveMessage.avsc", "KeepaliveMessage", "Keepalive Message")

    output = run(["node", VALIDATOR, specification], status=1)

    assert re.search(rf'KeepaliveMessage\.avsc:{line}:\d+: error .*"name"', output)


def test_validator_says_what_it_cannot_read(tmp_path: Path) -> None:
    output = run(["node", VALIDATOR, tmp_path / "missing.yaml"], status=2)

    assert "missing.yaml" in output


def references(schema: Any) -> Iterator[str]:
    """Yield every type name that a schema uses."""
    if isinstance(schema, str):
        yield schema
    elif isinstance(schema, list):
        for branch in schema:
            yield from references(branch)
    elif isinstance(schema, dict):
        for key in ("type", "items", "values"):
            yield from references(schema.get(key))
        for field in schema.get("fields", ()):
            yield from references(field["type"])


def parse_with_dependencies(name: str, named_schemas: dict[str, Any]) -> None:
    """Have fastavro parse the schema in file `name` after those that it refers to."""
    schema = SCHEMAS[name]
    for reference in references(schema):
        if (file := f"{reference}.avsc") in SCHEMAS and file != name and reference not in named_schemas:
            parse_with_dependencies(file, named_schemas)
    parse_schema(schema, named_schemas)


@pytest.mark.parametrize("name", SCHEMAS)
def test_fastavro_accepts_schema(name: str) -> None:
    named_schemas: dict[str, Any] = {}

    parse_with_dependencies(name, named_schemas)

    assert SCHEMAS[name]["name"] in named_schemas


def test_fastavro_refuses_an_unknown_type() -> None:
    schema = {"type": "record", "name": "Message", "fields": [{"name": "text", "type": "sting"}]}

    with pytest.raises((UnknownType, SchemaParseException), match="sting"):
        parse_schema(schema, {})


def test_every_schema_is_used() -> None:
    document = (ROOT / "asyncapi.yaml").read_text()
    used = {name for name in SCHEMAS if f"./schemas/{name}" in document}
    used |= {f"{reference}.avsc" for schema in SCHEMAS.values() for reference in references(schema)}

    assert set(SCHEMAS) <= used
