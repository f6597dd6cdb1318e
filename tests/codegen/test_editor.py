"""The JSON Schemas for editors: they and the generator find the same fault with the same documents."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from orbitalis_codegen import SpecificationError, cli, read_specification
from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.shape import Shape
from orbitalis_codegen.editor.contract import contract_schema
from orbitalis_codegen.editor.specification import specification_schema
from orbitalis_codegen.rules import Rule
from tests.codegen.broken.cases import LAMPS, cases_of_files, edited
from tests.codegen.mutants import faults, loaded, mutants
from tests.support.repository import ROOT

SHAPE = {
    *(Rule.MISSING_KEY, Rule.UNKNOWN_KEY, Rule.WRONG_KIND, Rule.UNKNOWN_VALUE, Rule.UNSUPPORTED, Rule.ASYNCAPI_VERSION),
    *(Rule.INFO_VERSION, Rule.UNUSABLE_KEY, Rule.MQTT_BINDING, Rule.TIMING, Rule.LIMIT, Rule.PLACEHOLDER, Rule.ROLE),
}
"""What can be told of an object by itself."""
BEYOND_JSON_SCHEMA = {
    "ORB203 misspelt extension",  # An extension may have any name.
    "ORB412 quality of service with a fraction",  # 1.0 is 1 there.
}
SHAPES = {shape.name: shape for shape in vars(shapes).values() if isinstance(shape, Shape)}


def test_specifications_that_are_right_are_right_to_an_editor() -> None:
    documents = [loaded(ROOT / "asyncapi.yaml"), loaded(LAMPS / "asyncapi.yaml")]

    assert faults(specification_schema(), documents) == [[], []]


def test_the_one_that_this_project_uses_is_up_to_date(tmp_path: Path) -> None:
    first_line = (ROOT / "asyncapi.yaml").read_text(encoding="utf-8").splitlines()[0]
    used = ROOT / first_line.removeprefix("# yaml-language-server: $schema=")

    assert cli.main(["schema", "--output", str(tmp_path / "schema.json")]) == 0

    assert used.read_text(encoding="utf-8") == (tmp_path / "schema.json").read_text(encoding="utf-8")
    assert json.loads(used.read_text(encoding="utf-8")) == specification_schema()


def test_the_command_prints_the_one_of_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", "contract"]) == 0

    assert json.loads(capsys.readouterr().out) == contract_schema()


def test_each_shape_has_its_keys_and_no_others() -> None:
    definitions: dict[str, Any] = specification_schema()["definitions"]  # type: ignore[assignment]
    others = {"reference", "externalDocs", "role"}

    assert set(definitions) - others == {name.replace(" ", "_") for name in SHAPES}
    for name, shape in SHAPES.items():
        definition = definitions[name.replace(" ", "_")]
        definition = definition.get("else", definition)
        assert set(definition["properties"]) == set(shape.known), name
        assert set(definition.get("required", ())) == set(shape.required), name
        assert (definition["additionalProperties"] is not False) == shape.any_key, name


def test_keys_of_ours_are_explained() -> None:
    definitions: dict[str, Any] = specification_schema()["definitions"]  # type: ignore[assignment]
    for name, shape in SHAPES.items():
        for key in shape.known:
            if key.startswith("x-"):
                assert definitions[name.replace(" ", "_")].get("else", definitions[name])["properties"][key][
                    "description"
                ]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, set[Rule], Any]]:
    """Give each broken specification of the tests that YAML can hold: its name, the rules it breaks, the document."""
    found = []
    for case in cases_of_files():
        if any(change.file != "asyncapi.yaml" for change in case.changes):
            continue
        root = tmp_path_factory.mktemp("broken")
        case.write(root)
        try:
            document = loaded(root / "asyncapi.yaml")
        except (UnicodeDecodeError, AssertionError):
            continue
        with pytest.raises(SpecificationError) as caught:
            read_specification(root)
        rules = {one.rule for one in caught.value.diagnostics if one.position.file == "asyncapi.yaml"}
        found.append((f"{case.code} {case.name}", rules, document))
    return found


def test_an_editor_finds_what_is_wrong_with_an_object_by_itself(broken: list[tuple[str, set[Rule], Any]]) -> None:
    found = faults(specification_schema(), [document for _, _, document in broken])
    missed = {name for (name, rules, _), faults_ in zip(broken, found, strict=True) if rules & SHAPE and not faults_}

    assert missed == BEYOND_JSON_SCHEMA
    assert sum(bool(rules & SHAPE) for _, rules, _ in broken) > 40


def test_an_editor_and_the_generator_agree_on_what_is_changed_at_random(tmp_path: Path) -> None:
    root = edited(tmp_path)
    changed = list(mutants(loaded(LAMPS / "asyncapi.yaml"), random.Random(12), 300))

    found = faults(specification_schema(), [mutant for _, mutant in changed])

    missed, invented = [], []
    for (name, mutant), faults_ in zip(changed, found, strict=True):
        (root / "asyncapi.yaml").write_text(json.dumps(mutant))
        rules: set[Rule] = set()
        try:
            read_specification(root)
        except SpecificationError as error:
            rules = {one.rule for one in error.diagnostics}
        if rules & SHAPE and not faults_:
            missed.append((name, {rule.name for rule in rules & SHAPE}))
        if faults_ and not rules:
            invented.append((name, faults_))
    assert invented == []
    assert missed == []


CONTRACT = """
asyncapi: 3.0.0
info: {title: Lamps, version: 1.0.0}
channels:
  lamp:
    address: null
    messages:
      turnOn: {payload: {schemaFormat: application/vnd.apache.avro, schema: {type: record, name: TurnOn, fields: []}}}
      broken: {x-error: true}
operations:
  turnOn: {action: receive, channel: {$ref: '#/channels/lamp'}}
  turnOff: {action: receive, x-input: empty, channel: {$ref: '#/channels/lamp'}}
  x-note: whatever
"""


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("3.0.0", "2.6.0", "/asyncapi"),
        ("x-error: true", "x-error: 'yes'", "/channels/lamp/messages/broken/x-error"),
        ("x-input: empty", "x-input: none", "/operations/turnOff/x-input"),
        ("action: receive, x", "action: take, x", "/operations/turnOff/action"),
    ],
)
def test_an_editor_knows_the_keys_of_a_contract(old: str, new: str, place: str, tmp_path: Path) -> None:
    documents = []
    for name, text in (("right.yaml", CONTRACT), ("wrong.yaml", CONTRACT.replace(old, new))):
        (tmp_path / name).write_text(text)
        documents.append(loaded(tmp_path / name))

    right, wrong = faults(contract_schema(), documents)

    assert right == []
    assert {fault.split(" ")[0] for fault in wrong} == {place}
