"""The module `_codecs` of a contract: how its messages are written and read."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_avro.source import read_function, write_function
from orbitalis_avro.types import Enumeration, Fixed, Record
from orbitalis_codegen.emit.contract_python.named import Named
from orbitalis_codegen.emit.python import environment
from orbitalis_codegen.emit.python.codecs import enum_constants, imports_of_codecs
from orbitalis_codegen.emit.python.layouts import Layouts
from orbitalis_codegen.emit.python.messages import names_in

__all__ = ["emit_codecs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _CodecView:
    """A message in the table of codecs."""

    name: str
    schema: str
    fingerprint: str
    suffix: str
    is_guarded: bool


def emit_codecs(named: Named) -> str:
    """Emit the codecs of all messages of a contract."""
    types = named.types
    # An exception is made by calling its class alone.
    layouts = Layouts(types, filled=frozenset(types.named) - frozenset(named.errors))
    written = named.written()
    parts: list[str] = []
    for one in written.values():
        if isinstance(one, Enumeration):
            parts.append(enum_constants(one, types, layouts))
    for one in written.values():
        if isinstance(one, Record):
            layout = layouts.record(one)
            parts += [write_function(layout), read_function(layout)]
    codecs = [
        _CodecView(
            name=name,
            schema=message.schema,
            fingerprint=message.fingerprint,
            suffix=layouts.suffixes[name],
            is_guarded=layouts.plan.records[name].is_guarded,
        )
        for name, message in named.messages.items()
    ]
    body = "\n\n\n".join(parts)
    used = names_in(body)
    classes = [(name, types.class_names[name]) for name, one in written.items() if not isinstance(one, Fixed)]
    return environment.render(
        "contract_codecs.py.jinja2",
        body=body,
        codecs=codecs,
        classes=classes,
        abstract=[name for name in ("Callable", "Mapping", "Sequence") if name in used or name == "Mapping"],
        **imports_of_codecs(used),
    )
