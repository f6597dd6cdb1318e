"""Draws the states of the protocol: makes `docs/reference/states.md` from the specification.

python tools/draw_states.py             writes the page
python tools/draw_states.py --check     changes nothing; exit status 1 says that the page is out of date

States, triggers, transitions and what they mean come from `asyncapi.yaml`, and so do the names of messages. Only the
text between and the course of the handshake are written here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orbitalis.protocol.transitions import Role, SlotState, next_slot_state
from orbitalis.protocol.transitions import SlotTrigger as Trigger
from orbitalis_codegen import Model, read_specification
from orbitalis_codegen.model import StateChart

__all__ = ["HANDSHAKE", "PAGE", "Choice", "Message", "Turn", "main", "render"]

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "reference" / "states.md"
"""The page that is made."""

TEMPLATE = """\
# States

This page lists the states of a slot, a core and a plugin, and everything that changes them. You need it to write an
implementation, or to understand a rare case of the handshake. `make pages` draws this page from `x-orbitalis.states` in
`asyncapi.yaml`. That list is complete: other changes of state do not happen.

A *slot* is what one orbiter knows of one operation shared with one remote: an offer or a request under way, then a
connection. Each side has a slot of its own. [Slots and policies](../concepts/slots-and-policies.md) explains the idea.

## The handshake

The diagram shows one operation between one core and one plugin. Both slots are `{free}` at first. A note says what has
happened on that side, and how it changes the state of the slot.

{handshake}

An offer or a request that is not answered expires. The core answers a confirm that comes too late with a graceless
close. So no connection remains that only one side knows.

## A slot at a core

`[*]` is `{free}`, where a slot begins and ends.

{core_slot}

## A slot at a plugin

`[*]` is `{free}`, where a slot begins and ends. If the core sends no headers, the slot can become `{preparing}` without
an offer before.

{plugin_slot}

## Life of a core

{core_life}

## Life of a plugin

{plugin_life}
"""


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
                        "the plugin sets the operation up": (
                            _plugin(Trigger.PREPARED),
                            _CONFIRM,
                            _core(Trigger.CONFIRM_RECEIVED),
                        ),
                        "setting it up fails": (
                            _plugin(Trigger.PREPARATION_FAILED),
                            _NO_LONGER_AVAILABLE,
                            _core(Trigger.NO_LONGER_AVAILABLE_RECEIVED),
                        ),
                    }
                ),
            ),
            "the plugin no longer holds the slot": (
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
                        "the core prepares setup data and topics": _REQUESTED,
                        "preparing them fails": (
                            _core(Trigger.PREPARATION_FAILED),
                            _REJECT,
                            _plugin(Trigger.REJECT_RECEIVED),
                        ),
                    }
                ),
            ),
            "the core does not want the operation": (_REJECT, _plugin(Trigger.REJECT_RECEIVED)),
        }
    ),
)
"""The course of the handshake. What it does to the slots is looked up in the tables."""


def render(model: Model) -> str:
    """Return the page as it should be."""
    charts = model.state_charts
    return TEMPLATE.format(
        free=SlotState.FREE.name,
        preparing=SlotState.PREPARING.name,
        handshake=_mermaid("sequenceDiagram", _sequence(model)),
        core_slot=_section(charts["slot"], Role.CORE),
        plugin_slot=_section(charts["slot"], Role.PLUGIN),
        core_life=_section(charts["core"], Role.CORE),
        plugin_life=_section(charts["plugin"], Role.PLUGIN),
    )


def _mermaid(kind: str, lines: Iterator[str]) -> str:
    return "\n".join(["```mermaid", kind, *(f"    {line}" for line in lines), "```"])


def _section(chart: StateChart, role: Role) -> str:
    """Return a diagram of a chart at a role, a list of its states, and one of its transitions."""
    arrows = _arrows(chart, role)
    return "\n\n".join(
        (_mermaid("stateDiagram-v2", _diagram(chart, arrows)), _states(chart, arrows), _transitions(chart, role))
    )


def _arrows(chart: StateChart, role: Role) -> dict[tuple[str, str], list[str]]:
    """Return the triggers between each two states, everything in the order of the specification."""
    table = chart.table(role)
    arrows = {
        (before, after): [
            trigger.title for trigger in chart.triggers.values() if table.get((before, trigger.name)) == after
        ]
        for before in chart.states
        for after in chart.states
    }
    return {ends: labels for ends, labels in arrows.items() if labels}


def _diagram(chart: StateChart, arrows: Mapping[tuple[str, str], list[str]]) -> Iterator[str]:
    """Yield the lines of a diagram. A first state that is come back to is the last one, too, and drawn as a point."""
    comes_back = any(after == chart.initial for _, after in arrows)
    if not comes_back:
        yield f"[*] --> {chart.initial.upper()}"
    for ends, triggers in arrows.items():
        before, after = ("[*]" if comes_back and end == chart.initial else end.upper() for end in ends)
        yield f"{before} --> {after} : {'<br/>'.join(triggers)}"


def _states(chart: StateChart, arrows: Mapping[tuple[str, str], list[str]]) -> str:
    rows = [
        f"| `{state.name.upper()}` | {_line(state.description)} |"
        for state in chart.states.values()
        if any(state.name in ends for ends in arrows)
    ]
    return "\n".join(["| state | what it means |", "| --- | --- |", *rows])


def _transitions(chart: StateChart, role: Role) -> str:
    rows = [
        f"| {', '.join(f'`{state.upper()}`' for state in one.before)} | {chart.triggers[one.trigger].title} "
        f"| `{one.after.upper()}` | {_line(chart.triggers[one.trigger].description)} | {_line(one.description)} |"
        for one in chart.transitions
        if role in one.roles
    ]
    return "\n".join(["| from | on | to | what has happened | what follows |", f"|{' --- |' * 5}", *rows])


def _line(text: str) -> str:
    return " ".join(text.split())


def _sequence(model: Model) -> Iterator[str]:
    titles = {key: message.title for key, message in model.messages.items()}
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
    (after,) = {next_slot_state(role, state, trigger) for trigger in triggers}
    return after


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page, and return the exit status."""
    parser = argparse.ArgumentParser(description="Draw docs/reference/states.md from the specification.")
    parser.add_argument("--check", action="store_true", help="change nothing, but fail if the page is out of date")
    check = parser.parse_args(arguments).check
    page, current = render(read_specification(ROOT)), PAGE.read_text(encoding="utf-8") if PAGE.exists() else None
    if page == current:
        return 0
    if check:
        print(f"{PAGE.relative_to(ROOT)} is out of date; make pages renews it", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
