"""The module `messages` of a contract: a type for each record and enumeration, a class for each declared error."""

from __future__ import annotations

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.emit.contract_names import described, title_of
from orbitalis_codegen.emit.contract_typescript.named import Named
from orbitalis_codegen.emit.typescript import environment, text
from orbitalis_codegen.emit.typescript.messages import imported_types, type_views

__all__ = ["emit_messages"]


def emit_messages(named: Named) -> str:
    """Emit a type for each record and enumeration."""

    def words(one: NamedType) -> str:
        message = named.records.messages.get(one.name)
        kind = "record" if isinstance(one, Record) else "enum"
        return one.description.strip() or (described(message) if message else "") or f"The {kind} {one.name}."

    views = type_views(named.types, words)
    errors = [one for name, one in named.contract.types.items() if name in named.records.errors]
    has_fields = any(isinstance(one, Record) and one.fields for one in errors)
    return environment.render(
        "contract_messages.ts.jinja2",
        comment=text.comment(f"The messages of {title_of(named.contract)}."),
        imports=[
            text.imported("import", ["DeclaredError"] if errors else [], "@orbitalis/sdk"),
            text.imported("import type", ["ErrorFields"] if has_fields else [], "@orbitalis/sdk/contract"),
            text.imported("import type", imported_types(views), "@orbitalis/sdk/support"),
        ],
        views=views,
        unions=[_union(name, types) for name, types in named.unions.items()],
    )


def _union(name: str, types: list[str]) -> str:
    line = f"export type {name} = {' | '.join(types)};"
    if len(line) <= text.LINE_LENGTH:
        return line
    return f"export type {name} =" + "".join(f"\n  | {one}" for one in types) + ";"
