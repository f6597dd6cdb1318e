"""What is read from contracts: operations, messages, traits, replies and notes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orbitalis_avro.types import Record
from orbitalis_codegen import SpecificationError
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.contract.read import load_contract
from tests.codegen.broken.cases import edited
from tests.codegen.contract.read.broken.cases import LAMPS
from tests.codegen.contract.read.documents import avro, document, read, record


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    root = tmp_path_factory.mktemp("lamps")
    shutil.copytree(LAMPS, root, dirs_exist_ok=True)
    return load_contract(root, "asyncapi.yaml")


def test_the_document_says_what_the_contract_is_called(lamps: Contract) -> None:
    assert (lamps.title, lamps.version, lamps.description) == ("Street Lamps", "2.1.0", "Lamps along a street.")
    assert lamps.document == "asyncapi.yaml"


def test_operations_are_in_the_order_of_the_document(lamps: Contract) -> None:
    assert list(lamps.operations) == ["turnOn", "blink", "turn-off", "report"]


def test_a_called_operation_has_inputs_outputs_and_errors(lamps: Contract) -> None:
    operation = lamps.operations["turnOn"]

    assert operation.has_input
    assert operation.summary == "Turns a lamp on."
    assert [message.payload for message in operation.inputs] == ["org.example.TurnOn"]
    assert [message.payload for message in operation.outputs] == ["org.example.State"]
    assert [message.payload for message in operation.errors] == ["org.example.LampBroken"]
    assert str(operation.position) == "asyncapi.yaml:52:3"


def test_an_operation_may_stand_in_another_file(lamps: Contract) -> None:
    (blink,) = lamps.operations["blink"].inputs

    assert (blink.key, blink.payload) == ("blink", "org.example.Blink")
    assert blink.position.file == "parts/blink.yaml"
    assert lamps.operations["blink"].outputs == ()


def test_an_empty_input_is_said(lamps: Contract) -> None:
    operation = lamps.operations["turn-off"]

    assert (operation.has_input, operation.inputs, operation.outputs) == (True, (), ())


def test_what_is_sent_is_an_output_without_input(lamps: Contract) -> None:
    operation = lamps.operations["report"]
    (text,) = operation.outputs

    assert (operation.has_input, operation.inputs, operation.errors) == (False, (), ())
    assert (text.payload, text.plain, text.schema, text.canonical_form) == (None, "string", '"string"', '"string"')


def test_traits_add_what_is_not_said(lamps: Contract) -> None:
    (command,) = lamps.operations["turnOn"].inputs

    assert (lamps.operations["report"].summary, lamps.operations["report"].description) == (
        "Says something.",
        "In words.",
    )
    assert (command.key, command.title, command.description) == (
        "turnOn",
        "Something traced",
        "How to turn it on.",
    )


def test_headers_in_avro_are_typed(lamps: Contract) -> None:
    (command,) = lamps.operations["turnOn"].inputs

    assert command.headers == "Tracing"
    assert isinstance(lamps.types["Tracing"], Record)


def test_types_stand_after_those_that_they_refer_to(lamps: Contract) -> None:
    names = list(lamps.types)

    assert names.index("org.example.Color") < names.index("org.example.TurnOn")
    assert names.index("org.example.places.Side") < names.index("org.example.places.Place")
    assert [named.class_name for named in lamps.types.values()] == [name.rpartition(".")[2] for name in names]


def test_every_file_that_was_read_is_an_input(lamps: Contract) -> None:
    assert set(lamps.inputs) == {
        path.relative_to(LAMPS).as_posix() for path in LAMPS.rglob("*.*") if path.name != "bindings.yaml"
    }


def test_one_note_of_a_kind_says_what_is_ignored(lamps: Contract) -> None:
    assert [f"{note.position} {note.code} {note.message.partition(':')[0]}" for note in lamps.notes] == [
        "asyncapi.yaml:6:3 ORB501 tags and external documentation are ignored",
        "asyncapi.yaml:8:1 ORB501 servers are ignored",
        "asyncapi.yaml:15:5 ORB501 addresses and their parameters are ignored",
        "asyncapi.yaml:24:5 ORB501 bindings are ignored",
        "asyncapi.yaml:88:7 ORB504 headers in Avro become types, but do not travel",
    ]
    assert lamps.notes[2].message.endswith(" (and in 2 more places)")


def test_a_message_that_nothing_uses_may_be_anything(tmp_path: Path) -> None:
    channel_message = {"$ref": "#/channels/channel/messages/used"}
    messages = {"used": {"payload": avro(record("Used"))}, "other": {"payload": {"type": "object"}}}

    contract = read(tmp_path, document(messages, {"messages": [channel_message]}))

    assert list(contract.types) == ["Used"]


def test_without_messages_the_input_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, document({})).operations["operation"].inputs == ()
    assert read(tmp_path, document({"m": {"summary": "Nothing."}})).operations["operation"].inputs == ()


def test_the_messages_of_a_channel_are_alternatives(tmp_path: Path) -> None:
    messages = {key: {"payload": avro(record(key.upper()))} for key in ("one", "other")}

    assert [message.key for message in read(tmp_path, document(messages)).operations["operation"].inputs] == [
        "one",
        "other",
    ]


def test_an_operation_may_refer_to_messages_past_its_channel(tmp_path: Path) -> None:
    component = {"$ref": "#/components/messages/one"}
    content = document(
        {"first": component},
        {"messages": [component]},
        components={"messages": {"one": {"payload": avro(record("One"))}}},
    )

    assert [message.key for message in read(tmp_path, content).operations["operation"].inputs] == ["one"]


def test_messages_of_two_channels_may_have_one_key(tmp_path: Path) -> None:
    content = document({"message": {"payload": avro(record("Question"))}})
    content["channels"]["replies"] = {"messages": {"message": {"payload": avro(record("Answer"))}}}
    content["operations"]["operation"]["reply"] = {"channel": {"$ref": "#/channels/replies"}}

    operation = read(tmp_path, content).operations["operation"]

    assert [message.key for message in (*operation.inputs, *operation.outputs)] == ["message", "operationMessage"]


def test_a_message_without_a_key_is_called_like_its_operation(tmp_path: Path) -> None:
    content = document({}, {"reply": {"messages": [{"payload": avro(record("Answer"))}]}})

    (answer,) = read(tmp_path, content).operations["operation"].outputs

    assert (answer.key, answer.title) == ("operationOutput", "operationOutput")


def test_two_messages_with_one_payload_are_one(tmp_path: Path) -> None:
    payload = avro(record("Same"))

    contract = read(tmp_path, document({"one": {"payload": payload}, "other": {"payload": payload}}))

    assert [message.key for message in contract.operations["operation"].inputs] == ["one"]
    assert [note.code for note in contract.notes] == ["ORB508"]


def test_traits_are_merged_in_their_order_and_do_not_override(tmp_path: Path) -> None:
    traits = [{"title": "first", "summary": "first", "name": "first"}, {"title": "second", "summary": "second"}]
    content = document({"m": {"traits": traits, "title": "own", "payload": avro("string")}})

    (message,) = read(tmp_path, content).operations["operation"].inputs

    assert (message.title, message.summary) == ("own", "second")


def test_null_in_a_trait_takes_away_what_others_before_say(tmp_path: Path) -> None:
    traits = [{"headers": avro(record("Headers"))}, {"headers": None}]
    content = document({"m": {"traits": traits, "payload": avro("string")}})

    (message,) = read(tmp_path, content).operations["operation"].inputs

    assert message.headers is None


def test_a_trait_may_mark_an_error(tmp_path: Path) -> None:
    messages = {"failed": {"traits": [{"x-error": True}], "payload": avro(record("Failed"))}}
    content = document(messages, {"x-input": "empty", "reply": {"channel": {"$ref": "#/channels/channel"}}})

    operation = read(tmp_path, content).operations["operation"]

    assert ([error.key for error in operation.errors], operation.outputs) == (["failed"], ())


def test_parts_that_mean_nothing_are_not_followed(tmp_path: Path) -> None:
    nowhere = {"$ref": "https://example.org/nothing.yaml"}
    content = document(
        {"m": {"payload": avro("string"), "bindings": nowhere, "correlationId": nowhere, "tags": [nowhere]}},
        {"bindings": nowhere, "security": [nowhere]},
        servers={"one": nowhere},
    )

    assert len(read(tmp_path, content).notes) == 5


def test_a_reply_to_what_is_sent_is_ignored(tmp_path: Path) -> None:
    operation = {"action": "send", "reply": {"channel": {"$ref": "#/channels/nowhere"}}}

    contract = read(tmp_path, document({"m": {"payload": avro("string")}}, operation))

    assert "replies to what a plugin sends are ignored" in contract.notes[0].message


def test_keys_beside_a_reference_are_ignored(tmp_path: Path) -> None:
    root = edited(
        tmp_path,
        ("asyncapi.yaml", "        $ref: ./parts/blink.yaml\n", "        $ref: ./parts/blink.yaml\n        title: x\n"),
        original=LAMPS,
    )

    assert "ORB211" in [note.code for note in load_contract(root, "asyncapi.yaml").notes]


def test_a_document_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "lamps.yaml").touch()

    with pytest.raises(SpecificationError) as caught:
        load_contract(tmp_path, "lamp.yaml")

    (found,) = caught.value.diagnostics
    assert str(found.position) == "lamp.yaml:1:1"
    assert (found.message, found.hint) == (
        "lamp.yaml cannot be read: No such file or directory",
        "did you mean 'lamps.yaml'?",
    )


def test_objects_may_be_merged(tmp_path: Path) -> None:
    reply = "    reply:\n      <<: [*where, {messages: []}]\n"
    root = edited(
        tmp_path,
        (
            "asyncapi.yaml",
            "      address:\n        location:",
            "      <<: &where {title: x}\n      address:\n        location:",
        ),
        ("asyncapi.yaml", "  turn-off:\n    action: receive\n", f"  turn-off:\n    action: receive\n{reply}"),
        original=LAMPS,
    )

    contract = load_contract(root, "asyncapi.yaml")

    assert contract.operations["turn-off"].outputs == ()
    assert [note.message for note in contract.notes if note.code == "ORB203"] == [
        "reply with the unknown key 'title', which is ignored"
    ]


def test_what_is_no_object_is_not_merged(tmp_path: Path) -> None:
    root = edited(tmp_path, ("asyncapi.yaml", "servers:\n", "servers:\n  <<: 5\n"), original=LAMPS)

    with pytest.raises(SpecificationError, match="takes over a number, which is no object"):
        load_contract(root, "asyncapi.yaml")


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0", "3.7.1", "3.2.0-next-spec.1"])
def test_every_version_3_of_asyncapi_is_understood(version: str, tmp_path: Path) -> None:
    content = {**document({"m": {"payload": avro("string")}}), "asyncapi": version}

    assert read(tmp_path, content).notes == ()


def test_a_cause_comes_before_what_follows_from_it(tmp_path: Path) -> None:
    content = document({"a": {"payload": avro(record("A", "Unknown"))}, "b": {"payload": {"type": "object"}}})

    with pytest.raises(SpecificationError) as caught:
        read(tmp_path, content)

    assert [found.code for found in caught.value.diagnostics] == ["ORB419", "ORB301"]


def test_no_more_problems_are_looked_for_than_anybody_reads(tmp_path: Path) -> None:
    content = document({"m": {"payload": avro(record("M", *(f"unknown.Type{number}" for number in range(3000))))}})

    with pytest.raises(SpecificationError) as caught:
        read(tmp_path, content)

    assert len(caught.value.diagnostics) == 1000
