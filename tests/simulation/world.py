"""The world of a simulation: orbiters, a bus that does to messages what buses can do, and the time."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from orbitalis.errors import RemoteProtocolError
from orbitalis_wire.messages import WillMessage
from tests.simulation.trace import Trace
from tests.support.machines import Net, Node, Packet

__all__ = ["Faults", "Inspector", "World"]


@dataclass
class Faults:
    """What the bus does to messages at the moment. Times are seconds, others probabilities."""

    loss: float = 0.0
    duplication: float = 0.0
    delay: float = 0.01
    """Mean of the delay of most messages."""
    long_delays: float = 0.0
    """How many messages are delayed by up to `longest_delay`."""
    longest_delay: float = 0.0
    lost: tuple[type[object], ...] = ()
    """Kinds of messages that are all lost."""


class Inspector:
    """Looks at a node before and after each thing that happens to it; the base sees nothing wrong."""

    def before(self, node: Node, packet: Packet | None) -> None:
        """Look before something happens: the delivery of a packet, or anything else."""

    def after(self, node: Node, packet: Packet | None) -> None:
        """Look after it has happened."""


class World(Net):
    """Everything runs on one agenda in virtual time, and every choice comes from one source of chance."""

    def __init__(self, seed: int, loop_interval: float = 1.0) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.announces = True
        self.watches_settings = False
        self.trace = Trace()
        self.faults = Faults()
        self.inspector = Inspector()
        self.blocked: set[tuple[str, str]] = set()
        """Sender and receiver between whom nothing passes."""
        self.bus_is_down = False
        self.last_arrival = 0.0
        """When the last message arrives of those that are on their way."""
        self._stalled: dict[Node, list[Callable[[], None]]] = {}
        """What waits for nodes that are busy."""
        self.discovers: list[tuple[float, str]] = []
        """When and by whom discovers were sent."""
        self.steps = 0
        self._loop_interval = loop_interval
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._ticks: dict[Node, float] = {}
        self._phases: dict[Node, float] = {}
        self._incarnations: dict[str, int] = {}
        self._texts: dict[Node, str] = {}
        """What stands for the incarnation of each node: nothing follows from the order."""
        self._seed = seed
        self.heard: deque[tuple[Node, Packet]] = deque(maxlen=200)
        """What was published of late, with its sender: anybody may have listened."""
        self._audiences: dict[str, list[Node]] = {}
        """By topic: who may be subscribed to it, of those in `_audiences_among`."""
        self._audiences_among: list[Node] = []

    def incarnation_text(self, node: Node) -> str:
        """Return what stands for the incarnation of a node in its events."""
        return self._texts.get(node, "")

    # Time

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Put something on the agenda."""
        self._sequence += 1
        heapq.heappush(self._agenda, (when, self._sequence, what))

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Put something on the agenda, some time from now."""
        self.at(self.now + seconds, what)

    def run_until(self, end: float) -> None:
        """Let everything happen that is on the agenda up to then."""
        while self._agenda and self._agenda[0][0] <= end:
            when, _, what = heapq.heappop(self._agenda)
            self.now = max(self.now, when)
            what()
        self.now = max(self.now, end)

    # Nodes

    def begin(self, node: Node) -> None:
        """Start a node, unless it lives, in an incarnation that its identifier has not had."""
        if node.machine.running:
            return
        self._incarnations[node.identifier] = node.incarnation = self._incarnations.get(node.identifier, 0)
        self._incarnations[node.identifier] += 1
        text = random.Random(f"{self._seed} {node.identifier} {node.incarnation}").getrandbits(64)
        self._texts[node] = f"{text:016x}"
        self.trace.note(self.now, "%s starts incarnation %s", node, self._texts[node])
        self._phases[node] = self.random.random() * self._loop_interval
        self.act(node, node.start)
        self.act(node, node.tick)

    def crash(self, node: Node) -> None:
        """End a node without a word, if it lives."""
        if node.machine.running:
            self.trace.note(self.now, "%s crashes", node)
            will = node.will()
            node.crash()
            self._has_ended(node)
            self.publish(node, will)

    def stop(self, node: Node) -> None:
        """End a node in order, if it lives."""
        if node.machine.running:
            self.trace.note(self.now, "%s stops", node)
            self.act(node, node.stop)
            self._has_ended(node)

    def act(self, node: Node, action: Callable[[], object], packet: Packet | None = None) -> None:
        """Let a node do something, look at it, and take to the bus what it sent."""
        self.steps += 1
        self.inspector.before(node, packet)
        try:
            action()
        except RemoteProtocolError as error:
            self.trace.note(self.now, "%s refuses: %s", node, error)
            node.do(node.machine.take())
        self.inspector.after(node, packet)
        node.effects.clear()
        sent, self.wire = self.wire, []
        for one in sent:
            self.publish(node, one)
        self._plan_tick(node)

    def stall(self, node: Node, seconds: float) -> None:
        """Keep a node from doing anything, as a busy event loop would."""
        if node not in self._stalled:
            self.trace.note(self.now, "%s stalls for %s s", node, seconds)
            self._stalled[node] = []
            self.after(seconds, lambda: self.go_on(node))

    def go_on(self, node: Node) -> None:
        """Let a node that has stalled do what has come meanwhile."""
        for one in self._stalled.pop(node, ()):
            one()

    def _has_ended(self, node: Node) -> None:
        self._ticks.pop(node, None)
        assert node.machine.next_deadline() is None, f"{node.identifier} has a deadline after its stop"

    def _plan_tick(self, node: Node) -> None:
        machine = node.machine
        deadline = machine.next_deadline() if machine.running else None
        if deadline is None:
            self._ticks.pop(node, None)
            return
        phase = self._phases[node]
        when = self.now
        if deadline > self.now:
            # The loop looks once in each interval.
            rounds = math.ceil((deadline - phase) / self._loop_interval)
            when = max(self.now, phase + rounds * self._loop_interval)
            suspicion_at = machine._suspicions.deadlines.next()
            if suspicion_at is not None:
                # What follows from a will does not wait for the loop.
                when = min(when, max(self.now, suspicion_at))
        planned = self._ticks.get(node)
        if planned is not None and planned <= when:
            return
        self._ticks[node] = when
        self.at(when, lambda: self._tick(node, when))

    def _tick(self, node: Node, planned: float) -> None:
        if self._ticks.get(node) != planned or not node.machine.running:
            return
        if (waiting := self._stalled.get(node)) is not None:
            waiting.append(lambda: self._tick(node, planned))
            return
        del self._ticks[node]
        self.act(node, node.tick)

    # Bus

    def publish(self, sender: Node, packet: Packet) -> None:
        """Take a message of a node to all who may be subscribed, or to none of them."""
        if packet.topic == sender.settings.discover_topic:
            self.discovers.append((self.now, sender.identifier))
        self.heard.append((sender, packet))
        for receiver in self._audience_of(packet.topic):
            if receiver is sender:
                continue
            if self.bus_is_down or (sender.identifier, receiver.identifier) in self.blocked:
                self.trace.note(self.now, "%s sends %s: %s is cut off", sender, packet, receiver)
                continue
            if type(packet.message) in self.faults.lost or self.random.random() < self.faults.loss:
                self.trace.note(self.now, "%s sends %s: lost", sender, packet)
                continue
            self._deliver_later(sender, receiver, packet)
            if self.random.random() < self.faults.duplication:
                self.trace.note(self.now, "%s sends %s: twice", sender, packet)
                self._deliver_later(sender, receiver, packet)

    def _audience_of(self, topic: str) -> list[Node]:
        """Return the nodes that may be subscribed to a topic, in order."""
        if self._audiences_among != self.nodes:
            self._audiences.clear()
            self._audiences_among = list(self.nodes)
        found = self._audiences.get(topic)
        if found is None:
            found = self._audiences[topic] = [node for node in self.nodes if node.may_receive(topic)]
        return found

    def _deliver_later(self, sender: Node, receiver: Node, packet: Packet) -> None:
        delay = self.random.expovariate(1 / self.faults.delay)
        if self.random.random() < self.faults.long_delays:
            delay += self.random.random() * self.faults.longest_delay
        self.last_arrival = max(self.last_arrival, self.now + delay)
        self.after(delay, lambda: self._arrive(sender, receiver, packet))

    def _arrive(self, sender: Node, receiver: Node, packet: Packet) -> None:
        if (waiting := self._stalled.get(receiver)) is not None:
            waiting.append(lambda: self._arrive(sender, receiver, packet))
            return
        if self.bus_is_down and isinstance(packet.message, WillMessage):
            return  # it came over a connection that is lost
        if not receiver.machine.running:
            # A bus that delivers to somebody who has left: it must be as if nothing had come.
            assert receiver.machine.handle(packet.topic, packet.message, packet.envelope, self.now) == []
            return
        if receiver.receives(packet.topic):
            self.trace.note(self.now, "%s gets %s", receiver, packet)
            self.act(receiver, lambda: receiver.handle(packet), packet)
