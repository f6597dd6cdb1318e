"""Messages of emitted packages: what they write, what they read, what they say of what they cannot."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import fastavro
import pytest

from orbitalis import Event, Plugin
from orbitalis.contract import ContractClient, DeclaredError, GeneratedMessage
from orbitalis.message import registry
from orbitalis.message.payload import as_received
from orbitalis.message.resolution import resolving_reader
from orbitalis.message.schema import schema_fingerprint
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.rare import Duration
from orbitalis_codegen.emit.contract_python import reserved
from orbitalis_wire.envelope import Encoding
from tests.codegen.contract.contracts import contract, emitted_package, message, record


def logical(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "logicalType": name, **more}


def zoo_schema(name: str, inner: dict[str, Any]) -> dict[str, Any]:
    """Write a record with a field of each kind."""
    return record(
        name,
        {
            "from": "string",
            "class": "bytes",
            "encode": ("int", 7),
            "field": ("float", 0.5),
            "args": "boolean",
            "inner": inner,
            "kind": ({"type": "enum", "name": "Kind", "symbols": ["one", "TWO", "None"]}, "None"),
            "id": {"type": "fixed", "name": "Id", "size": 4},
            "duration": {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"},
            "union": ["null", "string", inner["name"], {"type": "array", "items": "long"}],
            "counts": ({"type": "map", "values": {"type": "array", "items": "double"}}, {}),
            "tags": ({"type": "array", "items": "string"}, ["a", "b"]),
            "default": ([inner["name"], "null"], {"x": 3}),
            "at": logical("long", "timestamp-micros"),
            "day": (logical("int", "date"), 0),
            "hour": logical("int", "time-millis"),
            "uuid": logical("string", "uuid"),
            "price": logical("bytes", "decimal", precision=10, scale=2),
            "big": logical("bytes", "big-decimal"),
        },
        namespace=name.lower(),
    )


INNER = record("deep.Inner", {"x": "int", "next": (["null", "Inner"], None)})
ZOO = zoo_schema("Zoo", INNER)
FLAT = zoo_schema("Flat", record("flat.Part", {"x": "int"}))
LEAF = record(
    "Leaf", {"names": {"type": "array", "items": "string"}, "kind": ZOO["fields"][6]["type"]}, namespace="zoo"
)
ERROR = record("Broken", {"args": "string", "inner": INNER}, namespace="errors")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    made = contract(
        "Zoo",
        {
            "feed": {
                "inputs": [message(ZOO), message(FLAT), message(LEAF)],
                "outputs": [message(INNER)],
                "errors": [message(ERROR)],
            }
        },
    )
    return emitted_package(made, tmp_path_factory.mktemp("zoo"), "zoo_of_messages")


def example(zoo: ModuleType) -> Any:
    return zoo.Zoo(
        from_="here",
        class_=b"\0",
        args=True,
        inner=zoo.Inner(x=1, next=zoo.Inner(x=2)),
        id=b"four",
        duration=Duration(months=1, days=2, milliseconds=3),
        union=zoo.Inner(x=5),
        counts={"a": (1.5, 2.5), "b": ()},
        at=datetime(2024, 5, 6, 7, 8, 9, 10, UTC),
        hour=time(1, 2, 3),
        uuid=UUID(int=7),
        price=Decimal("12.34"),
        big=Decimal("1.5"),
    )


def test_a_message_is_read_as_it_was_written(zoo: ModuleType) -> None:
    value = example(zoo)

    assert zoo.Zoo.decode(value.encode()) == value
    assert hash(zoo.Inner(x=1)) == hash(zoo.Inner.decode(zoo.Inner(x=1).encode()))
    for union in (None, "text", (1, 2)):
        other = zoo.Zoo(**{one.name: getattr(value, one.name) for one in fields(value)} | {"union": union})
        assert zoo.Zoo.decode(other.encode()) == other
    error = zoo.Broken(args_="x", inner=zoo.Inner(x=1))
    assert zoo.Broken.decode(error.encode()) == error


EACH_KIND: Sequence[tuple[Any, Any]] = [
    ("boolean", True),
    ("int", 5),
    ("long", 1 << 40),
    ("float", 0.5),
    ("double", 1.1),
    ("bytes", b"\0x"),
    ("string", "t\u00ea"),
    ({"type": "array", "items": "int"}, (1, 2)),
    ({"type": "map", "values": "string"}, {"k": "v"}),
    (record("Part", {"x": "int"}), "Part"),
    ({"type": "enum", "name": "Kind", "symbols": ["ONE", "TWO"]}, "Kind"),
    ({"type": "fixed", "name": "Id", "size": 2}, b"ab"),
    (
        {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"},
        Duration(months=1, days=0, milliseconds=0),
    ),
    ({"type": "fixed", "name": "Sum", "size": 4, "logicalType": "decimal", "precision": 5}, Decimal(7)),
    ({"type": "fixed", "name": "Key", "size": 16, "logicalType": "uuid"}, UUID(int=5)),
    (logical("int", "date"), date(2024, 5, 6)),
    (logical("int", "time-millis"), time(1, 2, 3, 4000)),
    (logical("long", "time-micros"), time(1, 2, 3, 4)),
    (logical("long", "timestamp-millis"), datetime(2024, 5, 6, tzinfo=UTC)),
    (logical("long", "local-timestamp-micros"), datetime(2024, 5, 6, 0, 0, 0, 1)),
    (logical("string", "uuid"), UUID(int=6)),
    (logical("bytes", "decimal", precision=4, scale=1), Decimal("1.5")),
    (logical("bytes", "big-decimal"), Decimal("1.5")),
]


def test_what_may_be_null_arrives_as_it_was_sent_on_each_bus(tmp_path: Path) -> None:
    one = record("One", {f"f{index}": (["null", schema], None) for index, (schema, _) in enumerate(EACH_KIND)})
    package = emitted_package(contract("Kinds", {"take": {"inputs": [message(one)]}}), tmp_path, "each_kind_or_null")
    given = {"Part": package.Part(x=1), "Kind": package.Kind.TWO}
    values = {
        f"f{index}": given.get(value, value) if isinstance(value, str) else value
        for index, (_, value) in enumerate(EACH_KIND)
    }

    for sent in (package.One(**values), package.One()):
        assert package.One.decode(sent.encode()) == sent
        assert sent.as_received() == sent


def test_any_branch_of_a_union_arrives_as_it_was_sent_on_each_bus(tmp_path: Path) -> None:
    kinds: list[Any] = [
        {"type": "map", "values": "long"},
        {"type": "array", "items": "long"},
        record("Leg", {"x": "int"}),
    ]
    one = record("Several", {"value": ["null", "string", "bytes", "boolean", "double", *kinds]})
    package = emitted_package(contract("Several", {"take": {"inputs": [message(one)]}}), tmp_path, "any_of_several")

    for value in (None, "text", b"data", True, 0.5, {"k": 1}, (1, 2), package.Leg(x=1)):
        sent = package.Several(value=value)
        assert package.Several.decode(sent.encode()) == sent
        assert sent.as_received() == sent


def test_another_avro_implementation_reads_the_same(zoo: ModuleType) -> None:
    read: Any = fastavro.schemaless_reader(
        io.BytesIO(zoo.Inner(x=1, next=zoo.Inner(x=2)).encode()), json.loads(zoo.Inner.avro_schema()), None
    )

    assert read == {"x": 1, "next": {"x": 2, "next": None}}


def test_defaults_are_those_of_the_schema(zoo: ModuleType) -> None:
    value = example(zoo)

    assert (value.encode_, value.field_, value.tags, value.day) == (7, 0.5, ("a", "b"), date(1970, 1, 1))
    assert value.kind is zoo.Kind.NONE
    assert value.default == zoo.Inner(x=3)


def test_errors_name_the_field(zoo: ModuleType) -> None:
    wrong = zoo.Zoo(**{**vars(example(zoo)), "counts": {"a": (1.5, "x")}})

    with pytest.raises(EncodeError, match=r'Zoo\.counts\["a"\]\[1\]: expected a float'):
        wrong.encode()
    with pytest.raises(DecodeError, match=r"Inner\.next: "):
        zoo.Inner.decode(b"\x02\x08")
    with pytest.raises(DecodeError, match="1 bytes are left at the end"):
        zoo.Inner.decode(zoo.Inner(x=1).encode() + b"\0")
    deep = zoo.Inner(x=0)
    for _ in range(100):
        deep = zoo.Inner(x=0, next=deep)
    with pytest.raises(EncodeError, match="nested more than"):
        deep.encode()


def test_a_message_is_frozen(zoo: ModuleType) -> None:
    with pytest.raises(FrozenInstanceError):
        zoo.Inner(x=1).x = 2


def test_its_schema_and_fingerprint_are_those_of_the_contract(zoo: ModuleType) -> None:
    assert json.loads(zoo.Zoo.avro_schema()) == ZOO
    assert zoo.Zoo.schema_fingerprint() == schema_fingerprint(json.dumps(ZOO))
    assert registry.find("Zoo", zoo.Zoo.schema_fingerprint()) is zoo.Zoo
    assert zoo.Broken.message_type() == "Broken"


def test_within_a_process_a_receiver_gets_a_copy(zoo: ModuleType) -> None:
    value, error = example(zoo), zoo.Broken(args_="x", inner=zoo.Inner(x=1))

    assert as_received(value) == value
    assert as_received(value) is not value
    forgiven = zoo.Zoo(**{**vars(value), "field_": 2, "tags": ["a"]})
    assert as_received(forgiven) == zoo.Zoo(**{**vars(value), "field_": 2.0, "tags": ("a",)})
    with pytest.raises(EncodeError, match=r"Zoo\.from: expected a str"):
        as_received(zoo.Zoo(**{**vars(value), "from_": 2}))
    leaf = zoo.Leaf(names=("a", "b"), kind=zoo.Kind.ONE)
    assert as_received(leaf) is leaf
    received = as_received(error)
    assert received == error
    assert received is not error


def test_it_travels_in_an_event(zoo: ModuleType) -> None:
    for encoding in Encoding:
        assert Event.decode(
            Event.create(example(zoo), publisher_identifier="lamp").encode(encoding)
        ).payload == example(zoo)


def test_what_another_schema_has_written_is_read_by_resolution(zoo: ModuleType) -> None:
    left_out = ("kind", "default", "tags", "encode")
    kept = {one["name"]: one["type"] for one in FLAT["fields"] if one["name"] not in left_out}
    writer = record("Flat", {"added": "string", **kept, "field": "int"}, namespace="flat")
    value = vars(example(zoo))
    plain: dict[str, Any] = {
        **{name.rstrip("_"): one for name, one in value.items() if name not in left_out},
        "added": "gone",
        "field": 2,
        "inner": {"x": 1},
        "duration": b"\1\0\0\0\2\0\0\0\3\0\0\0",
        "union": {"x": 5},
        "big": b"\2\x0f\2",
    }
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(writer), plain)

    read = resolving_reader(json.dumps(writer), zoo.Flat)(written.getvalue())

    part, default = zoo.Part, zoo.Part(x=3)
    changed = {"field_": 2.0, "inner": part(x=1), "union": part(x=5), "default": default, "kind": zoo.Kind_.NONE}
    assert read == zoo.Flat(**{**value, **changed})
    with pytest.raises(DecodeError, match="Flat"):
        resolving_reader(json.dumps(writer), zoo.Flat)(b"\xff")


def test_what_emitted_code_needs_is_reserved() -> None:
    instance = {"new_connection_added_event", "state"}
    plugin = {name for name in {*dir(Plugin), *Plugin.__dataclass_fields__} if not name.startswith("_")} | instance
    assert plugin <= reserved.PLUGIN_ATTRIBUTES
    assert {name for name in dir(ContractClient) if not name.startswith("_")} | {"core"} <= reserved.CLIENT_ATTRIBUTES
    messages = {name for name in dir(GeneratedMessage) if not name.startswith("_")}
    assert messages <= reserved.MESSAGE_ATTRIBUTES
    assert {
        name for name in dir(DeclaredError) if not name.startswith("_")
    } <= reserved.MESSAGE_ATTRIBUTES | reserved.ERROR_ATTRIBUTES
    assert inspect.isclass(GeneratedMessage)
