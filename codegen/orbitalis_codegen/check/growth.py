"""How messages and the envelope grow: what fields say about the version that they came with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orbitalis_avro.plan import references
from orbitalis_avro.types import Field, Record
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.check.messages import MessageDraft
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.rules import Rule

__all__ = ["check_growth"]

_TWO_NUMBERS = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_BEGINNING = (0, 0)
"""What a field without `since` came with."""


def check_growth(
    drafts: Mapping[str, MessageDraft],
    records: Mapping[str, Record],
    envelope: Record | None,
    version: str,
    library: Library,
    report: Report,
) -> None:
    """Hold the `since` of every field against the `version` of the document.

    `records` are the payloads' by the keys of the messages, as the drafts are.
    """
    newest = _numbers(version.rpartition(".")[0])
    if newest is None:
        return  # That is reported.
    growing = {record.name for key, record in records.items() if drafts[key].may_grow}
    if envelope is not None:
        growing.add(envelope.name)
    nested = _nested(library)
    for named in library.types.values():
        if isinstance(named, Record):
            _check_places(named, named.name in growing, named.name in nested, library, report)
            _check_order(named, newest, library, report)


def _nested(library: Library) -> frozenset[str]:
    """Return the types that a field of a record contains."""
    fields = (field for named in library.types.values() if isinstance(named, Record) for field in named.fields)
    return frozenset(name for field in fields for name in references(field.type))


def _numbers(version: str) -> tuple[int, int] | None:
    found = _TWO_NUMBERS.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else None


def _check_places(record: Record, is_growing: bool, is_nested: bool, library: Library, report: Report) -> None:
    for field in record.fields:
        position = library.since_positions.get((record.name, field.name))
        if position is None:
            continue
        what = f"the field {shown(field.name)} of {shown(record.name)} came later"
        if is_nested:
            message = f"{what}, but that is inside of other types"
            hint = "what is new of it comes at the end of the message, for operations as a map by their names"
            report.add(Rule.GROWTH_PLACE, position, message, hint)
        elif not is_growing:
            message = f"{what}, but that is no message of the protocol"
            report.add(Rule.GROWTH_PLACE, position, message, "what users send is another message when it changes")
        if not field.has_default:
            hint = "add the attribute 'default': older versions do not write the field"
            report.add(Rule.GROWTH_DEFAULT, position, f"{what}, but has no default", hint)


def _check_order(record: Record, newest: tuple[int, int], library: Library, report: Report) -> None:
    latest, latest_field = _BEGINNING, None
    for field in record.fields:
        since = _since(field, record, newest, library, report)
        if since is None:
            continue
        if since >= latest:
            latest, latest_field = since, field
        elif latest_field is not None:
            where = record.name, field.name
            position = library.since_positions.get(where, library.field_positions[where])
            message = (
                f"the field {shown(field.name)} of {shown(record.name)} stands behind {shown(latest_field.name)}, "
                f"which came with {latest_field.since}"
            )
            hint = "put it at the end, and say with 'since' which version it came with"
            report.add(Rule.GROWTH_END, position, message, hint)


def _since(
    field: Field, record: Record, newest: tuple[int, int], library: Library, report: Report
) -> tuple[int, int] | None:
    """Return the version that a field came with, or `None` where that cannot be one, which is reported."""
    if field.since is None:
        return _BEGINNING
    since = _numbers(field.since)
    if since is not None and since[0] == newest[0] and 0 < since[1] <= newest[1]:
        return since
    major, minor = newest
    if since is None:
        hint = f"two numbers, like {major}.{minor}"
    elif since > newest:
        hint = f"the version of the document is {major}.{minor}: raise it, or correct the field's"
    else:
        hint = f"a field that was there in {major}.0 has no 'since'"
    message = f"the field {shown(field.name)} of {shown(record.name)} came with the version {shown(field.since)}"
    report.add(Rule.GROWTH_VERSION, library.since_positions[record.name, field.name], message, hint)
    return None
