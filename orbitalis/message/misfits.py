"""Why what one side writes is not read by the other side, told to people: by Avro's schema resolution, or exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orbitalis.message.matching import is_matched_exactly, match
from orbitalis.message.resolution import resolve
from orbitalis.message.schema import Input, Output, SchemaSpec, canonical_form
from orbitalis.message.schema_difference import (
    Shapes,
    closeness,
    refusal_text,
    schema_differences,
    shape_differences,
    short_name,
    shortened,
)
from orbitalis.message.schema_text import name_of
from orbitalis_avro.resolution.refusal import Refusal

__all__ = ["misfits"]

_ALTERNATIVES: Final = 8
"""Inputs, outputs and schemas of each side among which the closest are looked for."""


def misfits(here: Shapes, there: Shapes, exact: frozenset[str] | None, *, is_plugin: bool) -> tuple[str, ...]:
    """Return how what two sides take and give for an operation differs, where it does not fit.

    `exact` has the fingerprints of schemas that match the same schema alone; `None` says that all do. `is_plugin` says
    that this side is the plugin, which reads inputs and writes outputs.
    """
    if exact is None:
        return shape_differences(here, there, is_plugin=is_plugin)
    plugin, core = (here, there) if is_plugin else (there, here)
    sent, taken = [Input.from_wire(one) for one in core[0]], [Input.from_wire(one) for one in plugin[0]]
    given, wanted = [Output.from_wire(one) for one in plugin[1]], [Output.from_wire(one) for one in core[1]]
    found: list[str] = []
    if reason := _misfit(sent, taken, exact, writes_here=not is_plugin):
        found.append(f"input: {reason}")
    if reason := _misfit(given, wanted, exact, writes_here=is_plugin):
        found.append(f"output: {reason}")
    return tuple(found)


def _misfit(
    writes: Sequence[SchemaSpec], reads: Sequence[SchemaSpec], exact: frozenset[str], *, writes_here: bool
) -> str | None:
    """Return why no alternative that is written is read by one of the other side; `None` if one is."""
    writes, reads = writes[:_ALTERNATIVES], reads[:_ALTERNATIVES]
    if any(match(written, read, exact) is not None for written in writes for read in reads):
        return None
    if len(writes) == len(reads) == 1 and (text := _one_more(writes[0], reads[0], exact, writes_here=writes_here)):
        return text
    reasons = list(_reasons(writes, reads, exact, writes_here=writes_here))
    if reasons:
        return max(reasons)[1]
    here, there = (writes, reads) if writes_here else (reads, writes)
    mine, theirs = (" or ".join(map(str, side)) for side in (here, there))
    return f"{shortened(mine)} here and {shortened(theirs)} there"


def _one_more(written: SchemaSpec, read: SchemaSpec, exact: frozenset[str], *, writes_here: bool) -> str | None:
    """Return that one side may send a message of which the other side has none with that name; `None` if not so.

    That is no difference between two schemas: one side has one more, such as an error that a newer version declares.
    """
    known = {short_name(name_of(schema)) for schema in read.schemas}
    shown = written.schemas[:_ALTERNATIVES]
    more = [
        schema for schema in shown if short_name(name_of(schema)) not in known and not _is_read(schema, read, exact)
    ]
    if not more or len(more) == len(shown):
        return None
    names = " and ".join(shortened(name_of(schema)) for schema in more)
    taken = " and ".join(shortened(name_of(schema)) for schema in read.schemas[:_ALTERNATIVES])
    here, there = ("here", "there") if writes_here else ("there", "here")
    whose = "the other side" if writes_here else "this side"
    return (
        f"{names} may be sent from {here} (a declared error counts), and all that is taken {there} is {taken}: "
        f"give {whose} a version that takes {names} first"
    )


def _is_read(writer: str, read: SchemaSpec, exact: frozenset[str]) -> bool:
    """Return whether one of several schemas reads what another one has written."""
    return any(
        canonical_form(writer) == canonical_form(reader)
        or not (is_matched_exactly(reader, read, exact) or isinstance(resolve(writer, reader), Refusal))
        for reader in read.schemas[:_ALTERNATIVES]
    )


def _reasons(
    writes: Sequence[SchemaSpec], reads: Sequence[SchemaSpec], exact: frozenset[str], *, writes_here: bool
) -> Iterator[tuple[tuple[bool, float], str]]:
    """Give why one schema is not read by another one, each with how close they are: a difference inside is closest."""
    for written in writes:
        for read in reads:
            for writer in written.schemas[:_ALTERNATIVES]:
                if canonical_form(writer) in map(canonical_form, read.schemas):
                    continue
                for reader in read.schemas[:_ALTERNATIVES]:
                    names = name_of(writer), name_of(reader)
                    if is_matched_exactly(writer, written, exact) or is_matched_exactly(reader, read, exact):
                        here, there = (writer, reader) if writes_here else (reader, writer)
                        differences = "; ".join(schema_differences([here], [there]))
                        yield (True, closeness(*names)), f"only the same schema matches: {differences}"
                    elif isinstance(refusal := resolve(writer, reader), Refusal):
                        text = refusal_text(refusal, writes=writes_here)
                        yield (bool(refusal.path), closeness(*names)), text
