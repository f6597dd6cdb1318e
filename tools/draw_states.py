"""Draws the states of the protocol: makes `docs/states.md` from the tables in `orbitalis/protocol/transitions.py`.

python tools/draw_states.py             writes the page
python tools/draw_states.py --check     changes nothing; exit status 1 says that the page is out of date

States, triggers and transitions come from the tables, what a state means from the docstring under the enum's member,
and the names of messages from `asyncapi.yaml`. Only the text between and the course of the handshake are written here.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from orbitalis.protocol import transitions
from orbitalis.protocol.transitions import CoreState, LifeTrigger, PluginState, Role, SlotState
from orbitalis.protocol.transitions import SlotTrigger as Trigger

__all__ = ["HANDSHAKE", "PAGE", "Choice", "Message", "Turn", "main", "meanings", "render"]

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "states.md"
"""The page that is made."""

TEMPLATE = """\
# States

What a slot, a core and a plugin go through. `make docs` draws this page from the tables in
`orbitalis/protocol/transitions.py`, which the state machines obey and which say all there is; a test holds the two
together.

A *slot* is what one orbiter knows of one operation shared with one remote: an offer or a request under way, then a
connection. Each side has a slot of its own.

## The handshake

One operation between one core and one plugin, both of whose slots are `{free}` at first. Notes say what turns which
state into which.

{handshake}

What is left unanswered expires. A confirm that comes too late is answered by a graceless close, so that no connection
remains which one side alone believes in.

## A slot at a core

`[*]` is `{free}`, where a slot begins and ends.

{core_slot}

## A slot at a plugin

`[*]` is `{free}`, where a slot begins and ends. It comes straight to `{preparing}` where a peer sends no headers.

{plugin_slot}

## Life of a core

{core_life}

## Life of a plugin

{plugin_life}
"""

Table = Mapping[Any, StrEnum]
"""What each state turns into, by trigger. Keys are `tuple[StrEnum, StrEnum]`, but a mapping's keys are invariant."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot changes its state, on any of `triggers`."""

    role: Role
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """`sender` sends the other side a message, named as in the specification."""

    sender: Role
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The course goes on in one of several ways, by the condition of each."""

    ways: Mapping[str, Sequence[Turn | Message | Choice]]


def _core(*triggers: Trigger) -> Turn:
    return Turn(Role.CORE, triggers)


def _plugin(*triggers: Trigger) -> Turn:
    return Turn(Role.PLUGIN, triggers)


_REQUEST = Message(Role.CORE, "RequestOperationMessage")
_REJECT = Message(Role.CORE, "RejectOperationMessage")
_CONFIRM = Message(Role.PLUGIN, "ConfirmConnectionMessage")
_NO_LONGER_AVAILABLE = Message(Role.PLUGIN, "OperationNoLongerAvailableMessage")

_REQUESTED: Sequence[Turn | Message | Choice] = (
    _core(Trigger.PREPARED),
    Choice(
        {
            "the plugin still holds the slot": (
                _REQUEST,
                _plugin(Trigger.REQUEST_RECEIVED),
                Choice(
                    {
                        "it sets the operation up": (
                            _plugin(Trigger.PREPARED),
                            _CONFIRM,
                            _core(Trigger.CONFIRM_RECEIVED),
                        ),
                        "it fails to": (
                            _plugin(Trigger.PREPARATION_FAILED),
                            _NO_LONGER_AVAILABLE,
                            _core(Trigger.NO_LONGER_AVAILABLE_RECEIVED),
                        ),
                    }
                ),
            ),
            "it does not": (
                _REQUEST,
                _plugin(Trigger.WITHDRAWN, Trigger.EXPIRED),
                _NO_LONGER_AVAILABLE,
                _core(Trigger.NO_LONGER_AVAILABLE_RECEIVED),
            ),
        }
    ),
)

HANDSHAKE: Sequence[Turn | Message | Choice] = (
    Message(Role.CORE, "DiscoverMessage"),
    _plugin(Trigger.OFFER_SENT),
    Message(Role.PLUGIN, "OfferMessage"),
    Choice(
        {
            "the core wants the operation": (
                _core(Trigger.OFFER_ACCEPTED),
                Choice(
                    {
                        "it gets setup data and topics ready": _REQUESTED,
                        "it fails to": (
                            _core(Trigger.PREPARATION_FAILED),
                            _REJECT,
                            _plugin(Trigger.REJECT_RECEIVED),
                        ),
                    }
                ),
            ),
            "it does not": (_REJECT, _plugin(Trigger.REJECT_RECEIVED)),
        }
    ),
)
"""The course of the handshake. What it does to the slots is looked up in the tables."""


def meanings(enum: type[StrEnum]) -> dict[str, str]:
    """Return the docstring under each member of an enum that has one, by the member's name."""
    tree = ast.parse(Path(transitions.__file__).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == enum.__name__)
    found: dict[str, str] = {}
    for member, below in pairwise(body):
        match member, below:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


