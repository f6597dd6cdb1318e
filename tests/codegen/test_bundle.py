"""The bundle: one document that holds all of a specification, and that others read like it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.types import Enumeration, Record
from orbitalis_codegen import Model, SpecificationError, cli, read_specification
from orbitalis_codegen.bundle.document import bundle
from orbitalis_codegen.bundle.yaml_text import yaml_text
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.model import Message
from orbitalis_codegen.read.node import plain
from orbitalis_codegen.read.yaml_text import read_yaml
from tests.codegen.broken.cases import edited
from tests.codegen.zoo import write_zoo
from tests.support.repository import ROOT, run

SHOWN = """
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser, fromFile } from '@asyncapi/parser';
const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document } = await fromFile(parser, process.argv[1]).parse();
const { components } = document.json();
const read = (holder, key) => Object.entries(holder).map(([name, one]) => [name, one[key]?.schema ?? one.schema]);
const schemas = Object.fromEntries([...read(components.messages, 'payload'), ...read(components.schemas)]);
const written = (value, around) => {
  if (typeof value !== 'object' || value === null) return value;
  // A record that contains itself ends where it begins again.
  if (around.includes(value)) return {};
  const inner = (one) => written(one, [...around, value]);
  if (Array.isArray(value)) return value.map(inner);
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('x-parser'));
  return Object.fromEntries(entries.map(([key, one]) => [key, inner(one)]));
};
console.log(JSON.stringify(written(schemas, [])));
"""
"""Prints, as JSON, the schema of each message and component that the official parser makes of a document."""

REMARKS = re.compile(r"(?:^|\n\n)(?:`[^`\n]*`|since [0-9.]+)(?:, since [0-9.]+)?$")
"""What the bundle adds to the description of a field."""


@pytest.fixture(scope="module", params=["ours", "lamps", "zoo"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a specification: of this project, a small one, and one with all that is hard to write."""
    folder = tmp_path_factory.mktemp(request.param)
    return ROOT if request.param == "ours" else edited(folder) if request.param == "lamps" else write_zoo(folder)


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    return read_specification(root)


