"""The module of states: states and triggers, and tables of transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.model import Model, State, StateChart, Trigger

__all__ = ["emit_states"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberView:
    """A state or trigger."""

    name: str
    value: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _EnumView:
    """All states of a chart, or all triggers."""

    name: str
    comment: str
    members: list[_MemberView]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableView:
    """A table of transitions."""

    constant: str
    states: str
    triggers: str
    rows: list[tuple[str, list[tuple[str, str]]]]
    """Of each state the triggers, each with the state to which it leads."""
    comment: str


def emit_states(model: Model) -> str:
    """Emit the states of every state chart."""
    enums: list[_EnumView] = []
    tables: list[_TableView] = []
    constants = names.unique_names(
        (f"{chart.key} {role}", _constant(chart, role)) for chart in model.state_charts.values() for role in chart.roles
    )
    for chart in model.state_charts.values():
        states, triggers = _members(chart.states), _members(chart.triggers)
        enums.append(_enum(_type(chart, "State"), chart.description, chart.states, states))
        what_happens = f"What can happen to a {chart.key.replace('_', ' ')}."
        enums.append(_enum(_type(chart, "Trigger"), what_happens, chart.triggers, triggers))
        for role in chart.roles:
            tables.append(_table(chart, role, constants[f"{chart.key} {role}"], states, triggers))
    return environment.render("states.ts.jinja2", enums=enums, tables=tables)


def _type(chart: StateChart, suffix: str) -> str:
    camel = names.camel_case(chart.key)
    return camel[0].upper() + camel[1:] + suffix


def _constant(chart: StateChart, role: str) -> str:
    key = names.constant_name(chart.key)
    return f"{key}_TRANSITIONS" if len(chart.roles) == 1 else f"{role.upper()}_{key}_TRANSITIONS"


def _members(things: Mapping[str, State] | Mapping[str, Trigger]) -> dict[str, str]:
    return names.unique_names((key, names.constant_name(key)) for key in things)


def _enum(
    name: str, description: str, things: Mapping[str, State] | Mapping[str, Trigger], members: Mapping[str, str]
) -> _EnumView:
    return _EnumView(
        name=name,
        comment=text.comment(description),
        members=[
            _MemberView(name=members[key], value=thing.title, comment=text.comment(thing.description, indent=2))
            for key, thing in things.items()
        ],
    )


def _table(
    chart: StateChart, role: str, constant: str, states: Mapping[str, str], triggers: Mapping[str, str]
) -> _TableView:
    of_role = "" if len(chart.roles) == 1 else f" at a {role}"
    rows: dict[str, list[tuple[str, str]]] = {state: [] for state in states.values()}
    for (before, trigger), after in chart.table(role).items():
        rows[states[before]].append((triggers[trigger], states[after]))
    return _TableView(
        constant=constant,
        states=_type(chart, "State"),
        triggers=_type(chart, "Trigger"),
        rows=list(rows.items()),
        comment=text.comment(f"What a state and a trigger lead to{of_role}; what is not listed does not happen."),
    )
