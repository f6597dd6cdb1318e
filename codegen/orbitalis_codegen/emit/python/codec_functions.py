"""The functions of the codecs: for each record, array, map, union and enumeration one that writes and one that reads.

A view says what a function needs; the template of its kind in `templates/codecs/` lays it out.
"""

from __future__ import annotations

from orbitalis_codegen.emit.errors import EmitError
from orbitalis_codegen.emit.python import names, text
from orbitalis_codegen.emit.python.codec_views import (
    BranchView,
    Call,
    ContainerView,
    EnumerationView,
    FieldView,
    RecordView,
    UnionView,
    View,
)
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import (
    Array,
    AvroType,
    Enumeration,
    Fixed,
    LogicalType,
    Map,
    Primitive,
    Record,
    Reference,
    Union,
)

__all__ = ["BINARY_NAMES", "CodecFunctions"]

BINARY_NAMES = (
    "READ_FAULTS", "WRITE_FAULTS", "Fault", "Guard", "check_block", "is_mapping", "is_sequence", "key_part",
    "located", "mapping_of", "read_block", "read_boolean", "read_bytes", "read_date", "read_double", "read_fixed",
    "read_float", "read_index", "read_int", "read_key", "read_long", "read_null", "read_string",
    "read_timestamp_micros", "read_timestamp_millis", "read_uuid", "sequence_of", "shown", "unexpected",
    "write_boolean", "write_bytes", "write_date", "write_double", "write_fixed", "write_float", "write_int",
    "write_long", "write_null", "write_number", "write_string", "write_text", "write_timestamp_micros",
    "write_timestamp_millis", "write_uuid",
)  # fmt: skip
"""What the module `_binary` offers."""
_LOCALS_IN_USE = frozenset(
    {
        "at", "branch", "count", "data", "end", "entries", "error", "guard", "index", "isinstance", "item", "items",
        "key", "len", "message", "optional", "parts", "position", "range", "tuple", "value", *BINARY_NAMES,
    }
)  # fmt: skip
"""What a function of a record uses under a name that a field could have."""
_LONGEST_DESCRIPTION = 40
"""How long the description of a union may be; one of more branches is just a union."""


