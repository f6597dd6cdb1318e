"""Inputs and outputs are matched by schema resolution between peers of version 1.1, and exactly with all others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orbitalis.message import Input, Output
from orbitalis.message.schema import schema_fingerprint
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.obstacles import ObstacleKind
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire import limits
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    DiscoverMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import Terms, text_constraint
from tests.support.machines import Net, Node
from tests.support.versions import message_of, record_of

OLD = record_of("Dimmer", ("level", "int"))
NEW = record_of("Dimmer", ("level", "long"), ("colour", "string", "white"))
NEWER = record_of("Dimmer", ("level", "double"), ("colour", "string", "white"))
OTHER = record_of("Sound", ("level", "int"))
for schema in (OLD, NEW, NEWER, OTHER):
    message_of(schema)
VERSION_1_0 = (Encoding.JSON.value, "avro:6d06e770ed3a748a")


def met(input_of_core: Input, input_of_plugin: Input, **options: Any) -> tuple[Net, Node, Node]:
    """Return a net, a core and a plugin that have met; the core sends what the plugin takes, or not."""
    return shaken([input_of_core], [Output.string()], input_of_plugin, Output.string(), **options)


def given(output_of_plugin: Output, output_of_core: Output, **options: Any) -> tuple[Net, Node, Node]:
    """Return the same of outputs."""
    return shaken([Input.string()], [output_of_core], Input.string(), output_of_plugin, **options)


def shaken(
    inputs: list[Input],
    outputs: list[Output],
    taken: Input,
    sent: Output,
    *,
    version_of_core: tuple[str, ...] | None = None,
    version_of_plugin: tuple[str, ...] | None = None,
    has_headers: bool = True,
    **settings: Any,
) -> tuple[Net, Node, Node]:
    net = Net()
    constraint = text_constraint(minimum=1, inputs=inputs, outputs=outputs)
    core = net.add_core(text=constraint, has_headers=has_headers, **settings)
    plugin = net.add_plugin(operations={"text": Terms(input=taken, output=sent)}, **settings)
    core.readable_encodings = version_of_core or core.readable_encodings
    plugin.readable_encodings = version_of_plugin or plugin.readable_encodings
    net.start()
    return net, core, plugin


def of(*schemas: str, kind: Any = Input, **more: Any) -> Any:
    return kind(schemas=schemas, **more)


def reason(node: Node, remote: Node) -> str:
    return str(node.machine.obstacles.found[remote.identifier, "text"])


def is_connected(core: Node, plugin: Node) -> bool:
    connected = core.connections() == ["plugin"]
    assert (plugin.connections() == ["core"]) is connected
    return connected


def test_the_plugin_reads_inputs_and_the_core_reads_outputs() -> None:
    assert is_connected(*met(of(OLD), of(NEW))[1:])
    assert not is_connected(*met(of(NEW), of(OLD))[1:])
    assert is_connected(*given(of(OLD, kind=Output), of(NEW, kind=Output))[1:])
    assert not is_connected(*given(of(NEW, kind=Output), of(OLD, kind=Output))[1:])


def test_the_field_that_is_in_the_way_is_named() -> None:
    _, core, plugin = met(of(NEW), of(OLD))
    assert reason(plugin, core) == "input: field 'Dimmer.level' is 'int' here and 'long' there"
    _, core, plugin = given(of(NEW, kind=Output), of(OLD, kind=Output))
    assert reason(plugin, core) == "output: field 'Dimmer.level' is 'long' here and 'int' there"


@pytest.mark.parametrize("side", ["version_of_core", "version_of_plugin"])
def test_with_a_peer_of_version_1_0_only_the_same_schemas_match(side: str) -> None:
    version: Any = {side: VERSION_1_0}
    _, core, plugin = met(of(OLD), of(NEW), **version)
    assert not is_connected(core, plugin)
    assert is_connected(*met(of(OLD), of(OLD), **version)[1:])


def test_with_an_older_peer_only_the_same_schemas_match() -> None:
    _, core, plugin = met(of(OLD), of(NEW), has_headers=False)
    assert not is_connected(core, plugin)
    assert "field 'level' is 'long' here and 'int' there" in reason(plugin, core)
    assert is_connected(*met(of(OLD), of(OLD), has_headers=False)[1:])


def test_a_core_rejects_what_a_plugin_of_version_1_0_offers_and_resolves_alone() -> None:
    _, core, _ = met(of(OLD), of(NEW), version_of_plugin=VERSION_1_0)
    (rejected,) = {one.description for one in core.sent(RejectOperationMessage)}
    assert rejected == "input or output does not fit"
    assert core.machine.obstacles.found["plugin", "text"].kind is ObstacleKind.SCHEMAS


def test_a_plugin_offers_its_own_schemas_where_they_resolve_and_else_the_words_of_the_query() -> None:
    said = json.dumps({"doc": "In my words.", **json.loads(OLD)}, indent=1)
    _, core, plugin = shaken([of(said)], [of(NEW, kind=Output)], of(OLD), of(OLD, kind=Output))
    (offer,) = plugin.sent(OfferMessage)
    (offered,) = offer.offered_operations
    assert (list(offered.input.schemas), list(offered.output.schemas)) == ([said], [OLD])
    assert is_connected(core, plugin)


def test_a_request_names_the_schemas_with_which_the_core_writes_if_they_are_not_those_offered() -> None:
    _, core, plugin = met(of(OLD, OTHER), of(NEW, OTHER))
    (request,) = core.sent(RequestOperationMessage)
    assert list(request.input_schemas) == [OLD, OTHER]
    assert list(core.slot(plugin).input.schemas) == [OLD, OTHER]
    assert core.slot(plugin).foreign is None
    foreign = plugin.slot(core).foreign
    assert foreign is not None
    assert {key: one.schema for key, one in foreign.items()} == {schema_fingerprint(OLD): OLD}

    _, core, plugin = met(of(OTHER), of(NEW, OTHER))
    (request,) = core.sent(RequestOperationMessage)
    assert list(request.input_schemas) == []
    assert list(core.slot(plugin).input.schemas) == [NEW, OTHER]
    assert plugin.slot(core).foreign is None


def test_a_core_knows_the_schemas_with_which_the_plugin_writes() -> None:
    _, core, plugin = given(of(OLD, OTHER, kind=Output), of(NEW, OTHER, kind=Output))
    slot = core.slot(plugin)
    assert list(slot.output.schemas) == [NEW, OTHER]
    assert slot.foreign is not None
    assert {key: one.schema for key, one in slot.foreign.items()} == {schema_fingerprint(OLD): OLD}
    assert plugin.slot(core).foreign is None


def test_the_same_schema_comes_first_and_then_the_order() -> None:
    _, core, plugin = met(of(OLD), of(NEWER, OLD))
    assert plugin.slot(core).foreign is None
    _, core, plugin = given(of(OLD, kind=Output), of(NEWER, NEW, kind=Output))
    assert list(core.slot(plugin).output.schemas) == [NEWER]


def test_an_alternative_that_is_the_same_is_preferred_to_one_that_resolves() -> None:
    _, core, plugin = shaken(
        [of(OLD), of(NEW)], [of(NEW, kind=Output), of(OLD, kind=Output)], of(NEW), of(OLD, kind=Output)
    )
    assert is_connected(core, plugin)
    (request,) = core.sent(RequestOperationMessage)
    assert list(request.input_schemas) == []
    assert list(core.slot(plugin).output.schemas) == [OLD]
    assert core.slot(plugin).foreign is None


def test_empty_events_and_anything_match_as_ever() -> None:
    assert is_connected(*met(of(OLD), of(NEW, support_empty_schema=True))[1:])
    assert not is_connected(*met(of(OLD, support_empty_schema=True), of(NEW))[1:])
    assert is_connected(*met(of(OLD), Input.undefined())[1:])
    assert not is_connected(*met(Input.undefined(), of(NEW))[1:])
    _, core, plugin = met(of(OLD), of(NEW, support_empty_schema=True))
    assert core.slot(plugin).input.support_empty_schema


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(of(OLD, exact=True), of(NEW)), (of(OLD), of(NEW, exact=True)), (of(OLD, exact=[OLD]), of(NEW))],
)
def test_either_side_may_ask_for_the_same_schema(mine: Input, theirs: Input) -> None:
    _, core, plugin = met(mine, theirs)
    assert not is_connected(core, plugin)
    assert reason(plugin, core).startswith("input: only the same schema matches: ")
    assert "field 'level' is 'long' here and 'int' there" in reason(plugin, core)
    outputs = Output(schemas=mine.schemas, exact=mine.exact), Output(schemas=theirs.schemas, exact=theirs.exact)
    assert not is_connected(*given(*outputs)[1:])


def test_only_the_schemas_that_are_named_have_to_be_the_same() -> None:
    _, core, plugin = met(of(OLD, OTHER, exact=[OTHER]), of(NEW, OTHER))
    assert is_connected(core, plugin)
    (discover, *_) = core.sent(DiscoverMessage)
    assert {name: list(one) for name, one in discover.exact_schemas.items()} == {"text": [schema_fingerprint(OTHER)]}
    _, core, plugin = met(of(OLD), of(NEW, OTHER, exact=[OTHER]))
    (offer,) = plugin.sent(OfferMessage)
    assert {name: list(one) for name, one in offer.exact_schemas.items()} == {"text": [schema_fingerprint(OTHER)]}


def test_what_a_remote_wants_to_be_the_same_is_known_by_its_message_alone() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, inputs=[of(OLD)]))
    plugin = net.add_plugin(operations={"text": Terms(input=of(NEW))})
    exact = {"text": [schema_fingerprint(OLD)]}
    for node in (core, plugin):
        node.start()
    net.wire = [
        one.changed(message={"exact_schemas": exact}) if isinstance(one.message, DiscoverMessage) else one
        for one in net.wire
    ]
    net.run()
    assert plugin.sent(OfferMessage) == []

    core.ask()
    offer = net.deliver_until(OfferMessage)
    net.wire.append(offer.changed(message={"exact_schemas": {"text": [schema_fingerprint(NEW)]}}))
    net.run()
    assert len(core.sent(RejectOperationMessage)) == 1


def test_a_schema_for_which_there_is_no_class_is_not_read_by_resolution() -> None:
    unknown = record_of("Dimmer", ("level", "float"))
    _, core, plugin = met(of(OLD), Input.from_schema(unknown))
    assert not is_connected(core, plugin)
    _, core, plugin = given(of(OLD, kind=Output), Output.from_schema(unknown))
    assert not is_connected(core, plugin)
    # The plugin knows it from the core, and does not offer in vain.
    assert plugin.sent(OfferMessage) == []
    assert is_connected(*given(of(unknown, kind=Output), of(NEWER, kind=Output))[1:])


def test_a_schema_that_refers_to_itself_is_the_same_or_none() -> None:
    tree = record_of("Tree", ("value", "int"), ("left", ["null", "Tree"], None))
    grown = record_of("Tree", ("value", "int"), ("left", ["null", "Tree"], None), ("more", "int", 0))
    assert is_connected(*met(Input.from_schema(tree), Input.from_schema(tree))[1:])
    _, core, plugin = met(Input.from_schema(tree), Input.from_schema(grown))
    assert not is_connected(core, plugin)


def test_a_plugin_refuses_a_request_whose_inputs_it_cannot_read_until_the_core_asks_again() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, inputs=[of(OLD)]))
    plugin = net.add_plugin(operations={"text": Terms(input=of(NEW))})
    for node in (core, plugin):
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    net.wire.append(request.changed(message={"input_schemas": [NEWER]}))
    net.run()
    assert len(plugin.sent(OperationNoLongerAvailableMessage)) == 1
    assert reason(plugin, core) == "input: field 'Dimmer.level' is 'long' here and 'double' there"
    assert not plugin.has_slot(core)
    assert len(plugin.sent(OfferMessage)) == 1
    net.advance(60)
    assert is_connected(core, plugin)


def test_a_request_may_name_the_schemas_that_were_offered() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, inputs=[of(NEW)]))
    plugin = net.add_plugin(operations={"text": Terms(input=of(NEW))})
    for node in (core, plugin):
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    net.wire.append(request.changed(message={"input_schemas": [json.dumps(json.loads(NEW), indent=3)]}))
    net.run()
    assert is_connected(core, plugin)
    assert plugin.slot(core).foreign is None


def test_what_resolves_is_offered_late_as_well() -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, inputs=[of(OLD)]))
    plugin = net.add_plugin(operations={"text": Terms(input=of(OTHER))})
    net.start()
    assert not core.connections()
    plugin.settings.operations["text"].input = of(NEW)
    plugin.tick()
    net.run()
    assert is_connected(core, plugin)


def test_an_offer_that_nobody_asked_for_is_taken_by_resolution() -> None:
    net, core, plugin = met(of(OLD), of(OTHER))
    plugin.settings.operations["text"].input = of(NEW)
    plugin.do(plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now))
    net.run()
    assert is_connected(core, plugin)


def large(name: str, count: int) -> str:
    return record_of(name, *((f"field{number}", "int") for number in range(count)))


def test_the_schemas_of_the_other_side_count_as_memory() -> None:
    wide = large("Wide", 200)
    message_of(record_of("Wide", ("field0", "int")))
    reader = record_of("Wide", ("field0", "int"))
    _, core, plugin = met(of(wide), of(reader))
    assert is_connected(core, plugin)
    _, _, other = met(of(reader), of(reader))
    assert plugin.machine.slots.connection_bytes > other.machine.slots.connection_bytes + len(wide)
    plugin.do(plugin.machine.close_here("core", "text", 0.0))
    assert plugin.machine.slots.connection_bytes == plugin.machine.slots.pending_bytes == 0
    _, core, _ = given(of(wide, kind=Output), of(reader, kind=Output))
    assert core.machine.slots.connection_bytes > len(wide)


def test_comparisons_are_charged_to_the_quota_of_schemas_once() -> None:
    reader = record_of("Charged", ("field0", "int"))
    message_of(reader)
    net = Net()
    cores = [
        net.add_core(f"core{number}", text=text_constraint(minimum=1, inputs=[of(large("Charged", 900 + number))]))
        for number in range(12)
    ]
    plugin = net.add_plugin(
        operations={"text": Terms(input=of(reader))}, limits=Limits(unfamiliar_schema_bytes_per_second=160_000)
    )
    net.start()
    refused = [core for core in cores if not core.connections()]
    assert 0 < len(refused) < len(cores)
    kinds = {plugin.machine.obstacles.found[core.identifier, "text"].kind for core in refused}
    assert kinds == {ObstacleKind.LIMIT}
    assert plugin.machine.statistics.unread_schemas >= len(refused)
    net.advance(120)
    assert all(core.connections() for core in cores)


def test_a_comparison_that_takes_too_much_counts_as_failed() -> None:
    unions = {
        name: [json.loads(record_of(f"Part{name}{number}", ("y", "int"))) for number in range(60)] for name in "abcdefg"
    }
    writer = record_of("Huge", *unions.items())
    reader = record_of("Huge", *((name, branches[::-1]) for name, branches in unions.items()))
    message_of(reader)
    _, core, plugin = met(of(writer), of(reader))
    assert not is_connected(core, plugin)
    assert f"takes more than {limits.RESOLUTION_PAIRS} pairs" in reason(plugin, core)


def test_a_request_that_is_repeated_changes_nothing() -> None:
    net, core, plugin = met(of(OLD), of(NEW))
    foreign = plugin.slot(core).foreign
    (request,) = core.sent(RequestOperationMessage)
    size = plugin.machine.slots.connection_bytes
    core.machine.reconnected(net.now)
    send = core.last_send(RequestOperationMessage)
    net.wire.append(core.packet(send))
    net.run()
    assert plugin.slot(core).state is SlotState.OPEN
    assert plugin.slot(core).foreign is foreign
    assert plugin.machine.slots.connection_bytes == size
    assert request.input_schemas
