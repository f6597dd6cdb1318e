"""One case as it runs: the subject, those whom the tester plays, what has happened, and what has to."""

from __future__ import annotations

import asyncio
import copy
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from orbitalis_conformance.broker import HOST, Broker
from orbitalis_conformance.bus import BROADCASTS, Bus, Seen
from orbitalis_conformance.case import Case
from orbitalis_conformance.errors import CaseError, Fault, ToolError
from orbitalis_conformance.events import Event, short_name
from orbitalis_conformance.patterns import mismatch, resolve
from orbitalis_conformance.peer import Outgoing, Peer
from orbitalis_conformance.rules import Rules
from orbitalis_conformance.shapes import SCHEMAS, fingerprint_of_schema, shortened, with_sets
from orbitalis_conformance.subject import Report, Subject

__all__ = ["Scene"]

SUBJECT: Final = "subject"
"""The identifier that the subject is given."""
_WITHIN: Final = 8.0
"""Seconds within which something has to come, if a case does not say otherwise."""
_FOR: Final = 0.3
"""Seconds for which something must not come, if a case does not say otherwise."""
_FOR_UNKNOWN: Final = 0.8
"""The same where there is no way to know whether the subject has handled what was sent."""
_SETTLED_WITHIN: Final = 3.0
_PROBE: Final = "conformance-probe"
"""Who asks the subject whether it has handled all that came before."""
_MANY: Final = re.compile(r"(.)\*(\d+)")
"""A long text in a case: `${x*300}`."""
#: Short, so that cases take little time, or so long that nothing comes unasked.
_USUAL_SETTINGS: Final = {
    "loop_interval": 0.1,
    "discovering_interval": 60.0,
    "discovering_interval_when_compliant": 60.0,
}
_USUAL_OPERATIONS: Final[Mapping[str, Any]] = {"lowercase": {}}
_USUAL_OPERATION: Final = {"input": "string", "output": "string", "does": "lowercase"}
_USUAL_REQUIREMENT: Final = {"inputs": ["string"], "outputs": ["string"], "minimum": 1}


