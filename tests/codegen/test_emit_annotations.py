"""Message classes have the fields and annotations that datamodel-code-generator gives to classes of the same schemas.

It reads the schemas by itself, as they stand in their files. Where ours are others, they are so on purpose.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias, cast

import pytest
from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from tests.codegen.zoo import SCHEMAS, array, record, values, write_zoo
from tests.support.repository import ROOT

Fields: TypeAlias = list[tuple[str, str]]
"""Names and annotations, in the order of a class."""

ABOUT_NAMES = {"TypeNames", "TypeNamesAsFields"}
"""Theirs calls their classes `SequenceModel`, ours `Sequence_`; test_emit_names.py judges that."""

FAR = record(
    "Far",
    {
        "lower": record(
            "lower",
            {"near": record("Near", {"x": "int"}), "nearer": "Near", "itself": ["null", "some.where.lower"]},
            namespace="some.where",
        ),
        "near": array(values(["some.where.Near", "null"])),
    },
)
"""Names of namespaces, and one in lower case."""

MADE_UP = [*(schema for schema in SCHEMAS if schema["name"] not in ABOUT_NAMES), FAR]

CALLED = {"GracelessCloneConnectionMessage": "GracelessCloseConnectionMessage"}
"""Records whose class is called as the key of the message: theirs, ours. On the wire stays what it was first called."""

ON_PURPOSE = {
    # An underscore at the front would hide a field: ours puts it at the end, theirs a word before it.
    **{
        (name, field): differs
        for name, type_ in (("FieldNames", "str"), ("FieldNamesWithDefaults", "int"))
        for field, differs in {
            "hidden_": (f"hidden_: {type_}", f"field_hidden: {type_}"),
            "dunder___": (f"dunder___: {type_}", f"field__dunder__: {type_}"),
        }.items()
    },
    **{
        (name, field): differs
        for name in ("Logical", "LogicalDefaults")
        for field, differs in {
            # A local time is a datetime without a time zone; theirs leaves it a text.
            "local_millis": ("local_millis: datetime", "local_millis: str"),
            "local_micros": ("local_micros: datetime", "local_micros: str"),
            # A datetime would lose nanoseconds.
            "nanos": ("nanos: int", "nanos: datetime"),
            # A timedelta has no months.
            "span": ("span: Duration", "span: timedelta"),
        }.items()
    },
    ("Logical", "local_nanos"): ("local_nanos: int", "local_nanos: str"),
    ("Logical", "spans"): ("spans: Sequence[Duration | None]", "spans: Sequence[timedelta | None]"),
    ("Logical", "either"): (
        "either: time | UUID | Duration | Decimal | None",
        "either: time | UUID | timedelta | Decimal | None",
    ),
}
"""By class and field: ours, theirs. Each is a difference that has to be there."""

MOVED = {"Even", "Odd", "Around"}
"""Records that contain one another, and what contains them: theirs puts them at the end."""


@dataclass(slots=True)
class Classes:
    """What a module defines."""

    fields: dict[str, Fields] = field(default_factory=dict[str, Fields])
    """Of each record."""
    symbols: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Of each enumeration: the values of its members."""


