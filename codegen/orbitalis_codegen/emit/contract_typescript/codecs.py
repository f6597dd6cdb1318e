"""The module `codecs` of a contract: how its messages are written and read."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_avro.plan import Plan
from orbitalis_avro.types import Enumeration, Record
from orbitalis_codegen.emit.contract_typescript.named import Named
from orbitalis_codegen.emit.typescript import environment, text
from orbitalis_codegen.emit.typescript.codecs import Maker, codec_views, names_in, support_in

__all__ = ["emit_codecs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _MessageView:
    """A message in the table of codecs."""

    name: str
    codec: str
    message_type: str
    schema: str
    canonical_form: str
    fingerprint: str


def emit_codecs(named: Named) -> str:
    """Emit the codecs of all messages of a contract."""
    types = named.types
    written = named.records.written()
    codecs = codec_views(written.values(), Maker(types, Plan(types.named)))
    messages = [
        _MessageView(
            name=types.type_names[name],
            codec=types.codec_names[name],
            message_type=name.rpartition(".")[2],
            schema=message.schema,
            canonical_form=message.canonical_form,
            fingerprint=message.fingerprint,
        )
        for name, message in named.records.messages.items()
    ]
    used = names_in("\n".join(view.source for view in codecs))
    errors = {types.type_names[name] for name in named.records.errors}
    imported = [types.type_names[one.name] for one in written.values() if isinstance(one, Enumeration | Record)]
    return environment.render(
        "contract_codecs.ts.jinja2",
        codecs=codecs,
        messages=messages,
        imports=[
            text.imported("import", ["NESTING_DEPTH"] if "NESTING_DEPTH" in used else [], "@orbitalis/sdk/contract"),
            text.imported(
                "import", [*support_in(used), *(["MessageCodec"] if messages else [])], "@orbitalis/sdk/support"
            ),
        ],
        types=text.imported(
            "import",
            [one if one in errors else f"type {one}" for one in imported],
            "./messages.js",
        )
        if errors
        else text.imported("import type", imported, "./messages.js"),
    )
