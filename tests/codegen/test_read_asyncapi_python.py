"""What is read here is what asyncapi-python reads, wherever that loader does not lose anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncapi_python.kernel import document as peer
from asyncapi_python_codegen.parser import extract_all_operations

from orbitalis_codegen import Model, read_specification
from tests.codegen.broken.cases import LAMPS
from tests.support.repository import ROOT


@pytest.fixture(scope="module", params=[ROOT, LAMPS], ids=["repository", "lamps"])
def both(request: pytest.FixtureRequest) -> tuple[Model, dict[str, peer.Operation]]:
    root: Path = request.param
    return read_specification(root), extract_all_operations(root / "asyncapi.yaml", validate=False)


def test_operations(both: tuple[Model, dict[str, peer.Operation]]) -> None:
    model, operations = both

    assert list(model.operations) == list(operations)
    for key, operation in model.operations.items():
        theirs = operations[key]
        assert theirs.bindings is not None
        assert operation.action == theirs.action
        assert operation.roles == tuple(tag.name for tag in theirs.tags)
        assert operation.summary == text(theirs.summary)
        assert operation.description == text(theirs.description)
        assert operation.quality_of_service == theirs.bindings.mqtt["qos"]
        assert operation.retain is theirs.bindings.mqtt["retain"]
        assert (operation.reply_channel is None) == (theirs.reply is None)


def test_channels(both: tuple[Model, dict[str, peer.Operation]]) -> None:
    model, operations = both

    for key, operation in model.operations.items():
        theirs = operations[key]
        compare_channel(model, operation.channel, theirs.channel)
        if theirs.reply is not None:
            assert operation.reply_channel is not None
            compare_channel(model, operation.reply_channel, theirs.reply.channel)
    # Theirs has no channels but those of operations; that is no loss, since ours have one each.
    assert {operation.channel for operation in model.operations.values()} == set(model.channels)


def compare_channel(model: Model, key: str, theirs: peer.Channel) -> None:
    channel = model.channels[key]
    assert channel.address == theirs.address
    assert channel.description == text(theirs.description)
    # Theirs have the order of the document, ours that of the address.
    assert {parameter.name: parameter.description for parameter in channel.parameters} == {
        name: text(parameter.description) for name, parameter in theirs.parameters.items()
    }
    assert len(channel.messages) == len(theirs.messages)
    for ours, message in zip(channel.messages, theirs.messages.values(), strict=True):
        compare_message(model, ours, message)


def compare_message(model: Model, key: str, theirs: peer.Message) -> None:
    message = model.messages[key]
    # Theirs gives a message without a name that of its key.
    assert theirs.name in (message.name, key)
    assert message.name is not None or message.record is None
    assert message.title == (theirs.title or key)
    assert message.summary == text(theirs.summary)
    assert message.description == text(theirs.description)
    if message.record is None:
        assert theirs.payload is None
    else:
        # Theirs leaves the reference to the schema as it stands.
        assert theirs.payload["schema"]["$ref"] == f"./{model.types[message.record].source}"


def text(value: str | None) -> str:
    return (value or "").strip()
