"""What goes wrong in a simulation: kinds of faults, of which each seed has some, at times of its choosing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from orbitalis.operations.policy import Policy
from orbitalis.protocol.effects import ProtocolMessage, Send
from orbitalis.protocol.transitions import Role
from orbitalis_wire import channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.simulation.world import Faults, World
from tests.support.machines import Node, Packet

__all__ = ["KINDS", "Plagues", "calm"]


class Plagues:
    """Makes things go wrong in one world, for `duration` seconds from its beginning."""

    def __init__(self, world: World, duration: float, revive: Callable[[Node], Node]) -> None:
        """Take a world; `revive` adds a second node with the identifier of one that there is."""
        self._world = world
        self._random = world.random
        self._duration = duration
        self._revive = revive
        self.twins: list[Node] = []
        """Further incarnations of an identifier, side by side with its first, which end with the faults."""
        self.are_over = False
        """Whether whatever is still planned has to be left out."""

    def plan(self, kinds: list[str], count: int) -> None:
        """Put faults of some kinds on the agenda."""
        for _ in range(count):
            kind = self._random.choice(kinds)
            at = self._world.now + self._random.random() * self._duration
            self._world.at(at, lambda kind=kind: KINDS[kind](self))  # type: ignore[misc]  # bound where it is made

    def _any_node(self) -> Node:
        return self._random.choice(self._world.nodes)

    def _while(self) -> float:
        """Return for how long something goes wrong: mostly for moments, at times beyond every timer."""
        return self._random.choice([0.05, 0.5, 2.0, 10.0, 70.0, 130.0]) * (0.5 + self._random.random())

    # The bus

    def losing(self) -> None:
        """Lose many messages."""
        self._weather(replace(self._world.faults, loss=self._random.choice([0.1, 0.3, 0.7])))

    def repeating(self) -> None:
        """Deliver many messages twice."""
        self._weather(replace(self._world.faults, duplication=self._random.choice([0.2, 0.6])))

    def reordering(self) -> None:
        """Delay messages so much that they overtake each other."""
        self._weather(replace(self._world.faults, delay=self._random.choice([0.2, 1.0, 5.0])))

    def delaying(self) -> None:
        """Delay some messages beyond timers."""
        self._weather(
            replace(self._world.faults, long_delays=0.15, longest_delay=self._random.choice([5.0, 80.0, 200.0]))
        )

    def _weather(self, faults: Faults) -> None:
        self._world.trace.note(self._world.now, "%s", faults)
        self._world.faults = faults

    def clearing(self) -> None:
        """Let the bus be as it should be."""
        self._weather(Faults())

    def cutting_one_way(self) -> None:
        """Let nothing pass from one orbiter to another."""
        sender, receiver = self._any_node(), self._any_node()
        self._cut({(sender.identifier, receiver.identifier)}, "from %s to %s", sender.identifier, receiver.identifier)

    def cutting_off(self) -> None:
        """Let nothing pass from or to one orbiter."""
        lonely = self._any_node().identifier
        others = {node.identifier for node in self._world.nodes} - {lonely}
        pairs = {pair for other in others for pair in ((lonely, other), (other, lonely))}
        self._cut(pairs, "from or to %s", lonely)

    def _cut(self, pairs: set[tuple[str, str]], where: str, *who: str) -> None:
        world, seconds = self._world, self._while()
        world.trace.note(world.now, "nothing passes " + where + " for %s s", *who, seconds)
        world.blocked |= pairs
        world.after(seconds, lambda: world.blocked.difference_update(pairs))

    def restarting_the_bus(self) -> None:
        """Let the bus be away for a while, and tell everybody when it is back."""
        world = self._world
        world.trace.note(world.now, "the bus goes down")
        world.bus_is_down = True
        world.after(self._while() / 5, self._bus_is_back)

    def _bus_is_back(self) -> None:
        world = self._world
        if world.bus_is_down:
            world.bus_is_down = False
            world.trace.note(world.now, "the bus is back")
            for node in world.nodes:
                if node.machine.running:
                    world.act(node, lambda node=node: node.do(node.machine.reconnected(world.now)))  # type: ignore[misc]

    def stopping_the_bus(self) -> None:
        """Let the bus publish the wills of all, in any order, lose everybody, and come back."""
        world = self._world
        wills = [(node, node.will()) for node in world.nodes if node.machine.running]
        self._random.shuffle(wills)
        for node, will in wills:
            world.publish(node, will)
        world.after(0.05, self._lose_everybody)

    def _lose_everybody(self) -> None:
        self.restarting_the_bus()
        for node in self._world.nodes:
            self._world.act(node, partial(_suspect_nobody, node))

    # Incarnations

    def crashing(self) -> None:
        """End an orbiter without a word, and start it again sooner or later."""
        self._end(self._world.crash)

    def stopping(self) -> None:
        """Stop an orbiter, and start it again sooner or later."""
        self._end(self._world.stop)

    def _end(self, how: Callable[[Node], None]) -> None:
        node = self._any_node()
        how(node)
        if node not in self.twins:
            self._world.after(self._while(), lambda: self._return(node))

    def _return(self, node: Node) -> None:
        if not self.are_over:
            self._world.begin(node)

    def doubling(self) -> None:
        """Start another one with the identifier of one that lives."""
        if len(self.twins) < 2:
            twin = self._revive(self._any_node())
            self.twins.append(twin)
            self._world.begin(twin)
            self._world.after(self._while(), lambda: self._world.crash(twin))

    def stalling(self) -> None:
        """Keep an orbiter from doing anything."""
        self._world.stall(self._any_node(), self._while())

    def forging(self) -> None:
        """Ask in the name of a core, as anybody can, in an incarnation that it is not in."""
        cores = [node for node in self._world.nodes if node.machine.role is Role.CORE]
        core = self._random.choice(cores)
        discover = Send(
            remote_identifier=None,
            topic=core.settings.discover_topic,
            channel=channels.DISCOVER,
            message=core.requester._discover_message(core.requester._config.requirements),
            event_identifier=self._world.new_identifier(),
            encoding=Encoding.JSON,
            late_offers=self._random.random() < 0.5,
        )
        incarnation = self._random.choice([None, "", "z", self._any_incarnation(core)])
        self._world.trace.note(self._world.now, "somebody asks as %s in incarnation %s", core, incarnation)
        self._world.publish(core, core.packet(discover, incarnation=incarnation))

    def replaying(self) -> None:
        """Publish again what was heard of late, as anybody can where nobody is kept from it."""
        if self._world.heard:
            for _ in range(self._random.choice([1, 1, 5])):
                sender, packet = self._random.choice(self._world.heard)
                self._world.trace.note(self._world.now, "somebody repeats %s", packet)
                self._world.publish(sender, packet)

    def claiming(self) -> None:
        """Say that an orbiter has started anew, without having read what it was asked."""
        node, other = self._any_node(), self._any_node()
        if node.machine.role is other.machine.role:
            return
        sender, topics = node.identifier, other.settings.topics
        plugin, core = (other, node) if node.machine.role is Role.CORE else (node, other)
        name = self._random.choice(sorted(plugin.settings.operations))
        messages: list[tuple[str, ProtocolMessage]] = [
            (topics.keepalive(sender), KeepaliveMessage(from_identifier=sender)),
            (
                topics.keepalive_request(sender),
                KeepaliveRequestMessage(
                    from_identifier=sender, keepalive_topic=node.settings.topics.keepalive(other.identifier)
                ),
            ),
        ]
        if other is plugin:
            reject = RejectOperationMessage(core_identifier=core.identifier, operation_name=name)
            messages.append((topics.reply(sender), reject))
            request = RequestOperationMessage(
                core_identifier=core.identifier,
                operation_name=name,
                response_topic=node.settings.topics.response(other.identifier),
                output_topic=None,
                core_side_close_operation_connection_topic=node.settings.topics.close(other.identifier, name, "x"),
                setup_data=None,
            )
            messages.append((topics.reply(sender), request))
        else:
            gone = OperationNoLongerAvailableMessage(plugin_identifier=plugin.identifier, operation_name=name)
            messages.append((topics.response(sender), gone))
        if slot := other.machine.slots.get(sender, name):
            close = GracelessCloseConnectionMessage(from_identifier=sender, operation_name=name, data=None)
            messages.append((slot.incoming_close_topic, close))
        topic, message = self._random.choice(messages)
        correlation = self._random.choice([None, "guessed", *(packet.envelope.identifier for packet in self._open())])
        packet = Packet(
            topic=topic,
            message=message,
            envelope=node.envelope(
                # One that it has, and a close whose topic was read, would be no claim.
                incarnation=f"z{self._random.randrange(3)}",
                correlation_identifier=correlation,
                connection_identifier=self._random.choice([None, "x"]),
                protocol_version=1,
            ),
        )
        self._world.trace.note(self._world.now, "somebody claims by %s", packet)
        self._world.publish(node, packet)

    def _open(self) -> list[Packet]:
        """Return announcements that were heard: what everybody reads answers nothing that proves anything."""
        return [packet for _, packet in self._world.heard if isinstance(packet.message, AnnounceMessage)]

    def _any_incarnation(self, node: Node) -> str:
        """Return an incarnation that an identifier has had of late, or has."""
        heard = {
            packet.envelope.incarnation
            for sender, packet in self._world.heard
            if sender.identifier == node.identifier and packet.envelope.incarnation
        }
        return self._random.choice(sorted(heard)) if heard else "z"

    def starting_again_and_again(self) -> None:
        """End an orbiter again while it still has to prove that it has started anew."""
        node = self._any_node()
        for number in range(self._random.randint(2, 8)):
            self._world.after(number * self._random.choice([0.02, 0.1, 1.0]), lambda: self._restart(node))

    def alternating(self) -> None:
        """Have two with one identifier start in turn, each as soon as the other has taken its place."""
        if not self.twins:
            self.doubling()
        if self.twins:
            twin = self.twins[0]
            pair = twin, next(node for node in self._world.nodes if node.identifier == twin.identifier)
            for number in range(self._random.randint(4, 14)):
                self._world.after(number * 0.4, lambda node=pair[number % 2]: self._restart(node))  # type: ignore[misc]
            self._world.after(10.0, lambda: self._world.crash(twin))

    def _restart(self, node: Node) -> None:
        if not self.are_over:
            self._world.crash(node)
            self._world.begin(node)

    def losing_challenges(self) -> None:
        """Lose what asks orbiters who they are, of all that may get lost."""
        self._weather(replace(self._world.faults, lost=(KeepaliveRequestMessage, DiscoverMessage)))
        self._world.after(self._while(), lambda: self._weather(replace(self._world.faults, lost=())))

    def flapping(self) -> None:
        """Let the bus publish the will of an orbiter that lives, or a will of an incarnation that it has had."""
        node = self._any_node()
        if node.machine.running:
            past = self._random.random() < 0.2
            will = node.will(incarnation=self._any_incarnation(node)) if past else node.will()
            self._world.trace.note(self._world.now, "the bus says that %s was cut; past: %s", node, past)
            self._world.publish(node, will)

    # Users

    def closing(self) -> None:
        """Close one connection, in either way, from either side."""
        node = self._any_node()
        if slots := [slot for slot in node.machine.slots if slot.is_connection]:
            slot = self._random.choice(slots)
            machine = node.machine
            close = self._random.choice([machine.close_gracefully, machine.close_gracelessly])
            self._world.trace.note(self._world.now, "%s closes %s with %s", node, slot.operation_name, slot.key[0])
            self._world.act(node, lambda: node.do(close(*slot.key, b"data", self._world.now)))

    def preparing_slowly(self) -> None:
        """Let preparations take a while, and succeed or fail then."""
        node, fails = self._any_node(), self._random.random() < 0.3
        node.prepares = False
        self._world.trace.note(self._world.now, "%s prepares slowly", node)
        self._world.after(self._while(), lambda: self._prepared(node, fails))

    def _prepared(self, node: Node, fails: bool) -> None:
        if node.prepares:
            return
        node.prepares = True
        self._world.trace.note(self._world.now, "%s has prepared; fails: %s", node, fails)
        self._world.act(node, lambda: node.finish_preparing(fails=fails))

    def handling_slowly(self) -> None:
        """Let the data that has come on connections take a while when they are closed gracefully."""
        node = self._any_node()
        node.drains = False
        self._world.trace.note(self._world.now, "%s handles data slowly", node)
        self._world.after(self._while(), lambda: self._handled(node))

    def _handled(self, node: Node) -> None:
        if node.drains:
            return
        node.drains = True
        self._world.trace.note(self._world.now, "%s has handled all data", node)
        self._world.act(node, node.finish_draining)

    def editing(self) -> None:
        """Change a policy or a constraint, whatever is under way."""
        node = self._any_node()
        others = [other.identifier for other in self._world.nodes if other.machine.role is not node.machine.role]
        some = self._random.sample(others, self._random.randint(0, len(others)))
        maximum = self._random.choice([None, 0, 1, 2, 3])
        if node.machine.role is Role.PLUGIN:
            terms = self._random.choice(list(node.settings.operations.values()))
            lists = self._random.choice([{}, {"allowlist": some}, {"blocklist": some}])
            terms.policy = Policy(maximum=maximum, **lists)
            self._world.trace.note(self._world.now, "%s has another policy: %s", node, terms.policy)
        else:
            requirement = self._random.choice(list(node.settings.operation_requirements.values()))
            minimum = self._random.randint(0, 2 if maximum is None else maximum)
            allowed = some if self._random.random() < 0.5 else None
            requirement.constraint = replace(
                requirement.constraint, minimum=minimum, maximum=maximum, allowlist=allowed, blocklist=None
            )
            self._world.trace.note(self._world.now, "%s has another constraint: %s", node, requirement.constraint)
        self._world.act(node, node.configure)

    def reconnecting(self) -> None:
        """Tell one orbiter alone that the bus was away."""
        node = self._any_node()
        if node.machine.running:
            self._world.act(node, lambda: node.do(node.machine.reconnected(self._world.now)))


def _suspect_nobody(node: Node) -> None:
    """Tell a node that it has lost the bus."""
    node.do(node.machine.cancel_suspicions([*node.machine.peers.suspected]))


KINDS: dict[str, Callable[[Plagues], None]] = {
    name: method
    for name, method in vars(Plagues).items()
    if not name.startswith("_") and callable(method) and name not in ("plan",)
}
"""Every kind of fault by name."""


def calm(world: World, plagues: Plagues) -> None:
    """Let all faults end: everybody lives, once, and the bus does its work."""
    world.trace.note(world.now, "all faults end")
    plagues.are_over = True
    world.faults = Faults()
    world.blocked.clear()
    for twin in plagues.twins:
        world.crash(twin)
        world.nodes.remove(twin)
    for node in world.nodes:
        world.go_on(node)
    plagues._bus_is_back()
    for node in world.nodes:
        plagues._prepared(node, False)
        plagues._handled(node)
        world.begin(node)
