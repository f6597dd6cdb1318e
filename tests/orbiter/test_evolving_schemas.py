"""Pairs of schemas through whole orbiters: those of which libraries for Avro know the verdict, and random ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from orbitalis import MqttEventBusClient
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.errors import OperationFailedError
from orbitalis.message.resolution import resolve, resolving_reader
from orbitalis.message.schema import canonical_form
from orbitalis_avro.errors import DecodeError
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import Model, random_model
from tests.avro.resolution.values import value_bytes
from tests.support.broker import Broker
from tests.support.evolving import Pair, evolving
from tests.support.repository import ROOT
from tests.support.versions import message_of

NewBroker = Callable[..., Broker]

BREAKING = json.loads((ROOT / "tests/avro/resolution/cases.json").read_text(encoding="utf-8"))["cases"]
STRICTER = ("add_logical_type", "micros_to_millis")
"""Where both libraries read what this protocol refuses."""


def breaking_pairs() -> dict[str, tuple[dict[str, Any], str, str, str]]:
    """Return of each case, and of both directions, the case, the direction, what is written and what is read."""
    found = {}
    for case in BREAKING:
        before, after = json.dumps(case["before"]), json.dumps(case["after"])
        found[f"{case['id']}-old"] = case, "old_reads_new", after, before
        found[f"{case['id']}-new"] = case, "new_reads_old", before, after
    return found


async def test_breaking_changes_are_refused_with_the_field_and_all_others_are_right(new_broker: NewBroker) -> None:
    cases = breaking_pairs()
    pairs = {name: Pair(message_of(writer), message_of(reader)) for name, (_, _, writer, reader) in cases.items()}
    expected = {
        name
        for name, (case, direction, _, _) in cases.items()
        if (case[direction] or direction in case["some_values_only"]) and case["id"] not in STRICTER
    }
    broker = new_broker()
    async with evolving(lambda: MqttEventBusClient(broker.host, broker.port), pairs, len(expected)) as (core, plugin):
        assert {one.operation_name for one in core.retrieve_connections()} == expected
        refused = {one.operation_name: str(one) for one in plugin._machine.obstacles.found.values()}
        assert set(refused) == set(cases) - expected
        for name, reason in refused.items():
            case = cases[name][0]
            before, after = (
                [json.dumps(field) for field in case[version]["fields"]] for version in ("before", "after")
            )
            changed = {json.loads(field)["name"] for field in {*before} ^ {*after}} or {case["after"]["name"]}
            assert any(f"'{one}'" in reason or f"'M.{one}" in reason for one in changed), (name, reason)
        for name in sorted(expected):
            await _exchange(core, plugin, name, pairs[name], _model(json.loads(cases[name][2])))


async def _exchange(core: Any, plugin: Any, name: str, pair: Pair, model: Model) -> None:
    """Send some values in both directions: each arrives as it is read, or raises where that does."""
    read = resolving_reader(pair.writer.avro_schema(), pair.reader)
    for turn in range(4):
        try:
            sent = pair.writer.decode(value_bytes(model, Random(turn), turn))
        except DecodeError:
            continue  # such as a date that Python has not
        plugin.answers[name] = sent
        try:
            arrives: Any = read(sent.encode())
        except DecodeError:
            with pytest.raises(OperationFailedError, match="DecodeError"):
                await core.request(name, sent)
            continue
        answer = await core.request(name, sent)
        for arrived in (answer, plugin.inputs[name][-1]):
            # Where the schemas are the same, the wire does not tell the classes apart.
            assert type(arrived) is pair.reader or pair.writer.schema_fingerprint() == pair.reader.schema_fingerprint()
            assert arrived.encode() == arrives.encode()


def _model(schema: Any) -> Model:
    model = Model({}, None)
    model.root = _tabled(model, schema)
    return model


def _tabled(model: Model, schema: Any) -> Any:
    """Move the named types of a schema into the table of a model."""
    if isinstance(schema, list):
        return [_tabled(model, branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if "name" in schema:
        fields = [{**one, "type": _tabled(model, one["type"])} for one in schema.get("fields", ())]
        model.named[schema["name"]] = {**schema, "fields": fields} if schema["type"] == "record" else dict(schema)
        return {"ref": schema["name"]}
    return {key: _tabled(model, value) if key in ("items", "values") else value for key, value in schema.items()}


@pytest.mark.parametrize("seed", range(6))
async def test_random_pairs_are_connected_if_they_resolve_and_their_values_arrive(seed: int) -> None:
    chance = Random(seed)
    pairs: dict[str, Pair] = {}
    schemas: dict[str, tuple[str, str]] = {}
    models: dict[str, Model] = {}
    tried = 0
    while len(pairs) < 25:
        model = random_model(chance)
        tried += 1
        # A class that cannot be made is in the way of others of its name.
        writer, reader = (
            re.sub(r"\b([A-Z]\d+)\b", rf"\1x{seed}x{tried}", json.dumps(one.schema()))
            for one in (model, edited(model, chance))
        )
        try:
            pair = Pair(message_of(writer), message_of(reader))
            pair.writer.avro_schema()
            pair.reader.avro_schema()
        except (KeyError, TypeError, ValueError):
            continue
        name = f"operation{len(pairs)}"
        pairs[name], schemas[name], models[name] = pair, (writer, reader), model
    expected = {
        name
        for name, (writer, reader) in schemas.items()
        if canonical_form(writer) == canonical_form(reader) or not isinstance(resolve(writer, reader), Refusal)
    }
    bus = LocalEventBus()
    async with evolving(lambda: LocalEventBusClient(bus), pairs, len(expected)) as (core, plugin):
        assert {one.operation_name for one in core.retrieve_connections()} == expected
        for name in sorted(expected):
            await _exchange(core, plugin, name, pairs[name], models[name])
