"""Which headers a message carries: what the table in `asyncapi.yaml` says is what is sent."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, Plugin, StringMessage, operation
from orbitalis.bus import LocalEventBusClient, QueueBounds
from orbitalis.errors import OperationFailedError, OverloadedError
from orbitalis.operating import Operator
from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import Send
from orbitalis.testing import Harness
from orbitalis_wire.channels import DIRECTED_DISCOVER
from orbitalis_wire.messages import (
    AnnounceMessage,
    CancelInputMessage,
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    IntrospectionRequestMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationErrorMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node
from tests.support.repository import ROOT

HEADERS = (
    "correlation_identifier",
    "connection_identifier",
    "late_offers",
    "open_connections",
    "answer_requested",
    "sequence_number",
    "answer_within",
)
OF_DATA = ("input", "cancel of an input", "output", "operation error")
NAMES = {
    AnnounceMessage: "announcement",
    OfferMessage: "offer",
    RequestOperationMessage: "request",
    ConfirmConnectionMessage: "confirm",
    OperationNoLongerAvailableMessage: "no longer available",
    KeepaliveMessage: "keepalive",
    KeepaliveRequestMessage: "keepalive request",
    GracefulCloseConnectionMessage: "graceful close",
    GracelessCloseConnectionMessage: "graceless close",
    CloseConnectionAckMessage: "close acknowledgement",
}
INTROSPECTION = ("introspection request", "pong, info, connections, statistics")
NEVER = "\u2013"
Carried = dict[str, set[bool]]
"""For each header, whether messages of a kind carried it: always, never or now and then."""


def table() -> dict[str, Carried]:
    """Return what the document says of each kind of message."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "asyncapi.yaml").read_text(encoding="utf-8"))
    lines = [line for line in document["info"]["description"].splitlines() if line.startswith("|")]
    said: dict[str, Carried] = {}
    for line in lines[2:]:
        message, correlation, connection, others = (cell.strip() for cell in line.strip("|").split("|"))
        cells = {"correlation_identifier": correlation, "connection_identifier": connection}
        for header in HEADERS[2:]:
            cells[header] = next((one for one in others.split(";") if f"`{header}`" in one), NEVER)
        said[message] = {
            header: {False} if cell == NEVER else {True, False} if ", if " in cell or ", unless " in cell else {True}
            for header, cell in cells.items()
        }
    return said


def kind_of(send: Send) -> str:
    """Return what the table calls a message."""
    if isinstance(send.message, DiscoverMessage):
        return "directed discover" if send.channel is DIRECTED_DISCOVER else "discover to everyone"
    if isinstance(send.message, RejectOperationMessage):
        is_late = send.connection_identifier is not None
        return "reject that takes a request back" if is_late else "reject of an offer"
    return NAMES[type(send.message)]


def connected(**settings: Any) -> tuple[Net, Node, Node]:
    """Return a net of a core and a plugin that has announced itself to it, and of which it has heard nothing before."""
    net = Net()
    net.announces = True
    core = net.add_core(**settings)
    net.start()
    plugin = net.add_plugin()
    net.start()
    assert core.connections() == ["plugin"]
    return net, core, plugin


def closing_gracefully() -> Net:
    net, core, plugin = connected()
    core.do(core.machine.close_gracefully("plugin", "text", None, net.now))
    net.run()
    assert plugin.connections() == []
    return net


def closing_at_once() -> Net:
    net, core, _ = connected()
    core.do(core.machine.close_gracelessly("plugin", "text", None, net.now))
    net.run()
    return net


def being_silent() -> Net:
    net, core, _ = connected()
    net.advance(115.0)
    core.do(core.machine.reconnected(net.now))
    net.run()
    return net


def having_nothing_to_offer() -> Net:
    net = Net()
    net.announces = True
    net.add_core()
    net.start()
    net.add_plugin(policy=Policy(maximum=0))
    net.start()
    return net


def wanting_one_of_two() -> Net:
    net = Net()
    net.add_core(text=text_constraint(minimum=1, maximum=1))
    net.add_plugin("one")
    net.add_plugin("two")
    net.start()
    return net


def giving_up_before_the_confirm_comes() -> Net:
    net = Net()
    core = net.add_core()
    net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    confirm = net.deliver_until(ConfirmConnectionMessage)
    net.now += 61.0
    core.tick()
    core.handle(confirm)
    net.run()
    return net


def requesting_too_late(*, has_headers: bool) -> Net:
    net = Net()
    core = net.add_core(has_headers=has_headers)
    plugin = net.add_plugin()
    for node in net.nodes:
        node.start()
    core.tick()
    request = net.deliver_until(RequestOperationMessage)
    plugin.settings.operations["text"].policy.maximum = 0
    plugin.tick()
    plugin.handle(request)
    return net


def offering_late() -> Net:
    net = having_nothing_to_offer()
    plugin = net.nodes[1]
    plugin.settings.operations["text"].policy.maximum = 1
    plugin.tick()
    net.run()
    assert plugin.connections() == ["core"]
    return net


def all_that_is_sent() -> Iterator[Send]:
    """Yield each message of the protocol that peers with headers send in all of these."""
    nets = (
        closing_gracefully(),
        closing_at_once(),
        being_silent(),
        having_nothing_to_offer(),
        offering_late(),
        wanting_one_of_two(),
        giving_up_before_the_confirm_comes(),
        requesting_too_late(has_headers=True),
        requesting_too_late(has_headers=False),
    )
    for node in (node for net in nets for node in net.nodes if node.has_headers):
        yield from node.had(Send)


