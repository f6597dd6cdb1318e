"""The remotes that an orbiter knows, and when each is owed a keepalive, to be probed, or dead."""

from __future__ import annotations

import math
from collections.abc import Callable

from orbitalis.protocol.deadlines import Deadlines
from orbitalis.protocol.remote import Remote, Standing, Told
from orbitalis.protocol.settings import OrbiterSettings
from orbitalis.protocol.statistics import OrbiterStatistics
from orbitalis_wire.messages import EventEnvelope

__all__ = ["Acquaintances"]

_LOOKS = 64
"""Remotes that are looked at to find one to forget."""


class Acquaintances:
    """All remotes by identifier.

    A keepalive is owed to a remote, not to a connection. Deadlines of silence are only looked at when they are reached:
    hearing from a remote is a single assignment.

    Remotes with which nothing is shared any more, dead ones included, are remembered, since they may believe otherwise.
    When there are `maximum_known_remotes`, these are forgotten, the longest parted first; but none that is named, be it
    as mandatory or on an allowlist.
    """

    def __init__(
        self, settings: OrbiterSettings, statistics: OrbiterStatistics, is_named: Callable[[str], bool]
    ) -> None:
        self._settings = settings
        self._statistics = statistics
        self._is_named = is_named
        self._remotes: dict[str, Remote] = {}
        self._parted: dict[str, None] = {}
        self._keepalives: Deadlines[str] = Deadlines()
        self._probes: Deadlines[str] = Deadlines()
        self._silences: Deadlines[str] = Deadlines()
        self._durations = (settings.consider_others_dead_after, settings.send_keepalive_before_timelimit)

    def __len__(self) -> int:
        return len(self._remotes)

    def get(self, identifier: str) -> Remote | None:
        """Return what is known of a remote."""
        return self._remotes.get(identifier)

    def all(self) -> tuple[Remote, ...]:
        """Return every remote that is known."""
        return tuple(self._remotes.values())

    def standing(self, identifier: str, envelope: EventEnvelope) -> Standing:
        """Return how an event stands to what is known of its sender."""
        remote = self._remotes.get(identifier)
        return Standing.CURRENT if remote is None else remote.standing(envelope)

    def meet(self, identifier: str, envelope: EventEnvelope, now: float, *, is_certain: bool = True) -> Remote:
        """Return the remote that sent an event, made known if it is not.

        An event is not certain if anybody may have published it in the remote's name.
        """
        remote = self._remotes.get(identifier)
        if remote is None:
            self._make_room()
            remote = self._remotes[identifier] = Remote(identifier=identifier, first_seen=now, last_seen=now)
            self._watch(remote)
        remote.learn(envelope, is_certain=is_certain)
        self.seen(remote, now)
        claim = remote.claim
        if claim is not None and is_certain and claim.incarnation == remote.incarnation:
            self.told(remote, claim.told)
            remote.claim = None
        return remote

    def seen(self, remote: Remote, now: float) -> None:
        """Note a sign of life."""
        remote.last_seen = max(remote.last_seen, now)
        remote.probed_at = None
        if remote.is_dead:
            remote.is_dead = False
            self._watch(remote)

    def told(self, remote: Remote, told: Told) -> None:
        """Take over what a remote, in a handshake, says about itself."""
        remote.keepalive_topic = told.keepalive_topic
        remote.keepalive_request_topic = told.keepalive_request_topic
        if remote.considers_me_dead_after != told.considers_me_dead_after:
            remote.considers_me_dead_after = told.considers_me_dead_after
            self._schedule_keepalive(remote)

    def engaged(self, identifier: str) -> None:
        """Note that something is shared with a remote, be it one that is not known yet."""
        self._parted.pop(identifier, None)

    def parted(self, identifier: str) -> None:
        """Note that nothing is shared with a remote any more."""
        if identifier in self._remotes:
            self._parted.pop(identifier, None)
            self._parted[identifier] = None

    def forget(self, identifier: str) -> None:
        """Know a remote no more."""
        self._remotes.pop(identifier, None)
        self._parted.pop(identifier, None)
        for deadlines in (self._keepalives, self._probes, self._silences):
            deadlines.discard(identifier)

    def clear(self) -> None:
        """Know nobody."""
        self._remotes.clear()
        self._parted.clear()
        for deadlines in (self._keepalives, self._probes, self._silences):
            deadlines.clear()

    def connected(self, identifier: str, now: float) -> None:
        """Owe a remote keepalives from now on; the handshake has served as one."""
        remote = self._remotes.get(identifier)
        if remote is not None and not remote.is_owed_keepalives:
            remote.is_owed_keepalives = True
            self.keepalive_sent(remote, now)

    def disconnected(self, identifier: str) -> None:
        """Owe a remote nothing more."""
        remote = self._remotes.get(identifier)
        if remote is not None:
            remote.is_owed_keepalives = False
        self._keepalives.discard(identifier)

    def keepalive_sent(self, remote: Remote, now: float) -> None:
        """Note that a remote got its keepalive, or what serves as one."""
        remote.last_keepalive_sent = now
        self._schedule_keepalive(remote)

    def pop_keepalives_due(self, now: float) -> list[Remote]:
        """Return the remotes that are owed a keepalive; each is to be told of with :meth:`keepalive_sent`."""
        return self._popped(self._keepalives, now)

    def pop_probes_due(self, now: float) -> list[Remote]:
        """Return the remotes that have missed the time for their keepalive, once for each silence."""
        due: list[Remote] = []
        for remote in self._popped(self._probes, now):
            at = self._probe_at(remote)
            if at is None:
                continue
            if at > now:
                self._probes.set(remote.identifier, at)
                continue
            remote.probed_at = now
            due.append(remote)
        return due

    def pop_dead(self, now: float) -> list[Remote]:
        """Return the remotes that have been silent for too long, and take them for dead from now on."""
        dead: list[Remote] = []
        for remote in self._popped(self._silences, now):
            at = self._dead_at(remote)
            if at is None:
                continue
            if at > now:
                self._silences.set(remote.identifier, at)
                if remote.identifier not in self._probes:
                    self._watch_probe(remote)
                continue
            remote.is_dead = True
            self._probes.discard(remote.identifier)
            dead.append(remote)
        return dead

    def is_silent(self, remote: Remote, now: float) -> bool:
        """Return whether a remote has been silent for too long."""
        at = self._dead_at(remote)
        return remote.is_dead or (at is not None and at <= now)

    def apply_changed_durations(self) -> None:
        """Take over durations that the user has changed since the last call."""
        durations = (self._settings.consider_others_dead_after, self._settings.send_keepalive_before_timelimit)
        if durations == self._durations:
            return
        self._durations = durations
        for remote in self._remotes.values():
            if not remote.is_dead:
                self._watch(remote)
            self._schedule_keepalive(remote)

    def next_deadline(self) -> float | None:
        """Return when the next of all these is due."""
        known = [at for at in (self._keepalives.next(), self._probes.next(), self._silences.next()) if at is not None]
        return min(known, default=None)

    def _make_room(self) -> None:
        """Forget of those with whom nothing is shared as many as have to make room for one more."""
        for _ in range(_LOOKS):
            if len(self._remotes) < self._settings.maximum_known_remotes or not self._parted:
                return
            identifier = next(iter(self._parted))
            if self._is_named(identifier):
                self.parted(identifier)
            else:
                self.forget(identifier)
                self._statistics.forgotten += 1

    def _popped(self, deadlines: Deadlines[str], now: float) -> list[Remote]:
        return [self._remotes[identifier] for identifier in deadlines.pop_due(now)]

    def _schedule_keepalive(self, remote: Remote) -> None:
        interval = self._keepalive_interval(remote)
        if interval is None or not remote.is_owed_keepalives or remote.last_keepalive_sent is None:
            self._keepalives.discard(remote.identifier)
        else:
            self._keepalives.set(remote.identifier, remote.last_keepalive_sent + interval)

    def _watch(self, remote: Remote) -> None:
        dead_at = self._dead_at(remote)
        if dead_at is None:
            self._silences.discard(remote.identifier)
            self._probes.discard(remote.identifier)
            return
        self._silences.set(remote.identifier, dead_at)
        self._watch_probe(remote)

    def _watch_probe(self, remote: Remote) -> None:
        at = self._probe_at(remote)
        if at is not None:
            self._probes.set(remote.identifier, at)

    def _dead_at(self, remote: Remote) -> float | None:
        after = self._settings.consider_others_dead_after
        return None if after is None else remote.last_seen + after

    def _probe_at(self, remote: Remote) -> float | None:
        """A keepalive is due `send_keepalive_before_timelimit` before death; half of that is left for an answer."""
        after = self._settings.consider_others_dead_after
        if after is None:
            return None
        left = self._settings.send_keepalive_before_timelimit / 2
        return remote.last_seen + (after - left if left < after / 2 else after / 2)

    def _keepalive_interval(self, remote: Remote) -> float | None:
        after = remote.considers_me_dead_after
        if after is None or not 0 < after < math.inf:
            return None
        before = self._settings.send_keepalive_before_timelimit
        return after - before if before < after else after / 2
