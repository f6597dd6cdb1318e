"""The tables of channels, operations, timings and limits say what asyncapi.yaml says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import orbitalis_wire
from orbitalis_wire import channels, limits, messages, timings
from orbitalis_wire.channels import CHANNELS, OPERATIONS
from orbitalis_wire.codecs import CODECS
from tests.support.repository import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "asyncapi.yaml").read_text())


def resolved(value: Any) -> Any:
    """Follow references inside of the document."""
    while isinstance(value, dict) and "$ref" in value:
        value = at(value["$ref"])
    return value


def at(reference: str) -> Any:
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = resolved(value)[part]
    return value


def message_key(reference: dict[str, str]) -> str:
    """Return the key of a message in the components, to which a channel's own key may lead."""
    target = reference["$ref"]
    while not target.startswith("#/components/messages/"):
        target = at(target)["$ref"]
    return target.rpartition("/")[2]


def classes(references: Any) -> tuple[type, ...]:
    """Return the classes of messages; a message without a payload has none."""
    keys = [message_key(reference) for reference in references]
    return tuple(getattr(messages, key) for key in keys if "payload" in DOCUMENT["components"]["messages"][key])


def own_messages(operation: dict[str, Any]) -> Any:
    """Return the messages of an operation or reply: its own, or all of its channel's."""
    return operation.get("messages") or resolved(operation["channel"])["messages"].values()


def test_every_channel_and_operation_is_there_in_order() -> None:
    assert list(CHANNELS) == list(DOCUMENT["channels"])
    assert list(OPERATIONS) == list(DOCUMENT["operations"])


@pytest.mark.parametrize("key", CHANNELS)
def test_channels(key: str) -> None:
    channel, document = CHANNELS[key], DOCUMENT["channels"][key]

    assert (channel.key, channel.address) == (key, document["address"])
    assert channel.messages == classes(document["messages"].values())
    assert channel.carries_any == (len(channel.messages) < len(document["messages"]))
    bindings = [
        resolved(operation["bindings"])["mqtt"]
        for operation in DOCUMENT["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{key}"
    ]
    assert bindings
    for binding in bindings:
        assert (channel.quality_of_service, channel.retain) == (binding["qos"], binding["retain"])


@pytest.mark.parametrize("key", OPERATIONS)
def test_operations(key: str) -> None:
    operation, document = OPERATIONS[key], DOCUMENT["operations"][key]

    assert (operation.key, operation.action) == (key, document["action"])
    assert operation.roles == tuple(resolved(tag)["name"] for tag in document["tags"])
    assert operation.channel is CHANNELS[document["channel"]["$ref"].rpartition("/")[2]]
    assert operation.messages == classes(own_messages(document))
    reply = document.get("reply")
    if reply is None:
        assert (operation.reply_channel, operation.reply_messages) == (None, ())
    else:
        assert operation.reply_channel is CHANNELS[reply["channel"]["$ref"].rpartition("/")[2]]
        assert operation.reply_messages == classes(own_messages(reply))


def test_constants_are_the_rows_of_the_table() -> None:
    constants = [name for name in channels.__all__ if name.isupper() and name not in ("CHANNELS", "OPERATIONS")]

    assert {getattr(channels, name).key for name in constants} == set(CHANNELS)
    assert channels.KEEPALIVE_REQUEST is CHANNELS["keepaliveRequest"]


def test_the_tables_cannot_be_changed() -> None:
    for table in (CHANNELS, OPERATIONS):
        with pytest.raises(TypeError):
            table["x"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        channels.OFFER.retain = True  # type: ignore[misc]


def test_messages_have_the_names_and_formats_of_the_document() -> None:
    document = {key: one for key, one in DOCUMENT["components"]["messages"].items() if "payload" in one}

    assert [codec.message_class.__name__ for codec in CODECS] == list(document)
    assert [codec.message_type for codec in CODECS] == [one["name"] for one in document.values()]
    for codec, one in zip(CODECS, document.values(), strict=True):
        payload = one.get("x-payload", {})
        assert codec.payload_format == payload.get("format", "avro")
        assert set(codec.payload_decoders) == {
            "avro",
            codec.payload_format,
            *(["bytes"] if "layout" in payload else []),
        }


def test_timings_and_limits() -> None:
    document = DOCUMENT["x-orbitalis"]

    assert {name: getattr(timings, name) for name in timings.__all__} == {
        name.upper(): one["seconds"] for name, one in document["timings"].items()
    }
    assert {name: getattr(limits, name) for name in limits.__all__} == {
        name.upper(): one["maximum"] for name, one in document["limits"].items()
    }


def test_version() -> None:
    assert DOCUMENT["info"]["version"] == orbitalis_wire.SPECIFICATION_VERSION
    assert orbitalis_wire.SPECIFICATION_VERSION.partition(".")[0] == str(orbitalis_wire.PROTOCOL_VERSION)