def test_messages_of_the_protocol_carry_the_headers_that_the_document_says() -> None:
    carried: dict[str, Carried] = {}
    for send in all_that_is_sent():
        found = carried.setdefault(kind_of(send), defaultdict(set))
        for header in HEADERS:
            found[header].add(getattr(send, header, None) is not None)

    elsewhere = (*OF_DATA, *INTROSPECTION, "will")
    assert carried == {kind: said for kind, said in table().items() if kind not in elsewhere}


async def test_a_will_carries_the_headers_that_the_document_says(harness: Harness) -> None:
    plugin = Plugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin)
    assert plugin.eventbus_client.make_will is not None
    will = plugin.eventbus_client.make_will()
    assert will is not None
    assert {header: {getattr(will.event, header, None) is not None} for header in HEADERS} == table()["will"]
    assert (will.event.protocol_version, will.event.incarnation) == (1, plugin._incarnation)
    assert will.event.readable_encodings


@dataclass
class Moody(Plugin):
    """A plugin that answers some texts, fails at others, and is busy with one until it may go on."""

    may: asyncio.Event = field(default_factory=asyncio.Event)

    @operation(name="text", input=Input.string(), output=Output.string())
    async def text(self, topic: str, event: Event[StringMessage]) -> None:
        if event.payload.value == "fail":
            raise ValueError("it fails")
        if event.payload.value == "busy":
            await self.may.wait()
        connections = await self.retrieve_and_touch_connections("text", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value)


async def test_inputs_and_outputs_carry_the_headers_that_the_document_says(harness: Harness) -> None:
    need = OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()]))
    core = Core(identifier="core", operation_requirements={"text": need}, eventbus_client=harness.client())
    client = LocalEventBusClient(harness.bus, queue_bounds=QueueBounds(events=0))
    plugin = Moody(identifier="plugin", eventbus_client=client)
    await harness.start(plugin, core)
    await harness.compliant(core)
    await core.execute("text", "a", any=True)
    await harness.idle()
    await core.request("text", "b")
    with pytest.raises(OperationFailedError):
        await core.request("text", "fail")
    cancelled = asyncio.create_task(core.request("text", "busy"))
    await harness.advance(1)
    with pytest.raises(OverloadedError):
        await core.request("text", "too much")
    cancelled.cancel()
    plugin.may.set()
    await harness.idle()

    carried: dict[str, Carried] = {}
    for sent in harness.recording:
        kind = "operation error" if isinstance(sent.payload, OperationErrorMessage) else ""
        kind = "cancel of an input" if isinstance(sent.payload, CancelInputMessage) else kind
        kind = kind or next((name for name in ("input", "output") if f"/{name}/" in sent.topic), "")
        found = carried.setdefault(kind, defaultdict(set))
        for header in HEADERS:
            found[header].add(getattr(sent.event, header) is not None)
        assert sent.event.protocol_version == 1
        assert sent.event.incarnation is not None
        assert sent.event.readable_encodings is not None
    del carried[""]

    assert carried == {kind: table()[kind] for kind in OF_DATA}


async def test_requests_of_operators_and_answers_carry_the_headers_that_the_document_says(harness: Harness) -> None:
    await harness.start(Moody(identifier="plugin", eventbus_client=harness.client()))
    before = len(harness.recording)
    async with Operator(harness.client(), identifier="op") as op:
        for ask in (op.ping, op.info, op.connections, op.statistics):
            assert list(await ask("plugin")) == ["plugin"]
            assert list(await ask()) == ["plugin"]

    carried: dict[str, Carried] = {}
    for sent in harness.recording[before:]:
        is_request = isinstance(sent.payload, IntrospectionRequestMessage)
        found = carried.setdefault(INTROSPECTION[0] if is_request else INTROSPECTION[1], defaultdict(set))
        for header in HEADERS:
            found[header].add(getattr(sent.event, header) is not None)
        assert sent.event.protocol_version == 1
        assert (sent.event.incarnation is None) == is_request
        assert sent.event.readable_encodings is not None

    assert carried == {kind: table()[kind] for kind in INTROSPECTION}


def test_a_request_without_headers_is_confirmed_with_an_identifier_of_the_plugins() -> None:
    net = Net()
    core, plugin = net.add_core(has_headers=False), net.add_plugin()
    net.start()

    confirm = plugin.last_send(ConfirmConnectionMessage)
    assert confirm.connection_identifier == plugin.slot(core).connection_identifier
    assert confirm.connection_identifier
    assert plugin.slot(core).input_topic is not None
    assert str(plugin.slot(core).input_topic).endswith(f"/{confirm.connection_identifier}")


@pytest.mark.parametrize(("dead_after", "expected"), [(5.0, 2.5), (10.0, 5.0), (30.0, 20.0)])
def test_keepalives_come_in_half_the_time_where_there_is_less_than_their_lead(
    dead_after: float, expected: float
) -> None:
    net = Net()
    core = net.add_core(consider_others_dead_after=dead_after)
    plugin = net.add_plugin()
    net.start()
    assert core.connections() == ["plugin"]

    # The plugin alone: the core asks for a keepalive just then, which would be answered.
    net.now += expected - 0.01
    plugin.tick()
    before = len(plugin.sent(KeepaliveMessage))
    net.now += 0.02
    plugin.tick()

    assert (before, len(plugin.sent(KeepaliveMessage))) == (0, 1)