@pytest.fixture(scope="module")
def path(root: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the bundle, alone in its folder."""
    file = tmp_path_factory.mktemp("bundle") / "asyncapi.yaml"
    file.write_text(bundle(root, model), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def document(path: Path) -> dict[str, Any]:
    """Give the bundle as our reader of YAML takes it."""
    report = Report()
    tree = read_yaml(path.read_text(encoding="utf-8"), "asyncapi.yaml", report)
    assert tree is not None, report.error()
    value = plain(tree)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def shown(path: Path) -> dict[str, Any]:
    """Give the schemas of the bundle as the official parser has them, in JSON Schema."""
    command = ["node", "--input-type=module", "--eval", SHOWN, str(path)]
    output = subprocess.run(command, cwd=ROOT / "tools", check=True, capture_output=True, text=True).stdout
    schemas: dict[str, Any] = json.loads(output)
    return schemas


def references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for member in value.values():
                yield from references(member)
        case list():
            for member in value:
                yield from references(member)
        case _:
            pass


def test_the_official_parser_accepts_it(path: Path, model: Model) -> None:
    last_line = run(["node", ROOT / "tools" / "validate-specification.mjs", path]).splitlines()[-1]

    assert last_line == f"{path}: valid, {len(model.channels)} channels, {len(model.operations)} operations"


def test_it_refers_to_no_file(document: dict[str, Any]) -> None:
    found = list(references(document))

    assert found
    assert [reference for reference in found if not reference.startswith("#/")] == []


def test_the_official_parser_shows_every_record_enum_and_field(shown: dict[str, Any], model: Model) -> None:
    keys = {message.record: key for key, message in model.messages.items() if message.record is not None}
    for name, named in model.types.items():
        schema = shown[keys.get(name, name)]
        match named:
            case Record():
                assert list(schema["properties"]) == [field.name for field in named.fields], name
                for field in named.fields:
                    assert field.description.strip() in str(schema["properties"][field.name].get("description", ""))
            case Enumeration():
                assert schema["enum"] == list(named.symbols)
            case _:
                assert schema["maxLength"] == named.size


def test_a_record_that_is_contained_is_shown_in_its_place(shown: dict[str, Any], model: Model) -> None:
    if "DiscoverQuery" not in model.types:
        pytest.skip("it has none")
    query = shown["DiscoverMessage"]["properties"]["queries"]
    offered = shown["OfferMessage"]["properties"]["offered_operations"]
    assert set(query["additionalProperties"]["properties"]) >= {"inputs", "outputs", "operation_name"}
    assert set(offered["items"]["properties"]) >= {"name", "input", "output"}
    assert "`map<DiscoverQuery>`" in query["description"]
    assert "`array<OfferedOperation>`" in offered["description"]


def test_its_schemas_have_the_same_fingerprints(document: dict[str, Any], model: Model) -> None:
    for key, message in model.messages.items():
        payload = document["components"]["messages"][key].get("payload")
        assert (None if payload is None else fingerprint(payload)) == message.fingerprint
    assert fingerprint(document["x-orbitalis"]["envelope"]) == model.envelope.fingerprint


def fingerprint(payload: dict[str, Any]) -> str:
    return fingerprint_of(canonical_form_of(payload["schema"]))


def test_what_is_taken_apart_again_is_the_same_specification(
    document: dict[str, Any], model: Model, tmp_path: Path
) -> None:
    again = read_specification(taken_apart(document, model, tmp_path))

    assert facts(again) == facts(model)
    assert {name: bare(named) for name, named in again.types.items()} == {
        name: bare(named) for name, named in model.types.items()
    }


def facts(model: Model) -> dict[str, object]:
    """Give all that a model says, without schemas as they are spelled, and what was noted of files."""

    def message(one: Message) -> tuple[object, ...]:
        versions = [(each.version, each.length, each.fingerprint) for each in one.versions]
        texts = (one.title, one.summary, one.description)
        return (one.key, one.name, *texts, one.record, one.canonical_form, *versions, one.payload_format)

    return {
        **{
            name: getattr(model, name)
            for name in (
                *("title", "version", "servers", "channels", "operations", "timings", "limits", "state_charts"),
                *("areas", "requirements"),
            )
        },
        "messages": {key: message(one) for key, one in model.messages.items()},
        "envelope": message(model.envelope),
    }


def bare(named: object) -> object:
    """Give a type without what the bundle adds to descriptions of fields."""
    if not isinstance(named, Record):
        return named
    fields = tuple(replace(one, description=REMARKS.sub("", one.description)) for one in named.fields)
    return replace(named, fields=fields)


def taken_apart(document: dict[str, Any], model: Model, folder: Path) -> Path:
    """Write the specification that a bundle was made of into a folder, each type into its own file."""
    document = json.loads(json.dumps(document))
    files = {name: folder / named.source for name, named in model.types.items()}
    defined: dict[str, Any] = {}

    def named(type_: Any) -> Any:
        match type_:
            case list():
                return [named(one) for one in type_]
            case {"type": "record" | "enum" | "fixed", "name": name}:
                one = {**type_, **({"fields": list(map(named, type_["fields"]))} if "fields" in type_ else {})}
                # Some are defined inside of the file of another one.
                defined.setdefault(name, {key: value for key, value in one.items() if key != "namespace"})
                return name
            case dict():
                return {key: named(one) if key in ("type", "items", "values") else one for key, one in type_.items()}
            case _:
                return type_

    for holder in (*document["components"]["messages"].values(), {"payload": document["x-orbitalis"]["envelope"]}):
        if (payload := holder.get("payload")) is not None:
            payload["schema"] = {"$ref": f"./{model.types[named(payload['schema'])].source}"}
    del document["components"]["schemas"]
    document["info"]["description"] = model.description
    for name, definition in defined.items():
        inside = [other for other in defined if other != name and files[other] == files[name]]
        if model.types[name].source == f"schemas/{name}.avsc" or not inside:
            files[name].parent.mkdir(exist_ok=True)
            files[name].write_text(json.dumps(_with_inner(definition, inside, defined)))
    (folder / "asyncapi.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return folder


def _with_inner(definition: Any, inside: list[str], defined: dict[str, Any]) -> Any:
    """Write types that have no file of their own into the one where they are used."""
    pending = list(inside)

    def written(type_: Any) -> Any:
        match type_:
            case str() if type_ in pending:
                pending.remove(type_)
                return written(defined[type_])
            case list():
                return [written(one) for one in type_]
            case dict():
                keys = ("type", "items", "values", "fields")
                return {key: written(one) if key in keys else one for key, one in type_.items()}
            case _:
                return type_

    return written(definition)


def test_timings_limits_and_states_stand_as_tables_in_its_description(document: dict[str, Any], model: Model) -> None:
    rows = {tuple(row.strip("| ").split(" | ")) for row in document["info"]["description"].splitlines() if "|" in row}
    text = document["info"]["description"]

    assert text.startswith(model.description)
    for timing in model.timings.values():
        assert any(row[:2] == (f"`{timing.name}`", f"{timing.seconds:g}") for row in rows), timing.name
    for limit in model.limits.values():
        assert any(row[:2] == (f"`{limit.name}`", str(limit.maximum)) for row in rows), limit.name
    for chart in model.state_charts.values():
        titles = {
            **{state.name: state.title for state in chart.states.values()},
            **{trigger.name: trigger.title for trigger in chart.triggers.values()},
        }
        for name, title in titles.items():
            assert any(row[:2] == (f"`{name}`", title) for row in rows), name
        for step in chart.transitions:
            cells = (", ".join(f"`{state}`" for state in step.before), f"`{step.trigger}`", f"`{step.after}`")
            assert any(row[:4] == (*cells, ", ".join(step.roles)) for row in rows), step


def test_ids_of_requirements_stand_once(document: dict[str, Any], model: Model) -> None:
    found = re.findall(r"\[(ORB-[A-Z]{2}-\d\d)\]", json.dumps(document))

    assert sorted(found) == sorted(requirement.identifier for requirement in model.requirements)


def test_it_is_the_same_each_time() -> None:
    command = [sys.executable, "-m", "orbitalis_codegen", "bundle"]
    outputs = [
        subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    ]

    assert outputs == [bundle(ROOT, read_specification(ROOT))] * 2


def test_what_stands_in_another_file_is_written_out(tmp_path: Path) -> None:
    text = (edited(tmp_path) / "asyncapi.yaml").read_text()
    shared = "common/tags.yaml"
    (tmp_path / "common").mkdir()
    (tmp_path / shared).write_text("docs:\n  url: https://example.org\nused:\n  $ref: '#/docs'\n")
    edited_text = text.replace("info:\n", f"info:\n  externalDocs:\n    $ref: ./{shared}#/used\n", 1)
    (tmp_path / "asyncapi.yaml").write_text(edited_text)

    document = yaml.safe_load(bundle(tmp_path, read_specification(tmp_path)))

    assert document["info"]["externalDocs"] == {"url": "https://example.org"}


def test_a_channel_may_be_called_like_a_key_that_holds_data(tmp_path: Path) -> None:
    text = (edited(tmp_path) / "asyncapi.yaml").read_text()
    (tmp_path / "lamp.yaml").write_text("description: Name of the lamp.\n")
    text = text.replace("  status:\n    address", "  default:\n    address").replace(
        "#/channels/status", "#/channels/default"
    )
    old = "      lamp:\n        description: Name of the lamp.\n"
    (tmp_path / "asyncapi.yaml").write_text(text.replace(old, "      lamp:\n        $ref: ./lamp.yaml\n"))

    document = yaml.safe_load(bundle(tmp_path, read_specification(tmp_path)))

    assert document["channels"]["default"]["parameters"] == {"lamp": {"description": "Name of the lamp."}}


def test_what_contains_itself_in_another_file_is_refused_with_its_place(tmp_path: Path) -> None:
    text = (edited(tmp_path) / "asyncapi.yaml").read_text()
    (tmp_path / "tree.json").write_text('{"type": "object", "properties": {"next": {"$ref": "#"}}}')
    (tmp_path / "asyncapi.yaml").write_text(
        text.replace("components:\n", "components:\n  schemas:\n    Tree:\n      $ref: ./tree.json\n", 1)
    )

    with pytest.raises(SpecificationError) as caught:
        bundle(tmp_path, read_specification(tmp_path))

    (problem,) = caught.value.diagnostics
    assert (problem.code, str(problem.position)) == ("ORB209", "tree.json:1:52")
    assert "contains itself" in problem.message


def test_the_command_writes_it_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "bundle.yaml"

    assert cli.main(["bundle", "--root", str(ROOT), "--output", str(target)]) == 0
    assert cli.main(["bundle", "--root", str(ROOT)]) == 0

    assert capsys.readouterr().out == f"wrote {target}\n{target.read_text(encoding='utf-8')}"


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bundle.yaml").mkdir()

    assert cli.main(["bundle", "--root", str(ROOT), "--output", str(tmp_path / "bundle.yaml")]) == 2

    assert [path.name for path in tmp_path.iterdir()] == ["bundle.yaml"]
    assert capsys.readouterr().err == f"orbitalis-codegen: {tmp_path}/bundle.yaml: Is a directory\n"


scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False)),
    st.text(st.characters(codec="utf-8", exclude_characters="\ufeff", exclude_categories=("Cc", "Cs", "Co", "Cn"))),
    st.from_regex(r"\A[-+]?(0o?|0x|\.)?[0-9a-f]{1,6}([.eE][-+]?[0-9]{0,2})?\Z"),
    st.sampled_from(["~", "null", "yes", "on", "No", "True", ".inf", "-.INF", ".nan", "=", "<<", "1:30", "2026-01-01"]),
    st.lists(st.sampled_from(["a b", " a", "a ", "", "- x", "# y", "`z`: 1", "| t |"])).map("\n".join),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(scalars.filter(lambda one: isinstance(one, str)), inner)
)


@given(values)
def test_yaml_is_read_back_as_it_was(value: Any) -> None:
    report = Report()
    tree = read_yaml(yaml_text({"value": value}), "it.yaml", report)

    assert tree is not None, report.error()
    assert plain(tree) == {"value": value}
    assert yaml.safe_load(yaml_text({"value": value})) == {"value": value}
