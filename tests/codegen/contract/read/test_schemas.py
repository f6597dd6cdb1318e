"""Which schemas are found and understood, wherever they stand and however they are said to be Avro."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orbitalis_avro.types import Primitive, Record
from orbitalis_codegen import SpecificationError
from orbitalis_codegen.contract.model import ContractMessage
from orbitalis_codegen.contract.read import load_contract
from tests.codegen.contract.read.documents import avro, document, read, record

RECORD = record("org.example.Level", "double")


def message_of(root: Path, payload: Any, **files: Any) -> ContractMessage:
    contract = read(root, document({"m": {"payload": payload}}), **files)
    (message,) = contract.operations["operation"].inputs
    return message


@pytest.mark.parametrize(
    "schema_format",
    [
        "application/vnd.apache.avro",
        "application/vnd.apache.avro;version=1.9.0",
        "application/vnd.apache.avro+json;version=1.12.0",
        "application/vnd.apache.avro+yaml;version=2.0",
        "application/vnd.apache.avro; version=1.9.0",
        "Application/Vnd.Apache.Avro",
        "application/avro",
        "avro/binary",
        "avro",
    ],
)
def test_every_format_that_names_avro_is_avro(schema_format: str, tmp_path: Path) -> None:
    assert message_of(tmp_path, avro(RECORD, schema_format)).payload == "org.example.Level"


def test_a_language_refuses_only_what_it_cannot_tell_apart(tmp_path: Path) -> None:
    # A number and a date are both a number in TypeScript; a long is a bigint there.
    date = {"type": "int", "logicalType": "date"}
    made = document({"m": {"payload": avro(record("M", ["double", date], ["long", date]))}})
    (tmp_path / "asyncapi.json").write_text(json.dumps(made))

    assert load_contract(tmp_path, "asyncapi.json").notes == ()
    with pytest.raises(SpecificationError) as caught:
        load_contract(tmp_path, "asyncapi.json", "typescript")

    (found,) = caught.value.diagnostics
    assert (found.code, found.message.endswith("'date' and 'double', are both a number in TypeScript")) == (
        "ORB320",
        True,
    )


@pytest.mark.parametrize("plain", ["string", "bytes", "long", "double"])
def test_plain_payloads(plain: str, tmp_path: Path) -> None:
    assert message_of(tmp_path, avro(plain)).plain == plain
    assert message_of(tmp_path, avro({"type": plain})).plain == plain


@pytest.mark.parametrize(
    "payload",
    [
        {"$ref": "#/components/schemas/Level"},
        avro({"$ref": "#/components/schemas/Level"}),
        avro({"$ref": "./Level.avsc"}),
        avro({"$ref": "Level.avsc"}),
        avro({"$ref": "Level.avsc#/Level"}),
        avro({"$ref": "Level.avsc#/org.example.Level"}),
        avro({"$ref": "Level.avsc/#Level"}),
        avro({"$ref": "all.avsc#/1"}),
        avro({"$ref": "all.avsc#/Level"}),
        avro("org.example.Level"),
    ],
)
def test_a_schema_may_stand_anywhere(payload: Any, tmp_path: Path) -> None:
    content = document({"m": {"payload": payload}}, components={"schemas": {"Level": avro(RECORD)}})

    contract = read(tmp_path, content, Level_avsc=RECORD, all_avsc=[record("Other"), RECORD])

    assert list(contract.types) == ["org.example.Level"]


def test_a_schema_may_stand_above_the_document(tmp_path: Path) -> None:
    content = document({"m": {"payload": avro({"$ref": "../../avro/Level.avsc"})}})

    contract = read(tmp_path, content, "specs/lamps/asyncapi.json", avro__Level_avsc=RECORD)

    assert set(contract.inputs) == {"specs/lamps/asyncapi.json", "avro/Level.avsc"}


def test_files_outside_of_the_folder_have_paths_from_it(tmp_path: Path) -> None:
    read(tmp_path, document({"m": {"payload": avro({"$ref": "../Level.avsc"})}}), "a/asyncapi.json", Level_avsc=RECORD)

    contract = load_contract(tmp_path / "a", "asyncapi.json")

    assert set(contract.inputs) == {"asyncapi.json", "../Level.avsc"}


def test_a_document_may_be_named_by_its_whole_path(tmp_path: Path) -> None:
    read(tmp_path, document({"m": {"payload": avro({"$ref": "Level.avsc"})}}), Level_avsc=RECORD)

    contract = load_contract(Path(), f"{tmp_path.as_posix()}/asyncapi.json")

    assert contract.document == f"{tmp_path.as_posix()}/asyncapi.json"


def test_the_folder_of_a_repository_is_the_boundary(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "project").mkdir()
    content = document({"m": {"payload": avro({"$ref": "../Level.avsc"})}})

    (tmp_path / "Level.avsc").write_text(json.dumps(RECORD))
    contract = read(tmp_path / "project", content)

    assert "../Level.avsc" in contract.inputs


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "Level.avsc").write_text(json.dumps(RECORD))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Level.avsc").symlink_to(tmp_path / "Level.avsc")

    with pytest.raises(SpecificationError, match=r"ORB207 Level\.avsc is a link"):
        read(tmp_path / "project", document({"m": {"payload": avro({"$ref": "Level.avsc"})}}))


@pytest.mark.parametrize(
    "files",
    [
        {"avro__Place_avsc": record("org.example.Place")},
        {"avro__org.example.Place_avsc": record("Place", namespace="org.example")},
        {"avro__all_avsc": [record("org.example.Place")]},
        {"avro__Nested_avsc": record("org.example.Nested", record("Place"))},
        {"Place_avsc": record("org.example.Place")},
        {"avro__Broken_avsc": {"type": "recrod"}, "avro__Place_avsc": record("org.example.Place")},
    ],
    ids=["by name", "by full name", "in a list", "in another type", "beside the document", "beside a broken file"],
)
def test_a_type_that_is_mentioned_is_found_beside(files: dict[str, Any], tmp_path: Path) -> None:
    content = document({"m": {"payload": avro({"$ref": "avro/Street.avsc"})}})

    contract = read(tmp_path, content, avro__Street_avsc=record("org.example.Street", "Place"), **files)

    assert "org.example.Place" in contract.types
    assert len(contract.inputs) == 3


def test_folders_may_be_namespaces(tmp_path: Path) -> None:
    content = document({"m": {"payload": avro({"$ref": "avro/org/example/Street.avsc"})}})
    street = record("org.example.Street", "org.example.places.Place", "com.acme.Money")

    contract = read(
        tmp_path, content,
        avro__org__example__Street_avsc=street,
        avro__org__example__places__Place_avsc=record("org.example.places.Place"),
        avro__com__acme__Money_avsc=record("com.acme.Money"),
    )  # fmt: skip

    assert {"org.example.places.Place", "com.acme.Money"} < contract.types.keys()


def test_a_type_that_is_mentioned_is_found_among_components(tmp_path: Path) -> None:
    content = document(
        {"m": {"payload": avro(record("Street", "Place"))}}, components={"schemas": {"any": avro(record("Place"))}}
    )

    assert list(read(tmp_path, content).types) == ["Place", "Street"]


def test_a_reference_in_a_schema_is_as_if_it_were_written_there(tmp_path: Path) -> None:
    street = record("Street", {"$ref": "Place.avsc"}, {"type": "array", "items": {"$ref": "Place.avsc"}}, "Place")

    message = message_of(tmp_path, avro({**street, "namespace": "org.example"}), Place_avsc=record("Place", "int"))

    place = {**record("org.example.Place", "int")}
    inner = {"type": "array", "items": "org.example.Place"}
    assert json.loads(message.schema) == record("org.example.Street", place, inner, "org.example.Place")


def test_a_record_may_refer_to_itself(tmp_path: Path) -> None:
    tree = record("Tree", {"type": "array", "items": {"$ref": "Tree.avsc"}})

    message = message_of(tmp_path, avro({"$ref": "Tree.avsc"}), Tree_avsc=tree)

    assert json.loads(message.schema) == record("Tree", {"type": "array", "items": "Tree"})


def test_a_type_may_be_defined_again_with_the_same_content(tmp_path: Path) -> None:
    suit = {"type": "enum", "name": "Suit", "symbols": ["SPADES", "HEARTS"]}
    messages = {
        "one": {"payload": avro(record("One", suit, {**suit, "doc": "Again."}))},
        "other": {"payload": avro(record("Other", suit, "Suit"))},
    }

    assert list(read(tmp_path, document(messages)).types) == ["Suit", "One", "Other"]


def test_equal_names_in_two_namespaces_make_two_classes(tmp_path: Path) -> None:
    payload = avro(record("Both", record("a.Same"), record("b.Same", "int")))

    contract = read(tmp_path, document({"m": {"payload": payload}}))

    assert [named.class_name for named in contract.types.values()] == ["ASame", "BSame", "Both"]


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ({"payload": RECORD}, {}),
        ({"payload": {"$ref": "Level.avsc"}}, {}),
        ({"payload": {"type": "string"}, "contentType": "avro/binary"}, {}),
        ({"payload": {"type": "string"}}, {"defaultContentType": "application/avro"}),
        ({"payload": {"type": "string"}, "schemaFormat": "application/vnd.apache.avro;version=1.9.0"}, {}),
        ({"payload": {"schema": RECORD}}, {}),
    ],
)
def test_what_is_clearly_avro_needs_no_format(message: Any, root: Any, tmp_path: Path) -> None:
    contract = read(tmp_path, document({"m": message}, **root), Level_avsc=RECORD)

    assert len(contract.operations["operation"].inputs) == 1
    assert [note.code for note in contract.notes] == ["ORB419"]


@pytest.mark.parametrize(
    "payload",
    [{"type": "string"}, {"type": "object"}, True, {"anyOf": []}, {"type": "array", "items": {"type": "string"}}],
)
def test_what_may_be_json_schema_is_not_taken_for_avro(payload: Any, tmp_path: Path) -> None:
    with pytest.raises(SpecificationError) as caught:
        message_of(tmp_path, payload)

    (found,) = caught.value.diagnostics
    assert (
        str(found)
        .partition("\n")[0]
        .endswith("ORB419 payloads in JSON Schema are not supported: that of the message 'm'")
    )
    assert found.hint is not None


def test_attributes_of_other_forms_are_ignored(tmp_path: Path) -> None:
    array = {"type": "array", "items": "int", "name": "Items", "namespace": "x", "minItems": 1}
    contract = read(tmp_path, document({"m": {"payload": avro(record("M", array, version=1))}}))

    assert [note.message for note in contract.notes] == [
        "array with the unknown attribute 'name', which is ignored (and others in 3 more places)"
    ]


def test_a_logical_type_that_cannot_stand_there_is_ignored(tmp_path: Path) -> None:
    payload = avro(record("M", {"type": "string", "logicalType": "timestamp-millis"}))

    contract = read(tmp_path, document({"m": {"payload": payload}}))

    named = contract.types["M"]
    assert isinstance(named, Record)
    assert [field.type for field in named.fields] == [Primitive(name="string")]
    assert [note.code for note in contract.notes] == ["ORB315"]


def test_a_default_may_be_of_any_branch_of_a_union(tmp_path: Path) -> None:
    fields = [
        {"name": "a", "type": ["string", "null"], "default": None},
        {"name": "b", "type": ["null", {"type": "array", "items": ["null", "string"]}], "default": [None, "x"]},
        {"name": "c", "type": ["string", "null"], "default": "first"},
    ]

    contract = read(tmp_path, document({"m": {"payload": avro({"type": "record", "name": "M", "fields": fields})}}))

    named = contract.types["M"]
    assert isinstance(named, Record)
    assert [field.default for field in named.fields] == [None, [None, "x"], "first"]
    (note,) = contract.notes
    assert note.code == "ORB313"
    assert note.message.endswith("before 1.12 refuse it (and in 2 more places)")


def test_what_says_since_when_a_field_is_there_means_nothing(tmp_path: Path) -> None:
    level = {"type": "record", "name": "Level", "fields": [{"name": "x", "type": "int", "since": "1.1", "default": 0}]}

    contract = read(tmp_path, document({"m": {"payload": avro(level)}}))

    named = contract.types["Level"]
    assert isinstance(named, Record)
    assert named.lengths == (1,)


def test_headers_in_json_schema_are_ignored(tmp_path: Path) -> None:
    message = {"payload": avro("string"), "headers": {"type": "object", "properties": {}}}

    contract = read(tmp_path, document({"m": message}))

    assert contract.operations["operation"].inputs[0].headers is None
    assert [note.message for note in contract.notes] == ["headers are ignored where they are not in Avro"]
