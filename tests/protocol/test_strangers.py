"""Messages come from strangers: whatever they send, nothing but `RemoteProtocolError` is raised and nothing breaks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orbitalis.errors import RemoteProtocolError
from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import Send
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.machine import CoreMachine
from orbitalis_wire import messages
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import DiscoverQuery, OfferedOperation
from tests.support.invariants import assert_sane
from tests.support.machine_settings import Requirement, Terms, text_constraint
from tests.support.machines import Net, Node, Packet

REMOTES = ["core", "plugin", "x", "y"]
OPERATIONS = ["text", "other", "a/b", ""]

wild = st.text(st.characters(codec=None), max_size=6)
identifiers = st.one_of(st.sampled_from([*REMOTES, "", "-", "#", "a/b", "z" * 300]), wild)
operation_names = st.one_of(st.sampled_from(OPERATIONS), wild)
events = st.sampled_from(["e1", "e2", "i1", "i2", "i3", "i4", "e" * 300])
connections = st.sampled_from([None, "c1", "c2", "i1", "i2", "i3", "i4", "", "#", "a/b", "c" * 300])
payloads = st.one_of(st.none(), st.binary(max_size=4))
durations = st.sampled_from([0.0, -1.0, 1e-9, 5.0, 120.0, 1e300, float("inf"), float("-inf"), float("nan")])
RESOLVES = '{"type":"record","name":"StringMessage","fields":[{"name":"value","type":"bytes"}]}'
"""It is no text's, and is read as one."""
schemas = st.one_of(
    st.sampled_from(
        [*Input.string().schemas, *Input.int64().schemas, RESOLVES, "", "{", "null", '"string"', "[" * 100]
    ),
    wild,
)
flags = st.booleans()
channels = st.sampled_from(["discover", "offer", "reply", "response", "keepalive", "keepalive-request"])
parts = st.sampled_from(["text", "other"]), st.sampled_from(["close", "close-ack", "input", "output"]), connections

topics = st.one_of(
    st.sampled_from(["", "#", "a/+", "foreign", "a\0b", "$handshake.core.offer", "orbitalis/", "orbitalis"]),
    wild,
    st.tuples(identifiers, identifiers, channels).map(lambda levels: "orbitalis/" + "/".join(levels)),
    st.tuples(identifiers, identifiers, *parts).map(
        lambda levels: f"orbitalis/{levels[0]}/{levels[1]}/operations/{levels[2]}/{levels[3]}/{levels[4]}"
    ),
)


def specs(kind: Callable[..., Any]) -> st.SearchStrategy[Any]:
    """Give inputs or outputs, fitting ones often."""
    texts = kind(schemas=Input.string().schemas)
    made = st.builds(
        kind,
        schemas=st.lists(schemas, max_size=3),
        support_empty_schema=flags,
        support_undefined_schema=flags,
    )
    return st.one_of(st.just(texts), made)


