"""Traces that are tampered with: what the simulator never does, and what our machine does then.

A step is left out, comes twice, or is another one; headers are gone, as those of older peers; topics lead elsewhere;
limits are small; and the user does what nobody has expected. Our machine says what has to follow.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

from conformance.subjects.python.machine import Driver
from orbitalis.errors import NoConnectionError
from orbitalis.protocol.machine import Machine
from orbitalis_conformance.replay import _difference, _Names

__all__ = ["tampered"]

FIRST = 1_000_000
"""Number of the first identifier that our machine makes now: longer ones than those of the trace."""
_OLDER = frozenset({"identifier", "publisher_identifier"})
_SENDERS = ("core_identifier", "plugin_identifier", "from_identifier")
_TOPICS = ("", "house/lamp", "house/+", "orbitalis/-/-/offer", "orbitalis/core0/-/keepalive", "orbitalis/x", "h" * 1300)
_DURATIONS = (
    "pending_requests_expire_after",
    "consider_others_dead_after",
    "suspicion_grace",
    "graceful_close_timeout",
    "close_connection_if_unused_after",
)
_LIMITS = ("known_remotes", "pending_requests")
_RATES = ("remote_events_per_second", "stranger_events_per_second")


class _Tamperer:
    """Changes one trace."""

    def __init__(self, trace: dict[str, Any], seed: int) -> None:
        self._trace = trace
        self._chance = random.Random(seed)
        self._driver = Driver()
        self._numbers = itertools.count(FIRST)
        self._config = self._changed(trace["config"])
        self._older = [one for one in self._remotes() if self._chance.random() < 0.15]
        self._late = 0.0

    def _remotes(self) -> list[str]:
        told = {effect.get("remote") for step in self._trace["steps"] for effect in step["effects"]}
        return sorted(one for one in told if one)

    def _changed(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return another configuration."""
        chance, changed = self._chance, copy.deepcopy(config)
        for name in _DURATIONS:
            if chance.random() < 0.2:
                changed[name] = chance.choice([None, 0.5, 2.0, 5.0])
        for name in _LIMITS:
            if chance.random() < 0.2:
                changed["limits"][name] = chance.randint(1, 3)
        for name in _RATES:
            if chance.random() < 0.1:
                changed["limits"][name] = chance.choice([0.2, 1.0])
        for terms in (changed.get("operations") or changed.get("requirements") or {}).values():
            if chance.random() < 0.2:
                terms["maximum"] = chance.choice([None, 0, 1, 2])
            if chance.random() < 0.1:
                terms["blocklist"] = chance.sample(["core0", "core1", "plugin0", "plugin1"], 2)
            if chance.random() < 0.1:
                terms["allowlist"] = chance.sample(["core0", "core1", "plugin0", "plugin1"], 2)
        return changed

    def whole(self) -> dict[str, Any]:
        """Return the trace as it is then."""
        role, steps, names = self._trace["role"], [], _Names()
        self._driver.call("make", {"role": role, "config": self._config})
        machine: Machine = self._driver.machine
        machine._outbox.new_identifier = machine._outbox._new_challenge = lambda: f"made-{next(self._numbers)}"
        machine.namesakes._is_own = lambda identifier: len(identifier) >= len(f"made-{FIRST}")
        for step in self._trace["steps"]:
            expected = step["effects"]
            for call in self._calls(step):
                call = names.given(call)
                answer = self._answer(copy.deepcopy(call))
                if answer is not None:
                    _difference(expected, answer["effects"], names, frozenset())
                    steps.append({**call, **{key: answer[key] for key in answer if key != "lacks"}})
        return {**self._trace, "config": self._config, "steps": steps}

    def _answer(self, call: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self._driver.call(call.pop("call"), call)
        except (NoConnectionError, KeyError):
            return None  # about what is not there, since something else has happened

    def _calls(self, step: dict[str, Any]) -> Iterator[dict[str, Any]]:
        chance = self._chance
        call = {key: copy.deepcopy(one) for key, one in step.items() if key not in ("effects", "taken", "refused")}
        if "now" in call:
            if chance.random() < 0.02:
                self._late += chance.choice([0.5, 3.0, 20.0])
            call["now"] += self._late
        if call["call"] == "configure":
            call["config"] = self._changed(call["config"])
        if call["call"] == "handle":
            self._tamper(call)
        if call["call"] == "start" or chance.random() > 0.04:
            yield call
        if call["call"] == "handle" and chance.random() < 0.05:
            yield copy.deepcopy(call)
        if "now" in call and chance.random() < 0.08:
            yield self._other(call["now"])

    def _tamper(self, call: dict[str, Any]) -> None:
        chance, headers, fields = self._chance, call["headers"], call["message"]["fields"]
        sender = next(
            fields[one] for one in ("core_identifier", "plugin_identifier", "from_identifier") if one in fields
        )
        if sender in self._older:
            call["headers"] = headers = {name: one for name, one in headers.items() if name in _OLDER}
        elif chance.random() < 0.03 and len(headers) > 1:
            del headers[chance.choice([name for name in headers if name != "identifier"])]
        if chance.random() < 0.03:
            name = chance.choice([one for one, value in fields.items() if isinstance(value, str)])
            fields[name] = chance.choice(_TOPICS) if "topic" in name else chance.choice(["-", "a", "b", "a/b", "core1"])
        if chance.random() < 0.02:
            call["topic"] = chance.choice(_TOPICS[:-1])

    def _other(self, now: float) -> dict[str, Any]:
        """Return what nobody has expected."""
        chance = self._chance
        remote = chance.choice(self._remotes() or ["nobody"])
        operation = chance.choice(["a", "b", "c"])
        about = {"remote": remote, "operation": operation}
        return chance.choice(
            [
                {"call": "tick", "now": now},
                {"call": "tick", "now": now},
                {"call": "configure", "config": self._changed(self._trace["config"]), "now": now},
                {"call": "leave"},
                {"call": "data", **about, "headers": {"identifier": "data", "publisher_identifier": "p"}, "now": now},
                {"call": "close_gracefully", **about, "data": {"hex": "00ff"}, "now": now},
                {"call": "close_gracelessly", **about, "data": None, "now": now},
                {"call": "close_here", **about, "now": now},
                {"call": "send_keepalive", "remote": remote, "now": now},
                {"call": "send_keepalive_request", "remote": remote, "now": now},
                {"call": "cancel_suspicions", "remotes": [remote]},
                {"call": "reconnected", "now": now},
            ]
        )


def tampered(line: str, seed: int) -> str:
    """Return a trace, as a line of JSON, that is another one, with what our machine does then."""
    trace = json.loads(line)
    whole = _Tamperer(trace, seed).whole()
    return json.dumps({**whole, "trace": f"{trace['trace']}, tampered with by {seed}"})
