"""State machines that talk to each other without a bus: a :class:`Net` carries what they send, and is the clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from orbitalis.bus.topic_filters import FilterMap
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.policy import Policy
from orbitalis.protocol.config import OrbiterConfig, RequirementTerms, TopicLayout
from orbitalis.protocol.effects import (
    Drain,
    Effect,
    Prepare,
    ProtocolMessage,
    Send,
    Subscribe,
    Unsubscribe,
    WatchWill,
)
from orbitalis.protocol.handshake.provider import Provider
from orbitalis.protocol.handshake.requester import Requester
from orbitalis.protocol.machine import CoreMachine, Machine, PluginMachine
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import AnnounceMessage, EventEnvelope, OfferMessage, WillMessage
from orbitalis_wire.topics import OfferTopic, WillTopic
from tests.support.machine_settings import Requirement, Settings, Terms, filters_of, text_constraint
from tests.support.net_identifiers import NetIdentifiers

__all__ = ["Net", "Node", "Packet"]

E = TypeVar("E")

_HEADERS: dict[str, Any] = dict.fromkeys(list(EventEnvelope.__dataclass_fields__)[6:])
"""What an older peer neither sends nor knows."""
_READABLE: tuple[str, ...] = tuple(Encoding)
_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _layout(role: Role, identifier: str, *, has_headers: bool) -> TopicLayout:
    """Return where a node listens; without headers, its connections have the topics of py-orbitalis."""
    if has_headers:
        return TopicLayout(role, identifier)

    def close(remote: str, name: str, connection: str) -> str:
        return f"{name}.{identifier}.{remote}.close"

    def data(remote: str, name: str, connection: str) -> str:
        return f"{name}.{identifier}.{remote}.output" if role is Role.CORE else f"{name}.{remote}.input.{connection}"

    return TopicLayout(role, identifier, close=close, data=data)


@dataclass(frozen=True, kw_only=True)
class Packet:
    """A message on its way."""

    topic: str
    message: ProtocolMessage
    envelope: EventEnvelope

    def changed(self, *, topic: str | None = None, message: Mapping[str, Any] | None = None, **headers: Any) -> Packet:
        """Return it with another topic, fields of the message or headers."""
        content: Any = self.message
        return Packet(
            topic=self.topic if topic is None else topic,
            message=replace(content, **(message or {})),
            envelope=replace(self.envelope, **headers),
        )


class Node:
    """One machine on a net, with what it is subscribed to and the effects that it had."""

    def __init__(
        self, net: Net, machine: Machine, settings: Settings, config: OrbiterConfig, *, has_headers: bool
    ) -> None:
        self.net = net
        self.settings = settings
        self.identifier = settings.identifier
        self.has_headers = has_headers
        """Without, it is as an older peer."""
        self.readable_encodings = _READABLE
        """What it says that it reads: a peer of version 1.0 says another thing."""
        self.incarnation = 0
        self.prepares = True
        """Whether preparations succeed at once; otherwise they wait in `preparing`."""
        self.preparing: list[Prepare] = []
        self.drains = True
        """Whether connections have nothing to drain; otherwise they wait in `draining`."""
        self.draining: list[Slot] = []
        self.setup_data: bytes | None = None
        self.effects: list[Effect] = []
        self.topics: list[str] = []
        """What it is subscribed to beside the filters of its layout, without wills."""
        self.wills: list[str] = []
        """The topics of the wills that it listens for."""
        self._machine = machine
        self._config = config
        """The settings as the machine knows them."""
        self._filters: FilterMap[str] = FilterMap()
        older = () if has_headers else (f"$keepalive.{settings.identifier}.request",)
        for topic_filter in (*filters_of(machine.role, settings.identifier), *older):
            self._filters.add(topic_filter, topic_filter)

    @property
    def machine(self) -> Machine:
        """Its machine, which knows the settings as they are now."""
        if self.net.watches_settings:
            self.configure()
        return self._machine

    @property
    def core(self) -> CoreMachine:
        machine = self.machine
        assert isinstance(machine, CoreMachine)
        return machine

    @property
    def plugin(self) -> PluginMachine:
        machine = self.machine
        assert isinstance(machine, PluginMachine)
        return machine

    @property
    def requester(self) -> Requester:
        return self.core.requester

    @property
    def provider(self) -> Provider:
        return self.plugin.provider

    def configure(self) -> None:
        """Hand the settings to the machine if they were edited."""
        machine, settings = self._machine, self.settings
        if isinstance(machine, CoreMachine):
            core_config = settings.core_config()
            if core_config != self._config:
                self._config = core_config
                self.do(machine.configure(core_config, self.net.now))
        elif isinstance(machine, PluginMachine):
            plugin_config = settings.plugin_config()
            if plugin_config != self._config:
                self._config = plugin_config
                self.do(machine.configure(plugin_config, self.net.now))
                for slot in machine.pop_disallowed():
                    self.do(machine.close_disallowed(slot, None, self.net.now))

    @property
    def incarnation_text(self) -> str:
        """What stands for its incarnation in its events."""
        return self.net.incarnation_text(self)

    @property
    def announces(self) -> bool:
        """Whether it announces itself."""
        return self.net.announces and self.has_headers

    def start(self) -> None:
        """Begin a new incarnation."""
        self.incarnation += 1
        self.do(self.machine.start(self.net.now))

    def stop(self) -> None:
        """End in order."""
        self.do(self.machine.stop())

    def crash(self) -> None:
        """End without a word."""
        self.machine.stop()
        self.topics.clear()
        self.wills.clear()
        self.preparing.clear()
        self.draining.clear()

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out."""
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, AnnounceMessage) and not self.announces:
                continue
            self.effects.append(effect)
            match effect:
                case Send():
                    self.net.wire.append(self.packet(effect))
                case Prepare(slot=slot):
                    self.topics += slot.local_topics
                    self.preparing.append(effect)
                    if self.prepares:
                        self.finish_preparing()
                case Drain(slot=slot):
                    self.draining.append(slot)
                    if self.drains:
                        self.finish_draining()
                case Subscribe(topic=topic):
                    self.topics.append(topic)
                case Unsubscribe(topics=topics):
                    for topic in topics:
                        if topic in self.topics:
                            self.topics.remove(topic)
                case WatchWill(remote_identifier=remote):
                    (self.wills.append if effect.is_wanted else self.wills.remove)(WillTopic.join(remote))
                case _:
                    pass

    def finish_preparing(self, *, fails: bool = False) -> None:
        """Report all preparations that wait."""
        waiting, self.preparing = self.preparing, []
        for one in waiting:
            if fails:
                self.do(self.machine.preparation_failed(one.slot, one.connection_identifier, self.net.now))
            else:
                done = self.machine.prepared(one.slot, one.connection_identifier, self.net.now, self.setup_data)
                self.do(done)

    def finish_draining(self) -> None:
        """Report for all connections that drain."""
        waiting, self.draining = self.draining, []
        for slot in waiting:
            self.do(self.machine.drained(slot, self.net.now))

    def packet(self, send: Send, **headers: Any) -> Packet:
        """Return what is published for a message, with these headers instead of the machine's."""
        if self.has_headers:
            envelope = self.envelope(
                identifier=send.event_identifier,
                protocol_version=1,
                incarnation=self.incarnation_text,
                correlation_identifier=send.correlation_identifier,
                connection_identifier=send.connection_identifier,
                open_connections=send.open_connections,
                readable_encodings=self.readable_encodings,
                late_offers=send.late_offers,
            )
        else:
            envelope = self.envelope(identifier=send.event_identifier)
        topic = send.topic
        if not self.has_headers and isinstance(send.message, OfferMessage) and send.remote_identifier is not None:
            # An older plugin does not know our layout, and offers where the discover has told.
            topic = OfferTopic.build(core_identifier=send.remote_identifier, plugin_identifier=None)
        return Packet(topic=topic, message=send.message, envelope=replace(envelope, **headers) if headers else envelope)

    def will(self, **headers: Any) -> Packet:
        """Return what the bus publishes if this one's connection is cut."""
        headers = {"incarnation": self.incarnation_text, **headers}
        envelope = self.envelope(protocol_version=1, readable_encodings=_READABLE, **headers)
        message = WillMessage(from_identifier=self.identifier)
        return Packet(topic=WillTopic.join(self.identifier), message=message, envelope=envelope)

    def envelope(
        self, *, identifier: str | None = None, publisher_identifier: str | None = None, **headers: Any
    ) -> EventEnvelope:
        """Return an envelope of this node's."""
        publisher = self.identifier if self.has_headers else f"{self.identifier}-{self.incarnation}"
        return EventEnvelope(
            identifier=identifier or self.net.new_identifier(),
            publisher_identifier=publisher_identifier or publisher,
            timestamp=_TIME,
            message_type=None,
            payload_format_type=None,
            serialized_payload=None,
            **headers,
        )

    def wanted(self) -> dict[str, RequirementTerms]:
        """Return what a core still wants of each operation."""
        requester = self.requester
        wanted = ((name, requester.still_wanted(name)) for name in self.settings.operation_requirements)
        return {name: terms for name, terms in wanted if terms is not None}

    def ask(self) -> None:
        """Ask everybody for all that a core still wants."""
        self.do(self.core.discover(self.wanted(), self.net.now))

    def tick(self) -> None:
        """Do the periodic work."""
        machine, now = self.machine, self.net.now
        self.do(machine.discard_expired(now))
        self.do(machine.lose_dead_remotes(now))
        self.do(machine.send_due_keepalives(now))
        for slot in machine.overdue_closes(now):
            self.do(machine.close_gracelessly(*slot.key, slot.close_data, now))
        for slot in machine.unused_connections(now):
            self.do(machine.close_unused(slot, None, now))
        if isinstance(machine, CoreMachine):
            self.do(machine.discover_if_due(now))
        if isinstance(machine, PluginMachine):
            self.do(machine.update_operations(now))

    def receives(self, topic: str) -> bool:
        """Return whether it is subscribed to a topic."""
        return topic in self.topics or topic in self.wills or bool(self._filters.match(topic))

    def may_receive(self, topic: str) -> bool:
        """Return whether it could be subscribed to a topic, now or later."""
        is_will = topic.endswith("/will")
        return is_will or self.identifier in topic.split("/", 2)[:2] or bool(self._filters.match(topic))

    def handle(self, packet: Packet) -> None:
        """Take a message."""
        envelope = packet.envelope
        if not self.has_headers:
            if isinstance(packet.message, AnnounceMessage):
                return  # it knows none
            envelope = replace(envelope, **_HEADERS)
        self.do(self.machine.handle(packet.topic, packet.message, envelope, self.net.now))

    # What tests ask

    def had(self, kind: type[E]) -> list[E]:
        """Return the effects of one kind that it had."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def sent(self, kind: type[E]) -> list[E]:
        """Return the messages of one kind that it sent."""
        return [message for send in self.had(Send) if isinstance(message := send.message, kind)]

    def last_send(self, kind: type[object]) -> Send:
        """Return how it sent its last message of one kind."""
        return [send for send in self.had(Send) if isinstance(send.message, kind)][-1]

    def connections(self, operation_name: str = "text") -> list[str]:
        """Return the remotes with which an operation is open."""
        return [slot.remote_identifier for slot in self.machine.slots.open_of_operation(operation_name)]

    def slot(self, remote: Node, operation_name: str = "text") -> Slot:
        """Return the slot with a remote."""
        found = self.machine.slots.get(remote.identifier, operation_name)
        assert found is not None
        return found

    def has_slot(self, remote: Node, operation_name: str = "text") -> bool:
        """Return whether anything is shared or under way with a remote."""
        return self.machine.slots.get(remote.identifier, operation_name) is not None


class Net:
    """Nodes, what is on its way between them, and the time."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.nodes: list[Node] = []
        self.wire: list[Packet] = []
        self.loses: Callable[[Packet], bool] = lambda packet: False
        """Which messages are lost."""
        self.announces = False
        """Whether plugins announce themselves; without, they are found by discovers to everybody alone."""
        self.watches_settings = True
        """Whether nodes notice by themselves that their settings were edited; if not, call :meth:`Node.configure`."""
        self._numbers: Iterator[int] = itertools.count(1)

    def new_identifier(self) -> str:
        """Return an identifier that is new."""
        return f"i{next(self._numbers)}"

    def incarnation_text(self, node: Node) -> str:
        """Return what stands for the incarnation of a node in its events."""
        return f"{node.incarnation:08d}"

    def skip_names(self, to: int) -> None:
        """Give none of the names before a number any more."""
        self._numbers = itertools.count(to)

    def add_core(
        self, identifier: str = "core", *, has_headers: bool = True, text: Constraint | None = None, **settings: Any
    ) -> Node:
        """Add a core, which by default needs one plugin for operation `text`."""
        settings.setdefault("operation_requirements", {"text": Requirement(text or text_constraint(minimum=1))})
        made = Settings(
            identifier=identifier, topics=_layout(Role.CORE, identifier, has_headers=has_headers), **settings
        )
        config = made.core_config()
        source = NetIdentifiers(self.new_identifier)
        machine = CoreMachine(config, new_identifier=source, new_challenge=source, is_own=source.has_given)
        return self._add(Node(self, machine, made, config, has_headers=has_headers))

    def add_plugin(
        self, identifier: str = "plugin", *, has_headers: bool = True, policy: Policy | None = None, **settings: Any
    ) -> Node:
        """Add a plugin, which by default has operation `text`."""
        settings.setdefault("operations", {"text": Terms(policy=policy or Policy())})
        made = Settings(
            identifier=identifier, topics=_layout(Role.PLUGIN, identifier, has_headers=has_headers), **settings
        )
        config = made.plugin_config()
        source = NetIdentifiers(self.new_identifier)
        machine = PluginMachine(config, new_identifier=source, new_challenge=source, is_own=source.has_given)
        return self._add(Node(self, machine, made, config, has_headers=has_headers))

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def start(self) -> None:
        """Start all nodes that do not run, and have everything delivered."""
        for node in self.nodes:
            if not node.machine.running:
                node.start()
        for node in self.nodes:
            node.tick()
        self.run()

    def run(self) -> None:
        """Deliver everything, in order, until nothing is on its way."""
        for _ in range(100_000):
            if not self.wire:
                return
            self.deliver()
        raise AssertionError(f"it never ends: {self.wire[:3]}")

    def deliver(self, index: int = 0) -> Packet:
        """Deliver one message, by default the oldest, to all that are subscribed; return it."""
        packet = self.wire.pop(index)
        if not self.loses(packet):
            for node in self.nodes:
                if node.machine.running and node.receives(packet.topic):
                    node.handle(packet)
        return packet

    def deliver_until(self, kind: type[object]) -> Packet:
        """Deliver until a message of one kind is the next; take that off the wire and return it."""
        while self.wire:
            if isinstance(self.wire[0].message, kind):
                return self.wire.pop(0)
            self.deliver()
        raise AssertionError(f"no {kind.__name__} was sent")

    def advance(self, seconds: float) -> None:
        """Let time pass from one deadline to the next, with everything delivered at once."""
        end = self.now + seconds
        for _ in range(100_000):
            self.run()
            known = (node.machine.next_deadline() for node in self.nodes)
            at = min((deadline for deadline in known if deadline is not None), default=math.inf)
            if at > end:
                self.now = end
                return
            self.now = max(self.now, at)
            for node in self.nodes:
                node.tick()
        raise AssertionError("deadlines are due again and again")