@pytest.fixture(scope="module", params=["repository", "made up"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Classes, Classes]:
    is_made_up = request.param == "made up"
    root = write_zoo(tmp_path_factory.mktemp("zoo"), MADE_UP) if is_made_up else ROOT
    model = read_specification(root)
    files = list(dict.fromkeys(type_.source for type_ in model.types.values()))
    theirs = judge([json.loads((root / file).read_text(encoding="utf-8")) for file in files])
    for name, ours in CALLED.items():
        theirs = theirs.replace(name, ours)
    return read(emit(model)["generated/python/orbitalis_wire/messages.py"].decode()), read(theirs)


def test_classes(both: tuple[Classes, Classes]) -> None:
    ours, theirs = both

    assert set(ours.fields) == set(theirs.fields)
    assert [name for name in ours.fields if name not in MOVED] == [name for name in theirs.fields if name not in MOVED]
    assert ours.symbols == theirs.symbols


def test_fields(both: tuple[Classes, Classes]) -> None:
    ours, theirs = both
    differences: dict[tuple[str, str], tuple[str, str]] = {}
    for class_, fields in ours.fields.items():
        for (name, annotation), (their_name, their_annotation) in zip(fields, theirs.fields[class_], strict=True):
            # What a class needs under a name of its own, such as `int`, ours calls `int_`; theirs renames its import.
            if (name.removesuffix("_"), annotation) != (their_name.removesuffix("_"), their_annotation):
                differences[class_, name] = (f"{name}: {annotation}", f"{their_name}: {their_annotation}")

    assert differences == {key: differs for key, differs in ON_PURPOSE.items() if key[0] in ours.fields}


def judge(schemas: list[Any]) -> str:
    """Let datamodel-code-generator make a module of schemas."""
    source = generate(
        json.dumps([pared(schema) for schema in schemas]),
        input_file_type=InputFileType.Avro,
        output_model_type=DataModelType.DataclassesDataclass,
        target_python_version=PythonVersion.PY_311,
        strict_nullable=True,
        use_standard_collections=True,
        # Messages are frozen: Sequence and Mapping, where it would have list and dict.
        use_generic_container_types=True,
        use_union_operator=True,
        use_standard_primitive_types=True,
        output_datetime_class=DatetimeClassType.Datetime,
        formatters=[Formatter.BUILTIN],
        disable_timestamp=True,
    )
    assert isinstance(source, str)
    return source


def pared(schema: object) -> object:
    """Leave out documentation and defaults: it would put fields that have defaults last."""
    if isinstance(schema, list):
        return [pared(branch) for branch in cast("list[object]", schema)]
    if isinstance(schema, dict):
        attributes = cast("dict[str, object]", schema)
        return {key: pared(value) for key, value in attributes.items() if key not in ("doc", "default")}
    return schema


def read(source: str) -> Classes:
    """Read the classes of a module; what it calls by another name gets its own."""
    classes, aliases = Classes(), Aliases()
    for node in ast.parse(source).body:
        match node:
            case ast.ImportFrom(names=names):
                for alias in names:
                    aliases.meant[alias.asname or alias.name] = ast.Name(alias.name)
            case ast.AnnAssign(
                target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias"), value=ast.expr() as value
            ):
                aliases.meant[name] = value
            case ast.ClassDef(name=name, bases=[ast.Name(id="StrEnum")]):
                members = [inner.value for inner in node.body if isinstance(inner, ast.Assign)]
                classes.symbols[name] = [ast.literal_eval(value) for value in members]
            case ast.ClassDef(name=name):
                classes.fields[name] = [
                    (inner.target.id, ast.unparse(aliases.visit(inner.annotation)))
                    for inner in node.body
                    if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)
                ]
            case _:
                pass
    return classes


class Aliases(ast.NodeTransformer):
    """Puts what is meant in the place of names, and has each branch of a union once."""

    def __init__(self) -> None:
        self.meant: dict[str, ast.expr] = {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name that stands for something else."""
        meant = self.meant.get(node.id, node)
        return meant if isinstance(meant, ast.Name) and meant.id == node.id else self.visit(meant)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Leave out a branch that a union has already, such as the second fixed: both are `bytes`."""
        branches = [*branches_of(self.visit(node.left)), *branches_of(self.visit(node.right))]
        unique = {ast.unparse(branch): branch for branch in branches}
        return reduce(lambda left, right: ast.BinOp(left, ast.BitOr(), right), unique.values())


def branches_of(annotation: ast.expr) -> list[ast.expr]:
    """Return the branches of a union, or the only one."""
    if isinstance(annotation, ast.BinOp):
        return [*branches_of(annotation.left), *branches_of(annotation.right)]
    return [annotation]
