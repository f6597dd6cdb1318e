"""What `x-orbitalis` says in two versions of the protocol: timings, limits, states and requirements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orbitalis_codegen.diff.collected import Collected, both, only
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.model import Model, StateChart

__all__ = ["compare_numbers", "compare_requirements", "compare_states"]

_X = "x-orbitalis"
_EITHER = "peers of either version with those of the other one"


def compare_numbers(old: Model, new: Model, found: Collected) -> None:
    """Note what changed in timings and limits."""
    timings = [{name: one.seconds for name, one in model.timings.items()} for model in (old, new)]
    rules = (
        *(ChangeRule.TIMING_ADDED, ChangeRule.TIMING_REMOVED),
        *(ChangeRule.TIMING_LENGTHENED, ChangeRule.TIMING_SHORTENED),
    )
    _numbers("timing", "seconds", timings[0], timings[1], rules, found)
    limits = [{name: one.maximum for name, one in model.limits.items()} for model in (old, new)]
    rules = ChangeRule.LIMIT_ADDED, ChangeRule.LIMIT_REMOVED, ChangeRule.LIMIT_RAISED, ChangeRule.LIMIT_LOWERED
    _numbers("limit", "maximum", limits[0], limits[1], rules, found)


def _numbers(
    noun: str,
    key: str,
    old: Mapping[str, float],
    new: Mapping[str, float],
    rules: tuple[ChangeRule, ChangeRule, ChangeRule, ChangeRule],
    found: Collected,
) -> None:
    added, removed, greater, smaller = rules
    for name, value in only(old, new):
        keys = (_X, f"{noun}s", name)
        affected = "programs that use its constant"
        found.add(removed, Level.SOURCE, keys, f"the {noun} {name} is gone", was=_told(value), affected=affected)
    for name, value in only(new, old):
        found.add(added, Level.NONE, (_X, f"{noun}s", name), f"the {noun} {name} is new", now=_told(value))
    for name, was, now in both(old, new):
        if was != now:
            message = f"the {noun} {name} is {_told(now)} and was {_told(was)}"
            rule = greater if now > was else smaller
            place = (_X, f"{noun}s", name, key)
            found.add(rule, Level.BEHAVIOUR, place, message, was=_told(was), now=_told(now), affected=_EITHER)


def _told(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def compare_states(old: Model, new: Model, found: Collected) -> None:
    """Note what changed in state charts."""
    for key, _ in only(old.state_charts, new.state_charts):
        keys, affected = (_X, "states", key), "programs that use its states"
        found.add(
            ChangeRule.CHART_REMOVED,
            Level.BEHAVIOUR,
            keys,
            f"the state chart {key} is gone",
            was=key,
            affected=affected,
        )
    for key, _ in only(new.state_charts, old.state_charts):
        found.add(ChangeRule.CHART_ADDED, Level.NONE, (_X, "states", key), f"the state chart {key} is new", now=key)
    for _, before, after in both(old.state_charts, new.state_charts):
        _chart(before, after, found)


def _chart(old: StateChart, new: StateChart, found: Collected) -> None:
    keys = (_X, "states", new.key)
    parts = (
        ("state", "states", old.states, new.states, ChangeRule.STATE_ADDED, ChangeRule.STATE_REMOVED),
        ("trigger", "triggers", old.triggers, new.triggers, ChangeRule.TRIGGER_ADDED, ChangeRule.TRIGGER_REMOVED),
    )
    for noun, key, before, after, added, removed in parts:
        for name in before:
            if name not in after:
                message = f"the {noun} {name} of {new.key} is gone"
                found.add(removed, Level.BEHAVIOUR, (*keys, key, name), message, was=name, affected=_EITHER)
        for name in after:
            if name not in before:
                message = f"the {noun} {name} of {new.key} is new"
                found.add(added, Level.BEHAVIOUR, (*keys, key, name), message, now=name, affected=_EITHER)
    if old.initial != new.initial:
        message = f"{new.key} begins as {new.initial} and began as {old.initial}"
        rule = ChangeRule.INITIAL_STATE_CHANGED
        found.add(
            rule, Level.BEHAVIOUR, (*keys, "initial"), message, was=old.initial, now=new.initial, affected=_EITHER
        )
    for role in dict.fromkeys((*old.roles, *new.roles)):
        _table(role, old, new, found)


def _table(role: str, old: StateChart, new: StateChart, found: Collected) -> None:
    """Note what a trigger leads to in a state, at a role, in the states and triggers that both versions have."""
    was, now = old.table(role), new.table(role)
    for state, trigger in dict.fromkeys((*was, *now)):
        before, after = was.get((state, trigger)), now.get((state, trigger))
        known = all(state in one.states and trigger in one.triggers for one in (old, new))
        if before == after or not known:
            continue
        if before is None:
            rule, did = ChangeRule.TRANSITION_ADDED, "did nothing"
        elif after is None:
            rule, did = ChangeRule.TRANSITION_REMOVED, f"led to {before}"
        else:
            rule, did = ChangeRule.TRANSITION_CHANGED, f"led to {before}"
        does = f"leads to {after}" if after else "does nothing"
        message = f"at {role}s, {trigger} {does} in the state {state} of {new.key}, and {did}"
        affected = f"{role}s of either version, and peers that count on their state"
        subject = ", ".join((state, trigger, role))
        found.add(
            rule,
            Level.BEHAVIOUR,
            (_X, "states", new.key, "transitions"),
            message,
            was=f"{subject}: {before}" if before else f"{subject}: nothing",
            now=f"{subject}: {after}" if after else f"{subject}: nothing",
            affected=affected,
        )


def compare_requirements(old: Model, new: Model, found: Collected) -> None:
    """Note which requirements are new, gone or worded otherwise."""
    before = {one.identifier: one for one in old.requirements}
    after = {one.identifier: one for one in new.requirements}
    for name, one in only(before, after):
        keys: Sequence[str] = one.place.split(".")
        found.add(ChangeRule.REQUIREMENT_REMOVED, Level.NONE, keys, f"the requirement {name} is gone", was=name)
    for name, one in only(after, before):
        keys = one.place.split(".")
        found.add(ChangeRule.REQUIREMENT_ADDED, Level.NONE, keys, f"the requirement {name} is new", now=name)
    for name, was, now in both(before, after):
        if was.text != now.text:
            keys, old_keys = now.place.split("."), was.place.split(".")
            message = f"the requirement {name} is worded otherwise"
            texts = f"{name}: {was.text}", f"{name}: {now.text}"
            rule = ChangeRule.REQUIREMENT_REWORDED
            found.add(rule, Level.NONE, keys, message, was=texts[0], now=texts[1], old_keys=old_keys)
