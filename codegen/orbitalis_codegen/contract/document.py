"""The AsyncAPI document that says a contract: the inverse of reading one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, cast

from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.contract.schema_tree import schema_tree, with_namespaces
from orbitalis_codegen.contract.yaml_text import yaml_of
from orbitalis_codegen.read.node import JsonValue

__all__ = ["document_of"]

_Object = dict[str, JsonValue]

_ASYNCAPI: Final = "3.0.0"
_AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
"""As the official parser knows it; the version says nothing about the schema."""
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9._-]+")
"""Characters that a key of components cannot have."""


def document_of(contract: Contract) -> str:
    """The AsyncAPI 3.0 document of a contract as YAML text; the same contract gives the same text.

    Addresses are null: the topics are chosen where a plugin runs. Schemas stand under `components.schemas`, each with
    all types that it uses, and messages under `components.messages`. Descriptions are kept, and so are headers.
    What is declared to be an error has `x-error: true`, and an operation that takes an empty event `x-input: empty`.

    Raises:
        ValueError: A default in a schema is a number that is not finite.
    """
    return yaml_of(_Document(contract).tree())


class _Document:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._channels: _Object = {}
        self._channel_keys = _Keys()
        self._messages = _Entries()
        self._schemas = _Entries()

    def tree(self) -> _Object:
        contract = self._contract
        # Channels of operations have their names; those of replies take what is left.
        channels = {key: self._channel_keys.free(key) for key in contract.operations}
        operations: _Object = {key: self._operation(one, channels[key]) for key, one in contract.operations.items()}
        components: _Object = {"messages": self._messages.by_key, "schemas": self._schemas.by_key}
        components = {key: value for key, value in components.items() if value}
        return {
            "asyncapi": _ASYNCAPI,
            "info": {"title": contract.title, "version": contract.version, **_texts(description=contract.description)},
            "channels": self._channels,
            "operations": operations,
            **({"components": components} if components else {}),
        }

    def _operation(self, operation: ContractOperation, channel: str) -> _Object:
        tree: _Object = {"action": "receive" if operation.has_input else "send"}
        tree["channel"] = _reference("channels", channel)
        tree |= _texts(summary=operation.summary, description=operation.description)
        outputs = [
            *((message, False) for message in operation.outputs),
            *((message, True) for message in operation.errors),
        ]
        if not operation.has_input:
            return tree | self._on_channel(channel, outputs)
        tree |= self._on_channel(channel, [(message, False) for message in operation.inputs])
        if not operation.inputs:
            tree["x-input"] = "empty"
        if outputs:
            reply = self._channel_keys.free(f"{channel}_reply")
            tree["reply"] = {"channel": _reference("channels", reply), **self._on_channel(reply, outputs)}
        return tree

    def _on_channel(self, channel: str, messages: Iterable[tuple[ContractMessage, bool]]) -> _Object:
        """Let a channel have messages, each with whether it is an error; gives what an operation says of them."""
        keys = list(dict.fromkeys(self._message(message, is_error) for message, is_error in messages))
        tree: _Object = {"address": None}
        if keys:
            tree["messages"] = {key: _reference("components", "messages", key) for key in keys}
        self._channels[channel] = tree
        return {"messages": [_reference("channels", channel, "messages", key) for key in keys]} if keys else {}

    def _message(self, message: ContractMessage, is_error: bool) -> str:
        tree = _texts(title=message.title, summary=message.summary, description=message.description)
        if is_error:
            tree["x-error"] = True
        if message.headers is not None:
            tree["headers"] = self._schema(schema_tree(message.headers, self._contract.types))
        tree["payload"] = self._schema(cast("JsonValue", json.loads(message.schema)))
        return self._messages.key_of(message.key, tree)

    def _schema(self, schema: JsonValue) -> JsonValue:
        schema = with_namespaces(schema)
        tree: _Object = {"schemaFormat": _AVRO, "schema": schema}
        if not isinstance(schema, dict):
            return tree
        key = self._schemas.key_of(str(schema.get("name", schema.get("type"))), tree)
        return _reference("components", "schemas", key)


class _Keys:
    """Keys of one part of the document, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, wanted: str) -> str:
        """A key that is not taken, as near to the `wanted` one as can be."""
        free = key = _NO_KEY.sub("_", wanted) or "_"
        number = 1
        while free in self._taken:
            number += 1
            free = f"{key}_{number}"
        self._taken.add(free)
        return free


class _Entries:
    """What one part of the components has: each thing once, under a key of its own."""

    def __init__(self) -> None:
        self.by_key: _Object = {}
        self._keys = _Keys()
        self._key_of: dict[tuple[str, str], str] = {}

    def key_of(self, wanted: str, value: _Object) -> str:
        """The key of a value, which is the `wanted` one or like it."""
        content = wanted, json.dumps(value)
        if content not in self._key_of:
            key = self._key_of[content] = self._keys.free(wanted)
            self.by_key[key] = value
        return self._key_of[content]


def _texts(**texts: str) -> _Object:
    """Those of the texts that say something."""
    return {key: text for key, text in texts.items() if text}


def _reference(*keys: str) -> _Object:
    return {"$ref": "/".join(("#", *keys))}
