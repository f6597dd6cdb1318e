"""Draws `docs/states.md` from the transition tables of the runtime: `python tools/draw_states.py [--check]`.

With `--check` nothing is written; the exit status is 1 if the page is not what the tables give.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from orbitalis.protocol import transitions
from orbitalis.protocol.transitions import CoreState, PluginState, SlotState

__all__ = ["PAGE", "main", "page"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "states.md"

_TEMPLATE = """\
# States

<!-- Drawn by `make docs` from orbitalis/protocol/transitions.py; edit that, not this. -->

What a core and a plugin remember of each other, and what changes it. The diagrams are drawn from the tables by which
the runtime itself goes, and there is no other place where a state changes. What is sent, and what has to be checked
before a message counts, stands in `asyncapi.yaml`.

## The handshake

A *slot* is what one orbiter knows of one operation shared with one remote: a handshake under way, then a connection.
Every slot runs through the states below, at both ends.

```mermaid
sequenceDiagram
    participant core as Core
    participant plugin as Plugin
    core->>plugin: Discover
    Note right of plugin: {offered}
    plugin->>core: Offer
    alt needed
        Note left of core: {preparing}, then {requested}
        core->>plugin: Request
        alt still available
            Note right of plugin: {preparing}, then {open}
            plugin->>core: Confirm
            Note left of core: {open}
        else not any more
            Note right of plugin: {free}
            plugin->>core: Operation no longer available
            Note left of core: {free}
        end
    else not needed
        core->>plugin: Reject
        Note right of plugin: {free}
    end
```

## A slot at a core

{core_slot}

## A slot at a plugin

{plugin_slot}

`free` to `preparing` is for peers that send no headers, whose requests do not say which offer they answer.

## The life of a core

{core_life}

## The life of a plugin

{plugin_life}
"""


def page() -> str:
    """Return the page that the tables give."""
    return _TEMPLATE.format(
        **{state.name.lower(): state.value for state in SlotState},
        core_slot=_section(transitions.CORE_SLOT, SlotState, SlotState.FREE),
        plugin_slot=_section(transitions.PLUGIN_SLOT, SlotState, SlotState.FREE),
        core_life=_section(transitions.CORE_LIFE, CoreState, CoreState.CREATED),
        plugin_life=_section(transitions.PLUGIN_LIFE, PluginState, PluginState.CREATED),
    )


def main(arguments: list[str]) -> int:
    """Write the page, or check it; return the exit status."""
    if arguments not in ([], ["--check"]):
        print("usage: draw_states.py [--check]", file=sys.stderr)
        return 2
    text = page()
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print(f"docs/{PAGE.name} is not what the transition tables give; run make docs", file=sys.stderr)
        return 1
    return 0


def _section(table: Mapping[tuple[StrEnum, StrEnum], StrEnum], states: type[StrEnum], start: StrEnum) -> str:
    """Draw one table: a diagram, and a row for each transition."""
    used = [state for state in states if any(state in (source, target) for (source, _), target in table.items())]
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (source, trigger), target in table.items():
        arrows.setdefault((source, target), []).append(trigger.value)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {state.name}' for state in used]
    lines.append(f"    [*] --> {start.name}")
    lines += [
        f"    {source.name} --> {target.name}: {'<br/>'.join(triggers)}"
        for (source, target), triggers in arrows.items()
    ]
    lines += ["```", "", "| state | when | becomes |", "| --- | --- | --- |"]
    for state in used:
        for (source, trigger), target in table.items():
            if source is state:
                lines.append(f"| {source.value} | {trigger.value} | {target.value} |")
    meanings = _meanings(states)
    described = [f"- **{state.value}**: {meanings[state.name]}" for state in used if state.name in meanings]
    return "\n".join([*lines, *(["", *described] if described else [])])


def _meanings(states: type[StrEnum]) -> dict[str, str]:
    """Return the docstrings under the members of an enumeration, by name."""
    (definition,) = ast.parse(inspect.getsource(states)).body
    assert isinstance(definition, ast.ClassDef)
    meanings: dict[str, str] = {}
    for member, following in zip(definition.body, definition.body[1:], strict=False):
        if not isinstance(member, ast.Assign) or not isinstance(following, ast.Expr):
            continue
        if isinstance(member.targets[0], ast.Name) and isinstance(following.value, ast.Constant):
            meanings[member.targets[0].id] = str(following.value.value)
    return meanings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
