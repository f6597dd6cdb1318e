"""`x-orbitalis.states`: the states of slots and orbiters, what can happen to them, and what that leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.names import Names
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.diagnostic import Position, Report, did_you_mean, shown
from orbitalis_codegen.model import ROLES, State, StateChart, Transition, Trigger
from orbitalis_codegen.rules import Rule

__all__ = ["read_state_charts"]


def read_state_charts(checker: Checker, settings: View) -> dict[str, StateChart]:
    """The state charts, in the order of the document."""
    names = Names("state chart", checker.report)
    return {
        key: _ChartReader(checker, key, view).read()
        for key, _, view in entries(checker, settings.get("states"), shapes.STATE_CHARTS, shapes.STATE_CHART, names)
    }


@dataclass(frozen=True, slots=True)
class _Step:
    """What one role does in one state on one trigger."""

    role: str
    before: str
    after: str
    position: Position
    """Where the state stands from which it leads."""


class _ChartReader:
    """Reads one state chart, and holds its transitions against its states and triggers."""

    def __init__(self, checker: Checker, key: str, view: View) -> None:
        self._checker = checker
        self._report: Report = checker.report
        self._key = key
        self._view = view
        self._roles = self._names_of(view, "roles", ROLES)
        self._states: dict[str, State] = {}
        self._triggers: dict[str, Trigger] = {}
        self._titles: dict[tuple[str, str], str] = {}
        """By kind and title, what has it."""
        self._positions: dict[str, Position] = {}
        """Where each state stands."""
        self._steps: list[_Step] = []
        self._is_whole = True
        """Whether everything was understood, so that what is missing is missing indeed."""

    def read(self) -> StateChart:
        view = self._view
        for name, position, state in self._entries("states"):
            self._positions[name] = position
            self._states[name] = State(name=name, title=self._title(name, state), description=state.description())
        trigger_positions: dict[str, Position] = {}
        for name, position, trigger in self._entries("triggers"):
            trigger_positions[name] = position
            title = self._title(name, trigger)
            self._triggers[name] = Trigger(name=name, title=title, description=trigger.description())
        initial = self._state(view, "initial")
        transitions = self._transitions()
        if self._is_whole and initial is not None:
            self._check_ways(initial)
            used = {transition.trigger for transition in transitions}
            self._check_triggers({name: at for name, at in trigger_positions.items() if name not in used})
        return StateChart(
            key=self._key,
            description=view.description(),
            roles=self._roles,
            initial=initial or "",
            states=self._states,
            triggers=self._triggers,
            transitions=transitions,
        )

    def _title(self, name: str, view: View) -> str:
        """What a state or trigger is called in texts, which in generated code is its value."""
        title = view.text("title") or name.replace("_", " ")
        other = self._titles.setdefault((view.shape.name, title), name)
        if other != name:
            message = f"the title {shown(title)} is that of {shown(other)} as well"
            position = view.position_of("title")
            self._report.add(Rule.NAME_COLLISION, position, message, "give one of them another title")
        return title

    def _entries(self, key: str) -> list[tuple[str, Position, View]]:
        shape, entry = (shapes.STATES, shapes.STATE) if key == "states" else (shapes.TRIGGERS, shapes.TRIGGER)
        return list(entries(self._checker, self._view.get(key), shape, entry, Names(entry.name, self._report)))

    def _names_of(self, view: View, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """The names in a list, which have to be among those that are `known`."""
        names: list[str] = []
        for name, position in view.texts(key):
            if name in known:
                names.append(name)
            else:
                message = f"{shown(key)} of the {view.shape.name} names {shown(name)}"
                self._report.add(Rule.UNKNOWN_VALUE, position, message, did_you_mean(name, known))
        return tuple(names)

    def _transitions(self) -> tuple[Transition, ...]:
        transitions: list[Transition] = []
        taken: dict[tuple[str, str, str], Position] = {}
        for node in self._view.items("transitions"):
            view = view_of(node, shapes.TRANSITION, self._report)
            if view is None:
                self._is_whole = False
                continue
            before = self._states_before(view)
            trigger, after = self._trigger(view), self._state(view, "to")
            roles = self._roles if view.get("roles") is None else self._names_of(view, "roles", self._roles)
            description = view.description()
            if not before or trigger is None or after is None or not roles:
                self._is_whole = False
                continue
            for state, position in before.items():
                for role in roles:
                    self._take(taken, (role, state, trigger), position)
                    self._steps.append(_Step(role, state, after, position))
            transitions.append(
                Transition(roles=roles, before=tuple(before), trigger=trigger, after=after, description=description)
            )
        return tuple(transitions)

    def _take(
        self, taken: dict[tuple[str, str, str], Position], what: tuple[str, str, str], position: Position
    ) -> None:
        role, state, trigger = what
        other = taken.setdefault(what, position)
        if other != position:
            message = f"at the {role} {shown(trigger)} leads on from {shown(state)} already ({other})"
            self._report.add(Rule.REPEATED_TRANSITION, position, message, "delete one of the two")

    def _states_before(self, view: View) -> dict[str, Position]:
        found: dict[str, Position] = {}
        for name, position in view.texts("from"):
            if self._is_state(name, position):
                found[name] = position
        return found

    def _state(self, view: View, key: str) -> str | None:
        name = view.optional_text(key)
        return name if name is not None and self._is_state(name, view.position_of(key)) else None

    def _is_state(self, name: str, position: Position) -> bool:
        if name in self._states:
            return True
        self._is_whole = False
        message = f"the state chart {shown(self._key)} has no state {shown(name)}"
        self._report.add(Rule.UNKNOWN_STATE, position, message, did_you_mean(name, self._states))
        return False

    def _trigger(self, view: View) -> str | None:
        name = view.optional_text("trigger")
        if name is None or name in self._triggers:
            return name
        message = f"the state chart {shown(self._key)} has no trigger {shown(name)}"
        position = view.position_of("trigger")
        self._report.add(Rule.UNKNOWN_TRIGGER, position, message, did_you_mean(name, self._triggers))
        return None

    def _check_ways(self, initial: str) -> None:
        """Report states and transitions that no role reaches, and states from which there is no way on."""
        reached_by_any: set[str] = set()
        for role in self._roles:
            steps = [step for step in self._steps if step.role == role]
            reached = _reached(initial, steps)
            reached_by_any |= reached
            for step in steps:
                if step.before not in reached:
                    message = f"at the {role} nothing leads to {shown(step.before)}, from which a transition leads on"
                    self._report.add(Rule.UNREACHABLE_STATE, step.position, message)
            for state in sorted(reached - {step.before for step in steps if step.before != step.after}):
                message = f"at the {role} nothing leads on from the state {shown(state)}"
                self._report.add(Rule.NO_WAY_OUT, self._positions[state], message)
        for state in self._states:
            if state not in reached_by_any and not any(step.before == state for step in self._steps):
                message = f"nothing leads to the state {shown(state)}"
                self._report.add(Rule.UNREACHABLE_STATE, self._positions[state], message)

    def _check_triggers(self, unused: Mapping[str, Position]) -> None:
        for name, position in unused.items():
            message = f"no transition happens on the trigger {shown(name)}"
            self._report.add(Rule.UNUSED_TRIGGER, position, message, "give it a transition, or delete it")


def _reached(initial: str, steps: list[_Step]) -> set[str]:
    reached = {initial}
    while more := {step.after for step in steps if step.before in reached} - reached:
        reached |= more
    return reached
