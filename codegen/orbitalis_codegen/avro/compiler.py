"""From the trees of schema files to named types."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.avro import shapes
from orbitalis_codegen.avro.library import (
    Definition,
    FieldDefault,
    Library,
    Mention,
    defined_name,
    qualified_name,
)
from orbitalis_codegen.avro.logical import logical_type, logical_type_name
from orbitalis_codegen.avro.schema_object import schema_of
from orbitalis_codegen.check.shape import AVRO_OF_USERS, Shape, View, view_of
from orbitalis_codegen.diagnostic import Position, Report, did_you_mean, nearest, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of, plain
from orbitalis_codegen.read.reference import Resolver, is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["Compiler"]

LARGEST_FIXED = 1024 * 1024
"""Bytes."""
DEEPEST_SCHEMA: Final = 100
"""Types within one another, references written out."""
MOST_TYPES: Final = 100_000
"""Types of all schemas, references written out."""

_OF_USERS: Final = {
    shape.name: replace(shape, language=AVRO_OF_USERS)
    for shape in (shapes.ARRAY, shapes.ENUM, shapes.FIELD, shapes.FIXED, shapes.MAP, shapes.PRIMITIVE, shapes.RECORD)
}
_SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ORDERS = ("ascending", "descending", "ignore")


class Compiler:
    """Compiles one schema after the other into the same library.

    With a `resolver` they are schemas of users: a reference (`$ref`) may stand in the place of a type, which then is as
    if it were written there; a type may be defined again with the same content; attributes of other forms are ignored.
    """

    def __init__(self, report: Report, resolver: Resolver | None = None) -> None:
        self._report = report
        self._resolver = resolver
        self._depth = 0
        self._types = 0
        # By target and namespace of a reference; `None` while it is compiled.
        self._referred: dict[tuple[int, str], AvroType | None] = {}
        self._repeated: list[tuple[NamedType, Position]] = []
        self.library = Library()

    def declare_file(self, node: Node) -> None:
        """Note what a file defines, so that a definition of the same name inside of another file is the second one."""
        match node:
            case ObjectNode(members={"name": ScalarNode(value=str(name), position=position)} as members):
                namespace = members.get("namespace")
                around = namespace.value if isinstance(namespace, ScalarNode) else None
                name = qualified_name(name, around if isinstance(around, str) else "")
                self.library.definitions.setdefault(name, Definition(name, node, position))
            case _:
                pass

    def compile_file(self, file: str, node: Node) -> None:
        """Take the type that `file` defines into the library, and those that are defined inside of it."""
        self._compile_file(file, node)
        if self._report.touches(file):
            self.library.incomplete.add(file)

    def _compile_file(self, file: str, node: Node) -> None:
        match node:
            case ObjectNode(members={"type": ScalarNode(value=("record" | "enum" | "fixed"))}):
                self.compile_schema(node)
                name = self.library.defined_at(node)
                if name is not None:
                    self.library.files[file] = name
            case ObjectNode(members={"type": ScalarNode(value=str(form), position=position)}) if nearest(
                form, ("record", "enum", "fixed")
            ):
                self._unknown_type(position, form)
            case _:
                message = "a schema file defines one record, enum or fixed, which others refer to by its name"
                self._report.add(Rule.SCHEMA_FILE_TYPE, node.position, message)

    def compile_schema(self, node: Node) -> AvroType | None:
        """Take the types that a schema defines into the library; gives its own, or `None` if it has none."""
        self._depth = 0
        return self._compile(node, "")

    def check_repeated(self) -> None:
        """Report every type that is defined again as another one."""
        for again, position in self._repeated:
            first = self.library.types.get(again.name)
            if first is not None and _meaning(first) != _meaning(again):
                self._redefined(again.name, position)

    def check_mentions(self, unreadable: Collection[str], hint: str | None = None) -> None:
        """Report every name that no file defines, unless it is that of an `unreadable` file, without its suffix.

        The `hint` says what else can be done than to write another name.
        """
        known = [*shapes.PRIMITIVES, *shapes.COMPLEX_TYPES, *self.library.definitions]
        unknown = [mention for mention in self.library.mentions if mention.name not in self.library.definitions]
        for mention in unknown:
            self.library.incomplete.add(mention.position.file)
            simple_name = mention.name.rpartition(".")[2]
            namesakes = [name for name in self.library.definitions if name.rpartition(".")[2] == simple_name]
            if simple_name not in unreadable:
                self._unknown_type(mention.position, mention.name, namesakes or known, hint)

    def _unknown_type(
        self, position: Position, name: str, known: Iterable[str] = shapes.COMPLEX_TYPES, hint: str | None = None
    ) -> None:
        message = f"there is no type {shown(name)}"
        hints = filter(None, (did_you_mean(name, known), hint))
        self._report.add(Rule.AVRO_UNKNOWN_TYPE, position, message, "; ".join(hints) or None)

    def _compile(self, node: Node, namespace: str) -> AvroType | None:
        self._types += 1
        if self._types > MOST_TYPES:
            # Only references can multiply what a file holds.
            if self._types == MOST_TYPES + 1:
                message = f"with its references written out, the schemas have more than {MOST_TYPES} types"
                self._report.add(Rule.MANY_VALUES, node.position, message)
            return None
        if self._depth == DEEPEST_SCHEMA:
            message = f"types are nested more than {DEEPEST_SCHEMA} levels deep"
            self._report.add(Rule.AVRO_DEEP_TYPE, node.position, message)
            return None
        self._depth += 1
        compiled = self._type(node, namespace)
        self._depth -= 1
        return compiled

    def _type(self, node: Node, namespace: str) -> AvroType | None:
        match node:
            case ScalarNode(value=str(name)) if name in shapes.PRIMITIVES:
                return shapes.PRIMITIVES[name]
            case ScalarNode(value=str(name)) if name in shapes.COMPLEX_TYPES:
                message = f"a type of the form {shown(name)} is written as an object with its attributes"
                self._report.add(Rule.AVRO_WRONG_KIND, node.position, message)
                return None
            case ScalarNode(value=str(text)) if text.lstrip().startswith(("{", "[")):
                message = "a schema is written as a text that holds JSON"
                hint = "write it as an object: what is JSON is YAML as well; take away the quotes, or the | before it"
                self._report.add(Rule.AVRO_WRONG_KIND, node.position, message, hint)
                return None
            case ScalarNode(value=str(name)):
                reference = qualified_name(name, namespace)
                self.library.mentions.append(Mention(reference, node.position))
                return Reference(name=reference)
            case ListNode():
                return self._union(node, namespace)
            case ObjectNode() if self._resolver is not None and is_reference(node):
                return self._reference(self._resolver, node, namespace)
            case ObjectNode():
                return self._object(node, namespace)
            case _:
                message = f"expected a type, got {kind_of(node)}"
                self._report.add(Rule.AVRO_WRONG_KIND, node.position, message)
                return None

    def _reference(self, resolver: Resolver, node: ObjectNode, namespace: str) -> AvroType | None:
        """The type that a reference leads to."""
        found = schema_of(resolver, node, self._report)
        if found is None:
            return None
        schema = found.node
        self.library.referred[id(node)] = schema
        key = id(schema), namespace
        if key not in self._referred:
            self._referred[key] = None
            self._referred[key] = self._compile(schema, namespace)
        elif self._referred[key] is None:
            # It is being compiled, or cannot be. Inside of itself, a type with a name is one.
            name = defined_name(schema, namespace)
            if name is not None:
                return Reference(name=name)
            message = "the reference leads back to a type without a name, which would contain itself"
            self._report.add(Rule.REFERENCE_CYCLE, node.position, message)
        return self._referred[key]

    def _shape(self, shape: Shape) -> Shape:
        return shape if self._resolver is None else _OF_USERS[shape.name]

    def _object(self, node: ObjectNode, namespace: str) -> AvroType | None:
        kind = node.members.get("type")
        match kind:
            case None:
                hint = "Avro refers to types by their names" if "$ref" in node.members else None
                self._report.add(Rule.AVRO_MISSING_ATTRIBUTE, node.position, "the type has no attribute 'type'", hint)
                return None
            case ScalarNode(value="record"):
                return self._record(node, namespace)
            case ScalarNode(value="enum"):
                return self._enumeration(node, namespace)
            case ScalarNode(value="fixed"):
                return self._fixed(node, namespace)
            case ScalarNode(value="array"):
                items = self._inner(node, shapes.ARRAY, "items", namespace)
                return None if items is None else Array(items=items)
            case ScalarNode(value="map"):
                values = self._inner(node, shapes.MAP, "values", namespace)
                return None if values is None else Map(values=values)
            case ScalarNode(value=str(name)) if name in shapes.PRIMITIVES:
                return self._primitive(name, View(node, self._shape(shapes.PRIMITIVE), self._report))
            case ScalarNode(value=str(name)):
                known = [*shapes.PRIMITIVES, *shapes.COMPLEX_TYPES]
                if name == "object":
                    hint = "this is JSON Schema; an object is in Avro {type: record, name: ..., fields: [...]}"
                elif name == "error":
                    hint = "an error is a record here, of a message that says x-error: true"
                elif nearest(name, known):
                    hint = did_you_mean(name, known)
                else:
                    hint = "write a name without an object around it"
                self._report.add(Rule.AVRO_UNKNOWN_TYPE, kind.position, f"Avro has no form {shown(name)}", hint)
                return None
            case _:
                message = f"the attribute 'type' of a type is {kind_of(kind)}, but a text is expected"
                hint = "write the inner type without the object around it"
                self._report.add(Rule.AVRO_WRONG_KIND, kind.position, message, hint)
                return None

    def _inner(self, node: ObjectNode, shape: Shape, key: str, namespace: str) -> AvroType | None:
        view = View(node, self._shape(shape), self._report)
        logical_type_name(view)
        inner = view.get(key)
        return None if inner is None else self._compile(inner, namespace)

    def _primitive(self, name: str, view: View) -> AvroType:
        primitive = shapes.PRIMITIVES[name]
        return logical_type(view, primitive) or primitive

    def _union(self, node: ListNode, namespace: str) -> AvroType | None:
        if not node.items:
            self._report.add(Rule.AVRO_EMPTY_UNION, node.position, "the union has no branches")
            return None
        branches: list[AvroType] = []
        taken: set[str] = set()
        for item in node.items:
            branch = self._compile(item, namespace)
            if isinstance(branch, Union):
                message = "a union immediately contains another one"
                self._report.add(Rule.AVRO_NESTED_UNION, item.position, message, "write its branches here")
            elif branch is not None:
                kind = _kind(branch)
                if kind in taken:
                    message = f"the union has two branches of the type {shown(kind)}"
                    self._report.add(Rule.AVRO_AMBIGUOUS_UNION, item.position, message)
                taken.add(kind)
                branches.append(branch)
        if not branches:
            return None
        union = Union(branches=tuple(branches))
        if len(taken) == len(branches):
            self.library.unions.append((union, node.position))
        return union

    def _define(self, view: View, namespace: str) -> str:
        """Enter the definition of a named type; gives its full name."""
        if view.shape.name != shapes.FIXED.name:
            logical_type_name(view)
        self._check_aliases(view)
        simple_name = view.optional_text("name")
        own_namespace = view.optional_text("namespace")
        if simple_name is None:
            return ""
        if own_namespace:
            self._check_name(own_namespace, view.position_of("namespace"), "the namespace")
        position = view.position_of("name")
        is_valid = self._check_name(simple_name, position, f"the {view.shape.name}")
        name = qualified_name(simple_name, namespace if own_namespace is None else own_namespace)
        first = self.library.definitions.setdefault(name, Definition(name, view.node, position))
        if first.node is view.node:
            self.library.names[id(view.node)] = name
            if not is_valid:
                self.library.misnamed.add(name)
        elif self._resolver is None:
            self._redefined(name, position)
        return name

    def _redefined(self, name: str, position: Position) -> None:
        message = f"the type {shown(name)} is defined a second time"
        hint = f"it is first defined at {self.library.definitions[name].position}"
        if self._resolver is not None:
            message = f"{message}, as another one"
            hint = f"{hint}; give one of them another name or namespace"
        self._report.add(Rule.AVRO_REDEFINED_TYPE, position, message, hint)

    def _check_name(self, name: str, position: Position, what: str) -> bool:
        """Whether `name` is a name, dotted or not; reported if it is none."""
        parts = name.split(".")
        if not all(_SIMPLE_NAME.fullmatch(part) for part in parts):
            message = f"{shown(name)}, the name of {what}, is not a name"
            hint = "letters, digits and underscores, and no digit first"
        elif parts[-1] in shapes.PRIMITIVES or parts[-1] in shapes.COMPLEX_TYPES:
            message = f"{shown(name)}, the name of {what}, is that of a type of Avro's"
            hint = "choose another one"
        else:
            return True
        self._report.add(Rule.AVRO_NAME, position, message, hint)
        return False

    def _check_aliases(self, view: View) -> None:
        seen: set[object] = set()
        for alias in view.items("aliases"):
            value = plain(alias)
            if not isinstance(value, str) or not all(_SIMPLE_NAME.fullmatch(part) for part in value.split(".")):
                self._report.add(Rule.AVRO_ALIASES, alias.position, f"the alias {shown(value)} is not a name")
            elif value in seen:
                self._report.add(Rule.AVRO_ALIASES, alias.position, f"the alias {shown(value)} is given twice")
            else:
                seen.add(value)

    def _enter(self, view: View, named: NamedType) -> Reference:
        first = self.library.definitions.get(named.name)
        if first is not None and first.node is view.node:
            self.library.types[named.name] = named
        elif self._resolver is not None:
            self._repeated.append((named, view.position_of("name")))
        return Reference(name=named.name)

    def _record(self, node: ObjectNode, namespace: str) -> AvroType:
        view = View(node, self._shape(shapes.RECORD), self._report)
        name = self._define(view, namespace)
        fields: dict[str, Field] = {}
        for item in view.items("fields"):
            field_view = view_of(item, self._shape(shapes.FIELD), self._report)
            compiled = None if field_view is None else self._field(field_view, name)
            if field_view is None or compiled is None:
                continue
            if compiled.name in fields:
                message = f"the record {shown(name)} has two fields {shown(compiled.name)}"
                self._report.add(Rule.AVRO_DUPLICATE_FIELD, field_view.position_of("name"), message)
            else:
                fields[compiled.name] = compiled
        record = Record(
            name=name,
            class_name=name.rpartition(".")[2],
            description=view.text("doc"),
            fields=tuple(fields.values()),
            source=node.position.file,
        )
        return self._enter(view, record)

    def _field(self, view: View, record: str) -> Field | None:
        name = view.optional_text("name")
        type_node = view.get("type")
        compiled = None if type_node is None else self._compile(type_node, record.rpartition(".")[0])
        if name is not None and not _SIMPLE_NAME.fullmatch(name):
            message = f"{shown(name)}, the name of the field, is not a name"
            hint = "letters, digits and underscores, and no digit first"
            self._report.add(Rule.AVRO_NAME, view.position_of("name"), message, hint)
        order = view.optional_text("order")
        if order is not None and order not in _ORDERS:
            message = f"the order of a field is {shown(order)}"
            self._report.add(Rule.AVRO_FIELD_ORDER, view.position_of("order"), message, did_you_mean(order, _ORDERS))
        self._check_aliases(view)
        description = view.text("doc")
        default = view.get("default")
        # What grows are messages of the protocol.
        since = view.optional_text("since") if self._resolver is None else None
        if name is None or type_node is None or compiled is None:
            return None
        if default is not None:
            self.library.defaults.append(FieldDefault(compiled, default))
        self.library.field_positions.setdefault((record, name), type_node.position)
        if since is not None:
            self.library.since_positions.setdefault((record, name), view.position_of("since"))
        return Field(
            name=name,
            type=compiled,
            description=description,
            has_default=default is not None,
            default=None if default is None else plain(default),
            since=since,
        )

    def _enumeration(self, node: ObjectNode, namespace: str) -> AvroType:
        view = View(node, self._shape(shapes.ENUM), self._report)
        name = self._define(view, namespace)
        symbols: list[str] = []
        items = view.items("symbols")
        for item in items:
            value = plain(item)
            if not isinstance(value, str) or not _SIMPLE_NAME.fullmatch(value):
                self._report.add(Rule.AVRO_NAME, item.position, f"the symbol {shown(value)} is not a name")
            elif value in symbols:
                message = f"the enum {shown(name)} has two symbols {shown(value)}"
                self._report.add(Rule.AVRO_SYMBOLS, item.position, message)
            else:
                symbols.append(value)
        if isinstance(view.get("symbols"), ListNode) and not items:
            self._report.add(Rule.AVRO_SYMBOLS, view.position_of("symbols"), f"the enum {shown(name)} has no symbols")
        default = view.optional_text("default")
        if default is not None and default not in symbols:
            message = f"the default {shown(default)} is not a symbol of the enum {shown(name)}"
            self._report.add(Rule.AVRO_DEFAULT, view.position_of("default"), message, did_you_mean(default, symbols))
        enumeration = Enumeration(
            name=name,
            class_name=name.rpartition(".")[2],
            description=view.text("doc"),
            symbols=tuple(symbols),
            default=default,
            source=node.position.file,
        )
        return self._enter(view, enumeration)

    def _fixed(self, node: ObjectNode, namespace: str) -> AvroType:
        view = View(node, self._shape(shapes.FIXED), self._report)
        name = self._define(view, namespace)
        size = view.number("size")
        if size is not None and not (isinstance(size, int) and 1 <= size <= LARGEST_FIXED):
            message = f"the size of the fixed {shown(name)} is {shown(size)}"
            hint = f"from 1 to {LARGEST_FIXED} bytes"
            self._report.add(Rule.AVRO_FIXED_SIZE, view.position_of("size"), message, hint)
        fixed = Fixed(
            name=name,
            class_name=name.rpartition(".")[2],
            description=view.text("doc"),
            size=int(size or 0),
            source=node.position.file,
            logical_type=logical_type(view, Reference(name=name), size),
        )
        return self._enter(view, fixed)


def _kind(branch: AvroType) -> str:
    """What may stand in a union once."""
    match branch:
        case LogicalType(underlying=primitive):
            return primitive.name
        case Array():
            return "array"
        case Map():
            return "map"
        case Union():
            return "union"
        case _:
            return branch.name


def _meaning(named: NamedType) -> NamedType:
    """What a type means to Avro, without where it stands and what is said about it."""
    bare = replace(named, description="", source="")
    if isinstance(bare, Record):
        return replace(bare, fields=tuple(replace(field, description="") for field in bare.fields))
    return bare