class Scene:
    """What a case acts on."""

    def __init__(self, case: Case, broker: Broker, subject: Subject, *, patience: float = 1.0) -> None:
        """Prepare it; `patience` is by how much longer things may take on a slow machine."""
        self.case = case
        self.broker = broker
        self.subject = subject
        self.seen: list[Seen] = []
        self.names: dict[str, Any] = {}
        """What steps have named, and the last event of each kind."""
        self.log: list[str] = []
        """What happened, for a failure."""
        self.rules = Rules(SUBJECT, lacks=subject.lacks)
        self.peers: dict[str, Peer] = {}
        self.peers |= {name: self._make_peer(name, self.resolved(given)) for name, given in case.peers.items()}
        self.bus = Bus(broker.port, self._on_seen)
        self.bus.extra_topics = [topic for peer in self.peers.values() for topic in peer.topics_of_older()]
        self.config = self._make_config(case.subject)
        self._patience = patience
        self._changed = asyncio.Condition()
        self._begin = time.monotonic()
        self._connected_before = len(broker.connections())
        self._probes: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        subject.on_report = self.notify
        subject.reports.clear()

    @staticmethod
    def _make_peer(name: str, given: Mapping[str, Any]) -> Peer:
        settings = dict(given)
        if "reads" in settings:
            settings["reads"] = tuple(settings["reads"])
        if "version" in settings:
            settings["version"] = str(settings["version"])
        try:
            return Peer(name=name, subject=SUBJECT, identifier=settings.pop("identifier", name), **settings)
        except TypeError:
            raise CaseError(f"peer {name!r} is given what none has: {given}") from None

    def _make_config(self, given: Mapping[str, Any]) -> dict[str, Any]:
        role = given["role"]
        config: dict[str, Any] = {
            "role": role,
            "identifier": SUBJECT,
            "broker": {"host": HOST, "port": self.broker.port},
            "settings": {**_USUAL_SETTINGS, **given.get("settings", {})},
        }
        kind = "operations" if role == "plugin" else "requirements"
        usual = _USUAL_OPERATION if role == "plugin" else _USUAL_REQUIREMENT
        wanted = given.get(kind, _USUAL_OPERATIONS)
        config[kind] = self.resolved({name: with_sets({**usual, **(one or {})}) for name, one in wanted.items()})
        # More of them, that nobody wants or has.
        few = {"inputs": ["none"], "outputs": ["none"], "minimum": 1} if role == "core" else usual
        for number in range(int(given.get("many", 0))):
            config[kind][f"many{number:04}"] = with_sets(few)
        known = {"role", "settings", kind, "starts", "many"}
        if unknown := sorted(given.keys() - known):
            raise CaseError(f"a {role} is not configured by {unknown[0]!r}, but by {', '.join(sorted(known))}")
        return config

    def note(self, text: str) -> None:
        """Note something that happened."""
        self.log.append(f"{time.monotonic() - self._begin:7.3f} {text}")

    # What comes

    def _on_seen(self, seen: Seen) -> None:
        if self._is_of_probe(seen):
            return
        self.seen.append(seen)
        self.note(f"subject → {str(seen)[:600]}")
        self.rules.look(seen, self.peers.values())
        for peer in self.peers.values():
            if seen.topic in BROADCASTS:
                peer.overhear(seen)
        self.notify()

    def _is_of_probe(self, seen: Seen) -> bool:
        if not seen.topic.startswith(f"orbitalis/{_PROBE}/"):
            return False
        if seen.envelope is not None:
            self._probes.discard(seen.envelope.correlation_identifier or "")
        self.notify()
        return True

    def notify(self) -> None:
        """Have those that wait look again."""

        async def wake() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, find: Callable[[], Any], seconds: float) -> Any:
        """Return what `find` finds, other than `None`; `None` if it finds nothing within this time."""
        end = time.monotonic() + seconds
        async with self._changed:
            while (found := find()) is None:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                try:
                    await asyncio.wait_for(self._changed.wait(), left)
                except TimeoutError:
                    return find()
        return found

    def within(self, step: Mapping[str, Any]) -> float:
        """Return for how long a step waits for something."""
        return float(step.get("within", _WITHIN)) * self._patience

    # References

    def resolved(self, content: Any) -> Any:
        """Return a part of the case with what its references stand for."""
        return resolve(content, self.look_up)

    def look_up(self, reference: str) -> Any:
        """Return what a reference stands for: a peer or its last event, a named event, a schema, a long text."""
        if many := _MANY.fullmatch(reference):
            return many[1] * int(many[2])
        name, *path = reference.split(".")
        if name == "subject":
            return SUBJECT
        if name == "schema":
            return SCHEMAS[path[0]]
        if name == "fingerprint":
            return fingerprint_of_schema(path[0])
        if name in self.peers:
            return self._look_up_peer(self.peers[name], path)
        if name not in self.names:
            raise CaseError(f"${{{reference}}}: nothing is named {name!r}; there are {', '.join(sorted(self.names))}")
        if path and isinstance(event := self.names[name], Event):
            return event.look_up(path)
        content: Any = self.names[name]
        for part in path:
            content = content[part]
        return content

    def _look_up_peer(self, peer: Peer, path: list[str]) -> Any:
        if not path:
            return peer.identifier
        if path[0] == "incarnation":
            return peer.incarnation
        if path[0] == "connection":
            return peer.link(path[1] if len(path) > 1 else None).identifier
        if path[0] in ("input_topic", "to_subject", "from_subject", "close_to_subject", "close_from_subject"):
            return getattr(peer.link(path[1] if len(path) > 1 else None), path[0].replace("input_topic", "to_subject"))
        if path[0] not in peer.last:
            raise CaseError(f"{peer.name} has neither sent nor taken {path[0]!r}")
        return peer.last[path[0]].look_up(path[1:])

    # Acting

    async def publish(self, peer: Peer, outgoing: Outgoing, name: str | None) -> None:
        """Publish an event of a peer."""
        fields = shortened(str(dict(outgoing.event.fields)))[:400]
        self.note(f"{peer.name} → {outgoing.topic}: {outgoing.event.kind} {fields}")
        self.remember(outgoing.event, name)
        await self.bus.publish(outgoing.topic, outgoing.data, outgoing.quality_of_service)

    def remember(self, event: Event, name: str | None) -> None:
        """Give an event the name of its kind, and another one."""
        self.names[short_name(event.kind)] = event
        if name is not None:
            self.names[name] = event

    async def expect(self, peer: Peer, kind: str, step: Mapping[str, Any]) -> Event:
        """Wait for a message to a peer, and hold it against what a step expects."""
        seconds = self.within(step)
        wanted = {key: self.resolved(with_sets(step[key])) for key in ("topic", "fields", "headers") if key in step}
        passed: list[str] = []

        def find() -> Seen | None:
            for seen in self.seen:
                if peer.name in seen.taken_by or seen.kind != kind or not peer.hears(seen):
                    continue
                difference = self._difference(seen, wanted, step)
                if difference is None or not step.get("eventually"):
                    return seen
                seen.taken_by.add(peer.name)
                passed.append(difference)
            return None

        seen = await self.until(find, seconds)
        if seen is None:
            others = [one.kind for one in self.seen if peer.hears(one) and peer.name not in one.taken_by]
            instead = f"; of its own it got {', '.join(others)}" if others else ""
            skipped = f"; those that came were wrong: {passed[-1]}" if passed else ""
            raise Fault(f"{peer.name} has to get a {kind} within {seconds:g} s, and got none{instead}{skipped}")
        if difference := self._difference(seen, wanted, step):
            raise Fault(f"{peer.name} got a {kind} that is not as it has to be: {difference}\n    {seen}")
        event = peer.take(seen)
        self.remember(event, step.get("as"))
        return event

    @staticmethod
    def _difference(seen: Seen, wanted: Mapping[str, Any], step: Mapping[str, Any]) -> str | None:
        content = {"topic": seen.topic, "fields": seen.fields(), "headers": seen.headers()}
        if found := mismatch(wanted, content):
            return found
        encoding = "json" if seen.encoding is not None and seen.encoding.value == "json" else "avro"
        if "encoding" in step and encoding != step["encoding"]:
            return f"encoding: expected {step['encoding']!r}, got {encoding!r}"
        return None

    async def expect_none(self, peer: Peer, kinds: list[str], step: Mapping[str, Any]) -> None:
        """Make sure that a peer gets no message of some kinds, other than those that it has taken already."""
        wanted = {key: self.resolved(with_sets(step[key])) for key in ("topic", "fields", "headers") if key in step}

        def find() -> Seen | None:
            for seen in self.seen:
                is_meant = "anything" in kinds or seen.kind in kinds
                if (
                    is_meant
                    and peer.name not in seen.taken_by
                    and peer.hears(seen)
                    and mismatch(wanted, {"topic": seen.topic, "fields": seen.fields(), "headers": seen.headers()})
                    is None
                ):
                    return seen
            return None

        seen = await self._nothing_comes(find, step)
        if seen is not None:
            raise Fault(f"{peer.name} must not get a {seen.kind}, and got one\n    {seen}")

    async def _nothing_comes(self, find: Callable[[], Any], step: Mapping[str, Any]) -> Any:
        """Return what comes that must not, once the subject has handled all that was sent."""
        begin = time.monotonic()
        if step.get("settles", True):
            await self.settle()
        left = float(step.get("for", _FOR if self._settles else _FOR_UNKNOWN)) - (time.monotonic() - begin)
        return await self.until(find, max(0.0, left))

    @property
    def _settles(self) -> bool:
        """Whether the subject can be asked if it has handled what was sent."""
        return "introspection" not in self.subject.lacks and self.config["settings"].get("introspection") is not False

    async def settle(self) -> None:
        """Wait until the subject has handled what was sent until now, if there is a way to know."""
        if not self._settles:
            return
        probe = Peer(name=_PROBE, subject=SUBJECT, identifier=_PROBE)
        identifier = uuid.uuid4().hex
        outgoing = probe.compose("IntrospectionRequestMessage", {"identifier": identifier})
        self._probes.add(identifier)
        # As reliable as what it follows, so that it does not overtake.
        await self.bus.publish(outgoing.topic, outgoing.data, 1)
        await self.until(lambda: True if identifier not in self._probes else None, _SETTLED_WITHIN)

    def expect_connections(self, wanted: Mapping[str, Any]) -> None:
        """Make sure that all clients that have connected in this case did so as a step says; the tester's do."""
        found = self.broker.connections()[self._connected_before :]
        if len(found) <= 1:
            raise ToolError(
                f"the broker has told of {len(found)} connections, and not of the tester's and the subject's"
            )
        for one in found:
            content = {"version": one.version, "clean_start": one.has_clean_start}
            if difference := mismatch(wanted, content):
                raise Fault(f"client {one.client!r} has not connected to the broker as it has to: {difference}")

    async def expect_report(self, event: str, step: Mapping[str, Any]) -> Report:
        """Wait for a report of the subject that no earlier step has taken."""
        wanted = self.resolved(step.get("with", {}))
        seconds = self.within(step)

        def find() -> Report | None:
            for report in self.subject.reports:
                if not report.is_taken and report.event == event and mismatch(wanted, report.content) is None:
                    return report
            return None

        report: Report | None = await self.until(find, seconds)
        if report is None:
            others = [str(one) for one in self.subject.reports if not one.is_taken]
            raise Fault(
                f"the subject has to report {event!r} {wanted or ''} within {seconds:g} s; it reported {others}"
            )
        report.is_taken = True
        if "as" in step:
            self.names[step["as"]] = report.content
        return report

    async def expect_no_report(self, event: str, step: Mapping[str, Any]) -> None:
        """Make sure that the subject does not report something that no earlier step has taken."""
        wanted = self.resolved(step.get("with", {}))

        def find() -> Report | None:
            for report in self.subject.reports:
                if not report.is_taken and report.event == event and mismatch(wanted, report.content) is None:
                    return report
            return None

        report = await self._nothing_comes(find, step)
        if report is not None:
            raise Fault(f"the subject must not report {report}, and did")

    # The subject's life

    async def start_subject(self) -> None:
        """Have the subject take part, in a process of its own if there is none."""
        if not self.subject.is_running:
            await self.subject.launch()
        self.rules.subject_starts()
        self.note("subject starts")
        await self.subject.do("start", {"config": copy.deepcopy(self.config)})

    async def tear_down(self) -> None:
        """Leave nothing behind."""
        await self.bus.disconnect()
        if self.subject.is_running and self.subject.is_reusable:
            try:
                await self.subject.do("reset", {})
            except (Fault, ToolError):
                await self.subject.kill()
        else:
            await self.subject.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)