class CodecFunctions:
    """Collects the functions that the records of a model need, each once."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.views: dict[str, View] = {}
        self._added: set[AvroType] = set()
        self._suffixes: dict[AvroType, str] = {}
        self._guarded: dict[AvroType, bool] = {}
        self._record_suffixes = names.unique_names(
            (name, names.snake_case(class_name)) for name, class_name in types.class_names.items()
        )

    def record_suffix(self, name: str) -> str:
        """What the functions of a named type are called after `_write_` and `_read_`."""
        return self._record_suffixes[name]

    def call(self, type_: AvroType) -> Call:
        """How values of a type are written and read."""
        match type_:
            case Primitive(name=name):
                return self._helper(type_, name)
            case LogicalType(name="timestamp-millis" | "timestamp-micros" | "date" | "uuid" as name):
                return self._helper(type_, name.replace("-", "_"))
            case LogicalType(underlying=underlying):
                return self.call(underlying)
            case Reference(name=name) if isinstance(fixed := self.types.named[name], Fixed):
                size = str(fixed.size)
                return Call(
                    annotation="bytes",
                    write="write_fixed(",
                    write_extra=(size,),
                    read=f"read_fixed(data, position, {size})",
                    is_guarded=False,
                )
            case _:
                suffix = self._suffix(type_)
                guarded = self.is_guarded(type_)
                guard = ("guard",) if guarded else ()
                return Call(
                    annotation=self.types.annotation(type_),
                    write=f"_write_{suffix}(",
                    write_extra=guard,
                    read=f"_read_{suffix}({', '.join(('data', 'position', *guard))})",
                    is_guarded=guarded,
                )

    def is_guarded(self, type_: AvroType) -> bool:
        """Whether a type holds something whose size or depth no length in the data bounds."""
        if type_ not in self._guarded:
            self._guarded[type_] = self._is_guarded(type_)
        return self._guarded[type_]

    def add(self, type_: AvroType) -> None:
        """Add the functions of a type, after those of the types in it."""
        # A record is noted before its fields are looked at: they may lead back to it.
        if type_ in self._added:
            return
        self._added.add(type_)
        match type_:
            case Reference(name=name):
                suffix = self._record_suffixes[name]
                match self.types.named[name]:
                    case Record() as record:
                        self.views[suffix] = self._record(record, suffix)
                    case Enumeration() as enumeration:
                        self.views[suffix] = self._enumeration(enumeration, suffix)
                    case Fixed():
                        pass
            case Array(items=inner) | Map(values=inner):
                self.add(inner)
                suffix = self._suffix(type_)
                self.views[suffix] = self._container(type_, inner, suffix)
            case Union(branches=branches):
                for branch in branches:
                    self.add(branch)
                suffix = self._suffix(type_)
                self.views[suffix] = self._union(type_, suffix)
            case _:
                pass

    def _helper(self, type_: AvroType, name: str) -> Call:
        return Call(
            annotation=self.types.annotation(type_),
            write=f"write_{name}(",
            write_extra=(),
            read=f"read_{name}(data, position)",
            is_guarded=False,
        )

    def _is_guarded(self, type_: AvroType) -> bool:
        match type_:
            case Array(items=items):
                return self.types.minimum_size(items) == 0 or self.is_guarded(items)
            case Map(values=values):
                return self.is_guarded(values)
            case Union(branches=branches):
                return any(self.is_guarded(branch) for branch in branches)
            case Reference(name=name) if isinstance(record := self.types.named[name], Record):
                # Records that contain themselves go no further, so that this ends.
                return self.types.is_recursive(name) or any(self.is_guarded(field.type) for field in record.fields)
            case _:
                return False

    def _suffix(self, type_: AvroType) -> str:
        if isinstance(type_, Reference):
            return self._record_suffixes[type_.name]
        if type_ not in self._suffixes:
            taken = {*self._suffixes.values(), *self._record_suffixes.values()}
            self._suffixes[type_] = names.unique(self._describe(type_), taken)
        return self._suffixes[type_]

    def _describe(self, type_: AvroType) -> str:
        match type_:
            case Primitive(name=name):
                return name
            case LogicalType(name=name):
                return names.snake_case(name)
            case Array(items=items):
                return f"array_of_{self._describe(items)}"
            case Map(values=values):
                return f"map_of_{self._describe(values)}"
            case Union(branches=branches):
                description = "_or_".join(self._describe(branch) for branch in branches)
                return description if len(description) <= _LONGEST_DESCRIPTION else "union"
            case Reference(name=name):
                return self._record_suffixes[name]

    def _read_signature(self, suffix: str, annotation: str, guarded: bool) -> str:
        parameters = ["data: bytes", "position: int", *(["guard: Guard"] if guarded else [])]
        start, end = f"def _read_{suffix}(", f") -> tuple[{annotation}, int]:"
        if len(end) > text.LINE_LENGTH:
            return text.unbroken(start + ", ".join(parameters) + end, indent=0)
        return text.fit(start, parameters, end)

    def _record(self, record: Record, suffix: str) -> RecordView:
        fields: list[FieldView] = []
        local_names = names.unique_names(
            ((field.name, field.name) for field in self.types.fields(record)),
            taken=(*_LOCALS_IN_USE, *self.types.class_names.values()),
        )
        type_ = Reference(name=record.name)
        for field in self.types.fields(record):
            inner, null_index = _without_null(field.field.type)
            call = self.call(inner)
            self.add(inner)
            fields.append(
                FieldView(
                    path=f".{field.field.name}",
                    name=field.name,
                    local=local_names[field.name],
                    null_index=null_index,
                    null_bytes=_index_literal(null_index or 0),
                    value_bytes=_index_literal(0 if null_index else 1),
                    write=call.write,
                    write_arguments=(
                        "optional" if null_index is not None else f"value.{field.name}",
                        *call.write_extra,
                    ),
                    read=call.read,
                )
            )
        class_name = self.types.class_names[record.name]
        guarded = self.is_guarded(type_)
        return RecordView(
            suffix=suffix,
            class_name=class_name,
            guard_parameter=", guard: Guard" if guarded else "",
            is_recursive=self.types.is_recursive(record.name),
            read_signature=self._read_signature(suffix, class_name, guarded),
            fields=tuple(fields),
        )

    def _container(self, type_: Array | Map, inner: AvroType, suffix: str) -> ContainerView:
        call = self.call(inner)
        guarded = self.is_guarded(type_)
        is_array = isinstance(type_, Array)
        read_annotation = f"tuple[{call.annotation}, ...]" if is_array else f"dict[str, {call.annotation}]"
        return ContainerView(
            kind="array" if is_array else "map",
            suffix=suffix,
            guard_parameter=", guard: Guard" if guarded else "",
            read_signature=self._read_signature(suffix, read_annotation, guarded),
            item_annotation=call.annotation,
            minimum=self.types.minimum_size(inner) + (0 if is_array else 1),
            write=call.write_value("item"),
            read=call.read,
        )

    def _union(self, union: Union, suffix: str) -> UnionView:
        guarded = self.is_guarded(union)
        branches: list[tuple[int, BranchView]] = []
        for index, branch in enumerate(union.branches):
            call = self.call(branch)
            rank, test = self._test(branch, union)
            view = BranchView(
                test=test,
                prefix=f"{_index_literal(index)} + ",
                write=call.write_value("value"),
                read=call.read,
            )
            branches.append((rank, view))
        annotation = self.types.annotation(union)
        return UnionView(
            suffix=suffix,
            guard_parameter=", guard: Guard" if guarded else "",
            read_signature=self._read_signature(suffix, annotation, guarded),
            expected=annotation,
            branches=tuple(view for _, view in branches),
            write_order=tuple(view for _, view in sorted(branches, key=lambda ranked: ranked[0])),
        )

    def _test(self, branch: AvroType, union: Union) -> tuple[int, str]:
        """How a value shows that it is of a branch, and when to ask: what is more special comes first."""
        primitives = {inner.name for inner in union.branches if isinstance(inner, Primitive)}
        match branch:
            case Primitive(name="null"):
                return 0, "value is None"
            case Primitive(name="boolean"):
                return 0, "isinstance(value, bool)"
            case Primitive(name="int") if primitives & {"long", "float", "double"}:
                return (
                    1,
                    "isinstance(value, int) and -0x80000000 <= value <= 0x7FFFFFFF and not isinstance(value, bool)",
                )
            case Primitive(name="int" | "long"):
                return 2, "isinstance(value, int) and not isinstance(value, bool)"
            case Primitive(name="double" | "float" as name):
                # Of two kinds of numbers the double loses nothing.
                rank = 3 if name == "double" else 4
                if primitives & {"int", "long"}:
                    return rank, "isinstance(value, float)"
                return rank, "isinstance(value, (float, int)) and not isinstance(value, bool)"
            case Primitive(name="bytes"):
                return 3, "isinstance(value, bytes)"
            case Primitive(name="string"):
                return 3, "isinstance(value, str)"
            case LogicalType(name="timestamp-millis" | "timestamp-micros"):
                return 1, "isinstance(value, datetime)"
            case LogicalType(name="date"):
                return 2, "isinstance(value, date)"
            case LogicalType(name="uuid"):
                return 1, "isinstance(value, UUID)"
            case LogicalType(underlying=underlying):
                return self._test(underlying, union)
            case Array():
                return 4, "is_sequence(value)"
            case Map():
                return 4, "is_mapping(value)"
            case Reference(name=name):
                named = self.types.named[name]
                if isinstance(named, Fixed):
                    return 2, f"isinstance(value, bytes) and len(value) == {named.size}"
                return 1, f"isinstance(value, {self.types.class_names[name]})"
            case _:
                raise EmitError("a union stands directly in a union")

    def _enumeration(self, enumeration: Enumeration, suffix: str) -> EnumerationView:
        class_name = self.types.class_names[enumeration.name]
        return EnumerationView(
            suffix=suffix,
            constant=suffix.upper(),
            class_name=class_name,
            symbols=len(enumeration.symbols),
            read_signature=self._read_signature(suffix, class_name, False),
        )


def _without_null(type_: AvroType) -> tuple[AvroType, int | None]:
    """Take a union of null and one other type apart: the other type and the index of null."""
    if isinstance(type_, Union) and len(type_.branches) == 2:
        for index, branch in enumerate(type_.branches):
            if branch == Primitive(name="null"):
                return type_.branches[1 - index], index
    return type_, None


def _index_literal(index: int) -> str:
    """Write the index of a branch as it stands on the wire, zigzag and variable in length."""
    zigzag, encoded = index << 1, bytearray()
    while zigzag > 0x7F:
        encoded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in encoded) + '"'
