"""How named types hang together: which come first, which nobody needs, which contain themselves without end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orbitalis_avro.types import Array, AvroType, Enumeration, Fixed, Map, Record, Reference, Union
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.rules import Rule

__all__ = ["check_recursion", "dependency_order"]


def dependency_order(library: Library, roots: Iterable[str]) -> list[str]:
    """Every type that the roots need, after those that it refers to itself, except where it recurs."""
    order: dict[str, None] = {}
    begun: set[str] = set()
    # Not by recursion: a chain of types may be as long as there are files.
    pending: list[tuple[str, Iterator[str]]] = []

    def begin(name: str) -> None:
        if name not in begun and name in library.types:
            begun.add(name)
            pending.append((name, iter(_mentioned(library, name))))

    for root in roots:
        begin(root)
        while pending:
            name, mentioned = pending[-1]
            following = next(mentioned, None)
            if following is None:
                pending.pop()
                order[name] = None
            else:
                begin(following)
    return list(order)


def check_recursion(library: Library, report: Report) -> None:
    """Report every record of which no value can be written down, since each would contain another one."""
    finite = {name for name, named in library.types.items() if isinstance(named, (Enumeration, Fixed))}
    records = {name: named for name, named in library.types.items() if isinstance(named, Record)}
    # In this order the first round finds all of them, unless types contain one another.
    unknown = [name for name in dependency_order(library, library.types) if name in records]
    while True:
        before = len(finite)
        for name in unknown:
            if all(_is_finite(field.type, finite, library) for field in records[name].fields):
                finite.add(name)
        if len(finite) == before:
            break
        unknown = [name for name in unknown if name not in finite]
    for name, record in records.items():
        if name in finite:
            continue
        for field in record.fields:
            # A record that merely contains one without end is not at fault itself.
            ends = {mentioned for mentioned in _names(field.type) if _leads_to(mentioned, name, records, finite)}
            if not _is_finite(field.type, finite, library) and ends:
                message = f"every {shown(name)} contains another one, in its field {shown(field.name)}, without end"
                hint = 'let it end with null: ["null", ...], or with an array or map, which may be empty'
                position = library.field_positions[name, field.name]
                report.add(Rule.AVRO_INFINITE_RECORD, position, message, hint)


def _is_finite(type_: AvroType, finite: set[str], library: Library) -> bool:
    match type_:
        case Reference(name=name):
            # An unknown name is a problem of its own.
            return name in finite or name not in library.types
        case Union(branches=branches):
            return any(_is_finite(branch, finite, library) for branch in branches)
        case _:
            return True


def _leads_to(start: str, goal: str, records: dict[str, Record], finite: set[str]) -> bool:
    seen: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name == goal:
            return True
        if name in seen or name in finite or name not in records:
            continue
        seen.add(name)
        pending.extend(mentioned for field in records[name].fields for mentioned in _names(field.type))
    return False


def _mentioned(library: Library, name: str) -> Iterator[str]:
    named = library.types[name]
    if isinstance(named, Record):
        for field in named.fields:
            yield from _names(field.type)


def _names(type_: AvroType) -> Iterator[str]:
    match type_:
        case Reference(name=name):
            yield name
        case Union(branches=branches):
            for branch in branches:
                yield from _names(branch)
        case Array(items=inner) | Map(values=inner):
            yield from _names(inner)
        case _:
            pass
