"""The module of states: enumerations of states and triggers, and tables of transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orbitalis_codegen.emit.python import environment, names, text
from orbitalis_codegen.model import Model, State, StateChart, Trigger

__all__ = ["emit_states", "states_class", "table_constant", "triggers_class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberView:
    """A member of an enumeration."""

    name: str
    value: str
    docstring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _EnumView:
    """An enumeration."""

    name: str
    docstring: str
    members: list[_MemberView]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableView:
    """A table of transitions."""

    constant: str
    states: str
    triggers: str
    rows: list[tuple[str, str, str]]
    """Members: a state, a trigger, and the state to which they lead."""
    docstring: str


def emit_states(model: Model) -> str:
    """Emit the states of every state chart."""
    enums: list[_EnumView] = []
    tables: list[_TableView] = []
    constants = names.unique_names(
        (f"{chart.key} {role}", table_constant(chart, role))
        for chart in model.state_charts.values()
        for role in chart.roles
    )
    for chart in model.state_charts.values():
        states, triggers = _members(chart.states), _members(chart.triggers)
        enums.append(_enum(states_class(chart), chart.description, chart.states, states))
        what_happens = f"What can happen to a {chart.key.replace('_', ' ')}."
        enums.append(_enum(triggers_class(chart), what_happens, chart.triggers, triggers))
        tables.extend(_table(chart, role, constants[f"{chart.key} {role}"], states, triggers) for role in chart.roles)
    exported = [*(table.constant for table in tables), *(enum.name for enum in enums)]
    return environment.render("states.py.jinja2", enums=enums, tables=tables, exported=text.sorted_names(exported))


def states_class(chart: StateChart) -> str:
    """Name the enumeration of the states of a chart."""
    return f"{_camel_case(chart.key)}State"


def triggers_class(chart: StateChart) -> str:
    """Name the enumeration of the triggers of a chart."""
    return f"{_camel_case(chart.key)}Trigger"


def table_constant(chart: StateChart, role: str) -> str:
    """Name the table of a chart's transitions at a role, which it needs to say only where there are several."""
    key = names.constant_name(chart.key)
    return f"{key}_TRANSITIONS" if len(chart.roles) == 1 else f"{role.upper()}_{key}_TRANSITIONS"


def _camel_case(key: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in key.split("_"))


def _members(things: Mapping[str, State] | Mapping[str, Trigger]) -> dict[str, str]:
    return names.unique_names((key, names.symbol_name(key)) for key in things)


def _enum(
    name: str, description: str, things: Mapping[str, State] | Mapping[str, Trigger], members: Mapping[str, str]
) -> _EnumView:
    return _EnumView(
        name=name,
        docstring=text.docstring(description, indent=4),
        members=[
            _MemberView(name=members[key], value=thing.title, docstring=text.docstring(thing.description, indent=4))
            for key, thing in things.items()
        ],
    )


def _table(
    chart: StateChart, role: str, constant: str, states: Mapping[str, str], triggers: Mapping[str, str]
) -> _TableView:
    of_role = "" if len(chart.roles) == 1 else f" at a {role}"
    return _TableView(
        constant=constant,
        states=states_class(chart),
        triggers=triggers_class(chart),
        rows=[
            (states[before], triggers[trigger], states[after]) for (before, trigger), after in chart.table(role).items()
        ],
        docstring=text.docstring(
            f"What a state and a trigger lead to{of_role}; what is not listed does not happen.", indent=0
        ),
    )
