"""The module `messages` of a contract: a dataclass for each record and an enumeration for each enum."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from orbitalis_avro.types import Enumeration, Fixed, Reference
from orbitalis_codegen.avro.fitting import branch_of
from orbitalis_codegen.emit.contract_names import described, title_of
from orbitalis_codegen.emit.contract_python.named import Named
from orbitalis_codegen.emit.python import environment, text
from orbitalis_codegen.emit.python.messages import MODULES, names_in, symbol_names
from orbitalis_codegen.emit.python.types import PythonField

__all__ = ["emit_messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FieldView:
    """A field of a record."""

    declaration: str
    docstring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClassView:
    """A record or an enumeration."""

    name: str
    docstring: str
    opening: str
    """The first line of the class, with its bases."""
    decorator: str
    fields: tuple[_FieldView, ...]


def emit_messages(named: Named) -> str:
    """Emit a class for each record and enumeration."""
    imports: defaultdict[str, set[str]] = defaultdict(set)
    classes: list[_ClassView] = []
    for one in named.types.named.values():
        name = named.types.class_names[one.name]
        if isinstance(one, Fixed):
            continue
        message = named.messages.get(one.name)
        words = one.description.strip() or (described(message) if message else "") or f"The record {one.name}."
        if isinstance(one, Enumeration):
            symbols = (f"{symbol} = {text.literal(value)}" for value, symbol in symbol_names(one).items())
            fields = tuple(_FieldView(declaration=symbol, docstring="") for symbol in symbols)
            opening, decorator = f"class {name}(StrEnum):", ""
            words = one.description.strip() or f"The enum {one.name}."
            imports["enum"].add("StrEnum")
        else:
            fields = tuple(_field(field, named, imports) for field in named.types.fields(one))
            base = "DeclaredError" if one.name in named.errors else "GeneratedMessage" if message else None
            opening = f"class {name}:"
            if base is not None:
                imports["orbitalis.contract"].add(base)
                opening = text.fit(f"class {name}(", [base, f"record={text.literal(one.name)}"], "):")
            is_error = one.name in named.errors
            decorator = "@dataclass(kw_only=True, eq=False)" if is_error else "@dataclass(frozen=True, kw_only=True)"
            imports["dataclasses"].add("dataclass")
        docstring = text.docstring(words, indent=4)
        classes.append(_ClassView(name=name, docstring=docstring, opening=opening, decorator=decorator, fields=fields))
    if named.unions:
        imports["typing"].add("TypeAlias")
    own = {module: imports.pop(module) for module in sorted(imports) if module.startswith("orbitalis")}
    return environment.render(
        "contract_messages.py.jinja2",
        docstring=text.docstring(f"The messages of {title_of(named.contract)}.", indent=0),
        imports=[text.import_from(module, imported) for module, imported in sorted(imports.items())],
        own_imports=[text.import_from(module, imported) for module, imported in own.items()],
        exported=text.sorted_names([*(view.name for view in classes), *named.unions]),
        classes=classes,
        unions=[_union(name, types) for name, types in named.unions.items()],
    )


def _union(name: str, types: list[str]) -> str:
    line = f"{name}: TypeAlias = {' | '.join(types)}"
    return line if text.fits(line, indent=0) else f"{name}: TypeAlias = (\n    " + "\n    | ".join(types) + "\n)"


def _field(field: PythonField, named: Named, imports: defaultdict[str, set[str]]) -> _FieldView:
    annotation = named.types.annotation(field.field.type)
    default = _default(field, named, annotation)
    for name in names_in(annotation, default):
        if name in MODULES:
            imports[MODULES[name]].add(name)
        elif name == "field":
            imports["dataclasses"].add("field")
    words = field.field.description.strip()
    if field.name != field.field.name:
        words = f"{words}\n\nCalled `{field.field.name}` on the wire.".strip()
    return _FieldView(
        declaration=text.unbroken(f"{field.name}: {annotation}" + (f" = {default}" if default else ""), indent=4),
        docstring=text.docstring(words, indent=4) if words else "",
    )


def _default(field: PythonField, named: Named, annotation: str) -> str:
    """Write the default of a field, or nothing."""
    if field.default is None:
        return ""
    type_ = branch_of(field.field.type, field.field.default, named.types.named)
    if isinstance(type_, Reference):
        meant = named.types.named[type_.name]
        if isinstance(meant, Enumeration):
            return f"{named.types.class_names[type_.name]}.{symbol_names(meant)[str(field.field.default)]}"
    if not field.is_factory:
        return field.default
    if field.default == "{}" and annotation.startswith("Mapping["):
        return f"field(default_factory=dict[{annotation.removeprefix('Mapping[')})"
    return f"field(default_factory=lambda: {field.default})"