names = st.one_of(st.none(), st.lists(identifiers, max_size=3))
queries = st.builds(
    DiscoverQuery,
    operation_name=operation_names,
    inputs=st.lists(specs(messages.Input), max_size=2),
    outputs=st.lists(specs(messages.Output), max_size=2),
    allowlist=names,
    blocklist=names,
)
offered = st.builds(OfferedOperation, name=operation_names, input=specs(messages.Input), output=specs(messages.Output))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "queries": st.dictionaries(operation_names, queries, max_size=3),
    "offered_operations": st.lists(offered, max_size=3),
    "considered_dead_after": durations,
    "operation_name": operation_names,
    "operation_names": st.lists(operation_names, max_size=3),
    "description": st.none(),
    "data": payloads,
    "setup_data": payloads,
    "output_topic": st.one_of(st.none(), topics),
    "operation_input_topic": st.one_of(st.none(), topics),
    "exact_schemas": st.dictionaries(
        operation_names, st.lists(st.sampled_from(["", "a" * 16]), max_size=2), max_size=2
    ),
    "input_schemas": st.lists(schemas, max_size=2),
}
KINDS = [
    messages.AnnounceMessage,
    messages.DiscoverMessage,
    messages.OfferMessage,
    messages.RequestOperationMessage,
    messages.RejectOperationMessage,
    messages.ConfirmConnectionMessage,
    messages.OperationNoLongerAvailableMessage,
    messages.KeepaliveMessage,
    messages.KeepaliveRequestMessage,
    messages.GracefulCloseConnectionMessage,
    messages.GracelessCloseConnectionMessage,
    messages.CloseConnectionAckMessage,
]


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Give messages of one kind with any content."""
    fields = kind.__dataclass_fields__
    return st.builds(
        kind, **{name: FIELDS.get(name, identifiers if "identifier" in name else topics) for name in fields}
    )


headers = st.fixed_dictionaries(
    {
        "identifier": events,
        "incarnation": st.sampled_from([None, "00000001", "00000001", "00000002", "", "z" * 300]),
        "correlation_identifier": st.one_of(st.none(), events),
        "connection_identifier": connections,
        "open_connections": st.one_of(st.none(), st.lists(st.sampled_from(["c1", "i1", "i2", "i3"]), max_size=3)),
        "readable_encodings": st.sampled_from([None, [], ["avro"], list(Encoding), ["?"]]),
        "late_offers": st.sampled_from([None, True, True, False]),
    }
)
packets = st.tuples(topics, st.one_of(*(any_of(kind) for kind in KINDS)), headers)
steps = st.one_of(
    packets,
    packets,
    packets,
    st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, 61.0, 130.0]), st.none()),
    st.tuples(st.just("deliver"), st.integers(0, 3), st.none()),
    st.tuples(st.just("prepared"), flags, st.none()),
    st.tuples(st.just("close"), flags, st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


def victims() -> Net:
    """Return a core and a plugin that talk to each other."""
    net = Net()
    net.announces = True
    settings: dict[str, Any] = {"limits": Limits(pending_requests=4), "close_connection_if_unused_after": 100.0}
    needs = {
        "text": Requirement(text_constraint(minimum=1, maximum=2, mandatory=["y"])),
        "other": Requirement(
            text_constraint(inputs=[Input.undefined(), Input.no_input()], outputs=[Output.undefined()])
        ),
        "a/b": Requirement(text_constraint()),
    }
    net.add_core(operation_requirements=needs, **settings)
    operations = {
        "text": Terms(policy=Policy(maximum=2)),
        "other": Terms(policy=Policy(blocklist=["x"])),
        "a/b": Terms(),
    }
    net.add_plugin(operations=operations, **settings)
    for node in net.nodes:
        node.start()
        node.tick()
    return net


def suffer(net: Net, node: Node, step: Any) -> None:
    """Let one thing happen to a node."""
    match step:
        case ("wait", seconds, _):
            net.now += seconds
            node.tick()
        case ("deliver", index, _):
            if net.wire:
                with contextlib.suppress(RemoteProtocolError):
                    net.deliver(index % len(net.wire))
        case ("prepared", succeeds, _):
            node.finish_preparing(fails=not succeeds)
        case ("close", gracefully, _):
            for slot in node.machine.slots:
                if slot.is_open:
                    machine = node.machine
                    close = machine.close_gracefully if gracefully else machine.close_gracelessly
                    node.do(close(*slot.key, None, net.now))
        case ("restart", _, _):
            node.stop()
            assert_sane(node)
            node.start()
        case (topic, message, content):
            with contextlib.suppress(RemoteProtocolError):
                node.handle(Packet(topic=topic, message=message, envelope=node.envelope(**content)))
            node.do(node.machine.take())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), steps), max_size=25))
def test_anything_in_any_order(story: list[tuple[int, Any]]) -> None:
    net = victims()
    for node in net.nodes:
        node.prepares = False
    for index, step in story:
        suffer(net, net.nodes[index], step)
        for node in net.nodes:
            assert_sane(node)
            node.effects = [effect for effect in node.effects if not isinstance(effect, Send)]
    for node in net.nodes:
        node.stop()
        assert_sane(node)
        assert len(node.machine.slots) == len(node.machine.peers) == 0
        assert isinstance(node.machine, CoreMachine) or len(node.provider.waiting_queries) == 0
        assert node.machine.next_deadline() is None


def plausible(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Give messages of one kind that come from a remote named in them, about operations that there are."""
    good: dict[str, st.SearchStrategy[Any]] = {
        **FIELDS,
        "operation_name": st.sampled_from(["text", "other"]),
        "output_topic": st.just("outputs"),
        "operation_input_topic": st.just("inputs"),
    }
    fields = kind.__dataclass_fields__
    others = {
        name: st.sampled_from(["x", "y"]) if "identifier" in name else st.just(f"told/{name}")
        for name in fields
        if name not in good
    }
    return st.builds(kind, **others, **{name: good[name] for name in fields if name in good})


plausible_headers = st.fixed_dictionaries(
    {
        "identifier": st.sampled_from(["e1", "e2", "e3"]),
        "incarnation": st.sampled_from([None, "1", "1", "1", "2"]),
        "correlation_identifier": st.sampled_from([None, None, *(f"i{number}" for number in range(1, 9))]),
        "connection_identifier": st.sampled_from([None, "c1", *(f"i{number}" for number in range(1, 9))]),
        "open_connections": st.sampled_from([None, [], ["c1"], ["i3"]]),
        "late_offers": st.sampled_from([None, True, True, False]),
    }
)
plausible_packets = st.tuples(st.just("somewhere"), st.one_of(*(plausible(kind) for kind in KINDS)), plausible_headers)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.one_of(plausible_packets, plausible_packets, steps)), max_size=40))
def test_what_might_be_a_handshake(story: list[tuple[int, Any]]) -> None:
    net = victims()
    for index, step in story:
        node = net.nodes[index]
        if isinstance(step[1], messages.GracefulCloseConnectionMessage | messages.GracelessCloseConnectionMessage):
            # A close has to come on the topic of its connection.
            slot = node.machine.slots.get(step[1].from_identifier, step[1].operation_name)
            step = (slot.incoming_close_topic if slot else "somewhere", *step[1:])
        suffer(net, node, step)
        for one in net.nodes:
            assert_sane(one)
            one.effects = [effect for effect in one.effects if not isinstance(effect, Send)]