def render() -> str:
    """Return the page as it should be."""
    return TEMPLATE.format(
        free=SlotState.FREE.name,
        preparing=SlotState.PREPARING.name,
        handshake=_mermaid("sequenceDiagram", _sequence()),
        core_slot=_section(transitions.CORE_SLOT, SlotState, Trigger, SlotState.FREE, SlotState.FREE),
        plugin_slot=_section(transitions.PLUGIN_SLOT, SlotState, Trigger, SlotState.FREE, SlotState.FREE),
        core_life=_section(transitions.CORE_LIFE, CoreState, LifeTrigger, CoreState.CREATED, CoreState.STOPPED),
        plugin_life=_section(
            transitions.PLUGIN_LIFE, PluginState, LifeTrigger, PluginState.CREATED, PluginState.STOPPED
        ),
    )


def _mermaid(kind: str, lines: Iterator[str]) -> str:
    return "\n".join(["```mermaid", kind, *(f"    {line}" for line in lines), "```"])


def _section(table: Table, states: type[StrEnum], triggers: type[StrEnum], start: StrEnum, end: StrEnum) -> str:
    """Return a diagram and a list of the states in `table`. Where `start` is `end`, both are drawn as `[*]`."""
    arrows = _arrows(table, states, triggers)
    return f"{_mermaid('stateDiagram-v2', _diagram(arrows, start, end))}\n\n{_list(arrows, states)}"


def _arrows(table: Table, states: type[StrEnum], triggers: type[StrEnum]) -> dict[tuple[StrEnum, StrEnum], list[str]]:
    """Return the triggers between each two states, everything in the order of the enums."""
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {
        (before, after): [str(trigger) for trigger in triggers if table.get((before, trigger)) == after]
        for before in states
        for after in states
    }
    return {ends: labels for ends, labels in arrows.items() if labels}


def _diagram(arrows: Mapping[tuple[StrEnum, StrEnum], list[str]], start: StrEnum, end: StrEnum) -> Iterator[str]:
    point = {start: "[*]"} if start is end else {}
    if start is not end:
        yield f"[*] --> {start.name}"
    for (before, after), triggers in arrows.items():
        yield f"{point.get(before, before.name)} --> {point.get(after, after.name)} : {'<br/>'.join(triggers)}"
    if start is not end:
        yield f"{end.name} --> [*]"


def _list(arrows: Mapping[tuple[StrEnum, StrEnum], list[str]], states: type[StrEnum]) -> str:
    texts = meanings(states)
    columns = ["state", *(["what it means"] if texts else []), "leads to"]
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    for state in states:
        if not any(state in ends for ends in arrows):
            continue
        leads = [f"`{after.name}`: {', '.join(names)}" for (before, after), names in arrows.items() if before is state]
        cells = [f"`{state.name}`", *([texts.get(state.name, "")] if texts else []), "<br>".join(leads)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sequence() -> Iterator[str]:
    specification = yaml.safe_load((ROOT / "asyncapi.yaml").read_text(encoding="utf-8"))
    titles = {name: message["title"] for name, message in specification["components"]["messages"].items()}
    for role in Role:
        yield f"participant {role} as {role.capitalize()}"
    yield from _course(HANDSHAKE, dict.fromkeys(Role, SlotState.FREE), titles)


def _course(
    steps: Sequence[Turn | Message | Choice], slots: Mapping[Role, SlotState], titles: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines of `steps`, which begin with these states on the two sides."""
    states = dict(slots)
    for step in steps:
        match step:
            case Turn(role, triggers):
                before, after = states[role], _next(role, states[role], triggers)
                states[role] = after
                yield f"Note over {role}: {' or '.join(triggers)}:<br/>{before.name} → {after.name}"
            case Message(sender, name):
                receiver = Role.PLUGIN if sender is Role.CORE else Role.CORE
                yield f"{sender}->>{receiver}: {titles[name]}"
            case Choice(ways):
                for word, (condition, way) in zip(["alt", *["else"] * len(ways)], ways.items(), strict=False):
                    yield f"{word} {condition}"
                    yield from (f"    {line}" for line in _course(way, states, titles))
                yield "end"


def _next(role: Role, state: SlotState, triggers: Sequence[Trigger]) -> SlotState:
    """Return the one state that all of `triggers` lead to.

    Raises:
        LocalProtocolError: The table of `role` has no such transition.
        ValueError: They lead to several.
    """
    (after,) = {transitions.next_slot_state(role, state, trigger) for trigger in triggers}
    return after


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page, and return the exit status."""
    parser = argparse.ArgumentParser(description="Draw docs/states.md from the protocol's tables.")
    parser.add_argument("--check", action="store_true", help="change nothing, but fail if the page is out of date")
    check = parser.parse_args(arguments).check
    page, current = render(), PAGE.read_text(encoding="utf-8") if PAGE.exists() else None
    if page == current:
        return 0
    if check:
        print(f"{PAGE.relative_to(ROOT)} is out of date; make docs renews it", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
