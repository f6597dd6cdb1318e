"""What only keys of our own or schemas say, as tables in Markdown: timings, limits, states, fingerprints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from orbitalis_codegen.model import Message, Model, StateChart

__all__ = ["tables"]

_ID: Final = re.compile(r"\[ORB-[A-Z]{2}-[0-9]{2}\]\s*")
"""Ids of requirements stand once in a document, and these texts stand in it already."""


def tables(model: Model) -> str:
    """Timings, limits, states and fingerprints of the specification, each under a heading of its own."""
    parts: list[str] = []
    rows: list[tuple[str, ...]]
    if model.timings:
        rows = [(_code(one.name), f"{one.seconds:g}", one.description) for one in model.timings.values()]
        parts += ["## Timings", _table(("timing", "seconds", "meaning"), rows)]
    if model.limits:
        rows = [(_code(one.name), str(one.maximum), one.description) for one in model.limits.values()]
        parts += ["## Limits", _table(("limit", "maximum", "meaning"), rows)]
    for chart in model.state_charts.values():
        parts += _chart(chart)
    rows = [row for message in (*model.messages.values(), model.envelope) for row in _fingerprints(message)]
    parts += ["## Fingerprints", _table(("message", "name on the wire", "version", "fields", "fingerprint"), rows)]
    return "\n\n".join(parts)


def _fingerprints(message: Message) -> list[tuple[str, ...]]:
    """A row for each version of a message, or one for a message that does not grow; none without a schema."""
    names = _code(message.key), _code(message.name or "")
    if message.versions:
        return [(*names, one.version, str(one.length), _code(one.fingerprint)) for one in message.versions]
    return [] if message.fingerprint is None else [(*names, "any", "all", _code(message.fingerprint))]


def _chart(chart: StateChart) -> list[str]:
    states = [(_code(one.name), one.title, one.description) for one in chart.states.values()]
    triggers = [(_code(one.name), one.title, one.description) for one in chart.triggers.values()]
    transitions = [
        (
            _listed(one.before),
            _code(one.trigger),
            _code(one.after),
            ", ".join(one.roles),
            one.description,
        )
        for one in chart.transitions
    ]
    return [
        f"## States: {chart.key}",
        _cell(chart.description),
        f"Who has it: {', '.join(chart.roles)}. It begins as {_code(chart.initial)}.",
        _table(("state", "title", "meaning"), states),
        _table(("trigger", "title", "meaning"), triggers),
        _table(("from", "trigger", "to", "at", "meaning"), transitions),
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_code, names))


def _code(name: str) -> str:
    return f"`{name}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A text on one line, of which nothing ends a cell."""
    return " ".join(_ID.sub("", text).replace("|", r"\|").split())
